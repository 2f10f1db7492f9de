//! Bytes for people.

use std::fmt::Write;

/// Bytes in a line: the offset, sixteen bytes and their characters take 78 columns.
const WIDTH: usize = 16;

/// Returns offset, hexadecimal and ASCII, in the layout of `hexdump -C`.
pub(crate) fn hexdump(bytes: &[u8]) -> String {
    let mut dump = String::with_capacity(bytes.len() * 5);
    for (index, line) in bytes.chunks(WIDTH).enumerate() {
        let _ = write!(dump, "{:08x} ", index * WIDTH);
        for column in 0..WIDTH {
            dump.push_str(if column == WIDTH / 2 { "  " } else { " " });
            match line.get(column) {
                Some(byte) => {
                    let _ = write!(dump, "{byte:02x}");
                }
                None => dump.push_str("  "),
            }
        }
        let ascii = line.iter().map(|byte| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' });
        dump.push_str("  |");
        dump.extend(ascii);
        dump.push_str("|\n");
    }
    dump
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_as_that_of_hexdump() {
        let bytes: Vec<u8> = (0xf0..=0xff).chain(*b"Hello, |\x00\x1b").collect();
        assert_eq!(
            hexdump(&bytes),
            "00000000  f0 f1 f2 f3 f4 f5 f6 f7  f8 f9 fa fb fc fd fe ff  |................|\n\
             00000010  48 65 6c 6c 6f 2c 20 7c  00 1b                    |Hello, |..|\n"
        );
    }

    #[test]
    fn nothing_is_no_line() {
        assert_eq!(hexdump(b""), "");
    }
}
