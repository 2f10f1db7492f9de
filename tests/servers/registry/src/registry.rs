//! The real registries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::access::{Access, Login};
use crate::certificates::{Certificates, Validity};
use crate::environment;
use crate::error::Error;
use crate::go_module;
use crate::process::{Process, guarded};

/// The timeout for a registry to become ready. It takes a tenth of a second; a machine that builds something
/// else at the same time needs more.
const PATIENCE: Duration = Duration::from_mins(1);
const USER: &str = "jane";
/// With what others split at.
const PASSWORD: &str = "open: sesame";
/// The least that bcrypt has: each request is checked.
const COST: u32 = 4;

/// A running registry on a port of loopback. It ends when it is dropped, and with the process that started it, however
/// that ends; its folder goes with it.
pub struct Registry {
    access: Access,
    /// Ended before its folder goes: the order of fields.
    _process: Process,
    folder: TempDir,
}

/// The options of a registry.
#[derive(Clone, Debug)]
#[must_use = "it becomes a registry by start()"]
pub struct Builder {
    program: Program,
    open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Distribution,
    GoContainerregistry,
}

impl Registry {
    /// Starts distribution (the program `docker-registry`), for one user with a password. It keeps content in
    /// [`Registry::storage`], deletes on request, and has no referrers API.
    ///
    /// # Errors
    /// Says what to install, or how the program ended.
    pub fn start() -> Result<Self, Error> {
        Self::distribution().start()
    }

    /// Starts go-containerregistry's registry, which has the referrers API and keeps content in memory, for one user
    /// with a password. It is built by Go at the first use.
    ///
    /// # Errors
    /// Says what to install, or how the program ended.
    pub fn with_referrers() -> Result<Self, Error> {
        Self::go_containerregistry().start()
    }

    /// Returns the options of [`Registry::start`].
    pub fn distribution() -> Builder {
        Builder { program: Program::Distribution, open: false }
    }

    /// Returns the options of [`Registry::with_referrers`].
    pub fn go_containerregistry() -> Builder {
        Builder { program: Program::GoContainerregistry, open: false }
    }

    /// Returns the access to it.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Returns host and port, e.g. `localhost:40123`.
    #[must_use]
    pub fn host(&self) -> &str {
        self.access.host()
    }

    /// Returns a folder that goes with the registry, for what belongs to it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the folder in which distribution keeps repositories and blobs, for tests that take something
    /// away there.
    #[must_use]
    pub fn storage(&self) -> PathBuf {
        storage(self.folder.path())
    }

    /// Returns the program's log: for distribution, a line for each request.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(log(self.folder.path())).unwrap_or_default()
    }
}

impl Builder {
    /// Lets everyone in without a login.
    pub fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// Starts the registry and waits until it listens.
    ///
    /// # Errors
    /// Says what to install, or how the program ended.
    pub fn start(self) -> Result<Registry, Error> {
        let folder = tempfile::Builder::new()
            .prefix("kwasm-registry-")
            .tempdir()
            .map_err(Error::at("temporary folder"))?;
        let dir = folder.path();
        let certificates = Certificates::new(Validity::Good)?;
        write(&dir.join("tls.crt"), &certificates.certificate)?;
        write(&dir.join("tls.key"), &certificates.key)?;
        let mut command = match self.program {
            Program::Distribution => self.distribution(dir)?,
            Program::GoContainerregistry => self.go_containerregistry(dir)?,
        };
        let mut process = Process::start(command.current_dir(dir), &log(dir))?;
        let port = process.wait_for(PATIENCE, port)?;
        let login =
            (!self.open).then(|| Login::Password { user: USER.to_owned(), password: PASSWORD.to_owned() });
        let access =
            Access { host: format!("localhost:{port}"), authority: Some(certificates.authority), login };
        Ok(Registry { access, _process: process, folder })
    }

    fn distribution(&self, dir: &Path) -> Result<Command, Error> {
        let program = environment::tool("docker-registry").ok_or(Error::NoDistribution)?;
        let mut configuration = format!(
            "version: 0.1\n\
             log: {{level: info}}\n\
             storage: {{filesystem: {{rootdirectory: '{}'}}, delete: {{enabled: true}}}}\n\
             http: {{addr: '127.0.0.1:0', secret: one, tls: {{certificate: tls.crt, key: tls.key}}}}\n",
            storage(dir).display()
        );
        if !self.open {
            let hash = bcrypt::hash(PASSWORD, COST).map_err(Error::Password)?;
            write(&dir.join("htpasswd"), &format!("{USER}:{hash}\n"))?;
            configuration.push_str("auth: {htpasswd: {realm: kwasm, path: htpasswd}}\n");
        }
        write(&dir.join("config.yml"), &configuration)?;
        let mut command = guarded(program, dir);
        command.args(["serve", "config.yml"]);
        Ok(command)
    }

    fn go_containerregistry(&self, dir: &Path) -> Result<Command, Error> {
        let mut command = Command::new(go_module::build(&environment::cache())?);
        command.args(["-certificate", "tls.crt", "-key", "tls.key", "-folder"]).arg(dir);
        if !self.open {
            command.args(["-user", USER, "-password", PASSWORD]);
        }
        Ok(command)
    }
}

fn storage(dir: &Path) -> PathBuf {
    dir.join("storage")
}

fn log(dir: &Path) -> PathBuf {
    dir.join("log")
}

fn write(path: &Path, content: &str) -> Result<(), Error> {
    fs::write(path, content).map_err(Error::at(path))
}

/// Reads the port from a log: both programs request one from the system and print it.
fn port(log: &str) -> Option<u16> {
    let (_, rest) = log.split_once("listening on 127.0.0.1:")?;
    // Not a number that is still being written.
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_found_in_what_either_program_says() {
        assert_eq!(
            port("msg=\"redis not configured\"\nmsg=\"listening on 127.0.0.1:34457, tls\""),
            Some(34457)
        );
        assert_eq!(port("listening on 127.0.0.1:8080\n"), Some(8080));
        assert_eq!(port("listening on 127.0.0.1:80"), None);
    }
}
