//! Reads the manifests of projects.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::Error;

/// The largest manifest, in bytes.
const LONGEST: u64 = 4 << 20;

/// Reads a manifest.
///
/// # Errors
/// [`Error::Unreadable`], also for one that is too large or is not text.
pub(super) fn read(path: &Path) -> Result<String, Error> {
    let text = || {
        let mut text = String::new();
        File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
        if text.len() as u64 > LONGEST {
            return Err(io::Error::other(format!("it has more than {LONGEST} bytes")));
        }
        Ok(text)
    };
    text().map_err(|source| Error::Unreadable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_text_of_a_reasonable_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("package.json");
        std::fs::write(&path, "{}").unwrap();
        assert_eq!(read(&path).unwrap(), "{}");
        let length = usize::try_from(LONGEST).unwrap();
        for content in [vec![0xff], vec![b' '; length + 1]] {
            std::fs::write(&path, content).unwrap();
            assert!(matches!(read(&path), Err(Error::Unreadable { .. })));
        }
    }
}
