//! Turns argv into one command, and is the only reader of the environment.
//!
//! Started as `kubectl-NAME`, which is how kubectl starts a plugin, argv is the plugin's own.

mod connection;
mod line;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser, ValueEnum};
pub use clap_complete::Shell;

pub use self::connection::{Connection, FLAGS as CONNECTION_FLAGS};
use self::line::Line;
use crate::message::Explain;
use crate::platform::variable_name;

use crate::reference::{
    Image, ImageError, NameError, Package, PackageError, PluginName, Source, SourceError,
};

/// All that a run of kwasm learns from its surroundings, read once.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Which program this is, e.g. `/usr/bin/kwasm`: what links lead to.
    pub program: PathBuf,
    /// argv, its zeroth element too.
    pub arguments: Vec<OsString>,
    /// The environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// Whether stdout is a terminal.
    pub terminal: bool,
    /// Whether stdin is one.
    pub stdin_terminal: bool,
    /// The columns and lines of stdout's.
    pub terminal_size: Option<(u16, u16)>,
    /// The columns of the terminal that stderr is, if it is one.
    pub columns: Option<u16>,
}

impl Environment {
    /// Reads those of this process.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn of_process() -> Self {
        #[cfg(feature = "faults")]
        crate::defence::take_away(&std::env::var("KWASM_WITHOUT").unwrap_or_default());
        Self {
            program: std::env::current_exe().unwrap_or_default(),
            arguments: std::env::args_os().collect(),
            variables: std::env::vars_os().map(|(name, value)| (variable_name(name), value)).collect(),
            terminal: std::io::stdout().is_terminal(),
            stdin_terminal: std::io::stdin().is_terminal(),
            terminal_size: terminal_size::terminal_size().map(|(width, height)| (width.0, height.0)),
            columns: terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| width.0),
        }
    }

    /// An environment variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        let name = variable_name(OsString::from(name));
        self.variables.get(&name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// An environment variable as a path.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(PathBuf::from)
    }

    /// What this process was started as: a name kubectl calls plugins by is not to turn a plugin's arguments into
    /// commands of kwasm, even where no plugin can have it.
    fn link(&self) -> Option<Result<Link, Error>> {
        let file_name = Path::new(self.arguments.first()?).file_name()?.to_str()?;
        let called = file_name.strip_suffix(".exe").unwrap_or(file_name);
        if called == "kubectl-kwasm" || !(called.starts_with("kubectl-") || called.starts_with("kubectl_")) {
            return None;
        }
        let link = PluginName::from_program(file_name)
            .map(Link::Run)
            .or_else(|| PluginName::from_completion(file_name).map(Link::Complete));
        Some(link.ok_or_else(|| Error::Link(called.to_owned())))
    }
}

/// The links that lead to kwasm.
enum Link {
    /// `kubectl_complete-NAME`, by which kubectl completes a plugin's arguments.
    Complete(PluginName),
    /// `kubectl-NAME`, by which kubectl runs a plugin.
    Run(PluginName),
}

/// What is to be done.
#[derive(Debug, Eq, PartialEq)]
pub enum Command {
    /// Tell which cluster kwasm would talk to, and as whom.
    Cluster {
        /// What selects it.
        connection: Connection,
        /// Whether to ask the server who that is.
        check: bool,
        /// Whether to tell of each request.
        verbose: bool,
        /// How.
        output: Output,
    },
    /// Print what a shell needs to complete kwasm's own command line.
    Completion(Shell),
    /// Complete the command line of a plugin.
    Complete {
        /// The plugin.
        name: PluginName,
        /// What was typed behind its name; the last is what is being typed.
        arguments: Vec<String>,
    },
    /// Tell what is wrong on this machine.
    Doctor {
        /// What selects a cluster.
        connection: Connection,
        /// Whether to compare digests too.
        deep: bool,
        /// Whether to empty the caches first.
        clean: bool,
        /// How.
        output: Output,
    },
    /// Tell whether files are policies.
    CheckPolicy {
        /// The files.
        files: Vec<PathBuf>,
    },
    /// Tell what a request is, and whether a policy allows it.
    ExplainRequest {
        /// Its method.
        method: String,
        /// Its path and query.
        path: String,
        /// The policy.
        policy: Option<String>,
        /// The namespace that `current` means.
        namespace: Option<String>,
        /// How.
        output: Output,
    },
    /// Tell what a component is, running nothing.
    Inspect {
        /// The component.
        source: Source,
        /// How.
        output: Output,
    },
    /// Put plugins on this machine.
    Install {
        /// The components.
        sources: Vec<Source>,
        /// The name of the only one, when not that of its file or repository.
        name: Option<PluginName>,
        /// What they may do.
        policy: Option<String>,
    },
    /// Show what is installed.
    List {
        /// How.
        output: Output,
    },
    /// Install what `Save` carried here.
    Load {
        /// The archive.
        archive: PathBuf,
        /// What the plugins may do.
        policy: Option<String>,
    },
    /// Write the manual.
    Man {
        /// Into this folder, a page a command; else one page to stdout.
        folder: Option<PathBuf>,
        /// Of which command; of kwasm itself when of none.
        command: Option<String>,
    },
    /// Show what could be upgraded.
    Outdated {
        /// How.
        output: Output,
    },
    /// Put a component into a registry.
    Publish {
        /// The component.
        file: PathBuf,
        /// Where to.
        target: Target,
        /// The private key to sign with.
        key: Option<PathBuf>,
        /// Whether to make a component of a core module first.
        adapt: bool,
        /// How.
        output: Output,
    },
    /// Run a component.
    Run {
        /// The component.
        source: Source,
        /// What it may do, when not what was granted at install.
        policy: Option<String>,
        /// Whether to tell of each request.
        verbose: bool,
        /// Its own arguments.
        arguments: Vec<String>,
    },
    /// Put plugins into an archive.
    Save {
        /// Which ones.
        names: Vec<PluginName>,
        /// The archive.
        archive: PathBuf,
    },
    /// Show a text that was asked for: help or the version.
    Show(String),
    /// Take plugins off this machine.
    Uninstall {
        /// Which ones.
        names: Vec<PluginName>,
    },
    /// Bring plugins to their newest version.
    Upgrade {
        /// Which ones; all when none is named.
        names: Vec<PluginName>,
    },
    /// Tell whose signatures an artifact has.
    Verify {
        /// The artifact.
        source: Source,
        /// The public keys, each of which has to have signed.
        keys: Vec<PathBuf>,
        /// How.
        output: Output,
    },
}

/// Where a component is published.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// In an OCI registry.
    Image(Image),
    /// As a version of a package.
    Package(Package),
}

/// The form in which data is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Output {
    /// One JSON document
    Json,
    /// Bare names, one per line
    Name,
    /// A table
    Table,
    /// A table with every column
    Wide,
    /// One YAML document
    Yaml,
}

/// Why argv is no command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// clap's own message, without its prefix.
    #[error("{0}")]
    Usage(String),
    /// Several sources for one name.
    #[error("--as names one plugin, and {0} sources were given")]
    OneName(usize),
    /// A connection flag that stands last.
    #[error("the flag {0} requires a value")]
    FlagValue(String),
    /// A source of no known form.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No place in an OCI registry.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// No package.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A place whose digest is said before anything is there.
    #[error("`{0}` names a digest, which only the published content determines: give a tag")]
    Pinned(String),
    /// A package that is to be published without a version.
    #[error("`{0}` has no version: publish it as NAMESPACE:NAME@1.2.3")]
    NoVersion(String),
    /// A plugin name of no known form.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A link of a name that no plugin can have.
    #[error("{0} is not the name of a plugin")]
    Link(String),
    /// An argument that a guest could not be given: WASI's strings are Unicode.
    #[error("the argument {0:?} is not Unicode, which plugins require")]
    NotUnicode(OsString),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Name(error) => error.hint(),
            _ => None,
        }
    }
}

impl Command {
    /// Reads argv.
    ///
    /// # Errors
    /// When argv is none of the commands.
    pub fn read(environment: &Environment) -> Result<Self, Error> {
        if let Some(link) = environment.link() {
            let link = link?;
            let arguments =
                environment.arguments.iter().skip(1).cloned().map(unicode).collect::<Result<_, _>>()?;
            return Ok(match link {
                Link::Complete(name) => Self::Complete { name, arguments },
                Link::Run(name) => {
                    Self::Run { source: Source::Installed(name), policy: None, verbose: false, arguments }
                }
            });
        }
        let line = match Line::try_parse_from(&environment.arguments) {
            Ok(line) => line,
            Err(error) if !error.use_stderr() => return Ok(Self::Show(error.render().to_string())),
            Err(error) => return Err(Error::Usage(plain(&error))),
        };
        line.into_command(environment)
    }

    /// Whether argv asks for less to be said. Read apart, since a mistake in argv is told in any case.
    #[must_use]
    pub fn is_quiet(environment: &Environment) -> bool {
        let line = match environment.link() {
            None => Line::try_parse_from(&environment.arguments).ok(),
            Some(_) => None,
        };
        line.is_some_and(|line| line.quiet)
    }
}

/// kwasm's own command line, as clap has it: what completion and manual are made of.
#[must_use]
pub fn definition() -> clap::Command {
    <Line as CommandFactory>::command()
}

fn unicode(argument: OsString) -> Result<String, Error> {
    argument.into_string().map_err(Error::NotUnicode)
}

/// clap's message in the form of all others: no `error:` before it, no empty lines at its end.
fn plain(error: &clap::Error) -> String {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // What is rendered is the help of whatever lacks a command.
        return format!("no command was given\n\n{}", error.render().to_string().trim_end());
    }
    let text = error.render().to_string();
    text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Command, Error> {
        let arguments = arguments.iter().map(OsString::from).collect();
        Command::read(&Environment { arguments, ..Environment::default() })
    }

    #[test]
    fn the_definition_holds_together() {
        Line::command().debug_assert();
    }

    #[test]
    fn a_link_hands_all_of_argv_to_the_plugin() {
        let command = read(&["/bin/kubectl-my_plug", "--help", "-n", "x", "--"]).unwrap();
        let arguments = ["--help", "-n", "x", "--"].map(String::from).to_vec();
        let source = Source::Installed("my-plug".parse().unwrap());
        assert_eq!(command, Command::Run { source, policy: None, verbose: false, arguments });
    }

    #[test]
    fn started_as_kubectl_kwasm_it_is_itself() {
        assert!(matches!(read(&["kubectl-kwasm", "list"]), Ok(Command::List { output: Output::Name })));
    }

    #[test]
    fn a_link_of_a_name_that_no_plugin_can_have_is_no_command() {
        for link in ["kubectl-BAD", "kubectl-get", "kubectl-", "kubectl_complete-", "kubectl_complete-get"] {
            assert!(matches!(read(&[link, "uninstall", "x"]), Err(Error::Link(_))), "{link}");
        }
    }

    #[test]
    fn a_link_for_completion_completes_the_plugins_arguments() {
        let command = read(&["/bin/kubectl_complete-my_plug", "secret", ""]).unwrap();
        let arguments = ["secret", ""].map(String::from).to_vec();
        assert_eq!(command, Command::Complete { name: "my-plug".parse().unwrap(), arguments });
    }

    #[test]
    fn several_sources_have_no_name_in_common() {
        assert!(matches!(
            read(&["kwasm", "install", "a.wasm", "b.wasm", "--as", "x"]),
            Err(Error::OneName(2))
        ));
        assert!(
            matches!(read(&["kwasm", "pull", "a.wasm", "b.wasm"]), Ok(Command::Install { sources, .. }) if sources.len() == 2)
        );
    }

    #[test]
    fn a_package_is_published_as_one_version() {
        assert!(matches!(read(&["kwasm", "publish", "a.wasm", "a:b"]), Err(Error::NoVersion(_))));
        assert!(matches!(
            read(&["kwasm", "publish", "a.wasm", "a:b@1.0.0"]),
            Ok(Command::Publish { target: Target::Package(_), .. })
        ));
        let digest = format!("localhost/a@sha256:{}", "0".repeat(64));
        assert!(matches!(read(&["kwasm", "publish", "a.wasm", &digest]), Err(Error::Pinned(_))));
        assert!(matches!(
            read(&["kwasm", "publish", "a.wasm", "localhost/a:1"]),
            Ok(Command::Publish { target: Target::Image(_), .. })
        ));
    }

    #[test]
    fn what_follows_two_dashes_is_the_plugins() {
        let command = read(&["kwasm", "run", "./x.wasm", "--", "--policy", "none"]).unwrap();
        let arguments = ["--policy", "none"].map(String::from).to_vec();
        assert_eq!(
            command,
            Command::Run { source: Source::Path("./x.wasm".into()), policy: None, verbose: false, arguments }
        );
    }

    #[test]
    fn help_and_version_are_shown_and_mistakes_are_errors() {
        assert!(matches!(read(&["kwasm", "--version"]), Ok(Command::Show(_))));
        assert!(matches!(read(&["kwasm", "run", "--help"]), Ok(Command::Show(_))));
        assert!(
            matches!(read(&["kwasm"]), Err(Error::Usage(text)) if text.starts_with("no command was given"))
        );
        let of_policy = |text: &str| text.contains("Usage: kwasm policy") && text.contains("explain");
        assert!(matches!(read(&["kwasm", "policy"]), Err(Error::Usage(text)) if of_policy(&text)));
        assert!(matches!(read(&["kwasm", "instal"]), Err(Error::Usage(text)) if text.contains("'install'")));
        assert!(matches!(read(&["kwasm", "uninstall", "A"]), Err(Error::Name(_))));
    }
}
