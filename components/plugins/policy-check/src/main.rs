//! `kubectl policy-check`: checks what runs in a cluster, or what manifests would run, by simple rules. The judging knows
//! nothing of where its objects come from. The same component is an admission webhook, for `kwasm serve --webhook`.

mod admission;
mod judge;
mod live;
mod manifests;
mod pod;
mod report;
mod rules;
mod sources;
mod subject;
mod workload;

use admission::Check;
use kube_guest::Cluster;
use live::Pods;
use plugin_kit::{
    ALL_NAMESPACES, Arguments, Command, Failure, Flag, Missing, NAMESPACE, NO_HEADERS, Scope, Shard, Style,
    Value,
};
use rules::{Rules, Severity};
use std::io::{self, BufWriter, Write};
use subject::Report;

static FILENAME: Flag =
    Flag::text("filename", Some('f'), "FILE", "checks manifests instead; `-` is standard input");

static RULES: Flag = Flag::text("rules", None, "FILE", "the rules; `-` is standard input");

static RULES_TEXT: Flag =
    Flag::text("rules-text", None, "YAML", "the rules themselves, as in \"$(cat rules.yaml)\"");

static RULES_FROM: Flag =
    Flag::text("rules-from", None, "NS/NAME", "the rules of a ConfigMap, key rules.yaml");

static ALL_PODS: Flag = Flag::switch("all-pods", None, "checks pods too whose controllers are checked");

static FAIL_ON: Flag = Flag {
    long: "fail-on",
    short: None,
    value: Value::OneOf("SEVERITY", &["warning", "error", "never"]),
    help: "what ends with exit code 1 [default: warning]",
};

/// `-o` of the kit, with the forms that CI systems read.
static FORMAT: Flag = Flag {
    long: "output",
    short: Some('o'),
    value: Value::OneOf("FORMAT", &["json", "yaml", "sarif", "junit"]),
    help: "prints json, yaml, sarif or junit, no table",
};

static COMMAND: Command = Command {
    name: "policy-check",
    version: env!("CARGO_PKG_VERSION"),
    about: "Checks workloads by rules: of a cluster, or of manifests.",
    usage: &["[-n NAMESPACE | -A] [--rules FILE] [-o FORMAT]", "-f FILE|- [--rules FILE] [-o FORMAT]"],
    flags: &[
        &NAMESPACE,
        &ALL_NAMESPACES,
        &FILENAME,
        &RULES,
        &RULES_TEXT,
        &RULES_FROM,
        &ALL_PODS,
        &FAIL_ON,
        &FORMAT,
        &NO_HEADERS,
    ],
    notes: "
Rules, each with a `severity` of error, warning or off; others are defaults:
  image-registry:  {severity: error, allowed: []}      # none listed: any
  image-digest:    {severity: warning}
  requests:        {severity: warning, resources: [cpu, memory]}
  limits:          {severity: warning, resources: [cpu, memory]}
  privileged:      {severity: error}
  host-namespaces: {severity: error}
  host-path:       {severity: error, allowed: []}      # folders of the node
  capabilities:    {severity: error, allowed: [NET_BIND_SERVICE]}
  resource-quota:  {severity: warning}                 # in each namespace
  network-policy:  {severity: warning}
  exempt:          {namespaces: [kube-system, kube-public, kube-node-lease]}
Registries are such as registry.example/*, docker.io/library/nginx or
*.example.com. What makes pods is checked in their place, without what
admission adds; --all-pods checks the pods too.

A plugin reads only files of folders that its policy grants. Standard input
needs no grant: kubectl policy-check -f - < FILE.

Exit codes: 0 nothing found, 1 findings (see --fail-on), or something could
not be read, 2 a mistake on the command line.",
    complete: None,
};

fn main() {
    plugin_kit::main(&COMMAND, run)
}

::admission::export!(Check);

fn run(arguments: &Arguments) -> Result<(), Failure> {
    arguments.exactly([])?;
    let rules = sources::rules(arguments)?;
    let files: Vec<&str> = arguments.values(&FILENAME).collect();
    let (mut report, missing) = if files.is_empty() {
        let cluster = Cluster::from_env()?;
        let pods = if arguments.has(&ALL_PODS) { Pods::All } else { Pods::Own };
        live::judge(&cluster, &Scope::of(arguments, &cluster), &rules, pods, Shard::of_process()?)?
    } else {
        let texts = sources::files(&files)?;
        (manifests::judge(&texts, &rules).map_err(Failure::message)?, Missing::default())
    };
    report.sort();
    let least = match arguments.value(&FAIL_ON) {
        Some("error") => Some(Severity::Error),
        Some("never") => None,
        _ => Some(Severity::Warning),
    };
    print(arguments, &report, &rules, least)?;
    missing.report(COMMAND.name)?;
    let fails = least.is_some_and(|least| report.worst() >= Some(least));
    if fails { Err(Failure::Code(1)) } else { Ok(()) }
}

fn print(
    arguments: &Arguments,
    report: &Report,
    rules: &Rules,
    least: Option<Severity>,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match arguments.value(&FORMAT) {
        Some("sarif") => out.write_all(plugin_kit::json(&report::sarif::log(report, rules))?.as_bytes())?,
        Some("junit") => {
            out.write_all(report::junit::document(report, least).as_bytes())?;
        }
        Some("json") => out.write_all(plugin_kit::json(report)?.as_bytes())?,
        Some("yaml") => out.write_all(plugin_kit::yaml(report)?.as_bytes())?,
        _ => {
            report::table::print(report, !arguments.has(&NO_HEADERS), Style::stdout(), &mut out)?;
            out.flush()?;
            eprintln!("{}", report.summary());
        }
    }
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_says_the_defaults() {
        let lines: Vec<&str> = COMMAND.notes.lines().filter(|line| line.starts_with("  ")).collect();
        let said = Rules::read(&lines.join("\n")).unwrap();
        assert_eq!(format!("{said:?}"), format!("{:?}", Rules::default()));
        assert!(COMMAND.notes.lines().all(|line| line.len() <= 80));
    }
}
