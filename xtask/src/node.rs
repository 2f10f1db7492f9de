//! `cargo xtask node`: a real kubelet and containerd run what `kwasm deploy` prints, on this machine, in namespaces of their own.
//!
//! Nothing of it outlasts the command: see `tests/servers/cluster/src/node`. Needs root, so it is no part of the tests.

mod cluster;
mod forward;
mod images;
mod jobs;
mod load;
mod programs;
mod webhook;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    str::FromStr,
};

use anyhow::{Context as _, Result, bail};

use self::{cluster::Cluster, images::Images};
use crate::{
    components::{self, Scope},
    home::Home,
    image::Writer,
    places::{self, Places},
    process, release,
    report::Report,
    test,
};

/// The image that the node has from the start: its pods' first container, and busybox.
const PAUSE: &str = "localhost/pause:1";

/// The components of the checks.
const COMPONENTS: [&str; 4] = ["admits", "kube-client", "policy-check", "resource-capacity"];

/// The programs without which there is no node, and the packages that have them.
const NEEDED: [(&str, &str); 7] = [
    ("go", "Go 1.26 or newer"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("mount", "mount"),
    ("nsenter", "util-linux"),
    ("skopeo", "skopeo"),
    ("unshare", "util-linux"),
];

/// The options of the command.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// A target folder with everything of kwasm, instead of building it.
    pub(crate) built: Option<PathBuf>,
    /// All, if none is named.
    pub(crate) checks: Vec<Check>,
}

/// What is shown on the node, and its name on the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    name: &'static str,
    run: fn(&Stage<'_>) -> Result<()>,
}

const CHECKS: [Check; 3] = [
    Check { name: "jobs", run: jobs::check },
    Check { name: "webhook", run: webhook::check },
    Check { name: "forward", run: forward::check },
];

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl FromStr for Check {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = CHECKS.map(|check| check.name).join(", ");
        let found = CHECKS.into_iter().find(|check| check.name == name);
        found.with_context(|| format!("no check `{name}`; there are {names}"))
    }
}

/// What the checks share.
pub(crate) struct Stage<'a> {
    cluster: &'a Cluster,
    images: &'a Images,
    components: &'a Path,
}

impl Stage<'_> {
    fn component(&self, name: &str) -> PathBuf {
        self.components.join(format!("{name}.wasm"))
    }

    /// Publishes a plugin beside its volume as its author does, and returns its reference in the node's registry.
    fn publish(&self, plugin: &str) -> Result<String> {
        let reference = format!("{}/tools/{plugin}:1.0.0", self.cluster.registry()?);
        let component = self.component(plugin);
        let mut publish = self.cluster.kwasm(&["publish"])?;
        process::run(publish.arg(component).args([&reference, "--volume"]))?;
        Ok(reference)
    }
}

pub(crate) fn run(places: &Places, options: &Options) -> Result<ExitCode> {
    check_machine()?;
    let mut report = Report::default();
    let result = steps(places, options, &mut report);
    report.print();
    result?;
    Ok(if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Says what this machine lacks, before minutes go into anything.
fn check_machine() -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("a node of Kubernetes is a machine with Linux");
    }
    if process::output(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!("a kubelet mounts file systems and makes control groups: run it as root");
    }
    let missing: Vec<String> = NEEDED
        .iter()
        .filter(|(program, _)| places::on_path(program).is_none())
        .map(|(program, package)| format!("{program} ({package})"))
        .collect();
    if !missing.is_empty() {
        bail!("not on PATH: {}", missing.join(", "));
    }
    Ok(())
}

fn steps(places: &Places, options: &Options, report: &mut Report) -> Result<()> {
    let writer = Writer::build(places)?;
    let programs = report.step("programs of a node", || programs::folder(places, &writer))?;
    let Built { kwasm, faults, components } = match &options.built {
        Some(folder) => Built::of(folder),
        None => report.step("kwasm, kwasm without defences, plugins", || Built::make(places))?,
    };
    let home = Home::new(places, "node", &kwasm)?;
    let cluster =
        &report.step("starting a cluster with a real node", || Cluster::start(places, &programs, home))?;
    println!("{}", cluster.ask(&["get", "nodes", "-o", "wide"])?);
    let images = report.step("pushing images", || Images::push(cluster, &writer, &kwasm, &faults))?;
    let stage = Stage { cluster, images: &images, components: &components };
    for check in CHECKS {
        if options.checks.is_empty() || options.checks.contains(&check) {
            report.check(check.name, || (check.run)(&stage));
        }
    }
    Ok(())
}

/// What is built of kwasm.
struct Built {
    kwasm: PathBuf,
    faults: PathBuf,
    components: PathBuf,
}

impl Built {
    fn make(places: &Places) -> Result<Self> {
        components::build(places, Scope::Some(&COMPONENTS))?;
        Ok(Self {
            kwasm: release::build(places)?,
            faults: test::faults(places)?,
            components: places.components(),
        })
    }

    fn of(target: &Path) -> Self {
        Self {
            kwasm: target.join("release/kwasm"),
            faults: target.join("debug/kwasm-faults"),
            components: target.join("components"),
        }
    }
}
