//! `kubectl decoder secret NAME`: shows a secret decoded, its certificates, registry logins and tokens explained. It needs
//! to get that secret, and for `--watch` to watch it.

mod arguments;
mod certificate;
mod hexdump;
mod key;
mod keystore;
mod lines;
mod login;
mod pem;
mod secret;
mod table;
mod token;
mod value;
mod watch;

use arguments::{COMMAND, DISABLE_CERTIFICATES, RAW, WATCH};
use kube_guest::{Cluster, Timestamp, for_terminal_line};
use plugin_kit::{Arguments, Explain, Failure, Output, Scope, Style};
use secret::Secret;
use std::io::{self, Write};
use value::View;
use watch::{News, Place};

fn main() {
    plugin_kit::main(&COMMAND, run)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let name = arguments::name(arguments.words())?;
    let cluster = Cluster::from_env()?;
    let scope = Scope::of(arguments, &cluster);
    let place =
        Place { cluster: &cluster, namespace: scope.namespace().unwrap_or(cluster.namespace()), name: &name };
    let what = format!("secret {}", for_terminal_line(&format!("{}/{name}", place.namespace)));
    let secret = place.get().of(&what)?;
    let print = |secret: &Secret| print(arguments, secret, &what);
    print(&secret)?;
    if !arguments.has(&WATCH) {
        return Ok(());
    }
    let followed = place.follow(secret.metadata.resource_version.clone(), |news| match news {
        News::Changed(secret) => {
            if Output::of(arguments) == Output::Table {
                writeln!(io::stdout(), "\n{}", Timestamp::now())
                    .map_err(Failure::from)
                    .map_err(Stop::Printing)?;
            }
            print(&secret).map_err(Stop::Printing)
        }
        News::Deleted => {
            eprintln!("decoder: {what}: deleted");
            Ok(())
        }
    });
    match followed {
        Ok(()) => Ok(()),
        Err(Stop::Printing(failure)) => Err(failure),
        Err(Stop::Watching(error)) => Err(error).of(format!("{what}: watch")),
    }
}

/// The reason why a watch ends.
enum Stop {
    Printing(Failure),
    Watching(kube_guest::Error),
}

impl From<kube_guest::Error> for Stop {
    fn from(error: kube_guest::Error) -> Self {
        Self::Watching(error)
    }
}

fn print(arguments: &Arguments, secret: &Secret, what: &str) -> Result<(), Failure> {
    let view = View {
        certificates: !arguments.has(&DISABLE_CERTIFICATES),
        explains: !arguments.has(&RAW),
        now: Timestamp::now(),
        style: Style::stdout(),
    };
    let why = |why: String| Failure::message(format!("{what}: {why}"));
    let text = match Output::of(arguments) {
        Output::Table => secret.show(view).map_err(why)?,
        // One document a line while they go on.
        Output::Json if arguments.has(&WATCH) => {
            let decoded = secret.decode(view).map_err(why)?;
            let line = serde_json::to_string(&decoded).map_err(|error| why(error.to_string()))?;
            line + "\n"
        }
        Output::Json => plugin_kit::json(&secret.decode(view).map_err(why)?)?,
        Output::Yaml if arguments.has(&WATCH) => {
            format!("---\n{}", plugin_kit::yaml(&secret.decode(view).map_err(why)?)?)
        }
        Output::Yaml => plugin_kit::yaml(&secret.decode(view).map_err(why)?)?,
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
