//! `kwasm policy check FILE…`, `explain METHOD PATH` and `schema`, and the choice of policies.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::cli::Output;
use crate::document::Fault;
use crate::inspect::Inspected;
use crate::policy::{DEFAULT, Policy};
use crate::store::Granted;

use super::table::one;
use super::{Ending, Error, Reporter, print};

/// A policy and, unless it is built in, the text that it was read from.
#[derive(Clone)]
pub(super) struct Chosen {
    pub(super) policy: Policy,
    pub(super) text: Option<String>,
}

/// Reads the policy that `--policy NAME|FILE` names. An argument with a dot or a slash is a file.
///
/// # Errors
/// If it does not exist or is not a valid policy.
pub(super) fn choose(choice: Option<&str>) -> Result<Chosen, Error> {
    let name = choice.unwrap_or(DEFAULT);
    if let Some(policy) = Policy::builtin(name) {
        return Ok(Chosen { policy: policy.map_err(Error::Policy)?, text: None });
    }
    if !name.contains(['.', '/', '\\']) {
        return Err(Error::NoPolicy(name.to_owned()));
    }
    let (policy, text) = from_file(Path::new(name))?;
    Ok(Chosen { policy, text: Some(text) })
}

/// Reads a policy from a file, and returns it with its text.
///
/// # Errors
/// If the file cannot be read or is not a valid policy.
pub(super) fn from_file(path: &Path) -> Result<(Policy, String), Error> {
    let text = contents(path)?;
    let policy = Policy::read(&path.display().to_string(), &text).map_err(Error::Policy)?;
    Ok((policy, text))
}

/// Returns the policy that a plugin asks for, if it has a request.
///
/// # Errors
/// [`Error::Request`] with all its faults, if it is not a valid policy.
pub(super) fn request(plugin: &str, inspected: &Inspected) -> Result<Option<Policy>, Error> {
    let read = |text| read_request(plugin, text).map_err(Error::Request);
    inspected.request().map(read).transpose()
}

/// Reads the request of a plugin, or of a source that is named like this.
///
/// # Errors
/// All of its faults.
pub(super) fn read_request(plugin: &str, text: &str) -> Result<Policy, Vec<Fault>> {
    Policy::read(&format!("the request of {plugin}"), text)
}

/// Returns the policy that was granted at install.
///
/// # Errors
/// If this kwasm no longer has it or no longer accepts it.
pub(super) fn granted(granted: &Granted) -> Result<Chosen, Error> {
    match &granted.text {
        None => choose(Some(&granted.name)),
        Some(text) => {
            let file = format!("the policy `{}` granted at install", granted.name);
            let policy = Policy::read(&file, text).map_err(Error::Policy)?;
            Ok(Chosen { policy, text: Some(text.clone()) })
        }
    }
}

/// The hint for a file that cannot be read.
pub(super) const NO_POLICY: &str = "a policy is one of the built-in ones, or a YAML file";

/// The largest file that is read, in bytes. The reader of policies accepts less.
const LONGEST: u64 = 2 << 20;

fn contents(path: &Path) -> Result<String, Error> {
    let failed = |source: io::Error| {
        // In the words of every system, where there are some.
        let source = match source.kind() {
            io::ErrorKind::NotFound => io::Error::other("there is no such file"),
            _ if path.is_dir() => io::Error::other("it is a folder"),
            _ => source,
        };
        Error::PolicyFile { path: path.to_owned(), source }
    };
    let mut text = Vec::new();
    File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut text)).map_err(failed)?;
    // A byte order mark is what some editors put before a text.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    str::from_utf8(text).map(str::to_owned).or_else(|error| {
        let before = &text[..error.valid_up_to()];
        if error.error_len().is_none() && before.len() as u64 > LONGEST / 2 {
            // The file is longer, and was cut within a character: that it is too long is the reader's to say.
            return Ok(String::from_utf8_lossy(before).into_owned());
        }
        Err(Error::Policy(vec![Fault {
            file: path.display().to_string(),
            line: Some(before.split(|byte| *byte == b'\n').map(|_| 1).sum()),
            key: String::new(),
            what: "it is not UTF-8 text".to_owned(),
            hint: "save it as UTF-8".to_owned(),
        }]))
    })
}

pub(super) fn check(reporter: Reporter, files: &[PathBuf]) -> Result<Ending, Error> {
    let mut faults = Vec::new();
    for path in files {
        let file = path.display().to_string();
        match from_file(path) {
            Ok((policy, _)) => {
                let (rules, hosts) = (policy.rules().len(), policy.hosts().len());
                let beside = [("files", policy.files().len()), ("variables", policy.variables().len())];
                let beside = beside.into_iter().filter(|(_, number)| *number > 0);
                let beside =
                    beside.map(|(what, number)| format!(", {what}: {number}")).collect::<Vec<_>>().concat();
                let name = policy.name();
                reporter.note(&format!("{file}: policy `{name}`: rules: {rules}, hosts: {hosts}{beside}"));
            }
            Err(Error::Policy(found)) => faults.extend(found),
            // A file that cannot be read hides nothing of the others.
            Err(Error::PolicyFile { source, .. }) => {
                faults.push(Fault::whole(file, format!("it cannot be read: {source}"), NO_POLICY));
            }
            Err(error) => return Err(error),
        }
    }
    if faults.is_empty() { Ok(Ending::Done) } else { Err(Error::Policy(faults)) }
}

/// Prints the JSON schema of policies.
pub(super) fn schema() -> Result<Ending, Error> {
    print(&one(&Policy::schema(), Output::Json, String::new, String::new))?;
    Ok(Ending::Done)
}
