//! Tests that the documents are true: the README's commands print what it shows, the WIT is wasmtime's,
//! versions agree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kwasm_apiserver::User;

use crate::support::{Kwasm, Run, kept_target, rust_homes, seed, wasm_toolchain};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A command of a `console` block and what it is shown to print.
struct Scene {
    command: String,
    shown: Vec<String>,
}

fn scenes(text: &str) -> Vec<Scene> {
    let mut scenes: Vec<Scene> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            inside = language == "console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            scenes.push(Scene { command: command.to_owned(), shown: Vec::new() });
        } else if inside {
            let scene = scenes.last_mut().expect("a command comes before its output");
            scene.shown.push(line.to_owned());
        }
    }
    scenes
}

/// Returns whether the output matches the README's, where `…` stands for anything within a line, and a line
/// of only `…` for any lines.
fn matches(shown: &[String], printed: &[&str]) -> bool {
    let Some((first, rest)) = shown.split_first() else { return printed.is_empty() };
    if first == "…" {
        return (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]));
    }
    let Some((line, left)) = printed.split_first() else { return false };
    let mut parts = first.split('…');
    let start = parts.next().unwrap_or_default();
    let Some(mut tail) = line.strip_prefix(start) else { return false };
    let mut open = false;
    for part in parts {
        let Some(at) = tail.find(part) else { return false };
        tail = &tail[at + part.len()..];
        open = part.is_empty();
    }
    (tail.is_empty() || open) && matches(rest, left)
}

/// Returns the folder in which the README's commands run. It is the same each time, so that cargo finds its
/// previous builds there, but the clone in it is new.
fn stage() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    let target = folder.join("target");
    fs::create_dir_all(&target).unwrap();
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        if entry.path() != target {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    folder
}

/// Runs one of the README's commands as a newcomer's shell would. `kwasm` is on its `PATH` only once a command has
/// installed it.
fn perform(kwasm: &Kwasm, stage: &Path, folder: &Path, command: &str) -> Run {
    let installed = stage.join("cargo");
    // An optimised build takes a quarter of an hour; that it is one is all that differs.
    let command = command.replace("cargo install ", "cargo install --debug ");
    let mut shell = kwasm.program("sh");
    let mut path = vec![kwasm.links(), installed.join("bin")];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    shell
        .args(["-c", &command])
        .current_dir(folder)
        .env("PATH", std::env::join_paths(path).unwrap())
        .envs(rust_homes())
        .env("CARGO_INSTALL_ROOT", installed)
        // The repository is this clone.
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", format!("url.{ROOT}.insteadOf"))
        .env("GIT_CONFIG_VALUE_0", env!("CARGO_PKG_REPOSITORY"));
    let builds_plugin = command == "kwasm build";
    if builds_plugin {
        // What other tests have built is found.
        shell.env("CARGO_TARGET_DIR", kept_target("wasm"));
    }
    if (builds_plugin || command.contains("wasm32-wasip2"))
        && let Some(toolchain) = wasm_toolchain()
    {
        shell.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    Run::of(&mut shell)
}

#[cfg(unix)]
#[test]
fn the_readmes_commands_print_what_it_shows() {
    let name = "the_readmes_commands_print_what_it_shows";
    let Some(real) = crate::support::real(name) else { return };
    let Some(registry) = crate::support::registry(name, &[]) else { return };
    let server = seed();
    let pod = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": "Running"}});
    server.put("namespaces/shop/pods/web-0", pod).unwrap();
    let kwasm = registry.kwasm().kubeconfig(server.kubeconfig(User::Certificate));
    // The README's registry is this one.
    let text = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let text = text.replace("registry.example.com/team/greeter", &registry.repository(&kwasm, "greeter"));
    let stage = stage();
    fs::create_dir_all(kwasm.links()).unwrap();
    std::os::unix::fs::symlink(real.kubectl_program(), kwasm.links().join("kubectl")).unwrap();
    let mut folder = stage.clone();
    let mut run = 0;
    for scene in scenes(&text) {
        if let Some(name) = scene.command.strip_prefix("cd ") {
            folder = fs::canonicalize(folder.join(name)).unwrap();
            continue;
        }
        let done = perform(&kwasm, &stage, &folder, &scene.command);
        let all = format!("{}{}", done.stdout, done.stderr);
        let printed: Vec<&str> = all.lines().collect();
        assert!(
            matches(&scene.shown, &printed),
            "$ {}\nshown: {:#?}\nprinted: {all}",
            scene.command,
            scene.shown
        );
        if scene.command.starts_with("git clone ") {
            // Earlier builds are found, as in a clone that was updated.
            std::os::unix::fs::symlink(stage.join("target"), stage.join("kwasm/target")).unwrap();
        }
        run += 1;
    }
    assert!(run >= 20, "the README shows commands: {run}");
}

#[test]
fn the_readme_names_what_a_release_of_this_version_has() {
    let text = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let links: Vec<&str> = text
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("https://github.com/kwasm-dev/kwasm/releases/download/"))
        .collect();
    let archive = format!("v{version}/kwasm-{version}-x86_64-unknown-linux-musl.tar.gz");
    assert_eq!(links, [archive, format!("v{version}/kwasm.yaml")]);
}

#[cfg(unix)]
#[test]
fn the_page_of_policies_shows_a_policy_and_what_is_said_of_it() {
    let text = fs::read_to_string(Path::new(ROOT).join("policies/README.md")).unwrap();
    let (_, rest) = text.split_once("```yaml\n").unwrap();
    let (policy, _) = rest.split_once("```").unwrap();
    let kwasm = Kwasm::new();
    fs::write(kwasm.home().join("scaler.yaml"), policy).unwrap();
    fs::create_dir_all(kwasm.links()).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kwasm"), kwasm.links().join("kwasm")).unwrap();
    let scenes = scenes(&text);
    assert_eq!(scenes.len(), 2);
    for scene in scenes {
        let done = Run::of(kwasm.program("sh").args(["-c", &scene.command])).success();
        let all = format!("{}{}", done.stdout, done.stderr);
        let printed: Vec<&str> = all.lines().collect();
        assert!(matches(&scene.shown, &printed), "$ {}\nprinted: {all}", scene.command);
    }
}

#[test]
fn shown_output_is_compared_line_by_line() {
    let shown = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(matches(&shown("a … c\n…\nz"), &["a b c", "1", "2", "z"]));
    assert!(!matches(&shown("a … c"), &["a b d"]));
    assert!(!matches(&shown("a"), &["a", "b"]));
    assert!(!matches(&shown("a\nb"), &["a"]));
    assert!(!matches(&shown("a"), &["ab"]));
}

/// Returns the folder of a dependency's source.
fn package(name: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages.iter().find(|package| package["name"] == name).unwrap();
    Path::new(found["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

#[test]
fn the_vendored_wit_is_that_of_the_wasmtime_in_use() {
    for (ours, theirs, least) in [("wit/deps", "wit/deps", 7), ("wit/wasi3/deps", "src/p3/wit/deps", 6)] {
        let ours = Path::new(ROOT).join(ours);
        let theirs = package("wasmtime-wasi-http").join(theirs);
        let mut compared = 0;
        for entry in fs::read_dir(&ours).unwrap().flatten() {
            let name = entry.file_name();
            assert_eq!(
                fs::read(ours.join(&name)).unwrap(),
                fs::read(theirs.join(&name)).unwrap(),
                "{}",
                name.display()
            );
            compared += 1;
        }
        assert!(compared >= least, "{}", ours.display());
    }
}

#[test]
fn the_world_of_plugins_can_be_read() {
    for (folder, door) in
        [("wit", "wasi:http/outgoing-handler@0.2.12"), ("wit/wasi3", "wasi:http/client@0.3.0")]
    {
        let mut resolve = wit_parser::Resolve::default();
        let (package, _) = resolve.push_dir(Path::new(ROOT).join(folder)).unwrap();
        let world = resolve.select_world(&[package], Some("plugin")).unwrap();
        let imports =
            resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key)).collect::<Vec<_>>();
        assert!(imports.contains(&door.to_owned()), "{imports:?}");
    }
}

#[test]
fn compiled_code_is_named_after_the_exact_wasmtime() {
    let lock = fs::read_to_string(Path::new(ROOT).join("Cargo.lock")).unwrap();
    let version =
        lock.split("[[package]]").find(|package| package.contains("\nname = \"wasmtime\"\n")).unwrap();
    assert!(version.contains(&format!("version = \"{}\"", kwasm::runtime::WASMTIME)), "{version}");
}
