//! `kwasm build` makes a component of a Go program without changing anything of its project, and says clearly
//! what it cannot build.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Kwasm, Run, files, skip};

/// A program that uses nothing but the standard library.
const HELLO: &str = r#"package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Println("hello from Go:", os.Args[1:])
	os.Exit(7)
}
"#;

/// A program of a module that does not compile for WASI.
const TERMINAL: &str = r#"package main

import (
	"fmt"
	"os"

	"github.com/moby/term"
)

func main() {
	fmt.Println("terminal:", term.IsTerminal(os.Stdout.Fd()))
}
"#;

/// Returns a kwasm that finds this machine's Go and its caches, or `None` if there is no Go.
pub(crate) fn builder(test: &str) -> Option<Kwasm> {
    let names = ["GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN"];
    let asked = Command::new("go").arg("env").args(names).output();
    let Some(asked) = asked.ok().filter(|asked| asked.status.success()) else {
        skip(test, "`go` is not on PATH: install Go 1.26 or newer");
        return None;
    };
    let values = String::from_utf8(asked.stdout).unwrap();
    let set = |kwasm: Kwasm, (name, value): (&str, &str)| kwasm.variable(name, value);
    Some(names.into_iter().zip(values.lines()).fold(Kwasm::new(), set))
}

/// Writes files into a folder of the home. Returns the folder.
fn project(kwasm: &Kwasm, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = kwasm.home().join(name);
    for (file, text) in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Returns the contents of all files of a folder.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    files(folder).into_iter().map(|file| (file.clone(), fs::read(folder.join(file)).unwrap())).collect()
}

fn build(kwasm: &Kwasm, folder: &Path, arguments: &[&str]) -> Run {
    let mut command = kwasm.command([&["build"], arguments].concat());
    Run::of(command.current_dir(folder))
}

fn run(kwasm: &Kwasm, file: &Path, arguments: &[&str]) -> Run {
    let mut command = kwasm.command(["run", "--policy", "none"]);
    Run::of(command.arg(file).arg("--").args(arguments))
}

#[test]
fn a_program_is_built_under_its_own_name_and_keeps_its_exit_code() {
    let Some(kwasm) = builder("a_program_is_built_under_its_own_name_and_keeps_its_exit_code") else {
        return;
    };
    let module = "module example.com/tool/v2\n\ngo 1.25\n";
    let folder =
        project(&kwasm, "tool", &[("go.mod", module), ("main.go", HELLO), ("cmd/other/main.go", HELLO)]);
    let before = contents(&folder);
    let elsewhere = kwasm.home().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    // By the folder, by a path from elsewhere, and by the name that Go gives to it.
    for (from, package, file) in [
        (elsewhere.as_path(), "../tool", "tool.wasm"),
        (elsewhere.as_path(), "../tool/cmd/other", "other.wasm"),
    ] {
        let built = build(&kwasm, from, &[package]).success();
        assert_eq!(built.stdout, "");
        assert!(built.stderr.contains(&format!("built {file} (")), "{}", built.shown());
        assert!(built.stderr.ends_with(&format!("hint: kwasm run ./{file} -- ARG…\n")), "{}", built.shown());
        let ran = run(&kwasm, &from.join(file), &["a", "b c"]).fails(7);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("hello from Go: [a b c]\n", ""));
    }
    assert_eq!(contents(&folder), before);
    let output = kwasm.home().join("named.wasm");
    let named = ["example.com/tool/v2/cmd/other", "-o", output.to_str().unwrap()];
    build(&kwasm, &folder.join("cmd"), &named).success();
    assert_eq!(fs::read(&output).unwrap(), fs::read(elsewhere.join("other.wasm")).unwrap());
    assert_eq!(contents(&folder), before);
    // It reaches nothing: no network is in it.
    let page = kwasm.call(["inspect", output.to_str().unwrap()]).success().stdout;
    assert!(page.contains("component") && !page.contains("wasi:sockets"), "{page}");
}

#[test]
fn a_module_that_does_not_compile_for_wasi_is_replaced_in_each_layout_and_nothing_changes() {
    let test = "a_module_that_does_not_compile_for_wasi_is_replaced_in_each_layout_and_nothing_changes";
    let Some(kwasm) = builder(test) else { return };
    let of_tests = |file: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go").join(file)).unwrap()
    };
    let (module, sums) = (of_tests("go.mod"), of_tests("go.sum"));
    let base = [("go.mod", module.as_str()), ("go.sum", sums.as_str()), ("main.go", TERMINAL)];
    let plain = project(&kwasm, "plain", &base);
    let vendored = project(&kwasm, "vendored", &base);
    let status = kwasm.program("go").args(["mod", "vendor"]).current_dir(&vendored).status().unwrap();
    assert!(status.success() && vendored.join("vendor/github.com/moby/term").is_dir());
    // A workspace needs at least the version of its members.
    let version = module.lines().find(|line| line.starts_with("go ")).unwrap();
    let work = format!("{version}\n\nuse ./member\n");
    let workspace = project(&kwasm, "workspace", &[("go.work", &work)]).join("member");
    project(&kwasm, "workspace/member", &base);
    for folder in [plain, vendored, workspace] {
        let root = folder.parent().filter(|root| root.join("go.work").exists()).unwrap_or(&folder);
        let before = contents(root);
        let output = kwasm.home().join("terminal.wasm");
        build(&kwasm, &folder, &["-o", output.to_str().unwrap()]).success();
        assert_eq!(contents(root), before);
        let ran = run(&kwasm, &output, &[]).success();
        assert_eq!(ran.stdout, "terminal: false\n", "{}", folder.display());
    }
}

#[test]
fn what_is_no_program_in_go_is_refused_and_nothing_is_written() {
    let Some(kwasm) = builder("what_is_no_program_in_go_is_refused_and_nothing_is_written") else { return };
    let module = ("go.mod", "module example.com/m\n\ngo 1.25\n");
    let broken = HELLO.replace("os.Exit(7)", "os.Exit(seven)");
    for (name, files, package, code, said) in [
        (
            "empty",
            &[("main.go", HELLO)][..],
            None,
            2,
            "kwasm: .: neither it nor a folder above it has a project file",
        ),
        (
            "several",
            &[module, ("package.json", "{}")],
            None,
            2,
            "it is a project of Go (go.mod) and of JavaScript (package.json)\nhint: say which: kwasm build --lang go, or --lang js\n",
        ),
        (
            "library",
            &[module, ("l.go", "package l\n"), ("cmd/a/main.go", HELLO)],
            None,
            2,
            "kwasm: example.com/m: it is a library (package l), not a program\n\
             hint: name one of the programs in its module: example.com/m/cmd/a\n",
        ),
        (
            "two",
            &[module, ("a/main.go", HELLO), ("b/main.go", HELLO)],
            Some("example.com/m/..."),
            2,
            "example.com/m/...: it stands for 2 packages, and kwasm builds one\nhint: name one of them: example.com/m/a, example.com/m/b\n",
        ),
        (
            "broken",
            &[module, ("main.go", &broken)],
            None,
            125,
            "main.go:10:10: undefined: seven\nkwasm: go build: it failed",
        ),
        ("nothing", &[module], None, 125, "no Go files in "),
        ("path", &[module], Some("./gone"), 2, "kwasm: ./gone: it cannot be read: "),
        (
            "version",
            &[module],
            Some("example.com/m@"),
            2,
            "kwasm: example.com/m@: it is not MODULE/PATH@VERSION\n",
        ),
    ] {
        let folder = project(&kwasm, name, files);
        let before = contents(&folder);
        let refused = build(&kwasm, &folder, &package.into_iter().collect::<Vec<_>>()).fails(code);
        assert!(refused.stderr.contains(said), "{name}: {}", refused.shown());
        assert_eq!(contents(&folder), before, "{name}");
    }
    let folder = project(&kwasm, "flags", &[module, ("main.go", HELLO)]);
    let refused = build(&kwasm, &folder, &["--", "-o", "x"]).fails(2);
    let said = "kwasm: go build: the argument -o x cannot be used with kwasm build: kwasm sets it itself\n";
    assert!(refused.stderr.starts_with(said), "{}", refused.shown());
    let refused = build(&kwasm, &folder, &["-o", "gone/x.wasm"]).fails(125);
    assert!(
        refused.stderr.starts_with("kwasm: gone/x.wasm: it cannot be written to: "),
        "{}",
        refused.shown()
    );
    assert_eq!(files(&folder), ["go.mod", "main.go"]);
}

/// The file of the standard library is not read before the release is known.
#[cfg(unix)]
#[test]
fn a_release_of_go_that_is_not_known_is_refused_with_those_that_are() {
    use std::os::unix::fs::PermissionsExt as _;
    let kwasm = Kwasm::new();
    let folder = project(&kwasm, "m", &[("go.mod", "module m\n"), ("main.go", HELLO)]);
    fs::create_dir(kwasm.links()).unwrap();
    let go = kwasm.links().join("go");
    for (version, hint) in [
        ("go1.20.14", "install Go 1.25 or newer: https://go.dev/dl/"),
        ("go1.24.2", "GOTOOLCHAIN=go1.26.8 kwasm build … lets Go fetch and use that release"),
        ("devel go1.99-abcdef", "GOTOOLCHAIN=go1.26.8 kwasm build … lets Go fetch and use that release"),
    ] {
        let answer = format!(
            r#"{{"GOROOT": "/go", "GOVERSION": "{version}", "GOMODCACHE": "/c", "GOMOD": "/m", "GOWORK": "", "GOFLAGS": ""}}"#
        );
        fs::write(&go, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
        fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).unwrap();
        let refused = build(&kwasm, &folder, &[]).fails(125);
        assert_eq!(
            refused.stderr,
            format!(
                "kwasm: {version}: kwasm cannot build with this release of Go, only with 1.25, 1.26 and 1.27\nhint: {hint}\n"
            )
        );
    }
    // Without any Go.
    fs::remove_file(&go).unwrap();
    let mut command = kwasm.command(["build"]);
    let refused = Run::of(command.current_dir(&folder).env("PATH", kwasm.links())).fails(125);
    assert_eq!(
        refused.stderr,
        "kwasm: go: it is not on PATH, and Go needs it\nhint: install Go 1.25 or newer: https://go.dev/dl/\n"
    );
}

#[test]
fn a_request_is_written_into_what_is_built() {
    let Some(kwasm) = builder("a_request_is_written_into_what_is_built") else { return };
    let policy = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: asks}\nspec: {kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [list]}]}}\n";
    let files =
        [("go.mod", "module example.com/asks\n\ngo 1.25\n"), ("main.go", HELLO), ("policy.yaml", policy)];
    let folder = project(&kwasm, "asks", &files);
    build(&kwasm, &folder, &["--request", "policy.yaml"]).success();
    let page = kwasm.call(["inspect", folder.join("asks.wasm").to_str().unwrap()]).success().stdout;
    assert!(page.contains("{apiGroups: [\"\"], resources: [pods], verbs: [list]}"), "{page}");
    // What is not a policy is refused before anything is compiled.
    fs::write(folder.join("policy.yaml"), "kind: Policy\n").unwrap();
    fs::remove_file(folder.join("asks.wasm")).unwrap();
    build(&kwasm, &folder, &["--request", "policy.yaml"]).fails(2);
    assert!(!folder.join("asks.wasm").exists());
}

/// A module of the Go project itself, by its package and not by its root.
#[test]
fn a_published_program_is_built_by_its_path_and_version() {
    let Some(kwasm) = builder("a_published_program_is_built_by_its_path_and_version") else { return };
    let folder = kwasm.home().join("published");
    fs::create_dir(&folder).unwrap();
    let built =
        build(&kwasm, &folder, &["golang.org/x/example/hello@v0.0.0-20250915201037-7f05d217867b"]).success();
    assert!(built.stderr.contains("built hello.wasm ("), "{}", built.shown());
    assert_eq!(run(&kwasm, &folder.join("hello.wasm"), &["Go"]).success().stdout, "Hello, Go!\n");
    assert_eq!(files(&folder), ["hello.wasm"]);
    let library = "golang.org/x/example/hello/reverse@v0.0.0-20250915201037-7f05d217867b";
    let refused = build(&kwasm, &folder, &[library]).fails(2);
    assert!(
        refused.stderr.contains("hint: name one of the programs in its module: golang.org/x/example/hello@v0.0.0-20250915201037-7f05d217867b"),
        "{}",
        refused.shown()
    );
    let gone = build(&kwasm, &folder, &["golang.org/x/example/hello@v99.0.0"]).fails(125);
    assert!(
        gone.stderr.contains("golang.org/x/example/hello@v99.0.0: it cannot be fetched: "),
        "{}",
        gone.shown()
    );
}
