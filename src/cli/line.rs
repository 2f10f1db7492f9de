//! kwasm's command line as clap reads it: `--help`, completions and the manual come from here alone.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};
use clap_complete::Shell;

use super::command::{Command, Target, Traffic, Verbosity};
use super::deploy::Deploying;
use super::error::{Error, texts};
use super::form::Form;
use super::index::IndexVerb;
use super::policy::PolicyVerb;
use super::serve::Serving;
use crate::build::{Language, Wish as Project};
use crate::environment::{Connection, Environment};
use crate::reference::{Image, Package, PluginName, Wanted};

/// Runs kubectl plugins as WebAssembly components that never see a credential.
#[derive(Parser)]
#[command(name = "kwasm", bin_name = "kwasm", version, max_term_width = 100, subcommand_required = true)]
#[command(arg_required_else_help = true)]
pub(super) struct Line {
    #[command(subcommand)]
    verb: Verb,
    /// Log each request with its result and duration; -vv with its headers, too, but never with credentials
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
}

#[derive(Subcommand)]
// Of the commands that are not called, the arguments are not made. A documentation comment on what is flattened into a command would
// become the command's own.
#[command(defer = true)]
enum Verb {
    /// Run a component without installing it
    Run {
        /// A file (./x.wasm), an installed plugin, HOST/REPOSITORY:TAG or NAMESPACE:NAME[@VERSION]
        source: String,
        /// The policy that limits it: request (what it asks for), none, read-only (without secrets), view, cluster (all
        /// that you may do), a shipped plugin's name, or a file (./x.yaml)
        #[arg(long, value_name = "NAME|FILE")]
        policy: Option<String>,
        /// Ask at the terminal about requests that the policy does not allow [default: as installed]
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        ask: Option<bool>,
        #[command(flatten)]
        recording: Recording,
        /// Write a profile of the run, which profiler.firefox.com opens: the functions in which it computed
        #[arg(long, value_name = "FILE")]
        profile: Option<PathBuf>,
        /// The plugin's own arguments
        #[arg(last = true, value_name = "ARG")]
        arguments: Vec<OsString>,
    },
    /// Install plugins, so that `kubectl NAME` runs them
    #[command(visible_alias = "pull")]
    Install {
        /// Files (./x.wasm), plugins of indexes (NAME or INDEX/NAME), HOST/REPOSITORY:TAG or NAMESPACE:NAME[@VERSION]
        #[arg(required = true, value_name = "SOURCE")]
        sources: Vec<String>,
        /// Install it as NAME instead of the name of its file or repository
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
        /// The policy that limits it: request (what it asks for), none, read-only (without secrets), view, cluster (all
        /// that you may do), a shipped plugin's name, or a file (./x.yaml)
        #[arg(long, value_name = "NAME|FILE")]
        policy: Option<String>,
        /// Ask at the terminal, in each run, about requests that the policy does not allow
        #[arg(long)]
        ask: bool,
    },
    /// Add indexes of plugins, update them, and make them
    Index {
        #[command(subcommand)]
        verb: IndexVerb,
    },
    /// List the installed plugins
    #[command(visible_alias = "ls")]
    List(Form),
    /// Show what a component is, imports and asks for, without running it
    Inspect {
        /// A file (./x.wasm), an installed plugin, HOST/REPOSITORY:TAG or NAMESPACE:NAME[@VERSION]
        source: String,
        #[command(flatten)]
        form: Form,
    },
    /// Upgrade plugins to their newest version
    Upgrade {
        /// The plugins' names [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// The policy to grant to new versions that request more: request (all of it), a name, or a file
        #[arg(long, value_name = "NAME|FILE")]
        policy: Option<String>,
    },
    /// List the plugins that have a newer version
    Outdated(Form),
    /// Uninstall plugins, and remove everything that nothing else uses
    #[command(visible_aliases = ["rm", "remove"])]
    Uninstall {
        /// The plugins' names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Show the requests of a plugin's past runs, if they are recorded
    Audit {
        /// The plugin's name; with --on or --off the names of several
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Record each request from now on: what it was about, the decision and the result
        #[arg(long, conflicts_with_all = ["off", "output"])]
        on: bool,
        /// Stop recording. What is recorded stays until the plugin is uninstalled
        #[arg(long, conflicts_with = "output")]
        off: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Show which cluster plugins connect to, and as which user
    Cluster {
        /// Ask the server, too, which user it knows
        #[arg(long)]
        check: bool,
        #[command(flatten)]
        form: Form,
        #[command(flatten, next_help_heading = "kubectl's connection flags")]
        connection: Connection,
    },
    /// Check and explain policies, which say what a plugin may do
    Policy {
        #[command(subcommand)]
        verb: PolicyVerb,
    },
    /// Create a folder NAME with a plugin that lists pods and watches them, ready to be built
    New {
        /// The plugin's name, as it follows kubectl
        name: String,
        /// The language
        #[arg(long, value_name = "LANGUAGE", value_parser = Language::NAMES, default_value = Language::Rust.name())]
        lang: String,
    },
    /// Build a component of a project by its language's own tools
    Build {
        /// A folder (./cmd/x), a name that these tools know, or a published Go program (MODULE/PATH@VERSION) [default:
        /// the current folder]
        package: Option<String>,
        /// Write to this file, or - for stdout [default: NAME.wasm, as the tools name the program, without kubectl-]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// The policy that it asks for, which is written into it [default: the project's kwasm.yaml, if it has one]
        #[arg(long, value_name = "FILE")]
        request: Option<PathBuf>,
        /// The language, if the folder has projects of several
        #[arg(long, value_name = "LANGUAGE", value_parser = Language::NAMES)]
        lang: Option<String>,
        /// Arguments of the language's build tool, e.g. -tags=x for go build
        #[arg(last = true, value_name = "ARG")]
        arguments: Vec<OsString>,
    },
    /// Publish a component to a registry
    Publish {
        /// The component (./x.wasm)
        file: PathBuf,
        /// HOST/REPOSITORY:TAG or NAMESPACE:NAME@VERSION
        target: String,
        /// The policy that it asks for (./x.yaml), which is written into what is published
        #[arg(long, value_name = "FILE")]
        request: Option<PathBuf>,
        /// Sign it with a private key: PKCS #8 in PEM, of P-256 or Ed25519
        #[arg(long, value_name = "KEY")]
        sign: Option<PathBuf>,
        /// Convert a core module to a component first, for hosts that run components only
        #[arg(long)]
        adapt: bool,
        /// Publish it beside an image with plugin.wasm in it, which Kubernetes mounts as a volume: the tag leads to an
        /// OCI index of both
        #[arg(long)]
        volume: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Verify that an artifact in a registry is signed by these keys
    Verify {
        /// An installed plugin, HOST/REPOSITORY:TAG or NAMESPACE:NAME[@VERSION]
        source: String,
        /// A public key in PEM, of P-256 or Ed25519; with several, each must have signed
        #[arg(long = "key", required = true, value_name = "FILE")]
        keys: Vec<PathBuf>,
        #[command(flatten)]
        form: Form,
    },
    /// Print manifests by which a cluster runs a plugin under the same policy: kwasm deploy SOURCE | kubectl apply --server-side -f -
    Deploy(Deploying),
    /// Answer HTTP requests with a component, each in an instance of its own unless its policy reuses them
    Serve(Serving),
    /// Save installed plugins to an archive, to load them where there is no network
    Save {
        /// The plugins' names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// The archive: an OCI layout in a tar
        #[arg(short = 'f', long = "file", value_name = "TAR")]
        archive: PathBuf,
    },
    /// Install the plugins from an archive
    Load {
        /// The archive that `kwasm save` wrote
        #[arg(value_name = "TAR")]
        archive: PathBuf,
        /// The policy that limits them: request (what they ask for), none, read-only (without secrets), view, cluster (all
        /// that you may do), a shipped plugin's name, or a file (./x.yaml)
        #[arg(long, value_name = "NAME|FILE")]
        policy: Option<String>,
    },
    /// Search the indexes for plugins, and show what they ask for
    Search {
        /// Words, parts of which are enough, in names and descriptions [default: all plugins]
        #[arg(value_name = "WORD")]
        words: Vec<String>,
        #[command(flatten)]
        form: Form,
    },
    /// Report problems on this machine, and how to fix them
    Doctor {
        /// Verify the digests of everything that is installed, too
        #[arg(long)]
        deep: bool,
        /// Clear the caches: compiled code that no installed plugin needs, and downloads that were not installed
        #[arg(long)]
        clean: bool,
        #[command(flatten)]
        form: Form,
        #[command(flatten, next_help_heading = "kubectl's connection flags")]
        connection: Connection,
    },
    /// Generate completions of kwasm's commands for a shell
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page in roff: kwasm man | man -l -
    Man {
        /// The command to describe [default: kwasm itself]
        command: Option<String>,
        /// Write all pages into man1 in this folder instead
        #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
        dir: Option<PathBuf>,
    },
}

// What is done with the traffic of a run.
#[derive(clap::Args)]
struct Recording {
    /// Record its requests and their answers in this file, without values of secrets
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Record values of secrets, tokens, and requests to other servers, too
    #[arg(long, requires = "record", conflicts_with = "replay")]
    record_secrets: bool,
    /// Answer its requests from a record instead of a cluster
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Answer as slowly as when it was recorded [default: at once]
    #[arg(long, requires = "replay", conflicts_with = "record")]
    replay_timing: bool,
}

impl Recording {
    fn traffic(self) -> Option<Traffic> {
        let record = self.record.map(|file| Traffic::Record { file, secrets: self.record_secrets });
        record.or(self.replay.map(|file| Traffic::Replay { file, timing: self.replay_timing }))
    }
}

impl Line {
    pub(super) fn into_command(self, environment: &Environment) -> Result<Command, Error> {
        let verbosity = Verbosity::of(self.verbose);
        Ok(match self.verb {
            Verb::Run { source, policy, ask, recording, profile, arguments } => Command::Run {
                source: source.parse()?,
                policy,
                ask,
                traffic: recording.traffic(),
                profile,
                verbosity,
                arguments: texts(arguments)?,
            },
            Verb::Install { sources, name: Some(_), .. } if sources.len() > 1 => {
                return Err(Error::OneName(sources.len()));
            }
            Verb::Install { sources, name, policy, ask } => Command::Install {
                sources: sources.iter().map(|source| source.parse()).collect::<Result<_, _>>()?,
                name: name.map(|name| name.parse()).transpose()?,
                policy,
                ask,
            },
            Verb::Audit { names, on, off, .. } if on || off => {
                Command::ConfigureAudit { names: plugins(&names)?, on }
            }
            Verb::Audit { names, form, .. } => match names.as_slice() {
                [name] => Command::Audit { name: name.parse()?, output: form.of_one() },
                names => return Err(Error::OneAudit(names.len())),
            },
            Verb::New { name, lang } => {
                // clap accepts no other names.
                let language = lang.parse().unwrap_or(Language::Rust);
                Command::New { name: name.parse().map_err(Error::NewName)?, language }
            }
            Verb::Build { package, output, request, lang, arguments } => {
                // clap accepts no other names.
                let language = lang.and_then(|name| name.parse().ok());
                let arguments = texts(arguments)?;
                Command::Build { project: Project { package, language, arguments }, output, request }
            }
            Verb::Cluster { check, form, connection } => {
                Command::Cluster { connection, check, verbosity, output: form.of_one() }
            }
            Verb::Index { verb } => Command::Index(verb.command(environment)?),
            Verb::List(form) => Command::List { output: form.of_list(environment) },
            Verb::Inspect { source, form } => {
                Command::Inspect { source: source.parse()?, output: form.of_one() }
            }
            Verb::Upgrade { names, policy } => Command::Upgrade { names: plugins(&names)?, policy },
            Verb::Outdated(form) => Command::Outdated { output: form.of_list(environment) },
            Verb::Uninstall { names } => Command::Uninstall { names: plugins(&names)? },
            Verb::Policy { verb } => Command::Policy(verb.command(verbosity)?),
            Verb::Publish { file, target, request, sign, adapt, volume, form } => {
                let target = published(&target)?;
                let output = form.of_one();
                Command::Publish { file, target, request, key: sign, adapt, volume, output }
            }
            Verb::Verify { source, keys, form } => {
                Command::Verify { source: source.parse()?, keys, output: form.of_one() }
            }
            Verb::Deploy(deploying) => deploying.command(verbosity)?,
            Verb::Serve(serving) => serving.command(verbosity)?,
            Verb::Save { names, archive } => Command::Save { names: plugins(&names)?, archive },
            Verb::Load { archive, policy } => Command::Load { archive, policy },
            Verb::Search { words, form } => Command::Search { words, output: form.of_list(environment) },
            Verb::Doctor { deep, clean, form, connection } => {
                Command::Doctor { connection, deep, clean, output: form.of_one() }
            }
            Verb::Completion { shell } => Command::Completion(shell),
            Verb::Man { command, dir } => Command::Man { folder: dir, command },
        })
    }
}

fn plugins(names: &[String]) -> Result<Vec<PluginName>, Error> {
    names.iter().map(|name| Ok(name.parse()?)).collect()
}

/// Parses the target of a publication: a version of a package, or a reference in an OCI registry.
fn published(text: &str) -> Result<Target, Error> {
    if text.contains('/') {
        let image: Image = text.parse()?;
        return if image.digest().is_none() {
            Ok(Target::Image(image))
        } else {
            Err(Error::Pinned(text.to_owned()))
        };
    }
    let package: Package = text.parse()?;
    match package.wanted() {
        Wanted::Exactly(_) => Ok(Target::Package(package)),
        Wanted::Newest | Wanted::Within(_) => Err(Error::NoVersion(package.to_string())),
    }
}
