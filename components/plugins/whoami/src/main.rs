//! `kubectl whoami`: who the cluster takes you for. It asks the API server, since a plugin never sees a credential: what
//! tokens and certificates say of themselves is not always what the server makes of them.

use kube_guest::{Cluster, Path};
use plugin_kit::{Arguments, Cell, Command, Explain, Failure, Flag, OUTPUT, Output, Style, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;

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

/// `authentication.k8s.io/v1`, the `userInfo` of a `SelfSubjectReview`.
#[derive(Debug, Default, Deserialize, Serialize)]
struct User {
    #[serde(default)]
    username: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    uid: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    extra: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Review {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    user_info: User,
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    arguments.exactly([])?;
    let cluster = Cluster::from_env()?;
    let user = ask(&cluster).of("review")?;
    if Output::of(arguments).print(&user)? {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    if !arguments.has(&ALL) {
        let mut table = Table::new(["NAME"]);
        table.row([user.username]);
        return Ok(table.print(Style::stdout(), false, &mut out)?);
    }
    let mut table = Table::new(["ATTRIBUTE", "VALUE"]);
    let mut row = |name: &str, value: &str| table.row([Cell::new(name), Cell::new(value)]);
    row("Username", &user.username);
    if !user.uid.is_empty() {
        row("UID", &user.uid);
    }
    for group in &user.groups {
        row("Group", group);
    }
    for (name, values) in &user.extra {
        for value in values {
            row(&format!("Extra: {name}"), value);
        }
    }
    Ok(table.print(Style::stdout(), true, &mut out)?)
}

fn ask(cluster: &Cluster) -> Result<User, kube_guest::Error> {
    let path = Path::new(["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"])?;
    let body = br#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#;
    let review: Review = cluster.post_json(path, body)?;
    Ok(review.status.user_info)
}
