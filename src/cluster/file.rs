//! The kubeconfig and the files that it names. They are short and may contain secrets.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

/// The largest file that is read, in bytes. For comparison, etcd's objects have at most 1.5 MiB.
const LONGEST: u64 = 16 << 20;

/// Reads a whole file.
///
/// # Errors
/// The errors of the system, and `FileTooLarge`, since the path may be that of an endless device.
pub(super) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    // Where it fits from the start, no copy of a secret is left behind.
    let length = file.metadata().map_or(0, |metadata| metadata.len().min(LONGEST));
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than 16 MiB"));
    }
    Ok(bytes)
}

/// Reads a whole text file.
pub(super) fn read_text(path: &Path) -> io::Result<Zeroizing<String>> {
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes);
    text.map(|text| Zeroizing::new(text.to_owned()))
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_end_is_not_read_to_its_end() {
        assert_eq!(read(Path::new("/dev/zero")).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read(Path::new("/dev/null")).unwrap().len(), 0);
        assert!(read_text(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml").as_path()).is_ok());
    }
}
