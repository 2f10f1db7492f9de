//! Reads argv: kwasm's own, or that of a plugin whose link started it.

use std::ffi::OsString;
use std::path::Path;

use clap::{CommandFactory, Parser};

use super::command::{Command, Verbosity};
use super::error::{Error, unicode};
use super::line::Line;
use crate::environment::Environment;
use crate::platform::links;
use crate::reference::{PluginName, Source};

/// The command by which kwasm optimizes a plugin in the background: `__optimize DIGEST FILE`.
pub(crate) const OPTIMIZE: &str = "__optimize";

/// The kinds of links to kwasm.
enum Link {
    /// `kubectl_complete-NAME`, which kubectl runs to complete a plugin's arguments.
    Complete(PluginName),
    /// `kubectl-NAME`, which kubectl runs as a plugin.
    Run(PluginName),
}

impl Link {
    /// Returns the link by which this process was started. A name by which kubectl starts plugins must not
    /// turn a plugin's arguments into commands of kwasm, even if no plugin can have it.
    fn of(environment: &Environment) -> Option<Result<Self, Error>> {
        let file_name = Path::new(environment.arguments.first()?).file_name()?.to_str()?;
        let called = links::called(file_name);
        if !links::is_link_name(&called) {
            return None;
        }
        let link = PluginName::from_program(&called)
            .map(Self::Run)
            .or_else(|| PluginName::from_completion(&called).map(Self::Complete));
        Some(link.ok_or(Error::Link(called)))
    }
}

impl Command {
    /// Parses argv.
    ///
    /// # Errors
    /// If argv is not a valid command.
    pub fn read(environment: &Environment) -> Result<Self, Error> {
        if let Some(link) = Link::of(environment) {
            let link = link?;
            let arguments =
                environment.arguments.iter().skip(1).cloned().map(unicode).collect::<Result<_, _>>()?;
            return Ok(match link {
                Link::Complete(name) => Self::Complete { name, arguments },
                Link::Run(name) => Self::Run {
                    source: Source::Installed(name),
                    policy: None,
                    ask: None,
                    traffic: None,
                    profile: None,
                    verbosity: Verbosity::default(),
                    arguments,
                },
            });
        }
        if let Some(optimize) = optimize(&environment.arguments) {
            return Ok(optimize);
        }
        let line = match Line::try_parse_from(&environment.arguments) {
            Ok(line) => line,
            Err(error) if !error.use_stderr() => return Ok(Self::Show(error.render().to_string())),
            Err(error) => return Err(Error::Usage(plain(&error))),
        };
        line.into_command(environment)
    }

    /// Returns whether argv requests less output. Read separately, so that it is known even if argv has
    /// errors.
    #[must_use]
    pub fn is_quiet(environment: &Environment) -> bool {
        let line = match Link::of(environment) {
            None => Line::try_parse_from(&environment.arguments).ok(),
            Some(_) => None,
        };
        line.is_some_and(|line| line.quiet)
    }
}

/// Returns the definition of kwasm's command line for clap, from which completion and manual are generated.
#[must_use]
pub fn definition() -> clap::Command {
    <Line as CommandFactory>::command()
}

/// Returns the command that kwasm gives to itself (`verbs/optimize.rs`). No help, completion or tip speaks of it.
fn optimize(arguments: &[OsString]) -> Option<Command> {
    match arguments {
        [_, command, digest, file] if command == OPTIMIZE => {
            Some(Command::Optimize { digest: digest.to_str()?.parse().ok()?, file: file.into() })
        }
        _ => None,
    }
}

/// Returns clap's message in the form of all others: without `error:` and trailing empty lines.
fn plain(error: &clap::Error) -> String {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // The rendered text is the help of the incomplete command.
        return format!("no command was given\n\n{}", error.render().to_string().trim_end());
    }
    let text = error.render().to_string();
    text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Output, Target, Traffic};

    fn read(arguments: &[&str]) -> Result<Command, Error> {
        let arguments = arguments.iter().map(OsString::from).collect();
        Command::read(&Environment { arguments, ..Environment::default() })
    }

    fn run(source: Source, arguments: Vec<String>) -> Command {
        let verbosity = Verbosity::default();
        Command::Run { source, policy: None, ask: None, traffic: None, profile: None, verbosity, arguments }
    }

    #[test]
    fn what_kwasm_says_to_itself_is_no_command_of_its_users() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let command = Command::Optimize { digest: digest.parse().unwrap(), file: "a b.wasm".into() };
        assert_eq!(read(&["kwasm", OPTIMIZE, &digest, "a b.wasm"]).unwrap(), command);
        for arguments in [&["kwasm", OPTIMIZE][..], &["kwasm", OPTIMIZE, "x", "a b.wasm"]] {
            assert!(matches!(read(arguments), Err(Error::Usage(_))), "{arguments:?}");
        }
        // As an argument of a plugin it is the plugin's.
        assert!(matches!(read(&["kubectl-x", OPTIMIZE, &digest, "y"]), Ok(Command::Run { .. })));
    }

    #[test]
    fn each_v_reports_more() {
        let verbosity = |flags: &[&str]| match read(&[&["kwasm", "run", "x"], flags].concat()) {
            Ok(Command::Run { verbosity, .. }) => verbosity,
            other => panic!("{other:?}"),
        };
        assert_eq!(verbosity(&[]), Verbosity::Faults);
        assert_eq!(verbosity(&["-v"]), Verbosity::Requests);
        for flags in [&["-vv"][..], &["-v", "-v"], &["-vvv"]] {
            assert_eq!(verbosity(flags), Verbosity::Headers);
        }
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
        assert_eq!(command, run(source, arguments));
    }

    #[test]
    fn started_as_kubectl_kwasm_it_is_itself() {
        assert!(matches!(read(&["kubectl-kwasm", "list"]), Ok(Command::List { output: Output::Name })));
    }

    #[test]
    fn a_link_of_a_name_that_no_plugin_can_have_is_no_command() {
        for link in ["kubectl-b.d", "kubectl-get", "kubectl-", "kubectl_complete-", "kubectl_complete-get"] {
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
        assert_eq!(command, run(Source::Path("./x.wasm".into()), arguments));
    }

    #[test]
    fn whether_to_ask_is_a_flag_with_or_without_a_value() {
        let ask = |arguments: &[&str]| match read(arguments) {
            Ok(Command::Run { ask, .. }) => ask,
            other => panic!("{other:?}"),
        };
        assert_eq!(ask(&["kwasm", "run", "x"]), None);
        assert_eq!(ask(&["kwasm", "run", "--ask", "x"]), Some(true));
        assert_eq!(ask(&["kwasm", "run", "--ask=false", "x"]), Some(false));
        assert!(matches!(
            read(&["kwasm", "install", "--ask", "x.wasm"]),
            Ok(Command::Install { ask: true, .. })
        ));
    }

    #[test]
    fn a_run_is_recorded_or_replayed_and_not_both() {
        let traffic = |arguments: &[&str]| match read(&[&["kwasm", "run", "x"], arguments].concat()) {
            Ok(Command::Run { traffic, .. }) => Ok(traffic),
            other => Err(Box::new(other)),
        };
        let file = || "r".into();
        assert_eq!(traffic(&[]).unwrap(), None);
        assert_eq!(
            traffic(&["--record", "r"]).unwrap(),
            Some(Traffic::Record { file: file(), secrets: false })
        );
        let secrets = traffic(&["--record", "r", "--record-secrets"]).unwrap();
        assert_eq!(secrets, Some(Traffic::Record { file: file(), secrets: true }));
        let replay = traffic(&["--replay", "r", "--replay-timing"]).unwrap();
        assert_eq!(replay, Some(Traffic::Replay { file: file(), timing: true }));
        for wrong in [
            &["--record", "a", "--replay", "b"][..],
            &["--record-secrets"],
            &["--replay-timing"],
            &["--replay", "r", "--record-secrets"],
            &["--record", "r", "--replay-timing"],
        ] {
            assert!(
                matches!(traffic(wrong), Err(other) if matches!(*other, Err(Error::Usage(_)))),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn an_audit_shows_one_plugin_and_configures_several() {
        let on = read(&["kwasm", "audit", "--on", "a", "b"]);
        assert!(matches!(on, Ok(Command::ConfigureAudit { names, on: true }) if names.len() == 2));
        let off = read(&["kwasm", "audit", "a", "--off"]);
        assert!(matches!(off, Ok(Command::ConfigureAudit { names, on: false }) if names.len() == 1));
        assert!(matches!(read(&["kwasm", "audit", "a"]), Ok(Command::Audit { output: Output::Table, .. })));
        assert!(matches!(read(&["kwasm", "audit", "a", "b"]), Err(Error::OneAudit(2))));
        for wrong in [["--on", "--off"], ["--on", "-ojson"]] {
            let arguments = ["kwasm", "audit", "a"].into_iter().chain(wrong).collect::<Vec<_>>();
            assert!(matches!(read(&arguments), Err(Error::Usage(_))));
        }
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
