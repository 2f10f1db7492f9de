//! Kubeconfig files with flags: two files and a line of flags, as a user has them.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use kwasm::cluster::{Cluster, Contexts, Endpoint, Error, Flags, GuestConfig, Kubeconfig};
use kwasm::environment::{Connection, Environment};

/// The stand-in for a secret. Wherever it is in a file, it may be printed only as part of a name.
const SECRET: &str = "hunter2";

/// The separator between the flags and the files.
const BREAK: &str = "\n=====\n";

thread_local! {
    /// The folder of the files, one for each thread.
    static FOLDER: tempfile::TempDir = tempfile::tempdir().unwrap();
}

/// Checks one line of flags with one or two files.
pub(crate) fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.splitn(3, BREAK);
    let (Some(line), Some(first)) = (parts.next(), parts.next()) else { return };
    FOLDER.with(|folder| files_hold(folder.path(), line, first, parts.next()));
}

fn files_hold(folder: &Path, line: &str, first: &str, second: Option<&str>) {
    let Some(flags) = flags(line) else { return };
    let (one, two) = (folder.join("one"), folder.join("two"));
    fs::write(&one, first).unwrap();
    let Some(alone) = selected(&[&one], &flags) else { return };
    // Read twice, it says the same; so it does beside a file that is not there.
    assert_eq!(selected(&[&one, &one], &flags), Some(alone.clone()));
    assert_eq!(selected(&[&folder.join("absent"), &one], &flags), Some(alone.clone()));
    let Some(second) = second else { return };
    fs::write(&two, second).unwrap();
    // Where one file says all, a later one adds nothing to it; where that is broken, nothing is said at all.
    if !alone.is_empty()
        && let Some(together) = selected(&[&one, &two], &flags)
    {
        assert_eq!(together, alone, "{first}\nand\n{second}");
    }
}

/// Parses the flags of a line; a path of this machine is not allowed.
fn flags(line: &str) -> Option<Flags> {
    let mut arguments = line.split(' ').map(str::to_owned).collect();
    let connection = Connection::take(&mut arguments, &[]).ok()?;
    let flags = told(Flags::of(&connection))?;
    flags.kubeconfig.is_none().then_some(flags)
}

/// Returns the address and the namespace of the only cluster that these files select, if they select one;
/// `None` if they are not valid or lead nowhere.
fn selected(files: &[&Path], flags: &Flags) -> Option<Vec<(String, String)>> {
    let list = std::env::join_paths(files).unwrap();
    let variables = [(OsString::from("KUBECONFIG"), list)].into();
    let environment = Environment { variables, ..Environment::default() };
    let kubeconfig = told(Kubeconfig::load(&environment, flags))?;
    assert!(kubeconfig.files().len() <= files.len());
    let contexts = told(Contexts::choose(&kubeconfig, flags, |_, _| true))?;
    guest_is_told_names_only(&contexts);
    Some(contexts.selected().cluster().map(is_somewhere).into_iter().collect())
}

/// Checks that an address is parsed back as itself, and that its path leads nowhere else.
fn is_somewhere(cluster: &Cluster) -> (String, String) {
    let endpoint = cluster.endpoint();
    assert_eq!(Endpoint::read(&endpoint.to_string()).as_ref(), Some(endpoint));
    let prefix = endpoint.prefix();
    assert!(prefix.is_empty() || prefix.starts_with('/') && !prefix.ends_with('/'), "{prefix:?}");
    assert!(!cluster.namespace().is_empty());
    (endpoint.to_string(), cluster.namespace().to_owned())
}

/// Checks that the guest's kubeconfig has only empty users and virtual servers.
fn guest_is_told_names_only(contexts: &Contexts) {
    let told: serde_json::Value = serde_json::from_str(GuestConfig::of(contexts).text()).unwrap();
    for user in told["users"].as_array().unwrap() {
        assert!(user["user"].as_object().unwrap().is_empty(), "{user}");
    }
    for cluster in told["clusters"].as_array().unwrap() {
        let said = cluster["cluster"].as_object().unwrap();
        assert!(
            said.len() == 1 && said["server"].as_str().unwrap().starts_with("http://192.0.2."),
            "{cluster}"
        );
    }
}

/// Checks a result: an error must contain nothing of a file but names, which are in backticks.
fn told<T>(result: Result<T, Error>) -> Option<T> {
    let error = match result {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    let said = error.to_string();
    assert!(!said.is_empty());
    let outside: String = said.split('`').step_by(2).collect();
    assert!(!outside.contains(SECRET), "{said}");
    None
}
