//! `kubectl outdated-api`: objects that were written by APIs which Kubernetes has deprecated or removed, and which of those the
//! server still has.

mod lifecycle;
mod object;
mod report;
mod used;

use kube_guest::{Cluster, Discovery, METADATA, Path, Resource};
use lifecycle::{Api, Horizon, Lifecycle, Version};
use object::Object;
use plugin_kit::{
    ALL_NAMESPACES, Arguments, Command, Explain, Failure, Flag, Missing, NAMESPACE, NO_HEADERS, OUTPUT,
    Output, Scope, Style,
};
use report::Report;
use serde::Deserialize;
use std::io::{self, BufWriter, Write};

static TARGET: Flag =
    Flag::text("target", None, "VERSION", "shows what this version no longer has, e.g. 1.32");

static FAIL: Flag = Flag::switch("fail", None, "exit code 1 if an object is shown");

static COMMAND: Command = Command {
    name: "outdated-api",
    version: env!("CARGO_PKG_VERSION"),
    about: "Shows objects that were written by deprecated or removed APIs of Kubernetes.",
    usage: &["[-n NAMESPACE | -A] [--target VERSION] [--fail]"],
    flags: &[&NAMESPACE, &ALL_NAMESPACES, &TARGET, &FAIL, &OUTPUT, &NO_HEADERS],
    notes: "
Without --target it shows what the server's own version deprecates. -A shows
objects that are in no namespace too.

An object is shown for what its managedFields, or the manifest that kubectl
apply keeps, say of its writers. The object itself survives an upgrade: its
writer has to change. What it cannot see: clients that only read, or that wrote
nothing that is still there, manifests and charts that are not applied, events,
and custom resources, which have versions of their own. The API server counts
each request in its metric apiserver_requested_deprecated_apis.",
    complete: None,
};

fn main() {
    plugin_kit::main(&COMMAND, run)
}

/// `/version`.
#[derive(Deserialize)]
struct ServerVersion {
    #[serde(default)]
    major: String,
    #[serde(default)]
    minor: String,
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    arguments.exactly([])?;
    let target = arguments.value(&TARGET).map(|text| {
        let message = || format!("--target {text}: no version such as 1.32");
        Version::parse(text).ok_or_else(|| Failure::usage(message()))
    });
    let target = target.transpose()?;
    let cluster = Cluster::from_env()?;
    let server = server_version(&cluster)?;
    let lifecycle = Lifecycle::within(target.map_or(Horizon::Deprecated(server), Horizon::Removed));
    let found = Discovery::load(&cluster).of("discovery")?;
    for failure in found.failures() {
        eprintln!("outdated-api: {failure}");
    }
    let scope = Scope::of(arguments, &cluster);
    let mut missing = Missing::default();
    let objects = objects(&cluster, &found, &scope, &lifecycle, &mut missing)?;
    let apis = served(&found, &lifecycle);
    let complete = missing.is_empty() && found.failures().is_empty();
    let report = Report { server, target, complete, objects, served: apis };
    if !Output::of(arguments).print(&report)? {
        let mut out = BufWriter::new(io::stdout().lock());
        report.print(!arguments.has(&NO_HEADERS), Style::stdout(), &mut out)?;
        out.flush()?;
        if report.objects.is_empty() {
            eprintln!("nothing outdated in {}", scope.words());
        }
    }
    missing.report(COMMAND.name)?;
    let fails = arguments.has(&FAIL) && !report.objects.is_empty();
    if fails || !complete { Err(Failure::Code(1)) } else { Ok(()) }
}

fn server_version(cluster: &Cluster) -> Result<Version, Failure> {
    let version: ServerVersion = cluster.get_json(Path::new(["version"])?).of("version")?;
    let text = format!("{}.{}", version.major, version.minor);
    Version::parse(&text).ok_or_else(|| Failure::message(format!("version: the server's is `{text}`")))
}

/// Returns the objects that were written by outdated APIs, of all resources that there are such APIs of.
fn objects(
    cluster: &Cluster,
    found: &Discovery,
    scope: &Scope,
    lifecycle: &Lifecycle,
    missing: &mut Missing,
) -> Result<Vec<used::Used>, Failure> {
    let is_wanted = |resource: &&Resource| {
        resource.has("list")
            && lifecycle.concerns(&resource.group, &resource.kind)
            && (resource.namespaced || *scope == Scope::All)
    };
    let resources: Vec<&Resource> = found.resources().iter().filter(is_wanted).collect();
    let paths: Result<Vec<Path>, _> =
        resources.iter().map(|resource| resource.path(scope.namespace())).collect();
    let mut objects = Vec::new();
    for (resource, list) in resources.iter().zip(cluster.lists::<Object>(paths?, METADATA)) {
        match list {
            Ok(list) => {
                let used =
                    list.items.iter().flat_map(|object| used::judge(lifecycle, &resource.kind, object));
                objects.extend(used);
            }
            Err(error) => missing.add(resource.full_name(), &error),
        }
    }
    objects.sort_by(|one, other| {
        let key = |used: &used::Used| {
            (used.api.removed, used.namespace.clone(), used.api.kind, used.name.clone(), used.api.version)
        };
        key(one).cmp(&key(other))
    });
    Ok(objects)
}

/// Returns the outdated APIs that the server has.
fn served(found: &Discovery, lifecycle: &Lifecycle) -> Vec<Api> {
    let resources = found.resources().iter().chain(found.other_versions());
    let mut apis: Vec<Api> =
        resources.filter_map(|resource| lifecycle.of(&resource.api_version(), &resource.kind)).collect();
    apis.sort_by_key(|api| (api.removed, api.version, api.kind));
    apis.dedup();
    apis
}
