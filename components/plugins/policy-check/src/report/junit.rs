//! The XML of `JUnit`, as CI systems read it: a suite for each namespace or file, a case for each object.

use crate::judge::Verdict;
use crate::rules::Severity;
use crate::subject::{Report, Subject};
use kube_guest::for_terminal_line;
use std::fmt::Write;

/// Returns the report. Findings that matter less than `least`, and all if it is `None`, are not failures, but stand in the
/// output of their case.
pub(crate) fn document(report: &Report, least: Option<Severity>) -> String {
    let mut suites: Vec<(&str, Vec<&Subject>)> = Vec::new();
    for subject in &report.subjects {
        // They are sorted by it.
        match suites.last_mut() {
            Some((name, subjects)) if *name == subject.group() => subjects.push(subject),
            _ => suites.push((subject.group(), vec![subject])),
        }
    }
    let failed = |subjects: &[&Subject]| {
        subjects.iter().filter(|subject| subject.verdicts.iter().any(|verdict| fails(verdict, least))).count()
    };
    let all: Vec<&Subject> = report.subjects.iter().collect();
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let _ = writeln!(
        text,
        "<testsuites name=\"policy-check\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
        all.len(),
        failed(&all)
    );
    for (name, subjects) in &suites {
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\">",
            escape(name),
            subjects.len(),
            failed(subjects)
        );
        for subject in subjects {
            case(subject, name, least, &mut text);
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn fails(verdict: &Verdict, least: Option<Severity>) -> bool {
    least.is_some_and(|least| verdict.severity >= least)
}

fn case(subject: &Subject, suite: &str, least: Option<Severity>, text: &mut String) {
    let name = escape(&subject.object());
    let _ = write!(text, "    <testcase classname=\"{}\" name=\"{name}\"", escape(suite));
    if subject.verdicts.is_empty() {
        text.push_str("/>\n");
        return;
    }
    text.push_str(">\n");
    let lines = |failing: bool| {
        let verdicts = subject.verdicts.iter().filter(move |verdict| fails(verdict, least) == failing);
        verdicts.map(|verdict| {
            let container = match verdict.container.as_str() {
                "" => String::new(),
                name => format!("container {name} "),
            };
            escape(&format!("{}: {}: {container}{}", verdict.severity, verdict.rule.name(), verdict.message))
                + "\n"
        })
    };
    let failures: Vec<String> = lines(true).collect();
    if let Some(first) = failures.first() {
        let more = match failures.len() {
            1 => String::new(),
            number => format!(" (and {} more)", number - 1),
        };
        let _ = write!(text, "      <failure message=\"{}{more}\" type=\"policy\">", first.trim_end());
        text.extend(failures);
        text.push_str("</failure>\n");
    }
    let rest: Vec<String> = lines(false).collect();
    if !rest.is_empty() {
        let _ = writeln!(text, "      <system-out>{}</system-out>", rest.concat());
    }
    text.push_str("    </testcase>\n");
}

/// Returns a text for XML 1.0, which has no way to write most control characters: they are shown as on a terminal.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in for_terminal_line(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => escaped.extend(character.escape_unicode()),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rule;

    fn subject(name: &str, findings: &[(Severity, &str)]) -> Subject {
        let verdict = |(severity, message): &(Severity, &str)| Verdict {
            rule: Rule::Privileged,
            severity: *severity,
            container: "main".to_owned(),
            message: (*message).to_owned(),
        };
        Subject {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            place: None,
            verdicts: findings.iter().map(verdict).collect(),
        }
    }

    #[test]
    fn each_object_is_a_case_and_nothing_breaks_the_xml() {
        let findings = [(Severity::Error, "<&\"'\u{1}>"), (Severity::Error, "b"), (Severity::Warning, "c")];
        let report = Report { subjects: vec![subject("a", &findings), subject("b", &[])], complete: true };
        let expected = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"policy-check\" tests=\"2\" failures=\"1\" errors=\"0\">
  <testsuite name=\"shop\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">
    <testcase classname=\"shop\" name=\"pod/a\">
      <failure message=\"error: privileged: container main &lt;&amp;&quot;&apos;\\x01&gt; (and 1 more)\" type=\"policy\">\
error: privileged: container main &lt;&amp;&quot;&apos;\\x01&gt;
error: privileged: container main b
</failure>
      <system-out>warning: privileged: container main c
</system-out>
    </testcase>
    <testcase classname=\"shop\" name=\"pod/b\"/>
  </testsuite>
</testsuites>
";
        assert_eq!(document(&report, Some(Severity::Error)), expected);
        assert!(!document(&report, Some(Severity::Warning)).contains("system-out"));
        assert!(document(&report, None).contains("failures=\"0\""));
    }
}
