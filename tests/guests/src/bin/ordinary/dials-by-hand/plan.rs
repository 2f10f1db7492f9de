//! The command line.

use std::time::Duration;

/// The bytes to send, the destination, and the options.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Plan {
    pub(crate) address: String,
    pub(crate) request: Option<String>,
    pub(crate) pieces: usize,
    pub(crate) pause: Duration,
    pub(crate) shutdown: bool,
    pub(crate) read: usize,
    pub(crate) count: Option<u64>,
    pub(crate) sum: bool,
}

/// Parses a command line. Returns `None` if it has no address.
pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Plan> {
    let (mut address, mut request, mut count) = (None, None, None);
    let (mut shutdown, mut sum) = (false, false);
    let (mut pieces, mut read, mut pause) = (usize::MAX, 64 * 1024, Duration::ZERO);
    let size = |text: String| text.parse().ok().filter(|size: &usize| *size > 0);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--request" => request = Some(unescaped(&arguments.next()?)),
            "--pieces" => pieces = size(arguments.next()?)?,
            "--pause" => pause = Duration::from_millis(arguments.next()?.parse().ok()?),
            "--shutdown" => shutdown = true,
            "--read" => read = size(arguments.next()?)?,
            "--count" => count = Some(arguments.next()?.parse().ok()?),
            "--sum" => sum = true,
            _ if address.is_none() && argument.contains(':') => address = Some(argument),
            _ => return None,
        }
    }
    Some(Plan { address: address?, request, pieces, pause, shutdown, read, count, sum })
}

/// Replaces escapes. A backslash before any other character stays as it is.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, characters.clone().next()) {
            ('\\', Some(escaped @ ('r' | 'n' | '\\'))) => {
                plain.push(match escaped {
                    'r' => '\r',
                    'n' => '\n',
                    other => other,
                });
                characters.next();
            }
            _ => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Option<Plan> {
        super::parse(line.iter().map(|&word| word.to_owned()))
    }

    #[test]
    fn line_ends_may_be_written_as_escapes() {
        let plan = parse(&["--request", r"GET / HTTP/1.1\r\n\\n\x\", "h:80"]).unwrap();
        assert_eq!(plan.request.as_deref(), Some("GET / HTTP/1.1\r\n\\n\\x\\"));
        assert_eq!((plan.address.as_str(), plan.read, plan.count), ("h:80", 65536, None));
    }

    #[test]
    fn a_piece_of_nothing_is_a_usage_error() {
        assert_eq!(parse(&["h:80", "--pieces", "0"]), None);
        assert_eq!(parse(&["h:80", "--read", "0"]), None);
        assert_eq!(parse(&["h"]), None);
        assert_eq!(parse(&[]), None);
    }
}
