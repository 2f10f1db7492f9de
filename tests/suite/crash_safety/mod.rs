//! Tests that the store survives everything: whenever kwasm is killed or the disk is full, a plugin is the
//! old one or the new one, and nothing else is left.

mod concurrent_commands;
mod full_disk;
mod kill_after_each_change;
mod random_kills;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::{Kwasm, Run, component, faults_program, files};

/// The installed plugins under the names that the commands change: their outputs when they run with `1`.
type State = BTreeMap<&'static str, &'static str>;

const HELLO: &str = "hello from kwasm: 1\n";
const LINE: &str = "line 1\n";

/// Names that the commands change, or may not change: `other` is always there, and was a core module.
const NAMES: [&str; 4] = ["other", "p", "q", "r"];

/// A command, and the states between which it goes.
struct Scene {
    name: &'static str,
    arguments: Vec<String>,
    before: Home,
    after: Home,
    /// With one plugin of two.
    between: Option<Home>,
}

/// A home that is copied for each run.
struct Home {
    kwasm: Kwasm,
    state: State,
}

impl Home {
    /// Returns a state with `other` and these plugins.
    fn with(plugins: &[(&'static str, &'static str)]) -> Self {
        let kwasm = Kwasm::with_empty_cache();
        kwasm.call(["install", component("hello-core").to_str().unwrap(), "--as", "other"]).success();
        let mut state = State::from([("other", HELLO)]);
        for (name, guest) in plugins {
            kwasm.call(["install", component(guest).to_str().unwrap(), "--as", name]).success();
            state.insert(name, if *guest == "hello" { HELLO } else { LINE });
        }
        Self { kwasm, state }
    }

    /// Returns a copy in another folder.
    fn copy(&self) -> Kwasm {
        let copy = Kwasm::with_empty_cache();
        let copied =
            Command::new("cp").arg("-a").arg(self.kwasm.home().join(".")).arg(copy.home()).status().unwrap();
        assert!(copied.success());
        copy
    }
}

fn scenes() -> Vec<Scene> {
    let install = |guest: &str| {
        ["install", component(guest).to_str().unwrap(), "--as", "p"].map(str::to_owned).to_vec()
    };
    vec![
        Scene {
            name: "install",
            arguments: install("hello"),
            before: Home::with(&[]),
            after: Home::with(&[("p", "hello")]),
            between: None,
        },
        Scene {
            name: "upgrade",
            arguments: install("prints"),
            before: Home::with(&[("p", "hello")]),
            after: Home::with(&[("p", "prints")]),
            between: None,
        },
        Scene {
            name: "uninstall",
            arguments: ["uninstall", "p"].map(str::to_owned).to_vec(),
            before: Home::with(&[("p", "hello")]),
            after: Home::with(&[]),
            between: None,
        },
        Scene {
            name: "load",
            arguments: ["load", archive().to_str().unwrap()].map(str::to_owned).to_vec(),
            before: Home::with(&[("p", "hello")]),
            after: Home::with(&[("p", "prints"), ("q", "hello")]),
            between: Some(Home::with(&[("p", "prints")])),
        },
    ]
}

/// Returns an archive of two plugins, one of which takes the place of another.
fn archive() -> &'static Path {
    static ARCHIVE: OnceLock<PathBuf> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        let home = Home::with(&[("p", "prints"), ("q", "hello")]);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fragile");
        fs::create_dir_all(&folder).unwrap();
        let archive = folder.join("plugins.tar");
        home.kwasm.call(["save", "p", "q", "-f", archive.to_str().unwrap()]).success();
        archive
    })
}

impl Scene {
    /// Returns a home in the state before.
    fn home(&self) -> Kwasm {
        self.before.copy()
    }

    /// Returns a home where everything is compiled already, which otherwise takes most of a command's time.
    fn warm_home(&self) -> Kwasm {
        let kwasm = self.before.copy();
        let caches = [self.after.kwasm.home().join("cache"), kwasm.home().into()];
        assert!(Command::new("cp").arg("-a").args(caches).status().unwrap().success());
        kwasm
    }
}

/// Returns the program that tests can stop, under the name that links lead to.
fn fragile() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fragile");
        fs::create_dir_all(&folder).unwrap();
        // Renamed into its place: another process may be running the one that is there.
        let (new, program) = (folder.join(format!("new-{}", std::process::id())), folder.join("kwasm"));
        fs::copy(faults_program(), &new).unwrap();
        fs::rename(new, &program).unwrap();
        program
    })
}

/// Returns a scene's command in a home, with what is taken from it (src/defence.rs).
fn fragile_command(kwasm: &Kwasm, scene: &Scene, without: &str) -> Command {
    let mut command = kwasm.program(fragile());
    command.args(&scene.arguments).env("KWASM_WITHOUT", without);
    command
}

/// Returns what is installed, according to `list` and to running it through its link as kubectl does.
#[track_caller]
fn state(kwasm: &Kwasm) -> State {
    let list = kwasm.call(["list"]).success().stdout;
    let outputs = list.lines().map(|listed| {
        let name = NAMES.iter().find(|name| **name == listed).unwrap();
        let run = Run::of(kwasm.program(kwasm.links().join(format!("kubectl-{name}"))).arg("1")).success();
        let output = [HELLO, LINE].into_iter().find(|output| **output == run.stdout);
        (*name, output.unwrap_or_else(|| panic!("{name}: {}", run.shown())))
    });
    outputs.collect()
}

/// Checks that a home is in a consistent state, and returns which.
#[track_caller]
fn sound<'a>(kwasm: &Kwasm, scene: &'a Scene) -> &'a str {
    // Nothing has been repaired yet, and every listed plugin runs nevertheless.
    let found = state(kwasm);
    let doctor = kwasm.call(["doctor"]).success();
    assert!(!doctor.stdout.contains("problem"), "{}", doctor.shown());
    assert_eq!(state(kwasm), found);
    untouched(kwasm, scene, &found)
}

/// Makes sure that a home has just the files of one that came into its state undisturbed.
#[track_caller]
fn untouched<'a>(kwasm: &Kwasm, scene: &'a Scene, found: &State) -> &'a str {
    let folders = fs::read_dir(kwasm.home().join("data/plugins")).unwrap().flatten();
    let mut folders: Vec<_> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    folders.sort();
    assert_eq!(folders, found.keys().copied().collect::<Vec<_>>());
    let twins =
        [("before", Some(&scene.before)), ("between", scene.between.as_ref()), ("after", Some(&scene.after))];
    let twin =
        twins.into_iter().find_map(|(name, twin)| Some((name, twin.filter(|twin| twin.state == *found)?)));
    let (name, twin) = twin.unwrap_or_else(|| panic!("neither the old state nor the new one: {found:?}"));
    for folder in ["data", "bin"] {
        assert_eq!(files(&kwasm.home().join(folder)), files(&twin.kwasm.home().join(folder)), "{folder}");
    }
    name
}
