//! `cargo xtask release`: builds kwasm as it is released, with the functions that its usual runs use side by side.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    apiserver::ApiServer,
    cargo,
    components::{self, Scope},
    home::Home,
    places::Places,
    report::title,
};

/// The components by whose runs kwasm is ordered.
const GUESTS: Scope<'_> = Scope::Some(&["hello", "decoder", "downloads", "images", "timeline", "who-can"]);

/// Whether this system is one on which `kwasm-linker` finds out an order.
pub(crate) const IS_ORDERED: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

pub(crate) fn run(places: &Places) -> Result<ExitCode> {
    let program = build(places)?;
    title("done");
    eprintln!("{}", program.display());
    Ok(ExitCode::SUCCESS)
}

/// Builds kwasm as it is released, and returns the program.
///
/// # Errors
/// If something does not compile, or a run by which it is ordered fails.
pub(crate) fn build(places: &Places) -> Result<PathBuf> {
    let order = Order::prepare(places)?;
    title("building kwasm in release");
    let programs = match order {
        None => cargo::build_release(places, "kwasm")?,
        Some(order) => {
            let mut command = cargo::command(&places.root);
            command.args(["rustc", "--release", "--locked", "--package", "kwasm", "--bin", "kwasm"]);
            order.link(&mut command, None)?
        }
    };
    Ok(cargo::program(&programs, "kwasm")?.to_owned())
}

/// What finds out the order of a program's functions when it is linked.
pub(crate) struct Order {
    linker: PathBuf,
    runs: PathBuf,
    _home: Home,
    _server: ApiServer,
}

impl Order {
    /// Builds and starts what the runs need that are watched. Returns `None` on a system on which none is found out.
    ///
    /// # Errors
    /// If something does not compile or start.
    pub(crate) fn prepare(places: &Places) -> Result<Option<Self>> {
        if !IS_ORDERED {
            return Ok(None);
        }
        title("building what the release is ordered by: an API server, plugins, and the linker");
        let tools = cargo::build_dev(places, &["kwasm-apiserver", "kwasm-linker"])?;
        components::build(places, GUESTS)?;
        let server = ApiServer::start(cargo::program(&tools, "kwasm-apiserver")?)?;
        // Its kwasm is what the linker will have made.
        let home = Home::new(places, "release", Path::new("kwasm"))?;
        let runs = home.path().join("runs.json");
        fs::write(&runs, usual_runs(places, &home, &server)?.to_string())?;
        let linker = cargo::program(&tools, "kwasm-linker")?.to_owned();
        Ok(Some(Self { linker, runs, _home: home, _server: server }))
    }

    /// Runs a `cargo rustc` for kwasm, with the order that is in the file `known`; if it does not exist, the order is found out,
    /// and written there.
    ///
    /// # Errors
    /// If something does not compile, or a run by which it is ordered fails.
    pub(crate) fn link(&self, command: &mut Command, known: Option<&Path>) -> Result<cargo::Programs> {
        let known = known.map(|order| ("KWASM_LINKER_ORDER", order));
        let variables: Vec<_> = [("KWASM_LINKER_RUNS", &*self.runs)].into_iter().chain(known).collect();
        cargo::build_linked(command, &self.linker, &variables)
    }
}

/// Returns the runs in the form that `kwasm-linker` reads: what every run does first, then what those at a cluster do.
fn usual_runs(places: &Places, home: &Home, server: &ApiServer) -> Result<Value> {
    let component = |name: &str| text(&places.components().join(format!("{name}.wasm")));
    let run = |arguments: &[&str]| json!({"link": null, "arguments": arguments});
    let link = |plugin: &str, arguments: &[&str]| -> Result<Value> {
        Ok(json!({"link": text(&home.link(plugin))?, "arguments": arguments}))
    };
    let (hello, downloads) = (component("hello")?, component("downloads")?);
    let install =
        |plugin: &str| -> Result<Value> { Ok(run(&["install", &component(plugin)?, "--policy", "request"])) };
    let at_the_cluster = |door: &[&str]| {
        let path = "/api/v1/namespaces/shop/secrets";
        run(&[&["run", "--policy", "cluster", &downloads, "--", path], door].concat())
    };
    Ok(json!({
        "program": "kwasm",
        "environment": environment(home, server)?,
        "before": [
            run(&["install", &hello]), install("decoder")?, install("images")?, install("timeline")?, install("who-can")?,
        ],
        "watched": [
            link("hello", &[])?,
            run(&["run", &hello]),
            link("decoder", &["secret", "web-tls", "-n", "shop"])?,
            link("timeline", &["-n", "shop"])?,
            link("images", &["-n", "shop"])?,
            link("who_can", &["get", "pods", "-n", "shop"])?,
            at_the_cluster(&[]),
            at_the_cluster(&["--sockets"]),
        ],
    }))
}

/// Returns the variables of the environment by which a run uses this home and this server.
fn environment(home: &Home, server: &ApiServer) -> Result<BTreeMap<String, String>> {
    let mut command = home.kwasm()?;
    command.env("KUBECONFIG", &server.kubeconfig);
    let set = command.get_envs().filter_map(|(name, value)| Some((Path::new(name), Path::new(value?))));
    set.map(|(name, value)| Ok((text(name)?, text(value)?))).collect()
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).with_context(|| format!("{} is not UTF-8", path.display()))
}
