//! SARIF 2.1.0 (OASIS), which code hosts show beside the code.

use crate::judge::Verdict;
use crate::rules::{Rule, Rules, Severity};
use crate::subject::{Report, Subject};
use serde_json::{Value, json};
use std::fmt::Write;

/// Returns the report as a SARIF log of one run.
pub(crate) fn log(report: &Report, rules: &Rules) -> Value {
    let described = Rule::ALL.map(|rule| {
        json!({
            "id": rule.name(),
            "shortDescription": {"text": rule.demand()},
            "defaultConfiguration": {
                "enabled": rules.severity(rule) > Severity::Off,
                "level": level(rules.severity(rule)),
            },
        })
    });
    let results: Vec<Value> = report.findings().map(|(subject, verdict)| result(subject, verdict)).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "policy-check",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": described,
            }},
            "invocations": [{"executionSuccessful": report.complete}],
            "results": results,
        }],
    })
}

fn result(subject: &Subject, verdict: &Verdict) -> Value {
    let whole = [subject.namespace.as_str(), &subject.object(), &verdict.container].join("/");
    let container = match verdict.container.as_str() {
        "" => String::new(),
        name => format!(", container {name}"),
    };
    json!({
        "ruleId": verdict.rule.name(),
        "ruleIndex": Rule::ALL.iter().position(|rule| *rule == verdict.rule),
        "level": level(verdict.severity),
        "message": {"text": format!("{}{container}: {}", subject.object(), verdict.message)},
        "locations": [location(subject)],
        "partialFingerprints": {"object/v1": format!("{whole}/{}", verdict.rule.name())},
    })
}

/// Returns the place of an object: in its file, or else one made of its names, since readers want a file.
fn location(subject: &Subject) -> Value {
    let (artifact, line) = if let Some(place) = &subject.place {
        (uri(&place.file), place.line)
    } else {
        let names = [subject.namespace.as_str(), &subject.kind.to_lowercase(), &subject.name];
        let names: Vec<String> = names.iter().filter(|name| !name.is_empty()).map(|name| uri(name)).collect();
        (names.join("/"), 1)
    };
    json!({
        "physicalLocation": {"artifactLocation": {"uri": artifact}, "region": {"startLine": line}},
        "logicalLocations": [{
            "name": subject.name,
            "fullyQualifiedName": format!("{}/{}", subject.namespace, subject.object()),
            "kind": "resource",
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Off => "none",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// Returns a path as a reference of RFC 3986.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Place;

    #[test]
    fn a_finding_is_a_result_at_its_line() {
        let verdict = Verdict {
            rule: Rule::Privileged,
            severity: Severity::Error,
            container: "main".to_owned(),
            message: "is privileged".to_owned(),
        };
        let subject = |place| Subject {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
            place,
            verdicts: vec![verdict.clone()],
        };
        let place = Place { file: "a b/ü.yaml".to_owned(), line: 7 };
        let report = Report { subjects: vec![subject(Some(place)), subject(None)], complete: true };
        let log = log(&report, &Rules::default());
        let results = &log["runs"][0]["results"];
        assert_eq!(results[0]["message"]["text"], "pod/web, container main: is privileged");
        assert_eq!(results[0]["ruleIndex"], 4);
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][4]["id"], results[0]["ruleId"]);
        let physical = |index: usize| &results[index]["locations"][0]["physicalLocation"];
        assert_eq!(physical(0)["artifactLocation"]["uri"], "a%20b/%C3%BC.yaml");
        assert_eq!(physical(0)["region"]["startLine"], 7);
        assert_eq!(physical(1)["artifactLocation"]["uri"], "shop/pod/web");
    }
}
