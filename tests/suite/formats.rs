//! Tests that the output of different tools runs as in a reference runner: wasmtime's own command line, 48
//! and 49, whose preview 1 is not an adapter. The expectations were recorded there. kwasm differs on purpose
//! in these points:
//!
//! - `argv[0]` is the plugin's name, not its file's.
//! - The environment holds nothing of the user's. A core module cannot reach a cluster, and gets no kubeconfig either.
//! - An exit code is kept, whatever it is; of 126 and above wasmtime makes an error.
//! - A trap is 125, not 134.
//!
//! Programs in other languages are compiled by `cargo xtask test` (xtask/src/foreign.rs), the text format
//! here.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use wasmparser::{Validator, WasmFeatures};

use crate::support::{Kwasm, Run, component, skip};

/// The standard features of 2022, which is all that most programs use.
const PLAIN: WasmFeatures = WasmFeatures::empty();

/// A program, its maker, its requirements, and its expected result.
struct Program {
    producer: &'static str,
    file: File,
    kind: Kind,
    /// The features beyond those of WebAssembly 2.0: with exactly these it is valid.
    features: WasmFeatures,
    ends: Ends,
}

/// The source of a program.
enum File {
    /// A guest of `components`.
    Guest(&'static str),
    /// Of `tests/suite/formats`, by the tools of its language.
    Foreign(&'static str),
    /// Of `tests/suite/formats`, in the text format.
    Text(&'static str),
}

#[derive(Debug, Eq, PartialEq)]
enum Kind {
    Core,
    Component,
}

/// The ending of its runs.
enum Ends {
    Run(&'static [Case]),
    /// Before anything runs, by this name of a feature.
    Refused(&'static str),
}

/// One run.
struct Case {
    arguments: &'static [&'static str],
    input: &'static str,
    /// The expected output, line by line. A line may end in `*`, and `…` stands for any number of lines.
    says: &'static [&'static str],
    /// A text that its errors contain.
    complains: &'static str,
    code: i32,
}

const GREETS: &[Case] = &[Case { arguments: &["a", "b"], says: &["hello from kwasm: a b"], ..Case::ENDS }];
const ENDS: &[Case] = &[Case::ENDS];

const PROGRAMS: &[Program] = &[
    Program {
        producer: "Rust, wasm32-wasip2",
        file: File::Guest("hello"),
        kind: Kind::Component,
        features: PLAIN,
        ends: Ends::Run(GREETS),
    },
    Program {
        producer: "Rust, wasm32-wasip1",
        file: File::Guest("hello-core"),
        kind: Kind::Core,
        features: PLAIN,
        ends: Ends::Run(GREETS),
    },
    Program {
        producer: "Rust, cargo-component with its adapter",
        file: File::Guest("hello-cargo-component"),
        kind: Kind::Component,
        features: PLAIN,
        ends: Ends::Run(&[Case {
            arguments: &["a", "b"],
            says: &["hello from cargo-component: [a b]"],
            ..Case::ENDS
        }]),
    },
    Program {
        producer: "C, Debian's clang 14 and wasi-libc of 2022",
        file: File::Foreign("c-heap"),
        kind: Kind::Core,
        features: PLAIN,
        ends: Ends::Run(&[
            Case { arguments: &["100000", "100"], says: &["allocated", "bad bytes 0"], ..Case::ENDS },
            Case { arguments: &["1000", "120"], says: &["allocated", "bad bytes 0"], ..Case::ENDS },
        ]),
    },
    Program {
        producer: "Go 1.26, wasip1",
        file: File::Foreign("go-heap"),
        kind: Kind::Core,
        features: PLAIN,
        ends: Ends::Run(&[Case {
            // Nothing is granted: neither a file nor a variable.
            says: &[
                "args [go-heap] 0",
                "env ",
                "0 open : Invalid argument",
                "",
                "[] open /: Bad file number",
            ],
            code: 7,
            ..Case::ENDS
        }]),
    },
    Program {
        producer: "AssemblyScript 0.28 and wasi-shim",
        file: File::Foreign("assemblyscript"),
        kind: Kind::Core,
        features: PLAIN,
        ends: Ends::Run(&[
            Case {
                input: "hello\n",
                says: &[
                    "lang=as argc=1",
                    "arg assemblyscript",
                    "stdin 6",
                    "clock *",
                    "random *",
                    "no newline at end",
                ],
                ..Case::ENDS
            },
            Case { arguments: &["exit", "9"], says: &["lang=as argc=3", "…"], code: 9, ..Case::ENDS },
            Case {
                arguments: &["abort"],
                says: &["lang=as argc=2", "…"],
                complains: "abort: oh in guest.ts(6:62)\n",
                code: 255,
                ..Case::ENDS
            },
            Case {
                arguments: &["unreachable"],
                says: &["lang=as argc=2", "…"],
                complains: "the plugin trapped: wasm trap: wasm `unreachable` instruction executed",
                code: 125,
                ..Case::ENDS
            },
        ]),
    },
    Program {
        producer: "Kotlin 2.4, wasm-wasi",
        file: File::Foreign("kotlin"),
        kind: Kind::Core,
        features: WasmFeatures::GC.union(WasmFeatures::FUNCTION_REFERENCES).union(WasmFeatures::EXCEPTIONS),
        ends: Ends::Run(&[Case {
            says: &["lang=kotlin", "random *", "clock *", "list 1088890", "caught x"],
            code: 3,
            ..Case::ENDS
        }]),
    },
    text("exit-code-3", PLAIN, &[Case { code: 3, ..Case::ENDS }]),
    text("describes-a-component", PLAIN, &[Case { code: 12, ..Case::ENDS }]),
    text("memory-of-fixed-size", PLAIN, ENDS),
    text("memory-not-exported", PLAIN, ENDS),
    text("start-function-calls-wasi", PLAIN, ENDS),
    text("start-function-exits", PLAIN, &[Case { code: 5, ..Case::ENDS }]),
    text("atomics-on-ordinary-memory", WasmFeatures::THREADS, ENDS),
    text("memory64", WasmFeatures::MEMORY64, ENDS),
    text("memory64-writes", WasmFeatures::MEMORY64, &[Case { says: &["hello by 64 bits"], ..Case::ENDS }]),
    text("multi-memory", WasmFeatures::MULTI_MEMORY, &[Case { code: 6, ..Case::ENDS }]),
    text("tail-calls", WasmFeatures::TAIL_CALL, ENDS),
    text("exceptions", WasmFeatures::EXCEPTIONS, &[Case { code: 4, ..Case::ENDS }]),
    text("garbage-collection", WasmFeatures::GC, &[Case { code: 5, ..Case::ENDS }]),
    text("relaxed-simd", WasmFeatures::RELAXED_SIMD, &[Case { code: 7, ..Case::ENDS }]),
    // As jco's QuickJS backend makes it, in a component that is otherwise WASI 0.2.
    Program {
        producer: "text format",
        file: File::Text("async-builtins"),
        kind: Kind::Component,
        features: WasmFeatures::CM_ASYNC,
        ends: Ends::Run(ENDS),
    },
    refused("shared-memory", WasmFeatures::THREADS, "shared-memory"),
    refused("custom-page-sizes", WasmFeatures::CUSTOM_PAGE_SIZES, "custom-page-sizes"),
    refused("legacy-exceptions", LEGACY, "legacy-exceptions"),
    refused("stack-switching", WasmFeatures::STACK_SWITCHING, "stack-switching"),
    refused("wide-arithmetic", WasmFeatures::WIDE_ARITHMETIC, "wide-arithmetic"),
];

const LEGACY: WasmFeatures = WasmFeatures::LEGACY_EXCEPTIONS.union(WasmFeatures::EXCEPTIONS);

const fn text(name: &'static str, features: WasmFeatures, cases: &'static [Case]) -> Program {
    let (producer, file, kind) = ("text format", File::Text(name), Kind::Core);
    Program { producer, file, kind, features, ends: Ends::Run(cases) }
}

const fn refused(name: &'static str, features: WasmFeatures, feature: &'static str) -> Program {
    let (producer, file, kind) = ("text format", File::Text(name), Kind::Core);
    Program { producer, file, kind, features, ends: Ends::Refused(feature) }
}

impl Case {
    /// Without arguments and input it says nothing, and ends well.
    const ENDS: Self = Self { arguments: &[], input: "", says: &[], complains: "", code: 0 };

    fn shown(&self, run: &Run) -> String {
        format!("{:?}: {}", self.arguments, run.shown())
    }
}

impl Program {
    fn name(&self) -> &'static str {
        match self.file {
            File::Guest(name) | File::Foreign(name) | File::Text(name) => name,
        }
    }

    /// Returns its file, which is created in this folder if necessary; `None` if it is not available, which
    /// `cargo xtask test` reports.
    fn file(&self, folder: &Path) -> Option<PathBuf> {
        match self.file {
            File::Guest(name) => Some(component(name)),
            File::Foreign(name) => foreign(name),
            File::Text(name) => {
                let path = folder.join(format!("{name}.wasm"));
                std::fs::write(&path, wat::parse_file(source(&format!("{name}.wat"))).unwrap()).unwrap();
                Some(path)
            }
        }
    }
}

/// Returns a file of `tests/suite/formats`.
fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/formats").join(name)
}

/// Returns the output of another language's tools, made by `cargo xtask test`.
pub(crate) fn foreign(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("KWASM_FOREIGN").map(PathBuf::from);
    let path = folder.map(|folder| folder.join(format!("{name}.wasm"))).filter(|path| path.exists());
    if path.is_none() {
        skip(&format!("formats, {name}"), "it is not compiled: cargo xtask test says why");
    }
    path
}

/// Runs `kwasm run FILE -- ARG…` with this input.
fn run(kwasm: &Kwasm, file: &Path, arguments: &[&str], input: &str) -> Run {
    let mut command = kwasm.command(["run", "--policy", "none"]);
    command.arg(file).arg("--").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may end before it has read all.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap().into()
}

/// Returns whether lines are as expected.
fn matches(lines: &[&str], wanted: &[&str]) -> bool {
    match (lines, wanted) {
        (_, ["…"]) | ([], []) => true,
        (_, ["…", rest @ ..]) => (0..=lines.len()).any(|skipped| matches(&lines[skipped..], rest)),
        ([line, lines @ ..], [wanted, rest @ ..]) => {
            let same = match wanted.strip_suffix('*') {
                Some(beginning) => line.starts_with(beginning),
                None => line == wanted,
            };
            same && matches(lines, rest)
        }
        _ => false,
    }
}

fn valid(bytes: &[u8], features: WasmFeatures) -> bool {
    let all = WasmFeatures::WASM2 | WasmFeatures::COMPONENT_MODEL | features;
    Validator::new_with_features(all).validate_all(bytes).is_ok()
}

/// Returns the available programs, with their files.
fn programs(folder: &Path) -> impl Iterator<Item = (&'static Program, PathBuf)> {
    PROGRAMS.iter().filter_map(move |program| Some((program, program.file(folder)?)))
}

#[test]
fn the_programs_are_of_the_kind_and_need_the_features_that_the_table_says() {
    let folder = tempfile::tempdir().unwrap();
    for (program, file) in programs(folder.path()) {
        let (name, bytes) = (program.name(), std::fs::read(file).unwrap());
        let kind = if bytes[4..8] == [1, 0, 0, 0] { Kind::Core } else { Kind::Component };
        assert_eq!(kind, program.kind, "{name}");
        assert!(valid(&bytes, program.features), "{name}");
        for (feature, flag) in program.features.iter_names() {
            assert!(!valid(&bytes, program.features - flag), "{name} does not need {feature}");
        }
    }
}

#[test]
fn what_different_tools_make_runs_as_the_reference_runner_has_it() {
    let kwasm = Kwasm::new();
    for (program, file) in programs(kwasm.home()) {
        let Ends::Run(cases) = program.ends else { continue };
        for case in cases {
            let ran = run(&kwasm, &file, case.arguments, case.input);
            let shown = || format!("{} by {} {}", program.name(), program.producer, case.shown(&ran));
            assert_eq!(ran.code, Some(case.code), "{}", shown());
            assert!(matches(&ran.stdout.lines().collect::<Vec<_>>(), case.says), "{}", shown());
            assert!(ran.stderr.contains(case.complains), "{}", shown());
            assert_eq!(case.complains.is_empty(), ran.stderr.is_empty(), "{}", shown());
        }
    }
}

#[test]
fn a_feature_that_is_off_is_named_by_inspect_and_install() {
    let kwasm = Kwasm::new();
    for (program, file) in programs(kwasm.home()) {
        let Ends::Refused(feature) = program.ends else { continue };
        let file = file.to_str().unwrap();
        let told = format!(": it needs the WebAssembly feature `{feature}`, which kwasm does not run\n");
        for verb in [&["inspect", file][..], &["install", file, "--as", "off"], &["run", file]] {
            let refused = kwasm.call(verb);
            assert!(
                refused.code != Some(0) && refused.stderr.contains(&told),
                "{verb:?}: {}",
                refused.shown()
            );
            assert_eq!(refused.stderr.matches("kwasm: ").count(), 1, "{verb:?}: {}", refused.shown());
        }
    }
    assert!(!kwasm.links().join("kubectl-off").exists());
}

#[test]
fn nobody_writes_into_the_memory_of_a_program_that_manages_it_by_itself() {
    let Some(file) = foreign("go-memory") else { return };
    let kwasm = Kwasm::new();
    // Of input there may be more than it reads, less, and none.
    let lines = "a line of input\n".repeat(100);
    for input in [lines.as_str(), &lines[..100], ""] {
        let ran = run(&kwasm, &file, &[], input).success();
        let said = "256 MiB in 792 blocks, 57 calls, checksum b2ed1260e9b9fa60\n";
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (said, ""), "{}", ran.shown());
    }
}

#[test]
fn each_source_is_in_the_table() {
    // These two have tests of their own.
    let others = ["go-memory", "python-wasi3"];
    let known = |name: &str| PROGRAMS.iter().any(|program| program.name() == name) || others.contains(&name);
    for entry in std::fs::read_dir(source("")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(known(name), "{name}");
    }
}
