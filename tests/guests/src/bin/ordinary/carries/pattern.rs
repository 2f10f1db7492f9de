//! Bytes of which each piece is at one place only: what is lost, doubled or moved is noticed, and at the cost of a
//! comparison.

use std::io::{self, Error, Write};

/// The number of bytes sent at a time.
const BLOCK: usize = 32 << 10;

/// The number of distinct blocks: 4 MiB.
const BLOCKS: usize = 128;

/// The pattern, repeated from its beginning.
pub(crate) struct Pattern(Vec<u8>);

/// The number of bytes received so far.
#[derive(Default)]
pub(crate) struct Progress(u64);

impl Pattern {
    pub(crate) fn new() -> Self {
        let mut bytes = Vec::with_capacity(BLOCKS * BLOCK);
        // Marsaglia's xorshift64: any order of bytes will do that does not repeat.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        while bytes.len() < BLOCKS * BLOCK {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        Self(bytes)
    }

    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.0)?;
        out.flush()
    }

    /// Returns this many bytes of it, in blocks.
    pub(crate) fn pieces(&self, bytes: u64) -> impl Iterator<Item = &[u8]> {
        let whole = self.0.chunks_exact(BLOCK).cycle();
        let mut left = bytes;
        whole.map_while(move |block| {
            let length = BLOCK.min(usize::try_from(left).unwrap_or(BLOCK));
            left -= length as u64;
            (length > 0).then(|| &block[..length])
        })
    }

    /// Returns its bytes from a position on, at most `most`, up to its end.
    fn at(&self, place: u64, most: usize) -> &[u8] {
        let start = usize::try_from(place % (self.0.len() as u64)).unwrap_or(0);
        &self.0[start..self.0.len().min(start.saturating_add(most))]
    }
}

impl Progress {
    pub(crate) fn bytes(&self) -> u64 {
        self.0
    }

    /// Takes in what came next.
    ///
    /// # Errors
    /// If it is not what the pattern has there.
    pub(crate) fn compare(&mut self, pattern: &Pattern, mut piece: &[u8]) -> io::Result<()> {
        while !piece.is_empty() {
            let expected = pattern.at(self.0, piece.len());
            let (now, later) = piece.split_at(expected.len());
            if now != expected {
                return Err(Error::other(format!("other bytes than were sent, {} bytes in", self.0)));
            }
            self.0 += now.len() as u64;
            piece = later;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_what_is_expected_however_it_is_cut() {
        let pattern = Pattern::new();
        let bytes = pattern.0.len() as u64 + 1000;
        let sent: Vec<u8> = pattern.pieces(bytes).flatten().copied().collect();
        assert_eq!(sent.len() as u64, bytes);
        let mut progress = Progress::default();
        for piece in sent.chunks(99_991) {
            progress.compare(&pattern, piece).unwrap();
        }
        assert_eq!(progress.bytes(), bytes);
    }

    #[test]
    fn what_is_lost_or_moved_is_noticed() {
        let pattern = Pattern::new();
        let second = pattern.pieces(2 * BLOCK as u64).nth(1).unwrap();
        assert!(Progress::default().compare(&pattern, second).is_err());
        assert!(Progress::default().compare(&pattern, &second[1..]).is_err());
    }
}
