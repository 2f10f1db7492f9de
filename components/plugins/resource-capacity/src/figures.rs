//! Amounts as text.

use crate::capacity::Share;
use plugin_kit::Quantity;

/// The bytes of a mebibyte.
const MEBIBYTE: i128 = 1024 * 1024;

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unit {
    Cpu,
    Memory,
}

impl Unit {
    /// Returns thousandths of a CPU, or mebibytes, rounded up.
    pub(crate) fn number(self, amount: Quantity) -> i128 {
        match self {
            Self::Cpu => amount.milli(),
            Self::Memory => {
                let bytes = amount.rounded();
                bytes.div_euclid(MEBIBYTE) + i128::from(bytes.rem_euclid(MEBIBYTE) != 0)
            }
        }
    }

    /// Returns the amount with its unit, such as `250m` or `64Mi`.
    pub(crate) fn text(self, amount: Quantity) -> String {
        self.with_suffix(self.number(amount))
    }

    fn with_suffix(self, number: i128) -> String {
        let suffix = match self {
            Self::Cpu => "m",
            Self::Memory => "Mi",
        };
        format!("{number}{suffix}")
    }

    /// Returns the amount with its part of what is there, such as `250m (12%)`.
    pub(crate) fn with_percent(self, amount: Quantity, share: &Share) -> String {
        format!("{} ({}%)", self.text(amount), percent(amount, share.allocatable))
    }

    /// Returns what is left of what is there, such as `1750m/2000m`.
    pub(crate) fn available(self, amount: Quantity, share: &Share) -> String {
        let all = self.number(share.allocatable);
        format!("{}/{}", self.with_suffix(all - self.number(amount)), self.with_suffix(all))
    }
}

/// Returns the part in percent, rounded down; of nothing it is none.
///
/// It is computed with floating-point numbers, as by kube-capacity, so that the two never differ by one.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the rounding is that of kube-capacity"
)]
pub(crate) fn percent(amount: Quantity, whole: Quantity) -> i64 {
    let (amount, whole) = (amount.milli(), whole.milli());
    if whole <= 0 { 0 } else { (amount as f64 / whole as f64 * 100.0) as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    #[test]
    fn amounts_are_rounded_up_and_percentages_down() {
        assert_eq!(Unit::Cpu.text(of("1500001n")), "2m");
        assert_eq!(Unit::Memory.text(of("1048577")), "2Mi");
        assert_eq!(Unit::Memory.text(of("64Mi")), "64Mi");
        assert_eq!(percent(of("999m"), of("1")), 99);
        assert_eq!(percent(of("290m"), of("1")), 28, "0.29 * 100 is less than 29 in binary");
        assert_eq!(percent(of("1"), of("0")), 0);
    }

    #[test]
    fn what_is_left_may_be_less_than_nothing() {
        let share = Share { allocatable: of("2"), ..Share::default() };
        assert_eq!(Unit::Cpu.available(of("250m"), &share), "1750m/2000m");
        assert_eq!(Unit::Cpu.available(of("3"), &share), "-1000m/2000m");
        assert_eq!(Unit::Cpu.with_percent(of("3"), &share), "3000m (150%)");
    }
}
