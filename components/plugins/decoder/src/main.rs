//! `kubectl decoder secret NAME`: shows a secret decoded, its certificates explained. It needs one permission: to get
//! that secret.

mod arguments;
mod certificate;
mod complete;
mod hexdump;
mod key;
mod pem;
mod secret;
mod style;
mod table;
mod value;

use arguments::Command;
use kube_guest::{Cluster, Error, Path, Timestamp, for_terminal_line};
use std::io::{self, IsTerminal, Write};
use style::Style;

fn main() {
    let typed: Vec<String> = std::env::args().skip(1).collect();
    if let Some((word, typed)) = typed.split_first()
        && word == complete::WORD
    {
        let candidates = complete::complete(typed);
        kube_guest::finish("decoder", io::stdout().lock().write_all(candidates.as_bytes()));
    }
    let output = match arguments::parse(typed) {
        Ok(Command::Help) => format!("{}\n", arguments::HELP),
        Ok(Command::Version) => format!("decoder {}\n", env!("CARGO_PKG_VERSION")),
        Ok(Command::Secret(wanted)) => match decode(&wanted) {
            Ok(output) => output,
            Err(why) => fail(&why, 1),
        },
        Err(why) => fail(&format!("{}\n{}", for_terminal_line(&why), arguments::USAGE), 2),
    };
    kube_guest::finish("decoder", io::stdout().lock().write_all(output.as_bytes()))
}

fn decode(wanted: &arguments::Secret) -> Result<String, String> {
    let cluster = Cluster::from_env().map_err(|error| error.to_string())?;
    let namespace = wanted.namespace.as_deref().unwrap_or(cluster.namespace());
    let what = format!("secret {}", for_terminal_line(&format!("{namespace}/{}", wanted.name)));
    let secret = fetch(&cluster, namespace, &wanted.name).map_err(|error| format!("{what}: {error}"))?;
    let style = Style::choose(io::stdout().is_terminal(), |name| std::env::var(name).ok());
    secret.show(wanted.explain_certificates, Timestamp::now(), style).map_err(|why| format!("{what}: {why}"))
}

fn fetch(cluster: &Cluster, namespace: &str, name: &str) -> Result<secret::Secret, Error> {
    cluster.get_json(Path::new(["api", "v1", "namespaces", namespace, "secrets", name])?)
}

fn fail(why: &str, code: u8) -> ! {
    eprintln!("decoder: {why}");
    kube_guest::exit(code)
}
