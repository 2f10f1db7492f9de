//! What is done with kwasm on another system.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::system::System;
use crate::{home::Home, places::Places, plane::ControlPlane, process, reader::Reader};

/// The guests that take part.
pub(super) const GUESTS: [&str; 3] = ["decoder", "follows", "hello"];

/// How many times an installation is killed, at moments spread over the time that it takes.
const KILLS: u32 = 8;

/// Runs a plugin, installs it, runs and completes it by its links as kubectl would, and uninstalls it.
pub(super) fn plugin(system: &System, places: &Places) -> Result<()> {
    let hello = guest(system, places, "hello");
    says(&mut system.kwasm(&["--version"]), "kwasm ")?;
    // Compiled, and mapped.
    for _ in 0..2 {
        says(&mut system.kwasm(&["run", &hello]), "hello")?;
    }
    process::run(&mut system.kwasm(&["install", &hello]))?;
    says(&mut system.kwasm(&["list"]), "hello")?;
    says(&mut system.command(system.link("kubectl-hello"), &[]), "hello")?;
    says(&mut system.command(system.link("kubectl_complete-hello"), &[""]), ":0")?;
    process::run(&mut system.kwasm(&["uninstall", "hello"]))?;
    nothing_is_left(system)
}

/// Kills an installation again and again, each time later: the plugin is installed afterwards or it is not, and what is removed
/// leaves nothing.
pub(super) fn killed(system: &System, places: &Places) -> Result<()> {
    let hello = guest(system, places, "hello");
    let install = || {
        let mut command = system.kwasm(&["install", &hello]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let start = Instant::now();
    process::run(&mut install())?;
    let took = start.elapsed();
    let mut installed = 0;
    for kill in 0..KILLS {
        process::run(system.kwasm(&["uninstall", "hello"]).stderr(Stdio::null()))?;
        nothing_is_left(system)?;
        let mut child = install().spawn()?;
        thread::sleep(took * kill / KILLS);
        process::end(&mut child);
        if process::output(&mut system.kwasm(&["list"]))?.contains("hello") {
            installed += 1;
            says(&mut system.command(system.link("kubectl-hello"), &[]), "hello")?;
        }
        process::run(&mut install())?;
        says(&mut system.command(system.link("kubectl-hello"), &[]), "hello")?;
    }
    eprintln!("after {KILLS} kills in {took:.1?}, the plugin was installed {installed} times");
    process::run(&mut system.kwasm(&["uninstall", "hello"]))?;
    nothing_is_left(system)
}

/// Runs a plugin by kubectl for that system at a real control plane: `plugin list`, a command, completion, and a watch.
pub(super) fn cluster(system: &System, places: &Places, kubectl: &Path) -> Result<()> {
    let plane = ControlPlane::start(places)?;
    let home = Home::new(places, "platforms-here", kubectl)?;
    let metadata = json!({"name": "login", "namespace": "default"});
    let words = json!({"password": "correct horse"});
    plane.create(
        &home,
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": words}),
    )?;
    let config = system.file("kubeconfig");
    let mut view = plane.kubectl(&home)?;
    let text = process::output(plane.as_admin(&mut view)?.args(["config", "view", "--raw", "--flatten"]))?;
    // As a Windows editor saves it.
    fs::write(&config, text.replace('\n', "\r\n"))?;
    let config = system.path(&config);
    let kubectl = |arguments: &[&str]| {
        let mut command = system.command(kubectl, arguments);
        command.env("KUBECONFIG", &config);
        command
    };

    let decoder = guest(system, places, "decoder");
    process::run(&mut system.kwasm(&["install", &decoder, "--policy", "request"]))?;
    let listed = kubectl(&["plugin", "list"]).output()?;
    let (listed, warned) = (String::from_utf8(listed.stdout)?, String::from_utf8(listed.stderr)?);
    ensure!(listed.contains("kubectl-decoder") && warned.is_empty(), "kubectl lists {listed:?}, {warned:?}");
    says(&mut kubectl(&["decoder", "secret", "login"]), "correct horse")?;
    // On Windows kubectl takes the whole name of a plugin's file for its command's name in completions, and only there.
    says(&mut kubectl(&["__complete", "deco"]), "decoder.exe")?;
    says(&mut kubectl(&["__complete", "decoder.exe", "secret", ""]), "login")?;

    let follows = guest(system, places, "follows");
    let path = "/api/v1/namespaces/default/configmaps?watch=true";
    let mut watch = system.kwasm(&["run", "--policy", "cluster", &follows, "--", path]);
    let watch = Reader::start("a watch", watch.env("KUBECONFIG", &config))?;
    watch.wait_for("kube-root-ca.crt")?;
    let metadata = json!({"name": "later", "namespace": "default"});
    plane.create(&home, &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}))?;
    watch.wait_for("later")?;
    drop(watch);
    process::run(&mut system.kwasm(&["uninstall", "decoder"]))?;
    nothing_is_left(system)
}

/// Builds kubectl for Windows, in the version of the control plane, from the same module.
pub(super) fn kubectl_for_windows(places: &Places) -> Result<PathBuf> {
    let module = places.root.join("tests/servers/cluster");
    let go = || {
        let mut go = Command::new("go");
        go.current_dir(&module);
        go
    };
    let version = process::output(go().args(["list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes"]))?;
    let version = version.trim();
    let minor = version.split('.').nth(1).context("a version of Kubernetes without a minor one")?;
    // Without it kubectl warns of its distance to the server.
    let flags = format!(
        "-s -w -X k8s.io/component-base/version.gitVersion={version} -X k8s.io/component-base/version.gitMajor=1 \
         -X k8s.io/component-base/version.gitMinor={minor} -X k8s.io/client-go/pkg/version.gitVersion={version}"
    );
    let program = places.target.join("xtask").join("kubectl.exe");
    let mut build = go();
    build
        .args(["build", "-trimpath", "-buildvcs=false", "-ldflags", &flags, "-o"])
        .arg(&program)
        .arg("k8s.io/kubernetes/cmd/kubectl")
        .envs([("GOOS", "windows"), ("GOARCH", "amd64"), ("CGO_ENABLED", "0")]);
    process::run(&mut build)?;
    Ok(program)
}

fn guest(system: &System, places: &Places, name: &str) -> String {
    system.path(&places.components().join(format!("{name}.wasm")))
}

fn says(command: &mut Command, text: &str) -> Result<()> {
    let output = process::output(command.stdin(Stdio::null()))?;
    ensure!(output.contains(text), "`{}` said {output:?}, without {text:?}", process::shown(command));
    Ok(())
}

/// Checks that no link is left, and no unfinished file.
fn nothing_is_left(system: &System) -> Result<()> {
    let mut folders = system.own_folders();
    folders.push(system.links());
    let mut of_links = true;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            if of_links || entry.path().extension().is_some_and(|end| end == "new" || end == "old") {
                bail!("{} is left", entry.path().display());
            }
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
        of_links = false;
    }
    Ok(())
}
