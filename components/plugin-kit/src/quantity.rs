//! Amounts of resources (`apimachinery: pkg/api/resource/quantity.go`).

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

/// An amount, such as `100m`, `1.5`, `2Gi`: exact to a billionth, as in Kubernetes.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Quantity {
    nano: i128,
}

/// A thousandth, and one.
const MILLI: i128 = 1_000_000;
const ONE: i128 = 1_000_000_000;

/// The greatest amount that Kubernetes knows.
const GREATEST: i128 = i64::MAX as i128 * ONE;

impl Quantity {
    /// Reads a quantity. What is finer than a billionth is rounded up, as Kubernetes does.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || number.len() > 30 {
            return None;
        }
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let (times, by) = scale(suffix)?;
        // Nine digits for billionths, less those behind the point.
        let by = by + 9 - i32::try_from(fraction.len()).ok()?;
        let value = digits.checked_mul(times)?;
        let power = 10_i128.checked_pow(by.unsigned_abs())?;
        let nano = match by.cmp(&0) {
            Ordering::Less => value / power + i128::from(value % power != 0),
            _ => value.checked_mul(power)?,
        };
        (nano <= GREATEST).then_some(Self { nano: if negative { -nano } else { nano } })
    }

    /// Returns this many thousandths.
    #[must_use]
    pub const fn from_milli(milli: i128) -> Self {
        Self { nano: milli.saturating_mul(MILLI) }
    }

    /// Returns the thousandths, rounded up.
    #[must_use]
    pub fn milli(self) -> i128 {
        divided_up(self.nano, MILLI)
    }

    /// Returns the whole number, rounded up.
    #[must_use]
    pub fn rounded(self) -> i128 {
        divided_up(self.nano, ONE)
    }

    /// Returns whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.nano == 0
    }

    /// Returns how much of `whole` it is, in percent, rounded down; `None` of nothing.
    #[must_use]
    pub fn percent_of(self, whole: Self) -> Option<i128> {
        (whole.nano != 0).then(|| self.nano.saturating_mul(100) / whole.nano)
    }
}

fn divided_up(nano: i128, by: i128) -> i128 {
    nano.div_euclid(by) + i128::from(nano.rem_euclid(by) != 0)
}

/// Returns the factor of a suffix: a number, and a power of ten.
fn scale(suffix: &str) -> Option<(i128, i32)> {
    let binary = |power: u32| (1_i128 << (10 * power), 0);
    Some(match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        other => {
            let exponent: i32 = other.strip_prefix(['e', 'E'])?.parse().ok()?;
            (1, Some(exponent).filter(|exponent| (-18..=18).contains(exponent))?)
        }
    })
}

/// Prints the amount as a number, with a suffix of `m`, and rounded up to thousandths, if it is not whole.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nano % ONE == 0 { write!(f, "{}", self.nano / ONE) } else { write!(f, "{}m", self.milli()) }
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { nano: self.nano.saturating_add(other.nano) }
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { nano: self.nano.saturating_sub(other.nano) }
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_read_as_by_kubernetes() {
        let milli = |text: &str| Quantity::parse(text).unwrap().milli();
        assert_eq!(milli("100m"), 100);
        assert_eq!(milli("1.5"), 1500);
        assert_eq!(milli(".5"), 500);
        assert_eq!(milli("2Gi"), 2 * 1024 * 1024 * 1024 * 1000);
        assert_eq!(milli("1.5Ki"), 1_536_000);
        assert_eq!(milli("1e3"), 1_000_000);
        assert_eq!(milli("2E"), 2_000_000_000_000_000_000_000);
        assert_eq!(milli("-3"), -3000);
        assert_eq!(milli("1n"), 1, "rounded up");
        assert_eq!(milli("999u"), 1, "rounded up");
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "-", "m", "1..2", "1.2.3", "1X", "1 Gi", "1e", "1e99", "10E", "ü", &"9".repeat(40)]
        {
            assert!(Quantity::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn amounts_are_added_and_compared() {
        let of = |text| Quantity::parse(text).unwrap();
        assert_eq!([of("1"), of("500m")].into_iter().sum::<Quantity>(), of("1.5"));
        assert_eq!(of("250m").percent_of(of("1")), Some(25));
        assert_eq!(of("1").percent_of(of("0")), None);
        assert_eq!(of("1500m").to_string(), "1500m");
        assert_eq!(of("1500m").rounded(), 2);
        assert_eq!(of("2").to_string(), "2");
        assert_eq!((of("500u") + of("500u")).milli(), 1, "rounded once, not each");
    }
}
