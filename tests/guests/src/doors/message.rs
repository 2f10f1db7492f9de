//! What comes through a connection that was switched.

/// A piece of what was sent into one channel: those of one channel together are all of it.
#[derive(Debug)]
pub struct Message<'a> {
    /// Which channel it is of, or which stream.
    pub channel: u32,
    /// Of any length.
    pub bytes: &'a [u8],
}
