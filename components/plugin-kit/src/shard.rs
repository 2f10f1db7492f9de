//! The part of a job that a run is to do, where the job is split into several.

use std::env;

use crate::Failure;

/// A part of a job: `kwasm deploy --shards N` tells each of its pods which one is its.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shard {
    index: u64,
    count: u64,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Reads `KWASM_SHARD`, from 0, and `KWASM_SHARDS`; without both, a run does all of it.
    ///
    /// # Errors
    /// [`Failure::Message`] if they name no part: a part that nobody does would be missed by nobody.
    pub fn of_process() -> Result<Self, Failure> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self::read(variable("KWASM_SHARD").as_deref(), variable("KWASM_SHARDS").as_deref())
    }

    fn read(index: Option<&str>, count: Option<&str>) -> Result<Self, Failure> {
        let (index, count) = match (index, count) {
            (None, None) => return Ok(Self::WHOLE),
            (index, count) => (index.unwrap_or_default(), count.unwrap_or_default()),
        };
        match (index.parse(), count.parse()) {
            (Ok(index), Ok(count)) if index < count => Ok(Self { index, count }),
            _ => Err(Failure::message(format!(
                "KWASM_SHARD={index} KWASM_SHARDS={count}: not a part, such as 0 of 4"
            ))),
        }
    }

    /// Returns whether what has this name, such as a namespace, is in the part. Each name is in exactly one.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        // FNV-1a, of 64 bits: the same everywhere, and for ever.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        hash % self.count == self.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_in_one_part() {
        let parts: Vec<Shard> =
            ["0", "1", "2", "3"].iter().map(|index| Shard::read(Some(index), Some("4")).unwrap()).collect();
        let names: Vec<String> = (0..100).map(|number| format!("team-{number}")).collect();
        for name in &names {
            assert_eq!(parts.iter().filter(|part| part.has(name)).count(), 1, "{name}");
            assert!(Shard::read(None, None).unwrap().has(name));
        }
        for part in parts {
            let count = names.iter().filter(|name| part.has(name)).count();
            assert!((10..40).contains(&count), "{part:?} has {count} of 100");
        }
    }

    #[test]
    fn what_names_no_part_is_an_error() {
        for (index, count) in [
            (Some("4"), Some("4")),
            (Some("0"), None),
            (None, Some("2")),
            (Some("x"), Some("2")),
            (Some("0"), Some("0")),
        ] {
            assert!(Shard::read(index, count).is_err(), "{index:?} of {count:?}");
        }
    }
}
