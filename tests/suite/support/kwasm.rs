//! The program under test, in a home that is removed with the test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::Running;

/// A kwasm with a home of its own. It sees nothing of this machine's environment but `PATH`.
#[must_use]
pub(crate) struct Kwasm {
    home: TempDir,
    variables: Vec<(String, String)>,
    policy: String,
    program: PathBuf,
}

/// The ending of a run and its output.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What kwasm says of a plugin that uses WASI 0.3.
pub(crate) const UNSTABLE: &str = " uses WASI 0.3, which wasmtime ";

/// Returns the file of a guest, by the name of its crate.
///
/// Built by `cargo xtask components`, which `cargo xtask test` does first.
pub(crate) fn component(name: &str) -> PathBuf {
    let folder = std::env::var_os("KWASM_COMPONENTS").map_or_else(
        || Path::new(env!("CARGO_BIN_EXE_kwasm")).parent().unwrap().parent().unwrap().join("components"),
        PathBuf::from,
    );
    let file = folder.join(format!("{name}.wasm"));
    assert!(file.exists(), "{} is missing: cargo xtask components", file.display());
    file
}

/// Returns the program built by `cargo build --features faults --bin kwasm-faults`, which `cargo xtask test`
/// runs first.
pub(crate) fn faults_program() -> PathBuf {
    let beside = || Path::new(env!("CARGO_BIN_EXE_kwasm")).with_file_name("kwasm-faults");
    let program = std::env::var_os("KWASM_FAULTS").map_or_else(beside, PathBuf::from);
    assert!(
        program.exists(),
        "{} is missing: cargo build --features faults --bin kwasm-faults",
        program.display()
    );
    program
}

impl Kwasm {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        // Machine code is shared by all tests, so that each guest is compiled once. Tests of the cache have their own.
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        std::fs::create_dir_all(&cache).unwrap();
        Self {
            home,
            variables: Vec::new(),
            policy: "cluster".to_owned(),
            program: env!("CARGO_BIN_EXE_kwasm").into(),
        }
        .variable("XDG_CACHE_HOME", cache.to_str().unwrap())
        // Nothing goes on in the background that a test does not know of.
        .variable("KWASM_COMPILE", "optimized")
    }

    /// Returns a kwasm with a cache of its own.
    pub(crate) fn with_empty_cache() -> Self {
        let kwasm = Self::new();
        let cache = kwasm.home().join("cache");
        kwasm.variable("XDG_CACHE_HOME", cache.to_str().unwrap())
    }

    pub(crate) fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.to_owned(), value.as_ref().to_str().unwrap().to_owned()));
        self
    }

    pub(crate) fn kubeconfig(self, path: impl AsRef<Path>) -> Self {
        self.variable("KUBECONFIG", path.as_ref())
    }

    /// Sets the policy of guests that run without being installed. The default is `cluster`.
    pub(crate) fn policy(self, policy: impl AsRef<OsStr>) -> Self {
        Self { policy: policy.as_ref().to_str().unwrap().to_owned(), ..self }
    }

    /// Sets their policy by its `spec`.
    pub(crate) fn spec(self, spec: &str) -> Self {
        let path = self.write_policy(spec);
        self.policy(path)
    }

    /// Writes a policy with this spec, for a command whose policy is an option.
    pub(crate) fn write_policy(&self, spec: &str) -> String {
        let path = self.home().join("policy.yaml");
        let head = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: test}\nspec:";
        std::fs::write(&path, format!("{head} {spec}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Uses the program in which single defences can be disabled, with all of them active.
    pub(crate) fn faulty(self) -> Self {
        Self { program: faults_program(), ..self }
    }

    /// Disables exactly this defence (src/defence.rs).
    pub(crate) fn without(self, defence: &str) -> Self {
        self.faulty().variable("KWASM_WITHOUT", defence)
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Returns the folder of its caches.
    pub(crate) fn cache(&self) -> PathBuf {
        let mut caches = self.variables.iter().filter(|(name, _)| name == "XDG_CACHE_HOME");
        PathBuf::from(&caches.next_back().unwrap().1)
    }

    pub(crate) fn links(&self) -> PathBuf {
        self.home().join("bin")
    }

    /// Returns a command that uses this home, with the links first on its `PATH`.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths([self.links()].into_iter().chain(std::env::split_paths(&path))).unwrap();
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.home())
            .env("KWASM_HOME", self.home().join("data"))
            .env("KWASM_BIN_DIR", self.links())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.program(&self.program);
        command.args(arguments);
        command
    }

    /// Runs `kwasm ARG…`.
    pub(crate) fn call<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        Run::of(&mut self.command(arguments))
    }

    /// Returns the command `kwasm run GUEST -- ARG…`.
    pub(crate) fn guest(&self, name: &str, arguments: &[&str]) -> Command {
        self.plugin(&component(name), arguments)
    }

    /// Returns the command `kwasm run FILE -- ARG…`.
    pub(crate) fn plugin(&self, file: &Path, arguments: &[&str]) -> Command {
        let mut command = self.command(["run", "--policy", &self.policy]);
        command.arg(file).arg("--").args(arguments);
        command
    }

    /// Runs `kwasm run GUEST -- ARG…`.
    pub(crate) fn run(&self, name: &str, arguments: &[&str]) -> Run {
        Run::of(&mut self.guest(name, arguments))
    }

    /// Starts `kwasm run GUEST -- ARG…`, and leaves it running.
    pub(crate) fn start(&self, name: &str, arguments: &[&str]) -> Running {
        Running::of(self.guest(name, arguments))
    }

    /// Starts it with an input that stays open.
    pub(crate) fn start_with_input(&self, name: &str, arguments: &[&str]) -> Running {
        let mut command = self.guest(name, arguments);
        command.stdin(Stdio::piped());
        Running::of(command)
    }
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    #[track_caller]
    pub(crate) fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.shown());
        self
    }

    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.shown());
        self
    }

    /// Returns its standard error but for the note that each run of a file has which uses WASI 0.3.
    pub(crate) fn complaints(&self) -> String {
        self.stderr.split_inclusive('\n').filter(|line| !line.contains(UNSTABLE)).collect()
    }

    /// Returns everything that the user sees, for a snapshot.
    pub(crate) fn shown(&self) -> String {
        let code = self.code.map_or("none".to_owned(), |code| code.to_string());
        format!("exit: {code}\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }

    /// Returns the same, without the parts that differ from run to run.
    pub(crate) fn shown_without(&self, replaced: &[(&str, &str)]) -> String {
        replaced.iter().fold(self.shown(), |text, (from, to)| text.replace(from, to))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
