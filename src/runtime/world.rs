//! The environment of a guest: its arguments, three streams, clocks, random numbers, a few variables and one
//! read-only file, with the variables and folders that its policy grants. No others, and no host name.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{FsPerms, HostWallClock, WasiCtx};

use super::folders::Folders;
use super::stdio::{self, StreamFaults};
use super::{Error, limits};
use crate::cluster::{Cluster, Contexts, GuestConfig, Selection};
use crate::defence::Defence;
use crate::environment::Environment;
use crate::platform;
use crate::platform::disk::{self, Staged};
use crate::policy::Grant;
use crate::record::Clock;
use crate::reference::Digest;
use crate::store::Places;

/// The environment of a guest.
#[derive(Default)]
pub struct World {
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    folders: Folders,
    /// The folder with its kubeconfig on this machine.
    kubeconfig: Option<PathBuf>,
    /// The same folder, if it is only for this run.
    temporary: Option<TempDir>,
    /// Its wall clock, unless it is this machine's.
    clock: Option<Clock>,
    /// The errors of its streams.
    faults: StreamFaults,
    /// Whether it is one of many guests of this process.
    is_among_others: bool,
}

/// A record's clock as a guest's.
struct RecordClock(Clock);

impl HostWallClock for RecordClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0.now()
    }
}

/// Variables that describe how to talk to the user, without the user's data, and which part of a job it is to do.
const PASSED: &[&str] =
    &["TERM", "COLUMNS", "LINES", "LANG", "TZ", "NO_COLOR", "KWASM_SHARD", "KWASM_SHARDS"];

/// Prefixes of such variables.
const PASSED_PREFIXES: &[&str] = &["LC_", "CLICOLOR"];

/// The folder in which a guest finds its kubeconfig.
const MOUNT: &str = "/kwasm";

impl World {
    /// Returns the environment that every guest gets, with the variables of its grant. `name` becomes its
    /// `argv[0]`.
    #[must_use]
    pub fn new(name: &str, arguments: Vec<String>, environment: &Environment, grant: &Grant) -> Self {
        let passed = |name: &str, value: &str| {
            let listed = PASSED.contains(&name);
            let passed = listed || PASSED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            Defence::Environment.passes(passed || grant.passes(name, value))
        };
        let mut variables: Vec<(String, String)> = environment
            .variables
            .iter()
            .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value.to_str()?.to_owned())))
            .filter(|(name, value)| passed(name, value))
            .collect();
        // A guest cannot query the size of its terminal: WASI 0.2 has no such call.
        if let Some((columns, lines)) = environment.terminal_size {
            for (name, value) in [("COLUMNS", columns), ("LINES", lines)] {
                if !variables.iter().any(|(known, _)| known == name) {
                    variables.push((name.to_owned(), value.to_string()));
                }
            }
        }
        let arguments = std::iter::once(name.to_owned()).chain(arguments).collect();
        Self { arguments, variables, ..Self::default() }
    }

    /// Adds the folders of its grant.
    #[must_use]
    pub fn with(self, folders: Folders) -> Self {
        Self { folders, ..self }
    }

    /// Replaces its wall clock by that of a record.
    #[must_use]
    pub fn at_time_of(self, clock: Option<Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Makes it the environment of each of many guests in this process: none of them reads its standard input, or keeps the
    /// others waiting while it waits for a file.
    #[must_use]
    pub(super) fn among_others(self) -> Self {
        Self { is_among_others: true, ..self }
    }

    /// Adds the guest's view of the cluster: a kubeconfig without address or credential, and two names.
    ///
    /// The file is named after its content, so that runs share it and none has to remove it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn show(mut self, contexts: &Contexts, places: &Places) -> Result<Self, Error> {
        if let Selection::Cluster(cluster) = contexts.selected() {
            self.name(cluster);
        }
        let config = GuestConfig::of(contexts);
        let folder = places.kubeconfigs().join(Digest::of(config.text().as_bytes()).hex());
        match write(&folder, config.text()) {
            Ok(()) => self.kubeconfig = Some(folder),
            // An error of the system: on a read-only disk there is no cache, and none is needed.
            Err(error) if error.raw_os_error().is_some() => {
                let temporary = tempfile::tempdir().map_err(Error::system)?;
                let staged = Staged::write(&temporary.path().join("config"), config.text().as_bytes());
                staged.and_then(Staged::rename).map_err(Error::system)?;
                self.kubeconfig = Some(temporary.path().into());
                self.temporary = Some(temporary);
            }
            Err(source) => return Err(Error::Cache { path: folder, source }),
        }
        self.variables.push(("KUBECONFIG".to_owned(), format!("{MOUNT}/config")));
        Ok(self)
    }

    fn name(&mut self, cluster: &Cluster) {
        self.variables.push(("KWASM_CONTEXT".to_owned(), cluster.context().to_owned()));
        self.variables.push(("KWASM_NAMESPACE".to_owned(), cluster.namespace().to_owned()));
    }

    /// Returns the errors of its streams, once the guest has ended.
    #[must_use]
    pub fn faults(&self) -> StreamFaults {
        self.faults.clone()
    }

    pub(super) fn context(&self) -> wasmtime::Result<WasiP1Ctx> {
        let mut builder = WasiCtx::builder();
        stdio::give_outputs(&mut builder, &self.faults);
        builder.args(&self.arguments).envs(&self.variables);
        if !self.is_among_others {
            stdio::give_input(&mut builder, &self.faults);
            // A guest has a thread of its own, or the process: no other waits while it waits for a file.
            builder.allow_blocking_current_thread(true);
        }
        if let Some(clock) = &self.clock {
            clock.restart();
            builder.wall_clock(RecordClock(clock.clone()));
        }
        self.folders.give(&mut builder)?;
        if let Some(folder) = &self.kubeconfig {
            builder.preopened_dir(folder, MOUNT, FsPerms::ReadOnly)?;
        }
        if Defence::RandomLimit.stands() {
            builder.max_random_size(limits::RANDOM);
        }
        #[cfg(feature = "faults")]
        super::holes::open(&mut builder)?;
        Ok(builder.build_p1())
    }
}

fn write(folder: &std::path::Path, text: &str) -> io::Result<()> {
    platform::private_folder(folder)?;
    let path = folder.join("config");
    if fs::read(&path).is_ok_and(|known| known == text.as_bytes()) {
        return Ok(());
    }
    disk::replace_soon(&path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    #[test]
    fn a_guest_gets_the_variables_of_the_terminal_and_of_its_grant_and_no_others() {
        let variables = [
            ("TERM", "xterm"),
            ("LC_ALL", "C"),
            ("HOME", "/root"),
            ("AWS_SECRET", "s"),
            ("COLUMNS", "99"),
            ("KUBECONFIG", "/k"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
        let environment = Environment { variables, terminal_size: Some((80, 24)), ..Environment::default() };
        let given = |policy: Policy| {
            let world = World::new("x", vec!["a".to_owned()], &environment, &policy.grant_whole());
            assert_eq!(world.arguments, ["x", "a"]);
            world.variables.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        let always = ["COLUMNS=99", "LC_ALL=C", "TERM=xterm", "LINES=24"];
        assert_eq!(given(Policy::none()), always);
        let text =
            "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: test}\nspec: {environment: [HOME]}\n";
        let with_home = given(Policy::read("test.yaml", text).unwrap());
        assert_eq!(with_home, ["COLUMNS=99", "HOME=/root", "LC_ALL=C", "TERM=xterm", "LINES=24"]);
    }
}
