//! `kubectl whoami`: who the cluster takes you for. It asks the API server, since a plugin never sees a credential: what
//! tokens and certificates say of themselves is not always what the server makes of them.

mod user;

use kube_guest::{Cluster, Error, Path};
use plugin_kit::{Arguments, Command, Explain, Failure, Flag, OUTPUT, Output, Style, Table};
use serde::Deserialize;
use std::io;
use user::User;

static ALL: Flag = Flag::switch("all", Some('a'), "shows groups, UID and extra attributes too");

static COMMAND: Command = Command {
    name: "whoami",
    version: env!("CARGO_PKG_VERSION"),
    about: "Shows who the cluster takes you for.",
    usage: &["[--all] [-o json|yaml]"],
    flags: &[&ALL, &OUTPUT],
    notes: "",
    complete: None,
};

fn main() {
    plugin_kit::main(&COMMAND, run)
}

#[derive(Deserialize)]
struct Review {
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    user_info: User,
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    arguments.exactly([])?;
    let user = ask(&Cluster::from_env()?)?;
    if Output::of(arguments).print(&user)? {
        return Ok(());
    }
    let (style, mut out) = (Style::stdout(), io::stdout().lock());
    if arguments.has(&ALL) {
        return Ok(user.table().print(style, true, &mut out)?);
    }
    let mut table = Table::new(["NAME"]);
    table.row([user.username]);
    Ok(table.print(style, false, &mut out)?)
}

fn ask(cluster: &Cluster) -> Result<User, Failure> {
    let path = Path::new(["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"])?;
    let body = br#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#;
    let review: Result<Review, Error> = cluster.post_json(path, body);
    match review {
        Ok(review) => Ok(review.status.user_info),
        Err(error) if error.status() == Some(404) => {
            Err(Failure::message("review: this server does not say who asks")
                .with_hint("servers since Kubernetes 1.28 do"))
        }
        Err(error) => Err(error).of("review"),
    }
}
