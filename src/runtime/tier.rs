//! How far a plugin's code is optimized, and when.

use super::error::{COMPILE, Error};
use crate::environment::Environment;

/// How far machine code is optimized. It does the same in each tier.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Tier {
    /// Compiled in a fraction of the time and not optimized, for a plugin's first runs.
    Baseline,
    /// Compiled with all of Cranelift's optimizations.
    Optimized,
}

/// When a plugin is compiled with all optimizations.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Schedule {
    /// After the first run has begun, by another process. Until then, the plugin runs from baseline code.
    #[default]
    Background,
    /// Before the first run.
    First,
    /// Never: it runs from baseline code.
    Never,
}

/// The size of a content, in bytes, up to which compiling takes a fraction of a second in either tier.
const SMALL: usize = 256 << 10;

impl Schedule {
    /// Reads the schedule that the user sets in the environment.
    ///
    /// # Errors
    /// [`Error::Bounds`] for a value that is not one.
    pub(super) fn of(environment: &Environment) -> Result<Self, Error> {
        let Some(text) = environment.variable(COMPILE) else { return Ok(Self::default()) };
        match text.to_str() {
            Some("background") => Ok(Self::Background),
            Some("optimized") => Ok(Self::First),
            Some("baseline") => Ok(Self::Never),
            _ => Err(Error::Bounds { variable: COMPILE, example: "background, optimized or baseline" }),
        }
    }

    /// Returns the tiers from which a plugin may run, the best first.
    pub(super) fn tiers(self) -> &'static [Tier] {
        match self {
            Self::First => &[Tier::Optimized],
            Self::Background | Self::Never => &[Tier::Optimized, Tier::Baseline],
        }
    }

    /// Returns those of its tiers that are no lower than this one.
    pub(super) fn tiers_down_to(self, lowest: Tier) -> &'static [Tier] {
        let tiers = self.tiers();
        let end = tiers.iter().position(|tier| *tier == lowest).map_or(tiers.len(), |index| index + 1);
        &tiers[..end]
    }

    /// Returns the tier in which a content of this many bytes is compiled before its first run.
    pub(super) fn first_tier(self, size: usize) -> Tier {
        if self == Self::First || size <= SMALL { Tier::Optimized } else { Tier::Baseline }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Schedule, Error> {
        let variables = [(COMPILE.into(), value.into())].into();
        Schedule::of(&Environment { variables, ..Environment::default() })
    }

    #[test]
    fn the_schedule_is_that_of_the_environment_and_else_background() {
        assert_eq!(Schedule::of(&Environment::default()).unwrap(), Schedule::Background);
        assert_eq!(read("background").unwrap(), Schedule::Background);
        assert_eq!(read("optimized").unwrap(), Schedule::First);
        assert_eq!(read("baseline").unwrap(), Schedule::Never);
        for value in ["Optimized", "fast"] {
            let error = read(value).unwrap_err().to_string();
            assert_eq!(error, "KWASM_COMPILE: its value is not background, optimized or baseline");
        }
    }

    #[test]
    fn what_compiles_at_once_is_optimized_at_once() {
        assert_eq!(Schedule::Background.first_tier(SMALL), Tier::Optimized);
        assert_eq!(Schedule::Background.first_tier(SMALL + 1), Tier::Baseline);
        assert_eq!(Schedule::Never.first_tier(SMALL + 1), Tier::Baseline);
        assert_eq!(Schedule::First.first_tier(SMALL + 1), Tier::Optimized);
    }
}
