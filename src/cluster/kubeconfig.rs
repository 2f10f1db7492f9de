//! Finds, reads and merges kubeconfig files as client-go does (tools/clientcmd/loader.go): missing files of a
//! list are skipped, the first of two entries with the same name wins, and a relative path is relative to its
//! file.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::document::{self, ClusterEntry, ContextEntry, Document, NamedUser, UserEntry};
use super::{Error, Flags, file};
use crate::environment::Environment;
use crate::platform;

/// All kubeconfig files, merged.
#[derive(Default)]
pub struct Kubeconfig {
    /// The files that were looked for, in order. The first one is named in messages.
    pub(super) looked_at: Vec<PathBuf>,
    /// The files that exist, in order.
    pub(super) files: Vec<PathBuf>,
    pub(super) document: Document,
    /// The environment of proxies and credential plugins.
    pub(super) environment: Arc<Environment>,
}

impl Kubeconfig {
    /// Reads the files of `--kubeconfig`, or else of `$KUBECONFIG`, or else `~/.kube/config`.
    ///
    /// # Errors
    /// If an existing file cannot be read, or the one that `--kubeconfig` names does not exist.
    pub fn load(environment: &Environment, flags: &Flags) -> Result<Self, Error> {
        let mut merged = Self { environment: Arc::new(environment.clone()), ..Self::default() };
        if let Some(path) = &flags.kubeconfig {
            let document = read(path)?.ok_or_else(|| Error::Missing(path.clone()))?;
            return Ok(Self { looked_at: vec![path.clone()], files: vec![path.clone()], document, ..merged });
        }
        for path in listed(environment) {
            if let Some(document) = read(&path)? {
                merged.files.push(path.clone());
                merged.document.merge(document);
            }
            merged.looked_at.push(path);
        }
        Ok(merged)
    }

    /// Returns the files that were read, in order.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Returns the files that hold credentials, or would if they existed: its own, and those that users name.
    #[must_use]
    pub fn secret_files(&self) -> Vec<PathBuf> {
        let named = |user: &UserEntry| {
            [&user.client_certificate, &user.client_key, &user.token_file]
                .map(Clone::clone)
                .into_iter()
                .flatten()
        };
        let named = self.users().flat_map(named);
        self.looked_at.iter().cloned().chain(named).collect()
    }

    /// Returns the credential plugins that users name by a path.
    #[must_use]
    pub fn programs(&self) -> Vec<PathBuf> {
        let commands = self.users().filter_map(|user| Some(user.exec.as_ref()?.command.as_str()));
        commands.filter(|command| command.contains(std::path::is_separator)).map(PathBuf::from).collect()
    }

    fn users(&self) -> impl Iterator<Item = &UserEntry> {
        self.document.users.iter().flatten().map(|entry| &entry.user)
    }

    pub(super) fn context(&self, name: &str) -> Option<&ContextEntry> {
        self.document.contexts.iter().flatten().find(|entry| entry.name == name).map(|entry| &entry.context)
    }

    pub(super) fn cluster(&self, name: &str) -> Option<&ClusterEntry> {
        self.document.clusters.iter().flatten().find(|entry| entry.name == name).map(|entry| &entry.cluster)
    }

    pub(super) fn user(&self, name: &str) -> Option<&UserEntry> {
        self.document.users.iter().flatten().find(|entry| entry.name == name).map(|entry| &entry.user)
    }

    /// Returns the names of its clusters or users.
    pub(super) fn names(&self, kind: &str) -> Vec<String> {
        match kind {
            "cluster" => self.document.clusters.iter().flatten().map(|entry| entry.name.clone()).collect(),
            _ => self.document.users.iter().flatten().map(|entry| entry.name.clone()).collect(),
        }
    }

    pub(super) fn contexts(&self) -> impl Iterator<Item = &str> {
        self.document.contexts.iter().flatten().map(|entry| entry.name.as_str())
    }
}

/// Returns the files of `$KUBECONFIG`, each once, or else the one in the home directory.
fn listed(environment: &Environment) -> Vec<PathBuf> {
    if let Some(list) = environment.variable("KUBECONFIG") {
        let mut known = BTreeSet::new();
        return std::env::split_paths(list)
            .filter(|path| !path.as_os_str().is_empty() && known.insert(path.clone()))
            .collect();
    }
    let home = platform::home_of_kubectl(|name| environment.path(name));
    home.map(|home| home.join(".kube").join("config")).into_iter().collect()
}

/// Reads one file. Returns `None` if it does not exist.
fn read(path: &Path) -> Result<Option<Document>, Error> {
    let Some(text) = text(path)? else { return Ok(None) };
    let mut document: Document = document::first(&text).map_err(|error| located(path, &error))?;
    document.check().map_err(|reason| Error::Broken { path: path.into(), line: 1, reason })?;
    document.rebase(path);
    Ok(Some(document))
}

/// Returns the text of one file, or `None` if it does not exist.
pub(super) fn text(path: &Path) -> Result<Option<Zeroizing<String>>, Error> {
    match file::read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(Error::Broken { path: path.into(), line: 1, reason: "it is not UTF-8".to_owned() })
        }
        Err(source) => Err(Error::File { path: path.into(), source }),
    }
}

/// Returns an error with the line and the reason of a parse error.
fn located(path: &Path, error: &serde_saphyr::Error) -> Error {
    let error = error.without_snippet();
    let line = error.location().map_or(0, |location| location.line());
    Error::Broken { path: path.into(), line, reason: reason(error) }
}

/// Returns the reason without any of the file's contents, which may be secret: the parts of the parser's
/// errors that are its own words.
fn reason(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error as E;
    match error {
        E::SerdeInvalidType { expected, .. } | E::SerdeInvalidValue { expected, .. } => {
            format!("{expected} is expected here")
        }
        E::Unexpected { expected: "mapping start", .. } => "a map is expected here".to_owned(),
        E::Unexpected { expected: "sequence start", .. } => "a list is expected here".to_owned(),
        E::Unexpected { expected, .. } => format!("{expected} is expected here"),
        // Of the scanner; what it quotes is cut off.
        E::ExternalMessage { msg, .. } => {
            let own =
                msg.lines().next().unwrap_or_default().split(['"', '`', '\'']).next().unwrap_or_default();
            own.trim_end_matches([' ', ':', ',']).to_owned()
        }
        E::Eof { .. } => "it ends too early".to_owned(),
        E::Budget { .. } => "it is deeper or larger than a kubeconfig can be".to_owned(),
        E::UnknownAnchor { .. } => "there is no anchor of this name".to_owned(),
        _ => "it is not valid YAML".to_owned(),
    }
}

impl Document {
    /// Checks a single file like client-go: that it is not of another kind, and that no two entries have the
    /// same name.
    fn check(&self) -> Result<(), String> {
        let other = |text: &Option<String>, wanted| {
            text.as_deref().is_some_and(|text| !text.is_empty() && text != wanted)
        };
        if other(&self.kind, "Config") || other(&self.api_version, "v1") {
            return Err("its kind or apiVersion is another than `kind: Config, apiVersion: v1`".to_owned());
        }
        let contexts = twice(self.contexts.iter().flatten().map(|entry| &entry.name));
        let clusters = twice(self.clusters.iter().flatten().map(|entry| &entry.name));
        let users = twice(self.users.iter().flatten().map(|entry| &entry.name));
        for (kind, name) in [("contexts", contexts), ("clusters", clusters), ("users", users)] {
            if let Some(name) = name {
                return Err(format!("two of its {kind} are called `{name}`"));
            }
        }
        Ok(())
    }

    /// Adds the entries of `later` that this one lacks.
    fn merge(&mut self, later: Self) {
        fn add<T>(have: &mut Option<Vec<T>>, more: Option<Vec<T>>, name: impl Fn(&T) -> &str) {
            let have = have.get_or_insert_default();
            let more = more.unwrap_or_default();
            // Within one file, no two entries have the same name.
            let known: HashSet<&str> = have.iter().map(&name).collect();
            let new: Vec<bool> = more.iter().map(|entry| !known.contains(name(entry))).collect();
            have.extend(more.into_iter().zip(new).filter_map(|(entry, new)| new.then_some(entry)));
        }
        let unset = self.current_context.as_deref().is_none_or(str::is_empty);
        if unset {
            self.current_context = later.current_context;
        }
        add(&mut self.clusters, later.clusters, |entry| &entry.name);
        add(&mut self.contexts, later.contexts, |entry| &entry.name);
        add(&mut self.users, later.users, |entry| &entry.name);
    }

    /// Makes paths in this document relative to the folder of its file, and records the file in its users.
    fn rebase(&mut self, file: &Path) {
        let folder = file.parent().unwrap_or(Path::new("."));
        let rebase = |path: &mut Option<PathBuf>| {
            // An empty path means none; `join` keeps an absolute one.
            *path = path.take().filter(|path| !path.as_os_str().is_empty()).map(|path| folder.join(path));
        };
        for entry in self.clusters.iter_mut().flatten() {
            rebase(&mut entry.cluster.certificate_authority);
        }
        for NamedUser { user, .. } in self.users.iter_mut().flatten() {
            for path in [&mut user.client_certificate, &mut user.client_key, &mut user.token_file] {
                rebase(path);
            }
            // A bare name is looked for on PATH; a path belongs to its file.
            if let Some(exec) =
                user.exec.as_mut().filter(|exec| exec.command.contains(std::path::is_separator))
            {
                exec.command = folder.join(&exec.command).to_string_lossy().into_owned();
            }
            file.clone_into(&mut user.origin);
        }
    }
}

/// Returns the first name that occurs twice.
fn twice<'a>(names: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let mut known = BTreeSet::new();
    names.map(String::as_str).find(|name| !known.insert(*name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::fs;

    fn load(files: &[(&str, &str)]) -> Result<Kubeconfig, Error> {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.path().join(name)).collect();
        for ((_, text), path) in files.iter().zip(&paths).filter(|((_, text), _)| *text != "absent") {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let list = std::env::join_paths(&paths).unwrap();
        let variables = [(OsString::from("KUBECONFIG"), list)].into();
        Kubeconfig::load(&Environment { variables, ..Environment::default() }, &Flags::default())
    }

    #[test]
    fn the_first_file_wins_and_missing_ones_are_passed_over() {
        let merged = load(&[
            ("absent", "absent"),
            ("a", "{current-context: one, clusters: [{name: c, cluster: {server: 'https://one'}}]}"),
            ("b", "{current-context: two, clusters: [{name: c, cluster: {server: 'https://two'}}, {name: d}], contexts: null}"),
        ])
        .unwrap();
        assert_eq!(merged.document.current_context.as_deref(), Some("one"));
        assert_eq!(merged.cluster("c").unwrap().server.as_deref(), Some("https://one"));
        assert!(merged.cluster("d").is_some());
    }

    #[test]
    fn a_relative_path_belongs_to_its_own_file() {
        let absolute = if cfg!(windows) { "C:/abs" } else { "/abs" };
        let text = format!("users: [{{name: u, user: {{client-key: keys/k, tokenFile: '{absolute}'}}}}]");
        let merged = load(&[("sub/a", &text)]).unwrap();
        let user = merged.user("u").unwrap();
        assert!(user.client_key.as_ref().unwrap().ends_with("sub/keys/k"));
        assert_eq!(user.token_file.as_deref(), Some(Path::new(absolute)));
    }

    #[test]
    fn the_files_with_credentials_are_its_own_and_those_it_names() {
        let merged = load(&[
            ("a", "users: [{name: u, user: {client-key: keys/k, exec: {command: ./bin/login}}}]"),
            ("b", "users: [{name: v, user: {tokenFile: /t, exec: {command: aws}}}]"),
            ("absent", "absent"),
        ])
        .unwrap();
        let ends = |paths: Vec<PathBuf>, ends: &[&str]| {
            assert_eq!(paths.len(), ends.len());
            assert!(paths.iter().zip(ends).all(|(path, end)| path.ends_with(end)), "{paths:?}");
        };
        ends(merged.secret_files(), &["a", "b", "absent", "keys/k", "/t"]);
        ends(merged.programs(), &["bin/login"]);
    }

    #[test]
    fn an_empty_file_holds_nothing_and_is_no_error() {
        assert!(!load(&[("a", "")]).unwrap().files.is_empty());
        assert!(load(&[("a", "absent")]).unwrap().files.is_empty());
    }

    #[test]
    fn a_broken_file_names_its_line_and_shows_none_of_its_text() {
        for text in [
            "users:\n- name: u\n  user: hunter2\n",
            "users:\n- name: u\n  user: {token: [hunter2]}\n",
            "a: b\nc: {hunter2\n",
        ] {
            let error = load(&[("a", text)]).err().unwrap();
            let Error::Broken { line, reason, .. } = &error else { panic!("{error}") };
            assert!(*line >= 2, "{text}: {line}");
            assert!(!reason.is_empty() && !reason.contains("hunter2"), "{reason}");
        }
    }
}
