//! Manifests: YAML of any number of documents, or JSON, with lists in them.

use crate::judge;
use crate::rules::{Rules, one_line};
use crate::subject::{Place, Report, Subject};
use crate::workload::{Object, form};
use serde_json::Value;

/// How deep lists may be in lists.
const DEEPEST: usize = 8;

/// Judges the objects of files, each a name and its text. A namespace among them is judged by the quotas and network policies
/// among them. The error is one line, `what: why`.
pub(crate) fn judge(files: &[(String, String)], rules: &Rules) -> Result<Report, String> {
    let mut found = Found { rules, subjects: Vec::new(), quotas: Vec::new(), policies: Vec::new() };
    for (file, text) in files {
        for (line, document) in documents(text).map_err(|why| format!("{file}: {why}"))? {
            let place = Place { file: file.clone(), line };
            found.take(document, &place, 0).map_err(|why| format!("{file}: line {line}: {why}"))?;
        }
    }
    let Found { mut subjects, quotas, policies, .. } = found;
    for subject in subjects.iter_mut().filter(|subject| is_namespace(subject)) {
        let count = |namespaces: &[String]| {
            Some(namespaces.iter().filter(|namespace| **namespace == subject.name).count())
        };
        subject.verdicts = judge::namespace(rules, count(&quotas), count(&policies));
    }
    if !rules.judge_namespaces() {
        subjects.retain(|subject| !is_namespace(subject));
    }
    Ok(Report { subjects, complete: true })
}

fn is_namespace(subject: &Subject) -> bool {
    (subject.api_version.as_str(), subject.kind.as_str()) == ("v1", "Namespace")
}

struct Found<'a> {
    rules: &'a Rules,
    subjects: Vec<Subject>,
    /// The namespace of each quota.
    quotas: Vec<String>,
    /// The namespace of each network policy.
    policies: Vec<String>,
}

impl Found<'_> {
    fn take(&mut self, document: Value, place: &Place, depth: usize) -> Result<(), String> {
        let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if document.is_null() {
            return Ok(());
        }
        if kind.is_empty() || api_version.is_empty() {
            return Err("not an object of Kubernetes: it has no apiVersion and kind".to_owned());
        }
        // Of any kind of list, as kubectl takes them.
        if kind.ends_with("List") && document.get("items").is_some() {
            if depth == DEEPEST {
                return Err("lists are in lists too often".to_owned());
            }
            let Value::Object(mut list) = document else { return Ok(()) };
            let Some(Value::Array(items)) = list.remove("items") else { return Ok(()) };
            return items.into_iter().try_for_each(|item| self.take(item, place, depth + 1));
        }
        let form = form(&api_version, &kind);
        let is_namespace = (api_version.as_str(), kind.as_str()) == ("v1", "Namespace");
        let counted = match (api_version.split('/').next(), kind.as_str()) {
            (Some("v1"), "ResourceQuota") => Some(&mut self.quotas),
            (Some("networking.k8s.io"), "NetworkPolicy") => Some(&mut self.policies),
            _ => None,
        };
        if form.is_none() && !is_namespace && counted.is_none() {
            return Ok(());
        }
        let object: Object =
            serde_json::from_value(document).map_err(|error| format!("{}: {error}", kind.to_lowercase()))?;
        if let Some(counted) = counted {
            counted.push(object.metadata.namespace);
            return Ok(());
        }
        let name = object.metadata.shown_name().to_owned();
        let namespace = object.metadata.namespace.clone();
        let place = Some(place.clone());
        let exempt = if is_namespace { &name } else { &namespace };
        if self.rules.exempt.namespaces.contains(exempt) {
            return Ok(());
        }
        let verdicts = form.map(|form| judge::pod(self.rules, &object.into_pod(form))).unwrap_or_default();
        self.subjects.push(Subject { api_version, kind, namespace, name, place, verdicts });
        Ok(())
    }
}

/// Returns the documents of a text, each with the line at which it begins.
fn documents(text: &str) -> Result<Vec<(usize, Value)>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return json(text);
    }
    let mut documents = Vec::new();
    for (line, part) in split(text) {
        let options = serde_saphyr::options! {
            with_snippet: false,
            // `yes` and the like stay texts, which they are for a name: where a truth value is wanted they are read as one.
            strict_booleans: true,
            budget: serde_saphyr::budget! { max_events: 20_000_000, max_nodes: 10_000_000 },
        };
        // A part has the line breaks of what stands before it, so that errors name the file's lines.
        let document: Option<Value> =
            serde_saphyr::from_str_with_options(&part, options).map_err(|error| one_line(&error))?;
        documents.extend(document.map(|document| (line, document)));
    }
    Ok(documents)
}

/// Reads JSON documents, one after the other.
fn json(text: &str) -> Result<Vec<(usize, Value)>, String> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut documents = Vec::new();
    loop {
        let begin = text.len() - text[stream.byte_offset()..].trim_start().len();
        let line = text[..begin].matches('\n').count() + 1;
        match stream.next() {
            None => return Ok(documents),
            Some(Ok(document)) => documents.push((line, document)),
            Some(Err(error)) => return Err(error.to_string()),
        }
    }
}

/// Splits YAML at the lines `---`, and returns each part with the number of its first line that says something.
fn split(text: &str) -> Vec<(usize, String)> {
    let mut parts: Vec<(usize, String)> = Vec::new();
    let (mut first, mut part, mut is_marked) = (0, String::new(), false);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let rest = line.strip_prefix("---");
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n'])) {
            // What stands before the first marker may be directives, which belong to what follows.
            if first > 0 || is_marked {
                parts.push((first, std::mem::replace(&mut part, "\n".repeat(index))));
            }
            (first, is_marked) = (0, true);
        }
        let says = rest.unwrap_or(line).trim();
        if first == 0 && !says.is_empty() && !says.starts_with(['#', '%']) {
            first = index + 1;
        }
        part.push_str(line);
    }
    parts.push((first, part));
    parts.retain(|(first, _)| *first > 0);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Severity;

    fn judged(text: &str) -> Result<Report, String> {
        judge(&[("a.yaml".to_owned(), text.to_owned())], &Rules::default())
    }

    fn places(report: &Report) -> Vec<(String, usize)> {
        let place = |subject: &Subject| subject.place.as_ref().map_or(0, |place| place.line);
        report.subjects.iter().map(|subject| (subject.object(), place(subject))).collect()
    }

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: yes}\n";

    #[test]
    fn each_document_is_judged_at_its_line() {
        let text = format!("# first\n---\n{POD}---\n# nothing\n---\n\n{POD}...\n--- # more\n{POD}");
        let report = judged(&text).unwrap();
        assert_eq!(places(&report), [("pod/a".into(), 3), ("pod/a".into(), 11), ("pod/a".into(), 17)]);
        assert_eq!(report.count(Severity::Error), 3, "`yes` is true");
        assert!(judged("").unwrap().subjects.is_empty());
        assert!(judged(&POD.replace("yes", "no")).unwrap().worst().is_none());
    }

    #[test]
    fn json_and_lists_are_read_too() {
        let pod =
            r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"hostPID": true}}"#;
        let list = format!(r#"{{"apiVersion": "v1", "kind": "List", "items": [{pod}, {pod}]}}"#);
        let report = judged(&format!("{pod}\n{list}\n")).unwrap();
        assert_eq!(places(&report), [("pod/a".into(), 1), ("pod/a".into(), 2), ("pod/a".into(), 2)]);
        let nested = (0..20)
            .fold(list, |inner, _| format!(r#"{{"apiVersion": "v1", "kind": "List", "items": [{inner}]}}"#));
        assert!(judged(&nested).unwrap_err().contains("too often"));
        let yaml = format!("apiVersion: v1\nkind: PodList\nitems:\n- {}", POD.replace('\n', "\n  "));
        assert_eq!(judged(&yaml).unwrap().subjects.len(), 1);
        assert!(judged("apiVersion: v1\nkind: List\nitems: null").unwrap().subjects.is_empty());
    }

    #[test]
    fn a_namespace_is_judged_by_what_the_files_have_for_it() {
        let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
        let quota = "---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: shop}\n";
        let policy = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: n, namespace: shop}\n";
        assert_eq!(judged(namespace).unwrap().count(Severity::Warning), 2);
        assert_eq!(judged(&format!("{quota}---\n{namespace}")).unwrap().count(Severity::Warning), 1);
        assert_eq!(judged(&format!("{namespace}{quota}{policy}")).unwrap().count(Severity::Warning), 0);
        let other = quota.replace("shop", "other");
        assert_eq!(judged(&format!("{namespace}{other}")).unwrap().count(Severity::Warning), 2);
        assert!(judged(&namespace.replace("shop", "kube-system")).unwrap().subjects.is_empty());
    }

    #[test]
    fn what_is_no_manifest_is_an_error_with_its_line() {
        for (text, why) in [
            (format!("{POD}---\na: [\n"), "a.yaml: line 6: "),
            (format!("{POD}---\n\nhello\n"), "a.yaml: line 7: not an object"),
            (POD.replace("yes", "maybe"), "a.yaml: line 1: pod: "),
            (POD.replace("hostNetwork: yes", "a: 1, a: 2"), "a.yaml: line 4: "),
            ("{\"kind\": ".to_owned(), "a.yaml: EOF"),
        ] {
            let said = judged(&text).unwrap_err();
            assert!(said.starts_with(why) && said.lines().count() == 1, "{said}");
        }
    }

    #[test]
    fn other_objects_are_passed_over() {
        let text = "apiVersion: example.com/v1\nkind: Rollout\nspec: {template: 5, containers: no}\n";
        assert!(judged(text).unwrap().subjects.is_empty());
    }
}
