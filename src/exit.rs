//! Turns every ending into one exit code and one message.

use std::process::ExitCode;

use crate::build;
use crate::catalogue;
use crate::cli;
use crate::cluster;
use crate::deploy;
use crate::environment::Environment;
use crate::message::Explain;
use crate::record;
use crate::registry;
use crate::runtime::{self, Outcome};
use crate::server;
use crate::store::{self, layout};
use crate::verbs::{Ending, Error, Reporter};

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
            Ok(Ending::Ran(Outcome::Limited(limit, _))) => {
                reporter.message(&limit.report());
                Self::Failed
            }
            Ok(Ending::Ran(Outcome::Trapped(trap))) => {
                reporter.message(&trap.report());
                Self::Failed
            }
            Err(error) => {
                match &error {
                    // clap's messages have several lines, laid out already, and nothing in them but what the user typed.
                    Error::Cli(cli::Error::Usage(text)) if text.contains('\n') => Reporter::laid_out(text),
                    error => reporter.messages(&error.messages()),
                }
                Self::for_error(&error)
            }
        }
    }

    /// Returns the exit code for an error.
    fn for_error(error: &Error) -> Self {
        match error {
            Error::Cli(cli::Error::Link(_)) => Self::NoPlugin,
            Error::Cli(_)
            | Error::Exists(_)
            | Error::Key { .. }
            | Error::Keys(_)
            | Error::Name(_)
            | Error::NoArtifact(_)
            | Error::NoPage(_)
            | Error::NoPlaceForPolicy
            | Error::NoPolicy(_)
            | Error::NoRequest(_)
            | Error::NoSubject(_)
            | Error::NoSuchRule { .. }
            | Error::NoServer(_)
            | Error::NotFetched(_)
            | Error::Policy(_)
            | Error::PolicyFile { .. }
            | Error::PrivateKey { .. }
            | Error::Record(
                record::Error::File { .. }
                | record::Error::Large(_)
                | record::Error::Line { .. }
                | record::Error::Version(_),
            )
            | Error::Relative { .. }
            | Error::Terminal { .. }
            | Error::Twice(_)
            | Error::Undecided { .. }
            | Error::Cluster(cluster::Error::Truth { .. } | cluster::Error::Timeout(_)) => Self::Usage,
            Error::Archive { source, .. } if !matches!(source, layout::Error::Write(_)) => Self::Refused,
            Error::Ceiling { .. }
            | Error::Declined(_)
            | Error::Hidden { .. }
            | Error::InFolder { .. }
            | Error::ListedDigest { .. }
            | Error::ListedRequest { .. }
            | Error::ListedVersion { .. }
            | Error::Inspect { .. }
            | Error::Request(_)
            | Error::RequestDiffers { .. }
            | Error::RequestMissing { .. }
            | Error::SignatureLookup { .. }
            | Error::SignatureLost { .. }
            | Error::SignerLost { .. }
            | Error::Unsigned { .. }
            | Error::Unstable { .. }
            | Error::Untrusted { .. }
            | Error::Wider { .. } => Self::Refused,
            Error::Build(error) => Self::for_build(error),
            Error::Catalogue(error) => Self::for_catalogue(error),
            Error::Registry(error) => Self::for_fetch(error),
            Error::Runtime(error) => Self::for_runtime(error),
            Error::Deploy(error) => Self::for_deploy(error),
            Error::Server(error) => Self::for_server(error),
            Error::Store(error) => Self::for_store(error),
            Error::Archive { .. }
            | Error::Cluster(_)
            | Error::NoCluster(_)
            | Error::NoHome
            | Error::Object { .. }
            | Error::Profile { .. }
            | Error::Record(record::Error::Full(_))
            | Error::Several(_)
            | Error::Stdout(_)
            | Error::Trust(_)
            | Error::Unwritten { .. } => Self::Failed,
        }
    }

    fn for_build(error: &build::Error) -> Self {
        use build::Error as E;
        match error {
            E::Argument { .. }
            | E::Manifest { .. }
            | E::Name(_)
            | E::NoFolder { .. }
            | E::NoProject { .. }
            | E::Programs { .. }
            | E::SeveralProjects { .. }
            | E::Unsupported { .. } => Self::Usage,
            E::Go(fault) if fault.is_usage() => Self::Usage,
            E::Component(_) => Self::Refused,
            E::Interrupted => Self::Interrupted,
            E::Answer { .. }
            | E::Failed { .. }
            | E::Go(_)
            | E::Lacking { .. }
            | E::NoTool { .. }
            | E::System { .. }
            | E::Temporary { .. }
            | E::TooMuch { .. }
            | E::Unreadable { .. } => Self::Failed,
        }
    }

    fn for_catalogue(error: &catalogue::Error) -> Self {
        use catalogue::Error as E;
        match error {
            E::Unlisted { .. } | E::NoVersion { .. } => Self::NoPlugin,
            E::Added { .. }
            | E::Ambiguous { .. }
            | E::Descriptions(_)
            | E::Empty(_)
            | E::NoIndex(_)
            | E::Twice(_) => Self::Usage,
            E::File { .. } | E::Invalid { .. } | E::Large { .. } | E::Older { .. } => Self::Refused,
            E::Store(error) => Self::for_store(error),
            E::Form(_) | E::Json(_) | E::Unreadable { .. } => Self::Failed,
        }
    }

    fn for_fetch(error: &registry::Error) -> Self {
        use registry::Error as E;
        match error {
            E::Missing(_) | E::NotFound(_) | E::NoVersion { .. } => Self::NoPlugin,
            E::NoRegistry { .. } | E::NoVolume(_) => Self::Usage,
            E::Altered { .. }
            | E::Layer { .. }
            | E::Length { .. }
            | E::Manifest { .. }
            | E::Referrers { .. }
            | E::TooLarge { .. }
            | E::Volume { .. } => Self::Refused,
            _ => Self::Failed,
        }
    }

    fn for_runtime(error: &runtime::Error) -> Self {
        match error {
            runtime::Error::Bound { .. }
            | runtime::Error::Compile { .. }
            | runtime::Error::Folder { .. }
            | runtime::Error::Link { .. }
            | runtime::Error::Unfit { .. } => Self::Refused,
            runtime::Error::Bounds { .. } => Self::Usage,
            runtime::Error::Store(error) => Self::for_store(error),
            runtime::Error::Cache { .. } | runtime::Error::Forbidden(_) | runtime::Error::System(_) => {
                Self::Failed
            }
        }
    }

    fn for_deploy(error: &deploy::Error) -> Self {
        match error {
            deploy::Error::Certificate(_) => Self::Failed,
            deploy::Error::Moved { .. } => Self::Refused,
            deploy::Error::NoReference(_)
            | deploy::Error::NoVolumeDigest
            | deploy::Error::TooLarge { .. } => Self::Usage,
        }
    }

    fn for_server(error: &server::Error) -> Self {
        match error {
            server::Error::Certificate { .. }
            | server::Error::Collector(_)
            | server::Error::Unreadable { .. } => Self::Usage,
            server::Error::Address { .. } | server::Error::System(_) => Self::Failed,
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
    fn endings_have_the_codes_of_the_product() {
        let of = |ending| Exit::of(&Environment::default(), Ok(ending));
        assert_eq!(of(Ending::Done), Exit::Success);
        assert_eq!(of(Ending::Ran(Outcome::Ended(7))), Exit::Plugin(7));
        assert_eq!(of(Ending::Ran(Outcome::Interrupted)), Exit::Interrupted);
    }
}
