//! Secrets in Kubernetes' protobuf, whose values are replaced.
//!
//! The messages are those of k8s.io/apimachinery (`pkg/runtime/generated.proto`, `pkg/apis/meta/v1/generated.proto`) and
//! k8s.io/api (`core/v1/generated.proto`). A message of another kind, or with a field that is not known, may contain a
//! value anywhere, and is not understood.

use super::sensitivity::{LEFT_OUT, annotation, may_quote};

/// The first bytes of an object (k8s.io/apimachinery, `pkg/runtime/serializer/protobuf`).
pub(super) const MAGIC: &[u8] = b"k8s\0";

/// The wire type of bytes, strings and messages.
const BYTES: u8 = 2;

/// A field of a message.
struct Field<'a> {
    number: u64,
    wire: u8,
    /// The field as it is written, with its number.
    whole: &'a [u8],
    /// The bytes of a field of that wire type; empty for others.
    bytes: &'a [u8],
}

/// The replacement of a field's bytes: `Some(None)` keeps them, and `None` means that they are not understood.
type Replacement = Option<Option<Vec<u8>>>;

const KEEP: Replacement = Some(None);

/// Returns an object with its envelope without values of secrets, or `None` if it is not understood.
pub(super) fn object(bytes: &[u8]) -> Option<Vec<u8>> {
    let envelope = bytes.strip_prefix(MAGIC)?;
    let fields = fields(envelope)?;
    let find = |number| fields.iter().rev().find(|field| field.number == number).map(|field| field.bytes);
    // A compressed object.
    if find(3).is_some_and(|encoding| !encoding.is_empty()) {
        return None;
    }
    let kind = self::fields(find(1)?)?.into_iter().rev().find(|field| field.number == 2)?.bytes;
    let content: fn(&[u8]) -> Option<Vec<u8>> = match kind {
        b"Secret" => secret,
        b"SecretList" => |list| items(list, secret),
        b"PartialObjectMetadata" => partial,
        b"PartialObjectMetadataList" => |list| items(list, partial),
        b"Status" => status,
        b"DeleteOptions" => |options| Some(options.to_vec()),
        _ => return None,
    };
    let rewritten = rewrite(envelope, |field| match field.number {
        2 => Some(Some(content(field.bytes)?)),
        _ => KEEP,
    })?;
    Some([MAGIC, &rewritten].concat())
}

/// Returns a frame of a watch, which begins with its length in four bytes, without values of secrets.
pub(super) fn frame(bytes: &[u8]) -> Option<Vec<u8>> {
    let event = bytes.get(4..)?;
    let event = rewrite(event, |field| match field.number {
        1 => KEEP,
        // A RawExtension, whose only field is the object.
        2 => Some(Some(rewrite(field.bytes, |raw| match raw.number {
            1 => Some(Some(object(raw.bytes)?)),
            _ => None,
        })?)),
        _ => None,
    })?;
    let length = u32::try_from(event.len()).ok()?;
    Some([&length.to_be_bytes(), event.as_slice()].concat())
}

fn secret(message: &[u8]) -> Option<Vec<u8>> {
    rewrite(message, |field| match field.number {
        1 => Some(Some(metadata(field.bytes)?)),
        2 | 4 => Some(Some(entry(field.bytes, |_, _| Some(LEFT_OUT.into()))?)),
        3 | 5 => KEEP,
        _ => None,
    })
}

fn partial(message: &[u8]) -> Option<Vec<u8>> {
    rewrite(message, |field| match field.number {
        1 => Some(Some(metadata(field.bytes)?)),
        _ => None,
    })
}

/// Rewrites the items of a list.
fn items(list: &[u8], item: fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    rewrite(list, |field| match field.number {
        1 => KEEP,
        2 => Some(Some(item(field.bytes)?)),
        _ => None,
    })
}

/// Rewrites the annotations of an object.
fn metadata(message: &[u8]) -> Option<Vec<u8>> {
    rewrite(message, |field| match field.number {
        12 => Some(Some(entry(field.bytes, |key, value| {
            let text = |bytes| std::str::from_utf8(bytes).ok();
            // The key and the value are UTF-8, or not understood.
            Some(text(key).zip(text(value)).map_or_else(
                || LEFT_OUT.into(),
                |(key, value)| annotation(key, value).unwrap_or_else(|| value.to_owned()).into_bytes(),
            ))
        })?)),
        _ => KEEP,
    })
}

/// Rewrites an entry of a map: `value` returns another value, or `None` to keep it.
fn entry(message: &[u8], value: impl Fn(&[u8], &[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let key =
        fields(message)?.into_iter().find(|field| field.number == 1).map_or(&[][..], |field| field.bytes);
    rewrite(message, |field| match field.number {
        1 => KEEP,
        2 => Some(value(key, field.bytes)),
        _ => None,
    })
}

/// Rewrites a status, whose message may quote a request.
fn status(message: &[u8]) -> Option<Vec<u8>> {
    let fields = fields(message)?;
    let text = |number| {
        let bytes =
            fields.iter().rev().find(|field| field.number == number).map_or(&[][..], |field| field.bytes);
        std::str::from_utf8(bytes).ok()
    };
    let succeeded = fields.iter().any(|field| field.number == 2 && field.bytes == b"Success");
    let quotes =
        !succeeded && text(4).zip(text(3)).is_none_or(|(reason, message)| may_quote(reason, message));
    rewrite(message, |field| match field.number {
        3 if quotes => Some(Some(LEFT_OUT.into())),
        5 if quotes => Some(Some(Vec::new())),
        _ => KEEP,
    })
}

/// Returns a message with some of its fields replaced.
fn rewrite<'a>(message: &'a [u8], replacement: impl Fn(&Field<'a>) -> Replacement) -> Option<Vec<u8>> {
    let mut written = Vec::with_capacity(message.len());
    for field in fields(message)? {
        match replacement(&field)? {
            None => written.extend_from_slice(field.whole),
            // A number or a flag where bytes are expected.
            Some(_) if field.wire != BYTES => return None,
            Some(bytes) => {
                write_varint(&mut written, (field.number << 3) | u64::from(BYTES));
                write_varint(&mut written, bytes.len() as u64);
                written.extend(bytes);
            }
        }
    }
    Some(written)
}

/// Reads the fields of a message (<https://protobuf.dev/programming-guides/encoding/>), or returns `None` if it is not
/// one.
fn fields(message: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let start = rest;
        let key = read_varint(&mut rest)?;
        let wire = u8::try_from(key & 7).ok()?;
        let mut bytes: &[u8] = &[];
        match wire {
            0 => drop(read_varint(&mut rest)?),
            1 => rest = rest.get(8..)?,
            5 => rest = rest.get(4..)?,
            BYTES => {
                let length = usize::try_from(read_varint(&mut rest)?).ok()?;
                bytes = rest.get(..length)?;
                rest = &rest[length..];
            }
            _ => return None,
        }
        fields.push(Field { number: key >> 3, wire, whole: &start[..start.len() - rest.len()], bytes });
    }
    Some(fields)
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn write_varint(written: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        written.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    written.push(u8::try_from(value).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::super::sensitivity::APPLIED;
    use super::*;

    fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
        let mut written = Vec::new();
        write_varint(&mut written, (number << 3) | u64::from(BYTES));
        write_varint(&mut written, bytes.len() as u64);
        written.extend_from_slice(bytes);
        written
    }

    fn envelope(kind: &str, raw: &[u8]) -> Vec<u8> {
        let types = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [MAGIC, &field(1, &types), &field(2, raw), &field(3, b""), &field(4, b"")].concat()
    }

    fn pair(key: &[u8], value: &[u8]) -> Vec<u8> {
        [field(1, key), field(2, value)].concat()
    }

    fn secret_of(value: &[u8]) -> Vec<u8> {
        let applied = br#"{"data":{"a":"c2VjcmV0"}}"#;
        let metadata = [field(1, b"db"), field(12, &pair(APPLIED.as_bytes(), applied))].concat();
        let long = vec![b'x'; 300];
        [field(1, &metadata), field(2, &pair(b"a", value)), field(2, &pair(b"b", &long)), field(3, b"Opaque")]
            .concat()
    }

    fn contains(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }

    #[track_caller]
    fn is_clean(bytes: &[u8]) {
        for part in [&b"secret-value"[..], b"c2VjcmV0", b"xxxxxxxx"] {
            assert!(!contains(bytes, part));
        }
        for part in [&b"db"[..], b"Opaque", b"left out"] {
            assert!(contains(bytes, part));
        }
    }

    #[test]
    fn a_secret_keeps_its_names_and_loses_its_values() {
        let secret = envelope("Secret", &secret_of(b"secret-value"));
        let redacted = object(&secret).unwrap();
        is_clean(&redacted);
        assert_eq!(object(&redacted).unwrap(), redacted);
        let list = [field(1, b""), field(2, &secret_of(b"secret-value"))].concat();
        is_clean(&object(&envelope("SecretList", &list)).unwrap());
    }

    #[test]
    fn an_event_of_a_watch_keeps_its_form() {
        let secret = envelope("Secret", &secret_of(b"secret-value"));
        let event = [field(1, b"ADDED"), field(2, &field(1, &secret))].concat();
        let framed = [&u32::try_from(event.len()).unwrap().to_be_bytes(), event.as_slice()].concat();
        let redacted = frame(&framed).unwrap();
        is_clean(&redacted);
        let length = u32::from_be_bytes(redacted[..4].try_into().unwrap());
        assert_eq!(length as usize, redacted.len() - 4);
    }

    #[test]
    fn what_is_not_known_is_not_understood() {
        let secret = secret_of(b"secret-value");
        let known = envelope("Secret", &secret);
        assert!(object(&known).is_some());
        for unknown in [
            envelope("ConfigMap", &secret),
            envelope("Secret", &[secret.clone(), field(6, b"new")].concat()),
            envelope("Secret", &[8, 1]),
            known[..known.len() - 5].to_vec(),
            known[4..].to_vec(),
            [&known[..], &field(3, b"gzip")].concat(),
        ] {
            assert!(object(&unknown).is_none());
        }
    }

    #[test]
    fn a_failure_that_may_quote_loses_its_message() {
        let of = |reason: &[u8]| {
            let status = [field(2, b"Failure"), field(3, b"secret-value"), field(4, reason)].concat();
            contains(&object(&envelope("Status", &status)).unwrap(), b"secret-value")
        };
        assert!(of(b"NotFound"));
        assert!(!of(b"BadRequest"));
    }
}
