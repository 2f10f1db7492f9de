//! PEM in a kubeconfig: base64 in the file itself, or a separate file; and its sections, as Go reads them.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::file;
use super::secret::Secret;

/// The place of a PEM text.
#[derive(Clone)]
pub(super) enum Pem {
    /// The kubeconfig, in base64.
    Data(Secret),
    /// This file.
    File(PathBuf),
}

impl Pem {
    /// Returns the PEM of an entry that may have both. The text in the kubeconfig itself takes precedence, as
    /// in client-go.
    pub(super) fn of(data: Option<&str>, file: Option<&Path>) -> Option<Self> {
        let data = data.filter(|data| !data.is_empty()).map(|data| Self::Data(Secret::from(data.to_owned())));
        data.or_else(|| file.map(|path| Self::File(path.to_owned())))
    }

    /// Returns the file, if it is one.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Data(_) => None,
            Self::File(path) => Some(path),
        }
    }

    /// Returns the text, or the reason why it cannot be read.
    pub(super) fn read(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        match self {
            Self::Data(data) => {
                let clean = Zeroizing::new(data.reveal().split_ascii_whitespace().collect::<String>());
                STANDARD
                    .decode(clean.as_bytes())
                    .map(Zeroizing::new)
                    .map_err(|_| "it is not valid base64".to_owned())
            }
            Self::File(path) => file::read(path).map_err(|error| format!("{}: {error}", path.display())),
        }
    }
}

/// A section of PEM.
pub(super) struct Section {
    /// The label, e.g. `CERTIFICATE`.
    pub(super) label: String,
    /// Whether its headers state that its content is encrypted (RFC 1421).
    pub(super) encrypted: bool,
    pub(super) content: Zeroizing<Vec<u8>>,
}

/// Returns the sections of a text. Text between them and malformed sections are skipped, as by Go's
/// `pem.Decode`.
pub(super) fn sections(text: &[u8]) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut open: Option<(String, Zeroizing<Vec<u8>>, bool)> = None;
    for line in text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end) {
        if let Some(label) = edge(line, b"-----BEGIN ") {
            open = Some((label, Zeroizing::default(), false));
        } else if let Some(end) = edge(line, b"-----END ") {
            let Some((label, base64, encrypted)) = open.take().filter(|(label, ..)| *label == end) else {
                continue;
            };
            if let Ok(content) = STANDARD.decode(base64.as_slice()) {
                sections.push(Section { label, encrypted, content: Zeroizing::new(content) });
            }
        } else if let Some((_, base64, encrypted)) = &mut open {
            if line.contains(&b':') {
                *encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
            } else {
                base64.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
            }
        }
    }
    sections
}

/// Returns the label of a line that begins or ends a section.
fn edge(line: &[u8], start: &[u8]) -> Option<String> {
    let label = line.strip_prefix(start)?.strip_suffix(b"-----")?;
    Some(String::from_utf8_lossy(label).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Vec<u8>)> {
        sections(text.as_bytes()).into_iter().map(|it| (it.label, it.content.to_vec())).collect()
    }

    #[test]
    fn sections_are_read_among_other_texts_and_with_any_line_ends() {
        let x = ("A".to_owned(), b"x".to_vec());
        for text in [
            "-----BEGIN A-----\neA==\n-----END A-----",
            "text\r\n-----BEGIN A-----\r\neA==\r\n-----END A-----\r\nmore: text",
            "-----BEGIN A-----  \nKey: value\n\n e A\t==\n\n-----END A----- \n",
            "-----BEGIN B-----\n-----BEGIN A-----\neA==\n-----END A-----\n",
            "-----BEGIN A-----\n?\n-----END A-----\n-----BEGIN A-----\neA==\n-----END A-----\n",
            "-----BEGIN A-----\neA==\n-----END B-----\n-----BEGIN A-----\neA==\n-----END A-----\n",
        ] {
            assert_eq!(read(text), std::slice::from_ref(&x), "{text}");
        }
        for text in [
            "",
            "eA==",
            "-----BEGIN A-----\neA==\n",
            "-----END A-----\n",
            "x-----BEGIN A-----\neA==\n-----END A-----",
        ] {
            assert_eq!(read(text), [], "{text}");
        }
    }
}
