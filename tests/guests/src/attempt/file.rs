//! Files, as a guest's standard library finds them.

use std::fs::File;
use std::io::Read;

/// As much as is read of a file, in bytes.
const ENOUGH: u64 = 4096;

/// Reads the beginning of a file, by its path as it is.
///
/// # Errors
/// The path and the reason, if it cannot be read.
pub fn read_file(path: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(ENOUGH).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(format!("{path}: {}", String::from_utf8_lossy(&bytes))),
        Err(error) => Err(format!("{path}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_a_missing_one_has_its_reason() {
        assert!(read_file(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap().contains("bin = ["));
        assert!(read_file("/there/is/no/such/thing").unwrap_err().starts_with("/there/is/no/such/thing: "));
    }
}
