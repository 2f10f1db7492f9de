//! Audit logs: a line of JSON for each request of a plugin, in two files of at most 4 MiB.
//!
//! A line is appended in one write, so that runs at the same time neither mix nor lose any. A file that has become
//! large is renamed to `audit.1.jsonl`, and replaces the one that was there. A line that a kill or a full disk cut
//! short is recognised by the reader, and so is a whole one that follows it on the same line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Error, Store, files};
use crate::platform::{self, Owner, disk};
use crate::reference::PluginName;

/// The size of a file in bytes at which the next one begins.
const FULL: u64 = 4 << 20;

/// The largest size that is read, in bytes. A file only exceeds [`FULL`] by the lines that were being written
/// when it was renamed.
const LONGEST: u64 = 64 << 20;

/// The beginning of each line. It cannot be inside of one, where a quotation mark is escaped.
const START: &str = "{\"time\":\"";

/// A request of a past run.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditLine {
    /// The time of its judgement, in RFC 3339, UTC.
    pub time: String,
    /// The run.
    pub run: String,
    /// The context.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// The verb; for a request that is not to an API server, the method in lower case.
    pub verb: String,
    /// The API group; empty for the core group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The resource.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// The subresource.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subresource: String,
    /// The namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name of the object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The path of a request that is not about a resource.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The other host, with its port.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// `allowed` or `refused`.
    pub decision: String,
    /// The user's answer, if the user was asked: `once`, `run`, `always` or `no`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// The rule that covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The reason of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The status of the answer; `None` if there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The number of bytes of the answer that the plugin read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The time until the end of its answer in milliseconds.
    pub milliseconds: u64,
}

/// The requests of a plugin's past runs.
#[derive(Debug, Default)]
pub struct AuditRecord {
    /// The requests, in the order in which they ended.
    pub lines: Vec<AuditLine>,
    /// The number of lines that were cut short.
    pub torn: usize,
}

/// The audit log of a plugin, to append to.
#[derive(Clone, Debug)]
pub struct AuditLog {
    folder: PathBuf,
}

impl Store {
    /// Opens the audit log of an installed plugin for a run.
    ///
    /// # Errors
    /// If it cannot be written to, or belongs to another user.
    pub fn open_audit_log(&self, name: &PluginName) -> Result<AuditLog, Error> {
        let folder = self.audit_folder(name);
        if !self.is_own() {
            platform::private_folder(&folder).map_err(failed(&folder))?;
        }
        let log = AuditLog { folder };
        let path = log.current();
        disk::append(&path, b"").map_err(failed(&path))?;
        let metadata = fs::symlink_metadata(&path).map_err(failed(&path))?;
        platform::check_private_file(&metadata).map_err(failed(&path))?;
        Ok(log)
    }

    /// Reads the audit log of a plugin.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn audit(&self, name: &PluginName) -> Result<AuditRecord, Error> {
        let log = AuditLog { folder: self.audit_folder(name) };
        let mut record = AuditRecord::default();
        if !log.current().exists() && !log.older().exists() {
            return Ok(record);
        }
        // While it is held, no file is renamed, so that none is missed.
        let _lock = disk::lock(&log.lock()).map_err(files::read_failed(&log.lock()))?;
        for path in [log.older(), log.current()] {
            match files::read(&path, LONGEST) {
                Ok(text) => record.add(&String::from_utf8_lossy(&text)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(files::read_failed(&path)(source)),
            }
        }
        Ok(record)
    }

    /// Returns whether this user owns the store, and may change it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        fs::metadata(self.places.root()).map_or(true, |root| platform::owner(&root) == Owner::User)
    }

    /// Returns the folder of a plugin's log: beside its receipt in the user's own store, so that it goes with the
    /// plugin, and otherwise a folder of this user's.
    fn audit_folder(&self, name: &PluginName) -> PathBuf {
        if self.is_own() { self.places.plugin(name) } else { self.places.audit(name) }
    }
}

impl AuditRecord {
    fn add(&mut self, text: &str) {
        for line in text.split('\n').filter(|line| !line.is_empty()) {
            if let Ok(line) = serde_json::from_str(line) {
                self.lines.push(line);
                continue;
            }
            self.torn += 1;
            let rest = line.rfind(START).filter(|start| *start > 0).and_then(|start| line.get(start..));
            self.lines.extend(rest.and_then(|line| serde_json::from_str(line).ok()));
        }
    }
}

impl AuditLog {
    /// Appends a line. Texts that are too long for it are cut.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn append(&self, line: &AuditLine) -> Result<(), Error> {
        let path = self.current();
        let mut text = serde_json::to_string(&line.bounded()).unwrap_or_default();
        text.push('\n');
        let size = disk::append(&path, text.as_bytes()).map_err(failed(&path))?;
        if size >= FULL { self.rotate().map_err(failed(&path)) } else { Ok(()) }
    }

    /// Renames the current file, unless another process does so at this moment or has already done so.
    fn rotate(&self) -> io::Result<()> {
        let lock = disk::lockable(&self.lock())?;
        if lock.try_lock().is_err() {
            return Ok(());
        }
        let current = self.current();
        match fs::metadata(&current) {
            Ok(metadata) if metadata.len() >= FULL => disk::rename(&current, &self.older()),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn current(&self) -> PathBuf {
        self.folder.join("audit.jsonl")
    }

    fn older(&self) -> PathBuf {
        self.folder.join("audit.1.jsonl")
    }

    fn lock(&self) -> PathBuf {
        self.folder.join("audit.lock")
    }
}

impl AuditLine {
    /// Returns the line with all its texts cut, so that it has less than 4 KiB.
    fn bounded(&self) -> Self {
        let cut_some = |text: &Option<String>, most| text.as_deref().map(|text| cut(text, most));
        Self {
            time: cut(&self.time, 40),
            run: cut(&self.run, 40),
            context: cut(&self.context, 256),
            verb: cut(&self.verb, 32),
            group: cut(&self.group, 256),
            resource: cut(&self.resource, 256),
            subresource: cut(&self.subresource, 128),
            namespace: cut(&self.namespace, 128),
            name: cut(&self.name, 384),
            path: cut(&self.path, 512),
            host: cut(&self.host, 288),
            decision: cut(&self.decision, 16),
            consent: cut_some(&self.consent, 16),
            rule: cut_some(&self.rule, 768),
            reason: cut_some(&self.reason, 256),
            ..*self
        }
    }
}

/// Cuts a text that takes more than `most` bytes in JSON.
fn cut(text: &str, most: usize) -> String {
    let mut left = most;
    let escaped = |c: char| match c {
        '"' | '\\' => 2,
        '\0'..='\u{1f}' => 6,
        c => c.len_utf8(),
    };
    let end = text.char_indices().find(|(_, c)| match left.checked_sub(escaped(*c)) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    });
    end.map_or_else(|| text.to_owned(), |(end, _)| format!("{}…", &text[..end]))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Audit { path: path.into(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str) -> AuditLine {
        AuditLine { time: "2026-01-01T00:00:00Z".to_owned(), name: name.to_owned(), ..AuditLine::default() }
    }

    fn log() -> (tempfile::TempDir, AuditLog) {
        let folder = tempfile::tempdir().unwrap();
        let log = AuditLog { folder: folder.path().into() };
        (folder, log)
    }

    fn record(log: &AuditLog) -> AuditRecord {
        let mut record = AuditRecord::default();
        for path in [log.older(), log.current()] {
            record.add(&fs::read_to_string(path).unwrap_or_default());
        }
        record
    }

    #[test]
    fn what_was_appended_is_read_in_its_order() {
        let (_folder, log) = log();
        let full = AuditLine {
            rule: Some("{}".to_owned()),
            status: Some(200),
            bytes: Some(7),
            milliseconds: 3,
            group: "apps".to_owned(),
            ..line("a")
        };
        log.append(&full).unwrap();
        log.append(&line("b\n\u{1b}\"{\"time\":\"")).unwrap();
        let record = record(&log);
        assert_eq!((record.lines, record.torn), (vec![full, line("b\n\u{1b}\"{\"time\":\"")], 0));
    }

    #[test]
    fn a_line_has_less_than_4_kib_whatever_is_in_it() {
        for text in ["a", "\u{1}", "\"", "\u{10ffff}", "é"] {
            let long = text.repeat(20_000);
            let some = || Some(long.clone());
            let line = AuditLine {
                time: long.clone(),
                run: long.clone(),
                context: long.clone(),
                verb: long.clone(),
                group: long.clone(),
                resource: long.clone(),
                subresource: long.clone(),
                namespace: long.clone(),
                name: long.clone(),
                path: long.clone(),
                host: long.clone(),
                decision: long.clone(),
                consent: some(),
                rule: some(),
                reason: some(),
                status: Some(u16::MAX),
                bytes: Some(u64::MAX),
                milliseconds: u64::MAX,
            };
            let (_folder, written) = log();
            written.append(&line).unwrap();
            let length = fs::metadata(written.current()).unwrap().len();
            assert!((1000..4096).contains(&length), "{length}");
            let record = record(&written);
            assert_eq!((record.lines.len(), record.torn), (1, 0));
            assert!(record.lines[0].name.ends_with('…'));
        }
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "abc…");
    }

    #[test]
    fn a_line_that_was_cut_short_hides_no_other() {
        let (_folder, log) = log();
        let whole = |name| serde_json::to_string(&line(name)).unwrap();
        for end in 1..whole("a").len() {
            let text = format!("{}\n{}{}\n{}\n", whole("a"), &whole("b")[..end], whole("c"), whole("d"));
            fs::write(log.current(), text).unwrap();
            let read = record(&log);
            assert_eq!((read.lines, read.torn), (vec![line("a"), line("c"), line("d")], 1), "{end}");
            // At the end of the file.
            fs::write(log.current(), format!("{}\n{}", whole("a"), &whole("b")[..end])).unwrap();
            let read = record(&log);
            assert_eq!((read.lines, read.torn), (vec![line("a")], 1), "{end}");
        }
    }

    #[test]
    fn the_older_half_goes_when_a_file_is_full() {
        let (_folder, log) = log();
        let filling = "x".repeat(300);
        let size = |path: PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
        for number in 0..40_000 {
            log.append(&line(&format!("{number}-{filling}"))).unwrap();
        }
        assert!(size(log.current()) + size(log.older()) < 2 * FULL + 4096);
        assert!(size(log.older()) >= FULL);
        let record = record(&log);
        let numbers: Vec<usize> =
            record.lines.iter().map(|line| line.name.split('-').next().unwrap().parse().unwrap()).collect();
        assert!(numbers[0] > 0 && numbers.len() > 10_000, "{} lines", numbers.len());
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
        assert_eq!(numbers.last(), Some(&39_999));
    }

    #[test]
    fn another_process_that_rotates_is_not_waited_for() {
        let (_folder, log) = log();
        fs::write(log.current(), "x".repeat(usize::try_from(FULL).unwrap())).unwrap();
        let lock = disk::lock(&log.lock()).unwrap();
        log.append(&line("a")).unwrap();
        assert!(!log.older().exists());
        drop(lock);
        log.append(&line("b")).unwrap();
        assert!(log.older().exists() && !log.current().exists());
    }
}
