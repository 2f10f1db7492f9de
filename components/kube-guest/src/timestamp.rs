//! Points in time, as Kubernetes writes them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;

/// A point in time, to the microsecond: Kubernetes' `Time` and `MicroTime`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp {
    micros: i64,
}

impl Timestamp {
    /// Returns the time of the host's clock.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { micros: i64::try_from(since.as_micros()).unwrap_or(i64::MAX) }
    }

    /// Returns the time this many seconds after 1970.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self { micros: seconds.saturating_mul(MICROS) }
    }

    /// Reads RFC 3339, with any fraction and offset. Returns `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let shape = bytes.len() >= 20
            && bytes[4] == b'-'
            && bytes[7] == b'-'
            && matches!(bytes[10], b'T' | b't' | b' ')
            && bytes[13] == b':'
            && bytes[16] == b':';
        if !shape {
            return None;
        }
        let (year, month, day) = (digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(&bytes[8..10])?);
        let (hour, minute) = (digits(&bytes[11..13])?, digits(&bytes[14..16])?);
        let second = digits(&bytes[17..19])?;
        // 60 is a leap second.
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (micros, zone) = fraction(&bytes[19..])?;
        let seconds =
            days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset(zone)?;
        Some(Self { micros: seconds * MICROS + micros })
    }

    /// Returns the seconds since 1970, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.micros.div_euclid(MICROS)
    }

    /// Formats the age at `now` like kubectl: `12s`, `5m`, `3h12m`, `4d`. A time in the future is `0s`.
    #[must_use]
    pub fn age(self, now: Self) -> String {
        let seconds = (now.micros.saturating_sub(self.micros) / MICROS).max(0);
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / DAY);
        match seconds {
            0..120 => format!("{seconds}s"),
            120..600 if seconds % 60 != 0 => format!("{minutes}m{}s", seconds % 60),
            120..10_800 => format!("{minutes}m"),
            10_800..28_800 if minutes % 60 != 0 => format!("{hours}h{}m", minutes % 60),
            10_800..172_800 => format!("{hours}h"),
            _ => format!("{days}d"),
        }
    }
}

/// Formats the time as `2026-11-21T04:50:16Z`, in UTC, to the second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        let (year, month, day) = civil_from_days(seconds.div_euclid(DAY));
        let rest = seconds.rem_euclid(DAY);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0_i64, |sum, byte| {
        byte.is_ascii_digit().then(|| sum.checked_mul(10)?.checked_add(i64::from(byte - b'0'))).flatten()
    })
}

/// Returns the microseconds and the rest of the text.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = rest.strip_prefix(b".") else { return Some((0, rest)) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let micros = (0..6).fold(0, |sum, at| {
        let digit = if at < length { i64::from(rest[at] - b'0') } else { 0 };
        sum * 10 + digit
    });
    Some((micros, &rest[length..]))
}

/// Returns the offset of a zone in seconds east of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, rest) = match zone {
        b"Z" | b"z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let [h1, h2, b':', m1, m2] = rest else { return None };
    Some(sign * (digits(&[*h1, *h2])? * 3600 + digits(&[*m1, *m2])? * 60))
}

/// Returns the days since 1970-01-01 of the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_writes_is_read() {
        assert_eq!(Timestamp::parse("1970-01-01T00:00:00Z"), Some(Timestamp { micros: 0 }));
        assert_eq!(Timestamp::parse("2026-11-21T04:50:16Z").unwrap().seconds(), 1_795_236_616);
        assert_eq!(Timestamp::parse("2026-11-21T04:50:16.123456Z").unwrap().micros, 1_795_236_616_123_456);
        assert_eq!(Timestamp::parse("2026-11-21T04:50:16.5Z").unwrap().micros, 1_795_236_616_500_000);
        assert_eq!(Timestamp::parse("2026-11-21T06:20:16+01:30").unwrap().seconds(), 1_795_236_616);
        assert_eq!(Timestamp::parse("2024-02-29T23:59:60Z").unwrap().to_string(), "2024-03-01T00:00:00Z");
    }

    #[test]
    fn anything_else_is_not() {
        for text in [
            "",
            "null",
            "2026-11-21",
            "2026-13-21T04:50:16Z",
            "2026-11-21T04:50:16",
            "2026-11-21T04:50:1xZ",
            "ü",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for day in -80_000..80_000 {
            let (year, month, of_month) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month, of_month), day);
        }
    }

    #[test]
    fn an_age_reads_as_in_kubectl() {
        let start = Timestamp::from_seconds(1000);
        let ages = [0, 119, 120, 125, 600, 3600, 10_800, 11_400, 28_900, 200_000];
        let ages = ages.map(|seconds| start.age(Timestamp::from_seconds(1000 + seconds)));
        assert_eq!(ages, ["0s", "119s", "2m", "2m5s", "10m", "60m", "3h", "3h10m", "8h", "2d"]);
        assert_eq!(start.age(Timestamp::from_seconds(0)), "0s");
    }
}
