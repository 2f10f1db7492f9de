//! HTTP/1.1 messages (RFC 9112), parsed twice: strictly, without any ambiguity, and as leniently as any
//! server might.

/// The tolerance of a reader.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Reader {
    /// Ambiguous input is a fault.
    Strict,
    /// Everything that the gate's own server might accept is accepted. It may accept less, but nothing else.
    Lenient,
}

/// The reason why bytes are not a message.
pub(super) type Fault = &'static str;

/// The part of a message before its body.
#[derive(Debug)]
pub(super) struct Head {
    /// The three parts of the first line.
    pub(super) first: [String; 3],
    /// Names in lower case, with the values' bytes as characters.
    pub(super) headers: Vec<(String, String)>,
    /// The bytes that it takes.
    pub(super) length: usize,
}

/// The end of a body.
#[derive(Clone, Copy)]
pub(super) enum Framing {
    Chunked,
    Length(usize),
    /// With its connection.
    Rest,
}

/// A body as far as it is there.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// Whether it has an end.
    pub(super) whole: bool,
    pub(super) trailers: Vec<(String, String)>,
    /// The bytes that it takes, of those that are there.
    pub(super) length: usize,
}

impl Head {
    /// Reads a head; `None` where its end is not there yet.
    pub(super) fn read(bytes: &[u8], reader: Reader) -> Result<Option<Self>, Fault> {
        let blank =
            bytes.iter().take_while(|byte| reader == Reader::Lenient && b"\r\n".contains(byte)).count();
        let mut lines = Vec::new();
        let mut start = blank;
        loop {
            let Some(length) = bytes[start..].iter().position(|byte| *byte == b'\n') else { return Ok(None) };
            let line = &bytes[start..start + length];
            start += length + 1;
            let line = match line.strip_suffix(b"\r") {
                Some(line) => line,
                None if reader == Reader::Lenient => line,
                None => return Err("a line feed alone"),
            };
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let (first, fields) = lines.split_first().ok_or("no first line")?;
        let mut parts = text(first).splitn(3, ' ').map(str::to_owned).collect::<Vec<_>>().into_iter();
        let first = std::array::from_fn(|_| parts.next().unwrap_or_default());
        let headers = fields.iter().filter_map(|line| field(line, reader).transpose());
        Ok(Some(Self { first, headers: headers.collect::<Result<_, _>>()?, length: start }))
    }

    /// Returns the values of a header.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns how the end of this request's body is determined.
    pub(super) fn framing(&self, reader: Reader) -> Result<Framing, Fault> {
        let codings: Vec<&str> = self.all("transfer-encoding").collect();
        let lengths: Vec<&str> = self.all("content-length").collect();
        if reader == Reader::Strict && codings.len() + lengths.len() > 1 {
            return Err("more than one framing");
        }
        match (codings.last(), lengths.first()) {
            (Some(&"chunked"), _) => Ok(Framing::Chunked),
            (Some(_), _) if reader == Reader::Strict => Err("another coding than chunked"),
            (Some(coding), _) => {
                let last = coding.rsplit(',').next().unwrap_or_default().trim();
                let chunked = last.eq_ignore_ascii_case("chunked") && self.first[2] == "HTTP/1.1";
                if chunked { Ok(Framing::Chunked) } else { Err("another coding than chunked") }
            }
            (None, Some(digits)) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                digits.parse().map(Framing::Length).map_err(|_| "a length that is no number")
            }
            (None, Some(_)) => Err("a length that is no number"),
            (None, None) => Ok(Framing::Length(0)),
        }
    }
}

/// Returns bytes as characters, one for one.
pub(super) fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Parses one line of a head, or returns `None` if it contains only what a lenient reader skips.
fn field(line: &[u8], reader: Reader) -> Result<Option<(String, String)>, Fault> {
    let line = text(line);
    let Some((name, value)) = line.split_once(':') else {
        return if reader == Reader::Strict { Err("a header without a colon") } else { Ok(None) };
    };
    if reader == Reader::Strict {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err("a name that is no token");
        }
        if value.chars().any(|character| character.is_ascii_control() && character != '\t') {
            return Err("a control character in a value");
        }
    }
    let value = value.trim_matches([' ', '\t']);
    Ok(Some((name.to_ascii_lowercase(), value.to_owned())))
}

impl Body {
    /// Reads a body as far as it is there.
    pub(super) fn read(bytes: &[u8], framing: Framing, reader: Reader) -> Result<Self, Fault> {
        match framing {
            Framing::Chunked => {
                let mut body = Self::plain(&[], false);
                match body.chunks(bytes, reader) {
                    // What came before the fault may have been handed on already.
                    Err(fault) if reader == Reader::Strict => Err(fault),
                    _ => Ok(body),
                }
            }
            Framing::Length(length) => {
                let there = length.min(bytes.len());
                Ok(Self::plain(&bytes[..there], there == length))
            }
            Framing::Rest => Ok(Self::plain(bytes, false)),
        }
    }

    fn plain(bytes: &[u8], whole: bool) -> Self {
        Self { bytes: bytes.to_vec(), whole, trailers: Vec::new(), length: bytes.len() }
    }

    fn chunks(&mut self, bytes: &[u8], reader: Reader) -> Result<(), Fault> {
        let mut lines = Lines { bytes, read: 0 };
        while let Some(line) = lines.next() {
            let size = match line.split(|byte| *byte == b';').next() {
                Some(size) if reader == Reader::Lenient => size.trim_ascii(),
                _ => line,
            };
            if size.is_empty() || !size.iter().all(u8::is_ascii_hexdigit) {
                return Err("a size of a chunk that is no number");
            }
            let size = usize::from_str_radix(&text(size), 16).map_err(|_| "a chunk without end")?;
            if size == 0 {
                return self.end(lines, reader);
            }
            let rest = &bytes[lines.read..];
            self.bytes.extend_from_slice(&rest[..size.min(rest.len())]);
            lines.read += size.min(rest.len());
            self.length = lines.read;
            match rest.get(size..).unwrap_or_default() {
                [] | [b'\r'] => break,
                [b'\r', b'\n', ..] => lines.read += 2,
                _ => return Err("a chunk longer than its size"),
            }
        }
        Ok(())
    }

    /// Reads the part after the last chunk.
    fn end(&mut self, mut lines: Lines<'_>, reader: Reader) -> Result<(), Fault> {
        while let Some(line) = lines.next() {
            self.length = lines.read;
            if line.is_empty() {
                self.whole = true;
                break;
            }
            self.trailers.extend(field(line, reader)?);
        }
        Ok(())
    }
}

/// Lines that end as they should.
struct Lines<'a> {
    bytes: &'a [u8],
    read: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = &self.bytes[self.read..];
        let end = (1..rest.len()).find(|end| rest[end - 1] == b'\r' && rest[*end] == b'\n')?;
        self.read += end + 1;
        Some(&rest[..end - 1])
    }
}
