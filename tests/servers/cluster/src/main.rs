//! `kwasm-cluster`: the supervisor of a test's cluster, and a cluster for work by hand.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use kwasm_cluster::standing::{self, Standing};
use kwasm_cluster::supervisor::{self, Until};
use kwasm_cluster::{Assets, Ready, User, chain, default_cache};

fn main() -> ExitCode {
    match run(&command().get_matches()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // There is nowhere else to complain.
            let _written = writeln!(io::stderr(), "error: {}", chain(e.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn command() -> Command {
    let cache = Arg::new("cache")
        .long("cache")
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .global(true)
        .help("Where built programs are kept [default: the user's cache folder]");
    let user = Arg::new("user")
        .value_name("USER")
        .required(true)
        .value_parser(PossibleValuesParser::new(User::ALL.map(User::name)));
    Command::new("kwasm-cluster")
        .about("A real Kubernetes control plane on loopback, for tests")
        .arg(cache)
        .subcommand_required(true)
        .subcommand(Command::new("build").about("Build the programs, unless they are built"))
        .subcommand(Command::new("down").about("End the standing cluster"))
        .subcommand(Command::new("fill").about("Fill the standing cluster: 50 namespaces, 2,000 pods"))
        .subcommand(Command::new("kubeconfig").about("Print the path of a user's kubeconfig").arg(user))
        .subcommand(serve_command())
        .subcommand(Command::new("up").about("Start a cluster that stands until `down`"))
}

fn serve_command() -> Command {
    let folder = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("DIR").value_parser(value_parser!(PathBuf)).help(help)
    };
    Command::new("serve")
        .about("Hold a cluster until standard input ends")
        .arg(folder("built", "Use the programs that `build` has put there").conflicts_with("given"))
        .arg(
            folder(
                "node",
                "Have a real node, of programs in this folder, in namespaces made for this process",
            )
            .requires("built"),
        )
        .arg(folder("given", "Use the programs of a folder such as $KUBEBUILDER_ASSETS"))
        .arg(
            Arg::new("until-removed")
                .long("until-removed")
                .action(ArgAction::SetTrue)
                .help("Until the file `up` in the cluster's folder is removed, instead"),
        )
}

fn run(matches: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let cache = matches.get_one("cache").cloned().unwrap_or_else(default_cache);
    match matches.subcommand() {
        Some(("build", _)) => build(&cache),
        Some(("down", _)) => Ok(standing::down(&cache)?),
        Some(("fill", _)) => Ok(standing::find(&cache).ok_or(kwasm_cluster::Error::NotStanding)?.fill()?),
        Some(("kubeconfig", matches)) => kubeconfig(matches, &cache),
        Some(("serve", matches)) => serve(matches, &cache),
        _ => up(&cache),
    }
}

fn build(cache: &Path) -> Result<(), Box<dyn Error>> {
    let assets = Assets::find_or_build(cache)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", assets.folder().display())?;
    for missing in assets.missing() {
        writeln!(out, "without {missing}")?;
    }
    Ok(())
}

fn kubeconfig(matches: &ArgMatches, cache: &Path) -> Result<(), Box<dyn Error>> {
    let ready = standing::find(cache).ok_or(kwasm_cluster::Error::NotStanding)?;
    let path = matches.get_one::<String>("user").and_then(|user| ready.users.get(user));
    if let Some(path) = path {
        writeln!(io::stdout(), "{}", path.display())?;
    }
    Ok(())
}

fn serve(matches: &ArgMatches, cache: &Path) -> Result<(), Box<dyn Error>> {
    let folder = |name| matches.get_one::<PathBuf>(name);
    let assets = match (folder("built"), folder("given")) {
        (Some(built), _) => Assets::built(built)?,
        (None, Some(given)) => Assets::given(given)?,
        (None, None) => Assets::find_or_build(cache)?,
    };
    let until = if matches.get_flag("until-removed") { Until::UpRemoved } else { Until::InputEnds };
    Ok(supervisor::serve(&assets, folder("node").map(PathBuf::as_path), until)?)
}

fn up(cache: &Path) -> Result<(), Box<dyn Error>> {
    let assets = Assets::find_or_build(cache)?;
    let standing = standing::up(&std::env::current_exe()?, &assets, cache)?;
    let mut out = io::stdout().lock();
    let ready: Ready = match standing {
        Standing::Already(ready) => {
            writeln!(out, "# stands already; end it by: kwasm-cluster down")?;
            ready
        }
        Standing::Started(ready) => ready,
    };
    for (user, path) in &ready.users {
        writeln!(out, "# {user}: {}", path.display())?;
    }
    if let Some(admin) = ready.users.get(User::Admin.name()) {
        writeln!(out, "export KUBECONFIG={}", admin.display())?;
    }
    Ok(())
}
