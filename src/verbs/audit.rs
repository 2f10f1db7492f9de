//! `kwasm audit NAME`, which shows the requests of a plugin's past runs, and `kwasm audit --on|--off NAME…`.

use std::process;
use std::sync::Arc;

use http::Method;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::Output;
use crate::gate::{Consent, Ending, Observer, Subject, Trace};
use crate::message::Explain;
use crate::policy::RequestInfo;
use crate::reference::{Digest, PluginName, Source};
use crate::store::{AuditLine, AuditLog, Plugin, Store};

use super::table::{Table, shown};
use super::{Ending as Done, Error, Reporter, print};

/// Returns the observer that records the requests of an installed plugin, if they are recorded. One that can send
/// none needs no log.
///
/// # Errors
/// If they cannot be recorded: then the run must not begin.
pub(super) fn observer_of(
    store: &Store,
    source: &Source,
    plugin: &Plugin,
) -> Result<Option<Observer>, Error> {
    match source {
        Source::Installed(name) if plugin.is_audited() && plugin.inspected().uses_network() => {
            Ok(Some(observer(store.open_audit_log(name)?)))
        }
        _ => Ok(None),
    }
}

/// Returns an observer that appends each request to a log.
fn observer(log: AuditLog) -> Observer {
    let run = run_id();
    Arc::new(move |trace| log.append(&line(trace, &run)).map_err(|error| error.message()))
}

/// Returns a name for this run that no other one has.
fn run_id() -> String {
    let now = OffsetDateTime::now_utc().unix_timestamp_nanos();
    Digest::of(format!("{now} {}", process::id()).as_bytes()).hex().chars().take(12).collect()
}

fn line(trace: &Trace, run: &str) -> AuditLine {
    let judged = OffsetDateTime::now_utc() - trace.time;
    let time = judged.replace_millisecond(judged.millisecond()).unwrap_or(judged);
    let (decision, reason) = match &trace.ending {
        Ending::Answered { .. } | Ending::Failed => ("allowed", None),
        Ending::Refused(reason) => ("refused", Some(reason.to_string())),
    };
    let (status, bytes) = match &trace.ending {
        Ending::Answered { status, bytes } => (Some(status.as_u16()), Some(*bytes)),
        Ending::Failed | Ending::Refused(_) => (None, None),
    };
    let consent = trace.consent.map(|consent| match consent {
        Consent::Always => "always",
        Consent::Once => "once",
        Consent::Run => "run",
        Consent::No => "no",
    });
    AuditLine {
        time: time.format(&Rfc3339).unwrap_or_default(),
        run: run.to_owned(),
        decision: decision.to_owned(),
        consent: consent.map(str::to_owned),
        rule: trace.rule.clone(),
        reason,
        status,
        bytes,
        milliseconds: u64::try_from(trace.time.as_millis()).unwrap_or(u64::MAX),
        ..about(&trace.subject)
    }
}

/// Returns the part of a line that says what a request is about.
fn about(subject: &Subject) -> AuditLine {
    let lower = |method: &Method| method.as_str().to_ascii_lowercase();
    match subject {
        Subject::Cluster { context, info, .. } => {
            let RequestInfo { verb, api_group, resource, subresource, namespace, name, path, .. } =
                info.clone();
            let path = if info.is_resource_request { String::new() } else { path };
            let (context, group) = (context.name().to_owned(), api_group);
            AuditLine {
                context,
                verb,
                group,
                resource,
                subresource,
                namespace,
                name,
                path,
                ..AuditLine::default()
            }
        }
        Subject::Unclear { context, method, path } => AuditLine {
            context: context.name().to_owned(),
            verb: lower(method),
            path: path.clone(),
            ..AuditLine::default()
        },
        Subject::Elsewhere { method, host, port } => AuditLine {
            verb: lower(method),
            host: port.map_or_else(|| host.clone(), |port| format!("{host}:{port}")),
            ..AuditLine::default()
        },
    }
}

pub(super) fn audit(
    store: &Store,
    reporter: Reporter,
    name: &PluginName,
    output: Output,
) -> Result<Done, Error> {
    let receipt = store.receipt(name)?;
    let record = store.audit(name)?;
    let rows: Vec<Row<'_>> = record.lines.iter().map(Row::from).collect();
    if record.torn > 0 {
        let torn = record.torn;
        reporter.note(&format!(
            "incomplete lines that are left out: {torn}, where a run was killed or the disk was full"
        ));
    }
    if !receipt.audit {
        reporter.note(&format!("the requests of {name} are not recorded: kwasm audit --on {name}"));
    }
    // A request has no name by which something else could be done with it.
    let output = if output == Output::Name { Output::Table } else { output };
    if rows.is_empty() && matches!(output, Output::Table | Output::Wide) {
        if receipt.audit {
            reporter.note(&format!("no request of {name} is recorded yet"));
        }
        return Ok(Done::Done);
    }
    print(&shown(&rows, output, |wide| table(&rows, wide), |_| String::new()))?;
    Ok(Done::Done)
}

/// Turns recording on or off, for all of these plugins or none.
pub(super) fn configure(
    store: &Store,
    reporter: Reporter,
    names: &[PluginName],
    on: bool,
) -> Result<Done, Error> {
    // All of them or none: a misspelt name is found before anything is changed.
    names.iter().try_for_each(|name| store.receipt(name).map(drop))?;
    for name in names {
        store.amend(name, |receipt| {
            receipt.audit = on;
            Ok::<_, Error>(())
        })?;
        reporter.note(&if on {
            format!("the requests of {name} are recorded from now on: kwasm audit {name}")
        } else {
            format!("the requests of {name} are no longer recorded")
        });
    }
    Ok(Done::Done)
}

/// A request in `-o json`. All keys are always present.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    time: &'a str,
    run: &'a str,
    context: &'a str,
    verb: &'a str,
    group: &'a str,
    resource: &'a str,
    subresource: &'a str,
    namespace: &'a str,
    name: &'a str,
    path: &'a str,
    host: &'a str,
    decision: &'a str,
    consent: Option<&'a str>,
    rule: Option<&'a str>,
    reason: Option<&'a str>,
    status: Option<u16>,
    bytes: Option<u64>,
    milliseconds: u64,
}

impl<'a> From<&'a AuditLine> for Row<'a> {
    fn from(line: &'a AuditLine) -> Self {
        Self {
            time: &line.time,
            run: &line.run,
            context: &line.context,
            verb: &line.verb,
            group: &line.group,
            resource: &line.resource,
            subresource: &line.subresource,
            namespace: &line.namespace,
            name: &line.name,
            path: &line.path,
            host: &line.host,
            decision: &line.decision,
            consent: line.consent.as_deref(),
            rule: line.rule.as_deref(),
            reason: line.reason.as_deref(),
            status: line.status,
            bytes: line.bytes,
            milliseconds: line.milliseconds,
        }
    }
}

impl Row<'_> {
    /// Returns what the request is about, in one word: `deployments.apps/scale`, a path, or a host.
    fn about(&self) -> String {
        if self.resource.is_empty() {
            return [self.path, self.host].concat();
        }
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        let subresource = if self.subresource.is_empty() { "" } else { "/" };
        format!("{}{group}{subresource}{}", self.resource, self.subresource)
    }
}

fn table(rows: &[Row<'_>], wide: bool) -> Table {
    let mut heads =
        vec!["TIME", "RUN", "VERB", "RESOURCE", "NAMESPACE", "NAME", "DECISION", "STATUS", "BYTES", "MS"];
    if wide {
        heads.extend(["CONTEXT", "ANSWER", "RULE OR REASON"]);
    }
    let mut table = Table::new(&heads);
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    for row in rows {
        let mut cells: Vec<String> =
            [row.time, row.run, row.verb, &row.about(), row.namespace, row.name, row.decision]
                .map(str::to_owned)
                .to_vec();
        let milliseconds = row.milliseconds.to_string();
        cells.extend([number(row.status.map(u64::from)), number(row.bytes), milliseconds]);
        if wide {
            let why = row.rule.or(row.reason).unwrap_or_default();
            cells.extend([row.context, row.consent.unwrap_or_default(), why].map(str::to_owned));
        }
        table.row(cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;
    use crate::policy::{Context, Reason};

    fn trace(subject: Subject, ending: Ending) -> Trace {
        Trace {
            request: "GET https://user:password@example.com/path?token=x".to_owned(),
            subject,
            rule: None,
            consent: None,
            ending,
            time: Duration::from_millis(7),
            exchange: crate::gate::Exchange::default(),
        }
    }

    fn info(path: &str, resource: &str) -> RequestInfo {
        let is_resource_request = !resource.is_empty();
        let (path, resource) = (path.to_owned(), resource.to_owned());
        RequestInfo { is_resource_request, verb: "get".to_owned(), path, resource, ..RequestInfo::default() }
    }

    #[test]
    fn a_line_has_what_is_asked_of_it_and_neither_path_nor_query_of_another_host() {
        let context = Context::new("prod", "shop", "prod");
        let cluster = |info| Subject::Cluster { context: context.clone(), info, opens: false };
        let refused = || Ending::Refused(Reason::Destination);
        let elsewhere =
            Subject::Elsewhere { method: Method::GET, host: "example.com".to_owned(), port: Some(443) };
        let refusal = AuditLine {
            reason: Some("the policy does not grant this host".to_owned()),
            ..AuditLine::default()
        };
        for (subject, ending, expected) in [
            (
                cluster(info("/api/v1/namespaces/shop/secrets/db", "secrets")),
                Ending::Answered { status: StatusCode::OK, bytes: 3 },
                AuditLine {
                    resource: "secrets".to_owned(),
                    status: Some(200),
                    bytes: Some(3),
                    ..AuditLine::default()
                },
            ),
            (
                cluster(info("/version", "")),
                Ending::Failed,
                AuditLine { path: "/version".to_owned(), ..AuditLine::default() },
            ),
            (elsewhere, refused(), AuditLine { host: "example.com:443".to_owned(), ..refusal.clone() }),
            (
                Subject::Unclear {
                    context: context.clone(),
                    method: Method::GET,
                    path: "/a/../b".to_owned(),
                },
                refused(),
                AuditLine { path: "/a/../b".to_owned(), ..refusal },
            ),
        ] {
            let line = line(&trace(subject, ending), "1");
            let context = if line.host.is_empty() { "prod" } else { "" };
            let decision = if expected.reason.is_some() { "refused" } else { "allowed" };
            assert!(OffsetDateTime::parse(&line.time, &Rfc3339).is_ok(), "{}", line.time);
            assert!(line.time.len() <= "2026-01-01T00:00:00.000Z".len() && line.time.ends_with('Z'));
            let expected = AuditLine {
                time: line.time.clone(),
                run: "1".to_owned(),
                context: context.to_owned(),
                verb: "get".to_owned(),
                decision: decision.to_owned(),
                milliseconds: 7,
                ..expected
            };
            assert_eq!(line, expected);
        }
    }

    #[test]
    fn each_request_is_a_row() {
        let lines = [
            AuditLine {
                time: "2026-01-01T00:00:00Z".to_owned(),
                run: "5f6c".to_owned(),
                verb: "patch".to_owned(),
                group: "apps".to_owned(),
                resource: "deployments".to_owned(),
                subresource: "scale".to_owned(),
                namespace: "shop".to_owned(),
                name: "web\u{1b}[2J".to_owned(),
                decision: "allowed".to_owned(),
                status: Some(200),
                bytes: Some(1234),
                milliseconds: 5,
                ..AuditLine::default()
            },
            AuditLine {
                time: "2026-01-01T00:00:01Z".to_owned(),
                run: "5f6c".to_owned(),
                verb: "get".to_owned(),
                host: "example.com:443".to_owned(),
                decision: "refused".to_owned(),
                ..AuditLine::default()
            },
        ];
        let rows: Vec<Row<'_>> = lines.iter().map(Row::from).collect();
        insta::assert_snapshot!(table(&rows, false).text(), @r"
        TIME                  RUN   VERB   RESOURCE                NAMESPACE  NAME          DECISION  STATUS  BYTES  MS
        2026-01-01T00:00:00Z  5f6c  patch  deployments.apps/scale  shop       web\u{1b}[2J  allowed   200     1234   5
        2026-01-01T00:00:01Z  5f6c  get    example.com:443         -          -             refused   -       -      0
        ");
    }
}
