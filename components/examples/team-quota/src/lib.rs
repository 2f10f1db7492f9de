//! `kwasm serve --webhook team-quota.wasm`: an admission webhook that bounds what a team requests over all namespaces which have
//! its label, where a `ResourceQuota` bounds one namespace.
//!
//! What the team's pods request is added up when a pod is reviewed, and nothing is kept or written, so that a dry run gets the
//! same answer. This is not a reservation: of two pods that are reviewed at the same moment neither is counted for the other, and
//! both may pass together. The next one is denied then. A `ResourceQuota`, which is written at each admission, has no such gap.

mod judge;
mod quotas;
mod usage;

use admission::{Admit, Request, Verdict};
use kube_guest::Cluster;
use plugin_kit::{Arguments, Command, Failure, Flag};
use quotas::Quotas;

/// The key of a `ConfigMap` that has quotas.
const KEY: &str = "quotas.yaml";

static QUOTAS_TEXT: Flag =
    Flag::text("quotas-text", None, "YAML", "the quotas themselves, as in \"$(cat quotas.yaml)\"");

static QUOTAS_FROM: Flag =
    Flag::text("quotas-from", None, "NS/NAME", "the quotas of a ConfigMap, key quotas.yaml");

static COMMAND: Command = Command {
    name: "team-quota",
    version: env!("CARGO_PKG_VERSION"),
    about: "Bounds what teams request over all of their namespaces.",
    usage: &["--quotas-text YAML", "--quotas-from NAMESPACE/NAME"],
    flags: &[&QUOTAS_TEXT, &QUOTAS_FROM],
    notes: "",
    complete: None,
};

struct TeamQuota;

impl Admit for TeamQuota {
    fn admit(request: &Request) -> Result<Verdict, String> {
        review(request).map_err(|why| {
            eprintln!("team-quota: {why}");
            why.to_string()
        })
    }
}

admission::export!(TeamQuota);

/// Judges a pod. An error is the webhook's `failurePolicy` to decide about.
fn review(request: &Request) -> Result<Verdict, Failure> {
    let arguments = Arguments::of(&COMMAND)?;
    arguments.exactly([])?;
    let text = plugin_kit::settings(&arguments, &QUOTAS_TEXT, &QUOTAS_FROM, KEY)?;
    let quotas = Quotas::read(&text).map_err(|why| Failure::message(format!("the quotas: {why}")))?;
    let Some(asked) = judge::asked(request).map_err(Failure::message)? else { return Ok(Verdict::allow()) };
    let cluster = Cluster::from_env()?;
    let Some(team) = usage::team(&cluster, &quotas.label, &request.namespace)? else {
        return Ok(Verdict::allow());
    };
    let Some(quota) = quotas.of(&team) else { return Ok(Verdict::allow()) };
    let used = usage::of_team(&cluster, &quotas.label, &team, request)?;
    Ok(judge::verdict(&team, quota, used, asked))
}
