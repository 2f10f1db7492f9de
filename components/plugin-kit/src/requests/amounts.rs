//! Amounts of CPU and memory.

use crate::Quantity;
use serde::de::{Deserialize, Deserializer, Visitor};
use std::fmt;
use std::ops::AddAssign;

/// What of a resource list is looked at, each as far as it is there.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
pub struct Listed {
    /// CPUs.
    #[serde(default, deserialize_with = "quantity")]
    pub cpu: Option<Quantity>,
    /// Memory, in bytes.
    #[serde(default, deserialize_with = "quantity")]
    pub memory: Option<Quantity>,
    /// A number of pods.
    #[serde(default, deserialize_with = "quantity")]
    pub pods: Option<Quantity>,
}

impl Listed {
    /// Returns the amounts; what is not there is nothing.
    #[must_use]
    pub fn amounts(self) -> Amounts {
        Amounts { cpu: self.cpu.unwrap_or_default(), memory: self.memory.unwrap_or_default() }
    }

    /// Adds another list.
    pub fn add(&mut self, other: Self) {
        self.merge(other, |one, other| one + other);
    }

    /// Keeps the greater amount of each.
    pub fn greater(&mut self, other: Self) {
        self.merge(other, Ord::max);
    }

    /// Takes what another list has in place of its own.
    pub fn replace(&mut self, other: Self) {
        self.merge(other, |_, other| other);
    }

    /// Adds another list to what is there and more than nothing.
    pub fn add_to_present(&mut self, other: Self) {
        let present = |amount: Option<Quantity>| amount.is_some_and(|amount| !amount.is_zero());
        self.add(Self {
            cpu: other.cpu.filter(|_| present(self.cpu)),
            memory: other.memory.filter(|_| present(self.memory)),
            pods: None,
        });
    }

    fn merge(&mut self, other: Self, both: fn(Quantity, Quantity) -> Quantity) {
        for (mine, other) in [(&mut self.cpu, other.cpu), (&mut self.memory, other.memory)] {
            *mine = match (*mine, other) {
                (Some(mine), Some(other)) => Some(both(mine, other)),
                (mine, other) => mine.or(other),
            };
        }
    }
}

/// CPU and memory.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Amounts {
    /// CPUs.
    pub cpu: Quantity,
    /// Memory, in bytes.
    pub memory: Quantity,
}

impl AddAssign for Amounts {
    fn add_assign(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.memory += other.memory;
    }
}

/// Reads a quantity; what is none counts as missing.
fn quantity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Quantity>, D::Error> {
    deserializer.deserialize_any(OfAny)
}

struct OfAny;

impl Visitor<'_> for OfAny {
    type Value = Option<Quantity>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Quantity::parse(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(Quantity::from_milli(i128::from(number) * 1000)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(Quantity::from_milli(i128::from(number) * 1000)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Quantity::parse(&number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Reads a list that may be `null`.
///
/// # Errors
/// If it is something else.
pub fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Listed, D::Error> {
    Ok(Option::<Listed>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Listed {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn quantities_come_as_text_or_numbers() {
        let read = listed(r#"{"cpu":"250m","memory":1048576,"ephemeral-storage":{"x":[1]}}"#);
        assert_eq!(read.cpu.unwrap().milli(), 250);
        assert_eq!(read.memory.unwrap().rounded(), 1_048_576);
        assert_eq!(listed(r#"{"cpu":1.5}"#).cpu.unwrap().milli(), 1500);
        assert_eq!(listed(r#"{"cpu":null,"memory":"much"}"#), Listed::default());
    }

    #[test]
    fn lists_are_merged_for_what_is_there() {
        let mut sum = listed(r#"{"cpu":"1"}"#);
        sum.add(listed(r#"{"cpu":"500m","memory":"1Mi"}"#));
        assert_eq!(sum, listed(r#"{"cpu":"1500m","memory":"1Mi"}"#));
        sum.greater(listed(r#"{"cpu":"1","memory":"2Mi"}"#));
        assert_eq!(sum, listed(r#"{"cpu":"1500m","memory":"2Mi"}"#));
        let mut limits = listed(r#"{"cpu":"0"}"#);
        limits.add_to_present(listed(r#"{"cpu":"1","memory":"1Mi"}"#));
        assert_eq!(limits, listed(r#"{"cpu":"0"}"#));
    }
}
