//! Messages of an upgraded connection.

/// A piece of what was sent into one channel: those of one channel together are all of it.
#[derive(Debug)]
pub struct Message<'a> {
    /// The channel or stream of the message.
    pub channel: u32,
    /// Of any length.
    pub bytes: &'a [u8],
}
