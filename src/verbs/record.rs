//! `kwasm run --record FILE` and `--replay FILE`.

use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::{self, Verbosity};
use crate::cluster::{Contexts, Flags, Recalled, Selection};
use crate::gate::Traffic;
use crate::platform::disk;
use crate::record::{Playback, Record, Recorder, ShownContext};
use crate::runtime::Outcome;

use super::{Ending, Error, Reporter};

/// The record of a run, and its file.
pub(super) struct Tape {
    file: PathBuf,
    traffic: Traffic,
}

impl Tape {
    /// Begins to record the traffic of a plugin with this policy, or reads a record of it.
    ///
    /// # Errors
    /// If the file cannot be written or read. Then the plugin must not run: what it changes is not changed twice.
    pub(super) fn begin(traffic: &cli::Traffic, plugin: &str, policy: &str) -> Result<Self, Error> {
        Ok(match traffic {
            cli::Traffic::Record { file, secrets } => {
                disk::may_output(file).map_err(|source| Error::Unwritten { path: file.clone(), source })?;
                let recorder = Recorder::new(plugin, policy, *secrets);
                Self { file: file.clone(), traffic: Traffic::Record(Arc::new(recorder)) }
            }
            cli::Traffic::Replay { file, timing } => {
                let playback = Playback::new(Record::read(file)?, *timing);
                Self { file: file.clone(), traffic: Traffic::Replay(Arc::new(playback)) }
            }
        })
    }

    pub(super) fn is_replay(&self) -> bool {
        matches!(self.traffic, Traffic::Replay(_))
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.traffic.clone()
    }

    /// Writes the record, or reports which part of it was not replayed. Returns how the run ended.
    ///
    /// # Errors
    /// The run's own error, or else that of writing the record.
    pub(super) fn end(
        self,
        reporter: Reporter,
        verbosity: Verbosity,
        ending: Result<Ending, Error>,
    ) -> Result<Ending, Error> {
        match &self.traffic {
            Traffic::Record(recorder) => {
                // Otherwise it did not run.
                if !matches!(ending, Ok(_) | Err(Error::Stdout(_) | Error::Profile { .. })) {
                    return ending;
                }
                if matches!(ending, Ok(Ending::Ran(Outcome::Interrupted))) {
                    recorder.interrupted();
                }
                for request in recorder.left_out() {
                    reporter.note(&format!("not recorded: {request}"));
                }
                let written = recorder.text(&self.file).map_err(Error::from).and_then(|text| {
                    disk::private_output(&self.file, text.as_bytes())
                        .map_err(|source| Error::Unwritten { path: self.file.clone(), source })
                });
                let ending = ending?;
                written.map(|()| ending)
            }
            Traffic::Replay(playback) => {
                for request in playback.unused().iter().filter(|_| verbosity >= Verbosity::Requests) {
                    reporter.note(&format!("not replayed: {request}"));
                }
                ending
            }
        }
    }
}

/// Returns the contexts of a record. No kubeconfig is read.
///
/// # Errors
/// If a flag names another context.
pub(super) fn recalled(record: &Record, flags: &Flags) -> Result<Contexts, Error> {
    let recalled = record.header().contexts.iter().map(|context| Recalled {
        name: context.name.as_deref(),
        namespace: match (&context.problem, &context.namespace) {
            (Some(problem), _) => Err(problem.as_str()),
            (None, namespace) => Ok(namespace.as_deref().unwrap_or("default")),
        },
    });
    Ok(Contexts::recalled(&recalled.collect::<Vec<_>>(), flags)?)
}

/// Returns what a guest sees of contexts, for a record.
pub(super) fn shown(contexts: &Contexts) -> Vec<ShownContext> {
    let shown = contexts.numbered().map(|context| {
        let (namespace, problem) = match context.selection {
            Selection::Cluster(cluster) => (Some(cluster.namespace().to_owned()), None),
            Selection::Nothing(why) => (None, Some(why.clone())),
        };
        ShownContext { name: context.name.map(str::to_owned), namespace, problem }
    });
    shown.collect()
}
