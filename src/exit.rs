//! Turns every ending into one exit code and one message.

use std::process::ExitCode;

use crate::cli;
use crate::cluster;
use crate::environment::Environment;
use crate::policy::{Fault, Limit};
use crate::registry;
use crate::runtime::{self, Outcome};
use crate::store::{self, layout};
use crate::verbs::{Ending, Error, Reporter, chain, one_line};

/// The ways in which the process ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// kwasm failed, or the plugin trapped or exceeded a limit: 125.
    Failed,
    /// Interrupted by the user: 130.
    Interrupted,
    /// The plugin does not exist: 127.
    NoPlugin,
    /// The plugin's own exit code, whatever it was refused meanwhile.
    Plugin(u8),
    /// Refused before the plugin was started: 126.
    Refused,
    /// Success: 0.
    Success,
    /// Invalid arguments: 2.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Failed => 125,
            Exit::Interrupted => runtime::INTERRUPTED,
            Exit::NoPlugin => 127,
            Exit::Plugin(code) => code,
            Exit::Refused => 126,
            Exit::Success => 0,
            Exit::Usage => 2,
        })
    }
}

impl Exit {
    /// Reports to the user how the command ended, if there is anything to report, and returns how the process
    /// is to end.
    #[must_use]
    pub fn of(environment: &Environment, ended: Result<Ending, Error>) -> Self {
        let reporter = Reporter::of(environment);
        match ended {
            Ok(Ending::Done) => Self::Success,
            Ok(Ending::Faulty) => Self::Failed,
            Ok(Ending::Ran(Outcome::Ended(code))) => Self::Plugin(code),
            Ok(Ending::Interrupted | Ending::Ran(Outcome::Interrupted)) => Self::Interrupted,
            Ok(Ending::Ran(Outcome::Limited(limit))) => Failure::from(limit).tell(reporter),
            Ok(Ending::Ran(Outcome::Trapped(cause))) => Failure {
                exit: Self::Failed,
                message: one_line(&format!("the plugin trapped: {cause}")),
                hints: Vec::new(),
            }
            .tell(reporter),
            Err(Error::Policy(faults)) => Failure::of_policy(&faults, reporter),
            Err(error) => Failure::from(&error).tell(reporter),
        }
    }
}

/// The largest number of faults of a policy that are reported.
const FAULTS: usize = 20;

/// An ending with a message.
struct Failure {
    exit: Exit,
    /// `what: why`, without the program's name.
    message: String,
    /// Commands that solve the problem.
    hints: Vec<String>,
}

impl Failure {
    /// Prints the message. A closed stderr does not change the ending.
    fn tell(self, reporter: Reporter) -> Exit {
        if self.message.contains('\n') {
            // clap's messages have several lines, laid out already.
            Reporter::laid_out(&self.message);
        } else {
            reporter.fault(&self.message);
        }
        for hint in self.hints {
            reporter.hint(&hint);
        }
        self.exit
    }

    /// Reports every fault of a policy, each with its remedy.
    fn of_policy(faults: &[Fault], reporter: Reporter) -> Exit {
        for fault in faults.iter().take(FAULTS) {
            reporter.fault(&fault.to_string());
            reporter.hint(&fault.hint);
        }
        if faults.len() > FAULTS {
            reporter.note(&format!("and {} more", faults.len() - FAULTS));
        }
        Exit::Usage
    }
}

impl From<Limit> for Failure {
    fn from(limit: Limit) -> Self {
        let message = format!("the plugin ran into a limit: {limit}");
        Self { exit: Exit::Failed, message, hints: limit.hint().into_iter().collect() }
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let mut message = chain(error);
        // clap's messages have several lines, and nothing in them but what the user typed.
        if !matches!(error, Error::Cli(cli::Error::Usage(_))) {
            message = one_line(&message);
        }
        Self { exit: Exit::for_error(error), message, hints: error.hint().into_iter().collect() }
    }
}

impl Exit {
    /// Returns the exit code for an error.
    fn for_error(error: &Error) -> Self {
        match error {
            Error::Cli(cli::Error::Link(_)) => Self::NoPlugin,
            Error::Cli(_)
            | Error::Key { .. }
            | Error::Keys(_)
            | Error::Name(_)
            | Error::NoArtifact(_)
            | Error::NoPage(_)
            | Error::NoPolicy(_)
            | Error::NotFetched(_)
            | Error::Policy(_)
            | Error::PolicyFile { .. }
            | Error::PrivateKey { .. }
            | Error::Relative { .. }
            | Error::Terminal
            | Error::Twice(_)
            | Error::Cluster(cluster::Error::Truth { .. } | cluster::Error::Timeout(_)) => Self::Usage,
            Error::Archive { source, .. } if !matches!(source, layout::Error::Write(_)) => Self::Refused,
            Error::Hidden { .. }
            | Error::InFolder { .. }
            | Error::Inspect { .. }
            | Error::SignatureLookup { .. }
            | Error::SignatureLost { .. }
            | Error::SignerLost { .. }
            | Error::Unsigned { .. }
            | Error::Untrusted { .. } => Self::Refused,
            Error::Registry(error) => Self::for_fetch(error),
            Error::Runtime(error) => Self::for_runtime(error),
            Error::Store(error) => Self::for_store(error),
            Error::Archive { .. }
            | Error::Cluster(_)
            | Error::NoCluster(_)
            | Error::NoHome
            | Error::Stdout(_)
            | Error::Trust(_)
            | Error::Unwritten { .. } => Self::Failed,
        }
    }

    fn for_fetch(error: &registry::Error) -> Self {
        use registry::Error as E;
        match error {
            E::Missing(_) | E::NotFound(_) | E::NoVersion { .. } => Self::NoPlugin,
            E::NoRegistry { .. } => Self::Usage,
            E::Altered { .. }
            | E::Layer { .. }
            | E::Length { .. }
            | E::Manifest { .. }
            | E::Referrers { .. }
            | E::TooLarge { .. } => Self::Refused,
            _ => Self::Failed,
        }
    }

    fn for_runtime(error: &runtime::Error) -> Self {
        match error {
            runtime::Error::Bound { .. }
            | runtime::Error::Compile { .. }
            | runtime::Error::Link { .. }
            | runtime::Error::Unfit { .. } => Self::Refused,
            runtime::Error::Bounds { .. } => Self::Usage,
            runtime::Error::Store(error) => Self::for_store(error),
            runtime::Error::Cache { .. } | runtime::Error::System(_) => Self::Failed,
        }
    }

    fn for_store(error: &store::Error) -> Self {
        match error {
            store::Error::Fetch(error) => Self::for_fetch(error),
            store::Error::Unknown(_) => Self::NoPlugin,
            store::Error::Altered { .. } | store::Error::Gone(_) | store::Error::Unfit { .. } => {
                Self::Refused
            }
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_whole_chain_once() {
        let source = registry::Error::Unreadable { path: "x".into(), source: std::io::Error::other("gone") };
        let failure = Failure::from(&Error::Registry(source));
        assert_eq!(failure.message, "x: it cannot be read: gone");
        assert_eq!(failure.exit, Exit::Failed);
    }

    #[test]
    fn a_limit_is_told_with_its_cure() {
        let failure = Failure::from(Limit::Memory(512 << 20));
        assert_eq!(failure.message, "the plugin ran into a limit: it needed more than 512 MiB of memory");
        assert_eq!(failure.hints, ["a policy with `limits: {memory: 1Gi}` raises it: --policy FILE"]);
        assert_eq!(failure.exit, Exit::Failed);
    }

    #[test]
    fn endings_have_the_codes_of_the_product() {
        let of = |ending| Exit::of(&Environment::default(), Ok(ending));
        assert_eq!(of(Ending::Done), Exit::Success);
        assert_eq!(of(Ending::Ran(Outcome::Ended(7))), Exit::Plugin(7));
        assert_eq!(of(Ending::Ran(Outcome::Interrupted)), Exit::Interrupted);
    }
}
