//! Scripts that say what a guest asks for: the fuzzer's door reads them too (`tests/fuzz/src/door/wasi3.rs`).
//!
//! Each line begins with what it is: `>` a request's method and target, `:` a header, `+` a piece of the body, `*` so many KiB
//! of it, `;` a trailer, `~` what is written to a socket, where `|` ends a line. The request ends with `!` (its trailers fail), `/` (it is dropped) or
//! `&` (it is sent beside the next one), and else as a whole.

/// The largest number of steps in a script.
const STEPS: usize = 12;

/// The largest size of a body, in KiB.
const SIZE: usize = 256;

/// A step of a script.
pub(crate) enum Step<'a> {
    Request(Asked<'a>),
    Socket(Vec<u8>),
}

/// A request that a script asks for.
pub(crate) struct Asked<'a> {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, &'a [u8])>,
    /// The pieces of its body, if it has one.
    pub(crate) pieces: Vec<Vec<u8>>,
    pub(crate) trailers: Vec<(String, &'a [u8])>,
    pub(crate) end: End,
}

/// The end of a request.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum End {
    Whole,
    /// Whole, and nobody waits for it before the next one is sent.
    Beside,
    Failed,
    Dropped,
}

/// Reads a script. What is no line of one is passed over.
pub(crate) fn read(script: &[u8]) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for line in script.split(|byte| *byte == b'\n') {
        let Some((kind, rest)) = line.split_first() else { continue };
        match kind {
            b'>' | b'~' if steps.len() == STEPS => break,
            b'>' => steps.push(Step::Request(Asked::of(rest))),
            b'~' => steps.push(Step::Socket(lines(rest))),
            kind => {
                if let Some(Step::Request(asked)) = steps.last_mut() {
                    asked.add(*kind, rest);
                }
            }
        }
    }
    steps
}

impl<'a> Asked<'a> {
    fn of(line: &[u8]) -> Self {
        let line = String::from_utf8_lossy(line);
        let (method, target) = line.trim_start().split_once(' ').unwrap_or(("GET", &line));
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            pieces: Vec::new(),
            trailers: Vec::new(),
            end: End::Whole,
        }
    }

    fn add(&mut self, kind: u8, rest: &'a [u8]) {
        match kind {
            b':' => self.headers.extend(field(rest)),
            b';' => self.trailers.extend(field(rest)),
            b'+' => self.pieces.push(rest.to_vec()),
            b'*' => {
                let size = String::from_utf8_lossy(rest).trim().parse::<usize>().unwrap_or(1);
                let room = SIZE.saturating_sub(self.pieces.iter().map(Vec::len).sum::<usize>() >> 10);
                self.pieces.push(pattern(size.min(room) << 10));
            }
            b'!' => self.end = End::Failed,
            b'/' => self.end = End::Dropped,
            b'&' => self.end = End::Beside,
            _ => {}
        }
    }
}

fn lines(text: &[u8]) -> Vec<u8> {
    text.split(|byte| *byte == b'|').collect::<Vec<_>>().join(&b"\r\n"[..])
}

fn field(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    Some((String::from_utf8_lossy(&line[..colon]).trim().to_owned(), line[colon + 1..].trim_ascii()))
}

/// Returns bytes that differ in any other order.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| b'a' + u8::try_from((index ^ (index >> 8) ^ (index >> 16)) % 26).unwrap_or(0))
        .collect()
}
