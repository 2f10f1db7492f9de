//! Runs the commands, one file for each verb.

mod ask;
mod audit;
mod build;
mod ceiling;
mod cluster;
mod complete;
mod consent;
mod declared;
mod deploy;
mod doctor;
mod embed;
mod ending;
mod explain;
mod fetch;
mod grant;
mod hints;
mod index;
mod inspect;
mod install;
mod launch;
mod learn;
mod list;
mod listed;
mod load;
mod new;
mod object;
mod optimize;
mod papers;
mod policy;
mod progress;
mod publish;
mod record;
mod release;
mod reporter;
mod requested;
mod role;
mod run;
mod save;
mod search;
mod serve;
mod show;
mod table;
mod uninstall;
mod unstable;
mod upgrade;
mod verify;
mod watching;

use crate::cli::{Command, PolicyCommand};
use crate::environment::Environment;
use crate::store::{Places, Store};

pub use self::ending::{Ending, Error};
pub(crate) use self::reporter::Reporter;
use self::table::print;

/// Executes the command line.
///
/// # Errors
/// If it fails; then nothing is left half-done.
pub fn perform(environment: &Environment) -> Result<Ending, Error> {
    let command = Command::read(environment)?;
    if let Command::Show(text) = &command {
        print(text)?;
        return Ok(Ending::Done);
    }
    check_folders(environment)?;
    let reporter = Reporter::of(environment).quieter(Command::is_quiet(environment));
    let store = || Places::of(environment).ok_or(Error::NoHome).map(Store::new);
    match command {
        Command::Audit { name, output } => audit::audit(&store()?, reporter, &name, output),
        Command::ConfigureAudit { names, on } => audit::configure(&store()?, reporter, &names, on),
        Command::Build { project, output, request } => {
            build::build(environment, reporter, &build::Wish { project, output, request })
        }
        Command::Complete { name, arguments } => complete::complete(environment, &name, &arguments),
        Command::Cluster { connection, check, verbosity, output } => {
            let wish = cluster::Wish { connection, check, verbosity, output };
            cluster::cluster(environment, reporter, &wish)
        }
        Command::Completion(shell) => papers::completion(shell),
        Command::Deploy { source, policy, deployment, connection, verbosity, arguments } => {
            let wish =
                deploy::Wish { source, policy, deployment: *deployment, connection, verbosity, arguments };
            deploy::deploy(&store()?, environment, reporter, wish)
        }
        Command::Doctor { connection, deep, clean, output } => {
            let wish = doctor::Wish { connection, deep, clean, output };
            doctor::doctor(&store()?, environment, reporter, &wish)
        }
        Command::Index(command) => index::perform(store, environment, reporter, command),
        Command::Inspect { source, output } => {
            inspect::inspect(&store()?, environment, reporter, &source, output)
        }
        Command::Install { sources, name, policy, ask } => {
            let (name, policy) = (name.as_ref(), policy.as_deref());
            install::install(&store()?, environment, reporter, &sources, name, policy, ask)
        }
        Command::List { output } => list::list(&store()?, reporter, output),
        Command::Load { archive, policy } => {
            load::load(&store()?, environment, reporter, &archive, policy.as_deref())
        }
        Command::Man { folder, command } => papers::man(reporter, folder.as_deref(), command.as_deref()),
        Command::New { name, language } => new::project(reporter, &name, language),
        Command::Optimize { file, digest } => optimize::optimize(&store()?, environment, &file, digest),
        Command::Outdated { output } => upgrade::outdated(&store()?, environment, reporter, output),
        Command::Policy(command) => perform_policy(command, store, environment, reporter),
        Command::Publish { file, target, request, key, adapt, volume, output } => {
            let wish = publish::Wish { file, target, request, key, adapt, volume, output };
            publish::publish(environment, reporter, &wish)
        }
        Command::Run { source, policy, ask, traffic, profile, verbosity, arguments } => {
            let wish = run::Wish { source, policy, ask, traffic, profile, verbosity, arguments };
            run::run(&store()?, environment, reporter, wish)
        }
        Command::Save { names, archive } => save::save(&store()?, environment, reporter, &names, &archive),
        Command::Search { words, output } => search::find(&store()?, reporter, &words, output),
        Command::Serve { source, policy, options, verbosity, arguments } => {
            let wish = serve::Wish { source, policy, options, verbosity, arguments };
            serve::serve(&store()?, environment, reporter, wish)
        }
        Command::Show(_) => Ok(Ending::Done),
        Command::Uninstall { names } => uninstall::uninstall(&store()?, reporter, &names),
        Command::Upgrade { names, policy } => {
            upgrade::upgrade(&store()?, environment, reporter, &names, policy.as_deref())
        }
        Command::Verify { source, keys, output } => {
            verify::verify(&store()?, environment, reporter, &source, &keys, output)
        }
    }
}

/// Checks that the folders which the user sets do not depend on the current one: they would be others in another folder.
fn check_folders(environment: &Environment) -> Result<(), Error> {
    for name in ["KWASM_HOME", "KWASM_BIN_DIR"] {
        if let Some(path) = environment.path(name).filter(|path| path.is_relative()) {
            return Err(Error::Relative { name, path });
        }
    }
    Ok(())
}

/// Executes a command about policies.
fn perform_policy(
    command: PolicyCommand,
    store: impl Fn() -> Result<Store, Error>,
    environment: &Environment,
    reporter: Reporter,
) -> Result<Ending, Error> {
    match command {
        PolicyCommand::Check { files } => policy::check(reporter, &files),
        PolicyCommand::Embed { file, request, output } => {
            embed::embed(environment, reporter, &embed::Wish { file, request, output })
        }
        PolicyCommand::Explain { method, path, policy, request, namespace, output } => {
            explain::explain(&explain::Wish { method, path, policy, request, namespace, output })
        }
        PolicyCommand::Learn { source, allow_writes, keep_names, output, verbosity, arguments } => {
            let wish = learn::Wish { source, allow_writes, keep_names, output, verbosity, arguments };
            learn::learn(&store()?, environment, reporter, wish)
        }
        PolicyCommand::Role { subject, account, connection, verbosity } => {
            let wish = role::Wish { subject, account, connection, verbosity };
            role::role(&store()?, environment, reporter, wish)
        }
        PolicyCommand::Schema => policy::schema(),
        PolicyCommand::Show { name, output } => show::show(&store()?, &name, output),
        PolicyCommand::Grant { name, rules, policy } => {
            grant::grant(&store()?, reporter, &name, &rules, policy.as_deref())
        }
        PolicyCommand::Revoke { name, rules } => grant::revoke(&store()?, reporter, &name, &rules),
    }
}
