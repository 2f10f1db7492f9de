//! Sizes and durations, in the notations of Kubernetes and Go.

use std::fmt;
use std::time::Duration;

/// A number of bytes in messages, e.g. `512 MiB`.
pub(crate) struct Bytes(pub(crate) u64);

/// A number of bytes in policies, e.g. `512Mi`.
pub(crate) struct Quantity(pub(crate) u64);

/// Reads a number of bytes: `1048576`, `1024Ki`, `1Mi`. Returns `None` for anything else.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Reads a duration of a second or more: `30s`, `5m`, `1h30m`. Returns `None` for anything else.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut seconds: u64 = 0;
    let mut rest = text;
    let mut largest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes().get(digits)? {
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        // `5m1h` and `1s1s` are certainly mistakes.
        if unit >= largest {
            return None;
        }
        largest = unit;
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    // More than a year is as good as forever, and no clock can represent the end of all seconds.
    (1..=366 * 24 * 3600).contains(&seconds).then(|| Duration::from_secs(seconds))
}

/// Returns the largest unit of which a number of bytes is a multiple.
fn in_units(bytes: u64) -> (u64, &'static str) {
    let fits = |shift: u32| bytes != 0 && bytes.is_multiple_of(1 << shift);
    match [(30, "Gi"), (20, "Mi"), (10, "Ki")].into_iter().find(|(shift, _)| fits(*shift)) {
        Some((shift, unit)) => (bytes >> shift, unit),
        None => (bytes, ""),
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match in_units(self.0) {
            (number, "") => write!(f, "{number} bytes"),
            (number, unit) => write!(f, "{number} {unit}B"),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = in_units(self.0);
        write!(f, "{number}{unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_they_are_written() {
        for (text, number) in
            [("1", 1), ("2Ki", 2048), ("512Mi", 512 << 20), ("3Gi", 3 << 30), ("1023", 1023)]
        {
            assert_eq!(bytes(text), Some(number));
            assert_eq!(Quantity(number).to_string(), text);
        }
        for text in
            ["", "Mi", "-1", "1.5Gi", "1M", "1 Mi", "1mi", "99999999999999999999", "18446744073709551615Ki"]
        {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_of_a_second_or_more_with_the_largest_unit_first() {
        for (text, seconds) in [("1s", 1), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("1h0m1s", 3601)] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "0s", "5", "s", "1d", "1.5h", "5m1h", "1s1s", "-1s", "99999999999999999h", "1h 5m"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
