//! The linker, as rustc calls it.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and the bans are for the host, which is confined"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use object::{Object, ObjectSymbol};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The name that cargo would give the program.
const PROGRAM: &str = "ordered-0123456789abcdef";

/// A program of ten functions, which calls those whose digits it is given, and fails without any. Its threads and children
/// call some, too.
const SOURCE: &str = r#"
    macro_rules! functions { ($($name:ident)*) => {
        $(#[inline(never)] #[unsafe(no_mangle)] pub extern "C" fn $name() { print!("{}", stringify!($name)); })*
        const ALL: &[extern "C" fn()] = &[$($name),*];
    } }
    functions! { f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 }
    fn main() {
        let digits = std::env::args().nth(1).expect("a digit");
        if digits == "ls" { std::process::Command::new("true").status().unwrap(); f7(); return }
        for digit in digits.bytes() {
            let function = ALL[usize::from(digit - b'0')];
            if digit == b'3' { std::thread::spawn(move || function()).join().unwrap(); } else { function(); }
        }
    }
"#;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("program.rs"), SOURCE).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Compiles the program with the linker, by these runs.
    fn compile(&self, name: &str, runs: Option<&Value>, options: &[&str]) -> Output {
        let mut rustc = Command::new("rustc");
        rustc
            .args(["--edition=2024", "-O", "-C"])
            .arg(format!("linker={}", env!("CARGO_BIN_EXE_kwasm-linker")));
        rustc.args(options).arg(self.path("program.rs")).arg("-o").arg(self.path(name));
        if let Some(runs) = runs {
            fs::write(self.path("runs.json"), runs.to_string()).unwrap();
            rustc.env("KWASM_LINKER_RUNS", self.path("runs.json"));
        }
        rustc.output().unwrap()
    }
}

fn runs(before: &[&[&str]], watched: &[&[&str]]) -> Value {
    let all = |runs: &[&[&str]]| -> Vec<Value> {
        runs.iter().map(|arguments| json!({"link": null, "arguments": arguments})).collect()
    };
    json!({"program": "ordered", "environment": {}, "before": all(before), "watched": all(watched)})
}

/// Returns the ten functions in the order in which they lie in a program.
fn layout(program: &Path) -> Vec<String> {
    let content = fs::read(program).unwrap();
    let file = object::File::parse(&*content).unwrap();
    let mut functions: Vec<_> = file
        .symbols()
        .filter_map(|symbol| Some((symbol.address(), symbol.name().ok()?.to_owned())))
        .filter(|(_, name)| {
            name.len() == 2 && name.starts_with('f') && name.ends_with(|last: char| last.is_ascii_digit())
        })
        .collect();
    functions.sort();
    functions.into_iter().map(|(_, name)| name).collect()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn functions_lie_in_the_order_of_their_first_use() {
    let folder = Folder::new();
    let runs = runs(&[&["5"]], &[&["83"], &["381"], &["ls"]]);
    let output = folder.compile(PROGRAM, Some(&runs), &["-C", "strip=none"]);
    assert!(output.status.success(), "{}", text(&output));
    let layout = layout(&folder.path(PROGRAM));
    assert_eq!(layout.len(), 10, "{layout:?}");
    assert_eq!(layout[..4], ["f8", "f3", "f1", "f7"], "{layout:?}");
    let printed = Command::new(folder.path(PROGRAM)).arg("0123456789").output().unwrap().stdout;
    assert_eq!(String::from_utf8(printed).unwrap(), "f0f1f2f3f4f5f6f7f8f9");
}

#[test]
fn a_program_that_is_stripped_is_ordered_by_names_that_it_does_not_keep() {
    let folder = Folder::new();
    let output = folder.compile(PROGRAM, Some(&runs(&[], &[&["94"]])), &["-C", "strip=symbols"]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(layout(&folder.path(PROGRAM)), [""; 0]);
    let plain = folder.compile("plain", None, &["-C", "strip=symbols"]);
    assert!(plain.status.success(), "{}", text(&plain));
    let [ordered, plain] = [PROGRAM, "plain"].map(|name| fs::read(folder.path(name)).unwrap());
    assert!(ordered != plain);
}

#[test]
fn other_programs_and_builds_without_runs_are_linked_as_they_come() {
    let folder = Folder::new();
    let other = folder.compile("other-0123456789abcdef", Some(&runs(&[], &[&["83"]])), &[]);
    assert!(other.status.success(), "{}", text(&other));
    let plain = folder.compile(PROGRAM, None, &[]);
    assert!(plain.status.success(), "{}", text(&plain));
    let [other, plain] = ["other-0123456789abcdef", PROGRAM].map(|name| layout(&folder.path(name)));
    assert_eq!(other, plain);
    assert_ne!(plain[..2], ["f8", "f3"]);
}

#[test]
fn a_run_that_fails_fails_the_build_with_its_reason() {
    let folder = Folder::new();
    let output = folder.compile(PROGRAM, Some(&runs(&[], &[&["1"], &[]])), &[]);
    assert!(!output.status.success());
    assert!(text(&output).contains("a digit"), "{}", text(&output));
}
