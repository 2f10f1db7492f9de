//! Amounts of resources (`apimachinery: pkg/api/resource/quantity.go`).

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

/// An amount, such as `100m`, `1.5`, `2Gi`: exact to a thousandth.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Quantity {
    milli: i128,
}

impl Quantity {
    /// Reads a quantity. What is finer than a thousandth is rounded up, as Kubernetes does.
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
        // Three digits for thousandths, less those behind the point.
        let by = by + 3 - i32::try_from(fraction.len()).ok()?;
        let value = digits.checked_mul(times)?;
        let power = 10_i128.checked_pow(by.unsigned_abs())?;
        let milli = match by.cmp(&0) {
            Ordering::Less => value / power + i128::from(value % power != 0),
            _ => value.checked_mul(power)?,
        };
        Some(Self { milli: if negative { -milli } else { milli } })
    }

    /// Returns this many thousandths.
    #[must_use]
    pub const fn from_milli(milli: i128) -> Self {
        Self { milli }
    }

    /// Returns the thousandths.
    #[must_use]
    pub fn milli(self) -> i128 {
        self.milli
    }

    /// Returns the whole number, rounded up.
    #[must_use]
    pub fn rounded(self) -> i128 {
        self.milli.div_euclid(1000) + i128::from(self.milli.rem_euclid(1000) != 0)
    }

    /// Returns whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.milli == 0
    }

    /// Returns how much of `whole` it is, in percent, rounded down; `None` of nothing.
    #[must_use]
    pub fn percent_of(self, whole: Self) -> Option<i128> {
        (whole.milli != 0).then(|| self.milli * 100 / whole.milli)
    }
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

/// Prints the amount as a number, with a suffix of `m` if it is not whole.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.milli % 1000 == 0 { write!(f, "{}", self.milli / 1000) } else { write!(f, "{}m", self.milli) }
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { milli: self.milli.saturating_add(other.milli) }
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
        Self { milli: self.milli.saturating_sub(other.milli) }
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
        for text in ["", "-", "m", "1..2", "1.2.3", "1X", "1 Gi", "1e", "1e99", "ü", &"9".repeat(40)] {
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
    }
}
