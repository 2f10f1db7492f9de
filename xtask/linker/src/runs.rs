//! The runs by which a program is ordered.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde::Deserialize;

/// A program and its usual runs, the most frequent first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Runs {
    /// The name of the program. rustc writes `NAME-` and 16 digits.
    program: String,
    /// The variables of the environment, beside those of the build.
    environment: BTreeMap<String, String>,
    /// Runs that make ready what the others need.
    pub(crate) before: Vec<Run>,
    /// Those whose functions are put side by side.
    pub(crate) watched: Vec<Run>,
}

/// One run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    /// A link to the program, by whose name it knows what to do; `None` for the program itself.
    link: Option<PathBuf>,
    arguments: Vec<String>,
}

impl Runs {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_reader(file).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Returns whether a file is the program in question.
    pub(crate) fn concern(&self, output: &Path) -> bool {
        let name = output.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let digits = name.strip_prefix(&self.program).and_then(|rest| rest.strip_prefix('-'));
        digits
            .is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    }

    /// Returns the command of a run of this program.
    pub(crate) fn command(&self, run: &Run, program: &Path) -> Command {
        let mut command = Command::new(run.link.as_deref().unwrap_or(program));
        command.args(&run.arguments).envs(&self.environment);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_program_is_ordered_and_not_one_whose_name_begins_alike() {
        let runs: Runs =
            serde_json::from_str(r#"{"program": "kwasm", "environment": {}, "before": [], "watched": []}"#)
                .unwrap();
        assert!(runs.concern(Path::new("/target/release/deps/kwasm-0a4fd78826c67771")));
        for other in [
            "kwasm-faults-0a4fd78826c67771",
            "kwasm",
            "build_script_build-0a4fd78826c67771",
            "kwasm-0a4fd788",
        ] {
            assert!(!runs.concern(&Path::new("/target/release/deps").join(other)), "{other}");
        }
    }
}
