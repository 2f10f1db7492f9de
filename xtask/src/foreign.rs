//! The programs of `tests/suite/formats`, compiled by the tools of their languages: what kwasm runs was not made by its own
//! toolchain alone.

use std::{
    env::{self, consts::EXE_SUFFIX},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{fresh, places, places::Places, process, projects, report::Report, tools::NPM};

/// A language, and how its programs are compiled.
struct Language {
    name: &'static str,
    /// The tools required on `PATH`, each with the argument that prints its version and its package.
    tools: &'static [(&'static str, &'static str, &'static str)],
    /// The files of `tests/suite/formats` that are read.
    sources: &'static [&'static str],
    /// Other files of the repository that say what is made of them.
    settings: &'static [&'static str],
    compile: fn(&Work) -> Result<()>,
}

/// The folders in which a language's programs are compiled.
struct Work<'a> {
    places: &'a Places,
    /// `tests/suite/formats`.
    sources: PathBuf,
    /// The language's own folder, kept from one run to the next.
    folder: PathBuf,
    /// The folder for all compiled programs.
    compiled: &'a Path,
}

const ALL: [Language; 5] = [
    Language {
        name: "C",
        tools: &[("clang", "--version", "clang"), ("wasm-ld", "--version", "lld")],
        sources: &["c-heap.c"],
        settings: &[],
        compile: c,
    },
    Language {
        name: "Go",
        tools: &[("go", "version", "Go 1.26 or newer")],
        sources: &["go-heap.go", "go-memory.go"],
        settings: &[],
        compile: go,
    },
    Language {
        name: "AssemblyScript",
        tools: &[("node", "--version", "Node.js 18 or newer"), (NPM, "--version", "npm")],
        sources: &[
            "assemblyscript/guest.ts",
            "assemblyscript/package.json",
            "assemblyscript/package-lock.json",
        ],
        settings: &[],
        compile: assemblyscript,
    },
    Language {
        name: "Kotlin",
        tools: &[("java", "-version", "a Java runtime, 17 or newer"), (MAVEN, "--version", "maven")],
        sources: &["kotlin/guest.kt", "kotlin/pom.xml"],
        settings: &[],
        compile: kotlin,
    },
    Language {
        name: "Python",
        tools: &[(PYTHON, "--version", "Python 3.10 or newer, with venv")],
        sources: &["python-wasi3/guest.py"],
        settings: &[
            "components/templates/python/requirements.txt",
            "wit/wasi3/package.wit",
            "wit/wasi3/deps/cli.wit",
            "wit/wasi3/deps/clocks.wit",
            "wit/wasi3/deps/filesystem.wit",
            "wit/wasi3/deps/http.wit",
            "wit/wasi3/deps/random.wit",
            "wit/wasi3/deps/sockets.wit",
        ],
        compile: python,
    },
];

const MAVEN: &str = if cfg!(windows) { "mvn.cmd" } else { "mvn" };

const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// The suite of Debian and its packages against which C is compiled. This suite's wasi-libc is from 2022,
/// before it supported hosts that take pages of a program's memory. Many programs in the wild are linked with
/// one as old.
const SYSROOT: (&str, [&str; 2]) = ("bookworm", ["wasi-libc", "libclang-rt-14-dev-wasm32"]);

/// Compiles the programs that are not fresh. Returns the folder with a `NAME.wasm` for each, and the reasons
/// why any is missing.
///
/// # Errors
/// In continuous integration, where none may be missing, the reason of the first that is.
pub(crate) fn gather(places: &Places, report: &mut Report) -> Result<(PathBuf, Vec<String>)> {
    let folder = places.target.join("foreign");
    let compiled = folder.join("compiled");
    fs::create_dir_all(&compiled).with_context(|| format!("cannot create {}", compiled.display()))?;
    let mut missing = Vec::new();
    for language in &ALL {
        let step = format!("guests in {}", language.name);
        let work = Work {
            places,
            sources: places.root.join("tests/suite/formats"),
            folder: folder.join(language.name),
            compiled: &compiled,
        };
        let make = || language.make(&work);
        if places.ci {
            report.step(&step, make)?;
        } else if let Some(why) = report.attempt(&step, make) {
            missing.push(format!("{step}: {why:#}"));
        }
    }
    Ok((compiled, missing))
}

/// Returns a line for each language whose tools are not on `PATH`.
pub(crate) fn lacking() -> impl Iterator<Item = String> {
    ALL.iter().filter_map(|language| {
        let why = language.lacks().err()?;
        Some(format!("guests in {}: {why}", language.name))
    })
}

impl Language {
    fn lacks(&self) -> Result<()> {
        for (tool, _, package) in self.tools {
            if places::on_path(tool).is_none() {
                bail!("`{tool}` is not on PATH: install {package}");
            }
        }
        Ok(())
    }

    fn make(&self, work: &Work) -> Result<()> {
        let made = work.folder.join("made");
        let result = self.key(work).and_then(|key| fresh::unless(&made, &key, || (self.compile)(work)));
        if result.is_err() {
            // Programs that are no longer available must not be found.
            drop(fs::remove_dir_all(&made));
            for name in self.programs() {
                drop(fs::remove_file(work.program(name)));
            }
        }
        result
    }

    /// Returns the names of the programs: one for each source that is not a package's manifest.
    fn programs(&self) -> impl Iterator<Item = &'static str> {
        let name = |source: &'static str| {
            let (name, extension) = source.rsplit_once('.')?;
            let listed = extension == "json" || extension == "xml";
            (!listed).then(|| name.strip_suffix("/guest").unwrap_or(name))
        };
        self.sources.iter().copied().filter_map(name)
    }

    /// Returns everything that the programs depend on: the versions of the tools, the sources, and this
    /// file's own text.
    fn key(&self, work: &Work) -> Result<String> {
        let mut key = include_str!("foreign.rs").to_owned();
        self.lacks()?;
        for (tool, asked, _) in self.tools {
            // Java's goes to the standard error.
            let said =
                Command::new(tool).arg(asked).output().with_context(|| format!("cannot start {tool}"))?;
            key.push_str(&String::from_utf8_lossy(&said.stdout));
            key.push_str(&String::from_utf8_lossy(&said.stderr));
        }
        let sources = self.sources.iter().map(|source| work.source(source));
        for path in sources.chain(self.settings.iter().map(|file| work.places.root.join(file))) {
            key.push_str(
                &fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?,
            );
        }
        Ok(key)
    }
}

impl Work<'_> {
    fn source(&self, name: &str) -> PathBuf {
        self.sources.join(name)
    }

    fn program(&self, name: &str) -> PathBuf {
        self.compiled.join(format!("{name}.wasm"))
    }

    /// Copies sources to where the tools of their language expect them.
    fn bring(&self, names: &[&str]) -> Result<()> {
        for name in names {
            let from = self.source(name);
            let file = from.file_name().context("a source without a name")?;
            fs::copy(&from, self.folder.join(file))
                .with_context(|| format!("cannot copy {}", from.display()))?;
        }
        Ok(())
    }
}

fn c(work: &Work) -> Result<()> {
    let (suite, packages) = SYSROOT;
    let root = work.folder.join("sysroot");
    fresh::unless(&root, &format!("{suite} {packages:?}"), || {
        let script = work.places.root.join(".ci").join("debian-unpack");
        for package in packages {
            process::run_for_reason(Command::new(&script).args([suite, package]).arg(&root))?;
        }
        Ok(())
    })?;
    let object = work.folder.join("c-heap.o");
    let mut clang = Command::new("clang");
    clang
        .args(["--target=wasm32-wasi", "-O2", "-c"])
        .arg(format!("--sysroot={}", root.join("usr").display()))
        .arg(work.source("c-heap.c"))
        .arg("-o")
        .arg(&object);
    process::run_for_reason(&mut clang)?;
    // Not by clang, which would look for a linker of its own release only.
    let libraries = root.join("usr/lib/wasm32-wasi");
    let mut link = Command::new("wasm-ld");
    link.arg("-L")
        .arg(&libraries)
        .arg(libraries.join("crt1-command.o"))
        .arg(&object)
        .arg("-lc")
        .arg(root.join("usr/lib/llvm-14/lib/clang/14.0.6/lib/wasi/libclang_rt.builtins-wasm32.a"))
        .arg("-o")
        .arg(work.program("c-heap"));
    process::run_for_reason(&mut link)
}

fn go(work: &Work) -> Result<()> {
    for name in ["go-heap", "go-memory"] {
        let mut go = Command::new("go");
        go.args(["build", "-trimpath", "-o"])
            .arg(work.program(name))
            .arg(work.source(&format!("{name}.go")))
            .envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("CGO_ENABLED", "0")]);
        process::run_for_reason(&mut go)?;
    }
    Ok(())
}

fn assemblyscript(work: &Work) -> Result<()> {
    let lock = "assemblyscript/package-lock.json";
    let wanted = fs::read_to_string(work.source(lock))?;
    fresh::unless(&work.folder, &wanted, || {
        work.bring(&["assemblyscript/package.json", lock])?;
        process::run_for_reason(Command::new(NPM).args(["ci", "--ignore-scripts"]).current_dir(&work.folder))
    })?;
    // Beside its packages, and by a path without folders: the program says it when it aborts.
    work.bring(&["assemblyscript/guest.ts"])?;
    let mut asc = Command::new("node");
    asc.current_dir(&work.folder)
        .args(["node_modules/assemblyscript/bin/asc.js", "guest.ts", "--optimize"])
        .args(["--config", "node_modules/@assemblyscript/wasi-shim/asconfig.json", "--outFile"])
        .arg(work.program("assemblyscript"));
    process::run_for_reason(&mut asc)
}

fn kotlin(work: &Work) -> Result<()> {
    let list = "kotlin/pom.xml";
    let packages = work.folder.join("packages");
    fresh::unless(&work.folder, &fs::read_to_string(work.source(list))?, || {
        work.bring(&[list])?;
        let mut maven = Command::new(MAVEN);
        maven
            .current_dir(&work.folder)
            .args(["--quiet", "--batch-mode", "--strict-checksums", "-Dstyle.color=never"])
            .arg("dependency:copy-dependencies")
            .arg(format!("-DoutputDirectory={}", packages.display()));
        process::run_for_reason(&mut maven)
    })?;
    let is =
        |extension: &'static str| move |path: &PathBuf| path.extension().is_some_and(|end| end == extension);
    let files = || fs::read_dir(&packages).into_iter().flatten().flatten().map(|entry| entry.path());
    let class_path = env::join_paths(files().filter(is("jar")))?;
    let library = files().find(is("klib")).context("Kotlin's library for WebAssembly is missing")?;
    let compile = |output: &str, arguments: &[&Path]| {
        let mut java = Command::new(format!("java{EXE_SUFFIX}"));
        java.current_dir(&work.folder)
            .arg("-classpath")
            .arg(&class_path)
            .args(["org.jetbrains.kotlin.cli.js.KotlinWasmCompiler", "-Xwasm-target=wasm-wasi", "-libraries"])
            .arg(&library)
            .args(["-ir-output-name", "guest", "-ir-output-dir", output])
            .args(arguments);
        process::run_for_reason(&mut java)
    };
    compile("library", &[&work.source("kotlin/guest.kt")])?;
    compile("program", &[Path::new("-Xir-produce-js"), Path::new("-Xinclude=library/guest.klib")])?;
    let program = work.folder.join("program").join("guest.wasm");
    let to = work.program("kotlin");
    fs::copy(&program, &to).with_context(|| format!("cannot copy {}", program.display())).map(drop)
}

/// By the release of componentize-py that new projects have, and for WASI 0.3.
fn python(work: &Work) -> Result<()> {
    // It writes what it compiled beside the source.
    work.bring(&["python-wasi3/guest.py"])?;
    let mut componentize = Command::new(projects::python_program(work.places, "componentize-py")?);
    componentize
        .arg("--wit-path")
        .arg(work.places.root.join("wit/wasi3"))
        .args(["--world", "plugin", "componentize", "guest", "--python-path"])
        .arg(&work.folder)
        .arg("--output")
        .arg(work.program("python-wasi3"));
    process::run_for_reason(&mut componentize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_by_its_source_or_its_folder() {
        let names: Vec<_> = ALL.iter().flat_map(Language::programs).collect();
        assert_eq!(names, ["c-heap", "go-heap", "go-memory", "assemblyscript", "kotlin", "python-wasi3"]);
    }
}
