//! Turns argv into one command, and is the only reader of the environment.
//!
//! Started as `kubectl-NAME`, which is how kubectl starts a plugin, argv is the plugin's own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

use crate::reference::{NameError, PluginName, Source, SourceError};

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
    /// Its columns and lines.
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
            variables: std::env::vars_os().collect(),
            terminal: std::io::stdout().is_terminal(),
            terminal_size: terminal_size::terminal_size().map(|(width, height)| (width.0, height.0)),
            columns: terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| width.0),
        }
    }

    /// An environment variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// An environment variable as a path.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(PathBuf::from)
    }

    /// The plugin whose link this process was started through, if it was: a link of a name that no plugin can have
    /// is not to turn a plugin's arguments into commands of kwasm.
    fn plugin(&self) -> Option<Result<PluginName, Error>> {
        let file_name = Path::new(self.arguments.first()?).file_name()?.to_str()?;
        let called = file_name.strip_suffix(".exe").unwrap_or(file_name);
        let is_link =
            called != "kubectl-kwasm" && (called.starts_with("kubectl-") || called.starts_with("kubectl_"));
        is_link.then(|| PluginName::from_program(file_name).ok_or_else(|| Error::Link(called.to_owned())))
    }
}

/// What is to be done.
#[derive(Debug, Eq, PartialEq)]
pub enum Command {
    /// Put a plugin on this machine.
    Install {
        /// The component.
        source: Source,
        /// Its name, when not that of the file.
        name: Option<PluginName>,
        /// What it may do.
        policy: Option<String>,
    },
    /// Show what is installed.
    List {
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
    /// Show a text that was asked for: help or the version.
    Show(String),
    /// Take plugins off this machine.
    Uninstall {
        /// Which ones.
        names: Vec<PluginName>,
    },
}

/// The form in which data is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Output {
    /// One JSON document
    Json,
    /// Bare names, one a line
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
    /// A source of no known form.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A plugin name of no known form.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A link of a name that no plugin can have.
    #[error("{0} is the name of no plugin")]
    Link(String),
    /// An argument that a guest could not be given: WASI's strings are Unicode.
    #[error("the argument {0:?} is not Unicode, and a plugin can take no other")]
    NotUnicode(OsString),
}

impl Command {
    /// Reads argv.
    ///
    /// # Errors
    /// When argv is none of the commands.
    pub fn read(environment: &Environment) -> Result<Self, Error> {
        if let Some(name) = environment.plugin() {
            let name = name?;
            let arguments =
                environment.arguments.iter().skip(1).cloned().map(unicode).collect::<Result<_, _>>()?;
            return Ok(Self::Run {
                source: Source::Installed(name),
                policy: None,
                verbose: false,
                arguments,
            });
        }
        let line = match Line::try_parse_from(&environment.arguments) {
            Ok(line) => line,
            Err(error) if !error.use_stderr() => return Ok(Self::Show(error.render().to_string())),
            Err(error) => return Err(Error::Usage(plain(&error))),
        };
        line.verb.command(environment, line.verbose > 0)
    }

    /// Whether argv asks for less to be said. Read apart, since a mistake in argv is told in any case.
    #[must_use]
    pub fn is_quiet(environment: &Environment) -> bool {
        let line = match environment.plugin() {
            None => Line::try_parse_from(&environment.arguments).ok(),
            Some(_) => None,
        };
        line.is_some_and(|line| line.quiet)
    }
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

/// Runs kubectl plugins as WebAssembly components that never see a credential.
#[derive(Parser)]
#[command(name = "kwasm", bin_name = "kwasm", version, max_term_width = 100, subcommand_required = true)]
#[command(arg_required_else_help = true)]
struct Line {
    #[command(subcommand)]
    verb: Verb,
    /// Tell of each request: what it is, what became of it, how long it took
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Run a component without installing it
    Run {
        /// A file (./x.wasm) or the name of an installed plugin
        source: String,
        /// What it may do: none, read-only (without secrets), view, cluster (all that you may do), a shipped
        /// plugin's name, or a file (./x.yaml)
        #[arg(long, value_name = "NAME|FILE")]
        policy: Option<String>,
        /// The plugin's own arguments
        #[arg(last = true, value_name = "ARG")]
        arguments: Vec<OsString>,
    },
    /// Install a plugin, so that `kubectl NAME` runs it
    Install {
        /// A file (./x.wasm)
        source: String,
        /// Call it NAME instead of what the file is called
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
        /// What it may do: none, read-only (without secrets), view, cluster (all that you may do), a shipped
        /// plugin's name, or a file (./x.yaml)
        #[arg(long, value_name = "NAME|FILE")]
        policy: Option<String>,
    },
    /// Show the installed plugins
    #[command(visible_alias = "ls")]
    List {
        /// The form of the output: a table on a terminal, bare names elsewhere
        #[arg(short, long, value_enum)]
        output: Option<Output>,
    },
    /// Look at policies: what a plugin may do
    Policy {
        #[command(subcommand)]
        verb: PolicyVerb,
    },
    /// Remove plugins, and all that nothing else uses
    #[command(visible_aliases = ["rm", "remove"])]
    Uninstall {
        /// The plugins' names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

#[derive(Subcommand)]
enum PolicyVerb {
    /// Tell whether files are policies, and what is wrong with them
    Check {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Tell what a request is to the API server, and whether a policy allows it
    Explain {
        /// Its method, e.g. GET
        method: String,
        /// Its path and query, e.g. '/api/v1/namespaces/shop/pods?watch=1'
        path: String,
        /// A policy's name or file
        #[arg(long, value_name = "NAME|FILE")]
        policy: Option<String>,
        /// The namespace that `current` means in the policy [default: default]
        #[arg(short, long)]
        namespace: Option<String>,
        /// The form of the output
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
}

impl PolicyVerb {
    fn command(self) -> Command {
        match self {
            Self::Check { files } => Command::CheckPolicy { files },
            Self::Explain { method, path, policy, namespace, output } => {
                Command::ExplainRequest { method, path, policy, namespace, output }
            }
        }
    }
}

impl Verb {
    fn command(self, environment: &Environment, verbose: bool) -> Result<Command, Error> {
        Ok(match self {
            Self::Run { source, policy, arguments } => Command::Run {
                source: source.parse()?,
                policy,
                verbose,
                arguments: arguments.into_iter().map(unicode).collect::<Result<_, _>>()?,
            },
            Self::Install { source, name, policy } => Command::Install {
                source: source.parse()?,
                name: name.map(|name| name.parse()).transpose()?,
                policy,
            },
            Self::List { output } => {
                let default = if environment.terminal { Output::Table } else { Output::Name };
                Command::List { output: output.unwrap_or(default) }
            }
            Self::Policy { verb } => verb.command(),
            Self::Uninstall { names } => {
                Command::Uninstall { names: names.iter().map(|name| name.parse()).collect::<Result<_, _>>()? }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

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
        for link in ["kubectl-BAD", "kubectl-get", "kubectl-", "kubectl_complete-x"] {
            assert!(matches!(read(&[link, "uninstall", "x"]), Err(Error::Link(_))), "{link}");
        }
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
