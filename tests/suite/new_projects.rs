//! A new project in each language: created, tested and built by that language's own tools, and run at the real control plane,
//! where it lists and watches pods as kubectl does.
//!
//! What npm and pip install is prepared by `cargo xtask test` (xtask/src/projects.rs).

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use kwasm_cluster::User;

use crate::support::{
    Kwasm, Real, Run, Running, files, kept_target, real, skip, wasm_toolchain, with_toolchains,
};

/// The output of the plugins, as a format of kubectl.
const NAME_PHASE: &str = r#"jsonpath={range .items[*]}{.metadata.name} {.status.phase}{"\n"}{end}"#;

/// A language, and how a new project of it is tested.
struct Language {
    name: &'static str,
    /// The folder of tools that the project expects in its own, which is prepared beforehand.
    prepared: Option<&'static str>,
    test: &'static [&'static str],
}

const GO: Language = Language { name: "go", prepared: None, test: &["go", "test", "./..."] };
const JAVASCRIPT: Language =
    Language { name: "js", prepared: Some("node_modules"), test: &["npm", "test", "--silent"] };
const PYTHON: Language =
    Language { name: "python", prepared: Some(".venv"), test: &["python3", "-m", "unittest"] };
const RUST: Language =
    Language { name: "rust", prepared: None, test: &["cargo", "test", "--locked", "--quiet"] };

/// Returns the folder of prepared tools of a language.
fn prepared(language: &Language) -> Option<PathBuf> {
    let folder =
        PathBuf::from(std::env::var_os("KWASM_PROJECTS")?).join(language.name).join(language.prepared?);
    folder.is_dir().then_some(folder)
}

/// Creates a project called `hello`, with its tools in it, and returns its folder.
fn create(kwasm: &Kwasm, language: &Language) -> PathBuf {
    let run = kwasm.call(["new", "hello", "--lang", language.name]).success();
    assert_eq!(run.stdout, "");
    let steps: Vec<&str> = run.stderr.lines().skip(1).map(str::trim).collect();
    assert_eq!(steps.first(), Some(&"cd hello"), "{}", run.stderr);
    assert!(steps.ends_with(&[
        "kwasm build",
        "kwasm run ./hello.wasm -- -n default",
        "kwasm install ./hello.wasm",
        "kubectl hello --watch",
    ]));
    let folder = kwasm.home().join("hello");
    if let (Some(name), Some(tools)) = (language.prepared, prepared(language)) {
        symlink(tools, folder.join(name)).unwrap();
    }
    folder
}

/// Returns a namespace with two pods, one of which no node takes, and kubectl's output for them.
fn pods(real: &Real, namespace: &str) -> String {
    let feed = |words: &[&str]| real.feed(&[words, &["--namespace", namespace]].concat(), "");
    real.feed(&["create", "namespace", namespace], "");
    feed(&["wait", "--for=create", "--timeout=30s", "serviceaccount/default"]);
    feed(&["run", "web", "--image=none"]);
    let nowhere = r#"--overrides={"spec": {"nodeSelector": {"none": "such"}}}"#;
    feed(&["run", "stuck", "--image=none", nowhere]);
    feed(&["wait", "--for=condition=Ready", "--timeout=60s", "pod/web"]);
    feed(&["get", "pods", "--output", NAME_PHASE])
}

/// Returns the command `kwasm run ./hello.wasm ARG…` in a project's folder.
fn plugin(kwasm: &Kwasm, folder: &Path, options: &[&str], arguments: &[&str]) -> Command {
    let mut command = kwasm.command(["run"]);
    command.args(options).arg("./hello.wasm").arg("--").args(arguments).current_dir(folder);
    command
}

/// Tests and builds a new project, and runs it.
fn a_project_works(test: &str, language: &Language) {
    let Some(real) = real(test) else { return };
    if language.prepared.is_some() && prepared(language).is_none() {
        return skip(test, "its tools are not prepared: cargo xtask test does that");
    }
    let namespace = format!("new-{}", language.name);
    let kubeconfig = real.kubeconfig(User::Alice);
    let kwasm = with_toolchains(Kwasm::new().kubeconfig(kubeconfig)).variable("CI", "true");
    let kwasm = kwasm.variable("CARGO_TARGET_DIR", kept_target("native"));
    let folder = create(&kwasm, language);
    let before: BTreeSet<String> = files(&folder).into_iter().collect();
    let mut tests = kwasm.program(language.test[0]);
    Run::of(tests.args(&language.test[1..]).current_dir(&folder)).success();

    let mut build = kwasm.command(["build"]);
    if let Some(toolchain) = wasm_toolchain().filter(|_| language.name == "rust") {
        build.env("RUSTUP_TOOLCHAIN", toolchain).env("CARGO_TARGET_DIR", kept_target("wasm"));
    }
    let run = Run::of(build.current_dir(&folder)).success();
    assert!(run.stderr.contains("built hello.wasm ("), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    let is_new = |file: &String| {
        !before.contains(file) && !file.contains("__pycache__") && !file.starts_with("build/")
    };
    let new: Vec<String> = files(&folder).into_iter().filter(is_new).collect();
    assert_eq!(new, ["hello.wasm"], "a build leaves its component, and nothing else that is not ignored");

    let pods = pods(real, &namespace);
    let run =
        |options: &[&str], arguments: &[&str]| Run::of(&mut plugin(&kwasm, &folder, options, arguments));
    let listed = run(&[], &["-n", &namespace]).success();
    assert_eq!((listed.stdout, listed.stderr), (pods.clone(), String::new()));
    is_refused(&run(&["--policy", "none"], &["-n", &namespace]), &namespace);
    assert_eq!(run(&[], &["--wrong"]).fails(if language.name == "go" { 1 } else { 2 }).stdout, "");
    watches(&kwasm, real, &folder, &namespace);
    becomes_a_command(&kwasm, real, &folder, &namespace, &pods);
}

/// Checks that a refused plugin reports it in one line of its own, and ends with 1.
fn is_refused(run: &Run, namespace: &str) {
    assert_eq!(run.code, Some(1), "{}", run.shown());
    assert_eq!(run.stdout, "");
    let refusal = format!("list pods in namespace {namespace}: the policy `none` does not allow it");
    let first = run.stderr.lines().next().unwrap();
    assert!(first.starts_with("hello: ") && first.ends_with(&refusal), "{}", run.stderr);
    assert!(run.stderr.contains("kwasm: refused: "), "{}", run.stderr);
}

/// Checks that the plugin shows changes as they happen.
fn watches(kwasm: &Kwasm, real: &Real, folder: &Path, namespace: &str) {
    let mut watch = Running::of(plugin(kwasm, folder, &[], &["--watch", "-n", namespace]));
    watch.line_with("web Running");
    real.feed(&["run", "another", "--image=none", "--namespace", namespace], "");
    watch.line_with("another Pending");
    watch.line_with("another Running");
    real.feed(&["delete", "pod", "another", "--now", "--namespace", namespace], "");
    watch.line_with("another Deleted");
    watch.signal("INT");
    watch.end().fails(130);
}

/// Checks that the plugin is installed with what its project asks for, and does what that allows alone.
fn becomes_a_command(kwasm: &Kwasm, real: &Real, folder: &Path, namespace: &str, pods: &str) {
    let mut install = kwasm.command(["install", "./hello.wasm", "--policy", "request"]);
    Run::of(install.current_dir(folder)).success();
    let shown = kwasm.call(["policy", "show", "hello"]).success().stdout;
    assert!(shown.contains("pods") && !shown.contains("secrets"), "{shown}");
    let mut kubectl = kwasm.program(real.kubectl_program());
    let run = Run::of(kubectl.args(["hello", "-n", namespace])).success();
    assert_eq!(run.stdout, pods);
    // What it asks for limits the widest grant too.
    let other = "/api/v1/namespaces/other/pods";
    let request = folder.join("kwasm.yaml");
    let request = request.to_str().unwrap();
    let explain =
        ["policy", "explain", "GET", other, "--policy", "cluster", "--request", request, "-n", namespace];
    let explained = kwasm.call(explain).success().stdout;
    assert!(explained.contains("refused"), "{explained}");
}

#[test]
fn a_new_project_in_rust_lists_and_watches_pods() {
    a_project_works("a_new_project_in_rust_lists_and_watches_pods", &RUST);
}

#[test]
fn a_new_project_in_go_lists_and_watches_pods() {
    a_project_works("a_new_project_in_go_lists_and_watches_pods", &GO);
}

#[test]
fn a_new_project_in_python_lists_and_watches_pods() {
    a_project_works("a_new_project_in_python_lists_and_watches_pods", &PYTHON);
}

#[test]
fn a_new_project_in_javascript_lists_and_watches_pods() {
    a_project_works("a_new_project_in_javascript_lists_and_watches_pods", &JAVASCRIPT);
}

#[test]
fn what_is_there_is_not_overwritten() {
    let kwasm = Kwasm::new();
    let left = || files(kwasm.home());
    fs::create_dir(kwasm.home().join("folder")).unwrap();
    fs::write(kwasm.home().join("file"), "mine").unwrap();
    symlink("nowhere", kwasm.home().join("link")).unwrap();
    let before = left();
    for name in ["folder", "file", "link"] {
        let run = kwasm.call(["new", name]).fails(2);
        let expected = format!("kwasm: {name}: it is already there, and kwasm new overwrites nothing\n");
        assert!(run.stderr.starts_with(&expected), "{}", run.stderr);
        assert_eq!(left(), before);
    }
    assert_eq!(fs::read_to_string(kwasm.home().join("file")).unwrap(), "mine");
    kwasm.call(["new", "fresh"]).success();
    assert!(kwasm.home().join("fresh/Cargo.toml").is_file(), "Rust is the default");
    assert!(left().iter().all(|file| !file.starts_with('.')), "nothing unfinished is left: {:?}", left());
}

#[test]
fn a_name_that_kubectl_could_not_call_is_refused() {
    let kwasm = Kwasm::new();
    for (name, why) in [
        ("get", "a command of kubectl"),
        ("Hello", "not a valid plugin name"),
        ("../x", "not a valid plugin name"),
        ("a b", "not a valid plugin name"),
        ("", "not a valid plugin name"),
    ] {
        let run = kwasm.call(["new", name]).fails(2);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    }
    let run = kwasm.call(["new", "hello", "--lang", "cobol"]).fails(2);
    assert!(run.stderr.contains("[possible values: go, js, python, rust]"), "{}", run.stderr);
    assert!(files(kwasm.home()).is_empty());
}

#[test]
fn a_missing_tool_is_named_with_the_command_that_installs_it() {
    let kwasm = Kwasm::new();
    for (language, tool, cure) in [
        ("go", "go: it is not on PATH", "go.dev"),
        ("js", "@bytecodealliance/componentize-js: it is not in ", "npm ci"),
        (
            "python",
            "componentize-py: it is neither in the project's .venv nor on PATH",
            "install --requirement requirements.txt",
        ),
        ("rust", "cargo: it is not on PATH", "rustup.rs"),
    ] {
        kwasm.call(["new", language, "--lang", language]).success();
        let mut build = kwasm.command(["build"]);
        build.current_dir(kwasm.home().join(language)).env("PATH", kwasm.links());
        let run = Run::of(&mut build).fails(125);
        assert!(run.stderr.starts_with("kwasm: ") && run.stderr.contains(tool), "{}", run.stderr);
        assert!(run.stderr.contains("hint: ") && run.stderr.contains(cure), "{}", run.stderr);
        assert!(!kwasm.home().join(language).join(format!("{language}.wasm")).exists());
    }
}

/// It may have to remove files, and to end what it started.
#[cfg(unix)]
#[test]
fn a_tool_is_asked_to_end_when_a_signal_ends_the_build() {
    use std::os::unix::fs::PermissionsExt as _;

    let kwasm = Kwasm::new();
    kwasm.call(["new", "hello"]).success();
    let (folder, tools) = (kwasm.home().join("hello"), kwasm.home().join("tools"));
    let cargo =
        "#!/bin/sh\ntrap 'echo asked >asked; exit 1' TERM\necho started >&2\nwhile :; do sleep 0.1; done\n";
    fs::create_dir(&tools).unwrap();
    fs::write(tools.join("cargo"), cargo).unwrap();
    fs::set_permissions(tools.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut build = kwasm.command(["build"]);
    build.current_dir(&folder).env("PATH", format!("{}:/usr/bin:/bin", tools.display()));
    let mut running = Running::of(build);
    running.error_with("started");
    running.signal("TERM");
    assert_eq!(running.end().code, Some(130));
    assert_eq!(fs::read_to_string(folder.join("asked")).unwrap(), "asked\n");
}

/// YAML reads such a name as a number unless it is quoted, and the release is not a part of a name.
#[test]
fn a_name_of_digits_is_a_name_in_the_request() {
    let kwasm = Kwasm::new();
    for name in ["2048", "true", "kwasm-release"] {
        kwasm.call(["new", name]).success();
        let request = kwasm.home().join(name).join("kwasm.yaml");
        let shown = kwasm.call(["policy", "check", request.to_str().unwrap()]).success().stderr;
        assert!(shown.contains(name), "{shown}");
    }
}

#[test]
fn a_request_that_is_not_a_policy_is_refused_before_anything_is_built() {
    let kwasm = Kwasm::new();
    kwasm.call(["new", "hello"]).success();
    let folder = kwasm.home().join("hello");
    fs::write(folder.join("kwasm.yaml"), "apiVersion: kwasm.dev/v1\nkind: Secret\n").unwrap();
    let mut build = kwasm.command(["build"]);
    // Without any tool: it is not even looked for.
    let run = Run::of(build.current_dir(&folder).env("PATH", kwasm.links())).fails(2);
    assert!(run.stderr.contains("kwasm.yaml"), "{}", run.stderr);
}
