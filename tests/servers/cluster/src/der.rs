//! As much DER (X.690) as it takes to make an X.509 v1 certificate of a v3 one.

/// SEQUENCE.
const SEQUENCE: u8 = 0x30;
/// BIT STRING.
const BIT_STRING: u8 = 0x03;
/// `[0] EXPLICIT`, which in a `TBSCertificate` is the version. Its default, v1, is left out (RFC 5280, 4.1).
const VERSION: u8 = 0xa0;
/// `[3] EXPLICIT`, which in a `TBSCertificate` is the extensions. Only v3 may have them (RFC 5280, 4.1.2.9).
const EXTENSIONS: u8 = 0xa3;

/// Makes a v1 certificate from the v3 certificate `der`: without version and extensions, and signed again by
/// `sign`, which must use the algorithm that the certificate names. Returns `None` if `der` is not a
/// certificate.
///
/// A certificate is `SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue BIT STRING }` (RFC 5280,
/// 4.1).
pub fn without_extensions<E>(
    der: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Option<Result<Vec<u8>, E>> {
    let (certificate, _) = Element::read(der)?;
    let (tbs, rest) = Element::read(certificate.content)?;
    let (algorithm, _) = Element::read(rest)?;

    let mut fields = Vec::new();
    let mut rest = tbs.content;
    while !rest.is_empty() {
        let (field, after) = Element::read(rest)?;
        if field.tag != VERSION && field.tag != EXTENSIONS {
            fields.extend_from_slice(field.whole);
        }
        rest = after;
    }
    let tbs = write(SEQUENCE, &fields);
    let signature = match sign(&tbs) {
        Ok(signature) => signature,
        Err(e) => return Some(Err(e)),
    };
    // The first byte of a bit string counts the bits that its last byte leaves unused.
    let signature = write(BIT_STRING, &[&[0], signature.as_slice()].concat());
    Some(Ok(write(SEQUENCE, &[tbs.as_slice(), algorithm.whole, &signature].concat())))
}

struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    /// Tag, length and content.
    whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// Reads the first element of `bytes`, and returns the rest.
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&tag, rest) = bytes.split_first()?;
        let (&first, rest) = rest.split_first()?;
        // Below 0x80 the byte is the length; above, it counts the bytes of the length.
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (length, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (
                length
                    .iter()
                    .try_fold(0_usize, |n, byte| n.checked_mul(256)?.checked_add(usize::from(*byte)))?,
                rest,
            )
        };
        let (content, after) = rest.split_at_checked(length)?;
        let whole = &bytes[..bytes.len() - after.len()];
        Some((Self { tag, content, whole }, after))
    }
}

fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    let length = content.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    match digits {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        long => {
            // A length has at most eight bytes, so that the count always fits beside the flag.
            element.push(0x80 | u8::try_from(long.len()).unwrap_or(0x7f));
            element.extend_from_slice(long);
        }
    }
    element.extend_from_slice(content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_their_shortest_form() {
        for (length, head) in [
            (0, vec![0x30, 0]),
            (0x7f, vec![0x30, 0x7f]),
            (0x80, vec![0x30, 0x81, 0x80]),
            (0x1_02, vec![0x30, 0x82, 0x01, 0x02]),
        ] {
            let element = write(SEQUENCE, &vec![7; length]);
            assert_eq!(element[..head.len()], head);
            let (read, after) = Element::read(&element).unwrap();
            assert_eq!((read.content.len(), after), (length, [].as_slice()));
        }
    }

    #[test]
    fn what_is_cut_short_is_no_certificate() {
        let sign = |_: &[u8]| Ok::<_, ()>(vec![1]);
        assert!(without_extensions(&[0x30, 0x05, 0x30], sign).is_none());
    }
}
