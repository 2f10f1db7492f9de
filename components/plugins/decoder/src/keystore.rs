//! Keystores, which are named and not decoded: all that matters in them is encrypted by a password.

/// Returns what a keystore is called, or `None` of other bytes.
pub(crate) fn name(bytes: &[u8]) -> Option<String> {
    match bytes {
        // Magic number, version, number of entries (`sun.security.provider.JavaKeyStore`).
        [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 1 | 2, a, b, c, d, ..] => Some(java("JKS", [*a, *b, *c, *d])),
        [0xce, 0xce, 0xce, 0xce, 0, 0, 0, 1 | 2, a, b, c, d, ..] => Some(java("JCEKS", [*a, *b, *c, *d])),
        _ => is_pkcs12(bytes).then(|| "PKCS #12 keystore".to_owned()),
    }
}

fn java(kind: &str, entries: [u8; 4]) -> String {
    match u32::from_be_bytes(entries) {
        1 => format!("Java keystore ({kind}) with 1 entry"),
        number => format!("Java keystore ({kind}) with {number} entries"),
    }
}

/// Returns whether bytes begin as a PFX (RFC 7292): a sequence of the version 3, and of a content.
fn is_pkcs12(bytes: &[u8]) -> bool {
    let length = match bytes {
        [0x30, 0x80, ..] => 2,
        [0x30, length, ..] if *length < 0x80 => 2,
        [0x30, length @ 0x81..=0x84, ..] => 2 + usize::from(length & 0x7f),
        _ => return false,
    };
    bytes.get(length..).is_some_and(|rest| rest.starts_with(&[0x02, 0x01, 0x03, 0x30]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keystores_are_recognised_by_how_they_begin() {
        let jks = [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1, 9];
        assert_eq!(name(&jks).unwrap(), "Java keystore (JKS) with 1 entry");
        let jceks = [0xce, 0xce, 0xce, 0xce, 0, 0, 0, 2, 0, 0, 0, 2];
        assert_eq!(name(&jceks).unwrap(), "Java keystore (JCEKS) with 2 entries");
        for pfx in
            [&[0x30, 0x82, 9, 9, 2, 1, 3, 0x30][..], &[0x30, 0x80, 2, 1, 3, 0x30], &[0x30, 20, 2, 1, 3, 0x30]]
        {
            assert_eq!(name(pfx).unwrap(), "PKCS #12 keystore");
        }
    }

    #[test]
    fn other_bytes_are_none() {
        for bytes in [
            &b""[..],
            &[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2],
            &[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 7, 0, 0, 0, 1],
            &[0x30, 0x82, 9, 9, 2, 1, 0, 0x30],
            &[0x30, 0x84],
        ] {
            assert!(name(bytes).is_none(), "{bytes:?}");
        }
    }
}
