//! What was judged, with what was found.

use crate::judge::Verdict;
use crate::rules::{Rule, Severity};
use serde::{Serialize, Serializer};

/// An object that was judged.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subject {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) namespace: String,
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) place: Option<Place>,
    #[serde(skip)]
    pub(crate) verdicts: Vec<Verdict>,
}

/// Where a manifest is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Place {
    pub(crate) file: String,
    /// The line at which its document begins, from 1.
    pub(crate) line: usize,
}

/// All that was judged.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) subjects: Vec<Subject>,
    /// Whether nothing that was asked for is missing.
    pub(crate) complete: bool,
}

/// A finding, as JSON has it.
#[derive(Serialize)]
struct Finding<'a> {
    severity: Severity,
    rule: Rule,
    #[serde(flatten)]
    subject: &'a Subject,
    #[serde(skip_serializing_if = "str::is_empty")]
    container: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Summary {
    objects: usize,
    errors: usize,
    warnings: usize,
    /// Whether nothing that was asked for is missing.
    complete: bool,
}

impl Subject {
    /// Returns the object as kubectl names it, e.g. `deployment/web`.
    pub(crate) fn object(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }

    /// Returns the file or namespace that it stands in; a namespace stands in itself.
    pub(crate) fn group(&self) -> &str {
        match &self.place {
            Some(place) => &place.file,
            None if self.namespace.is_empty() => &self.name,
            None => &self.namespace,
        }
    }
}

impl Report {
    /// Sorts by namespace, kind and name, and the findings in an object by what matters most. Manifests stay in the order
    /// of their files.
    pub(crate) fn sort(&mut self) {
        let line = |subject: &Subject| subject.place.as_ref().map(|place| place.line);
        let key = |subject: &Subject| {
            let names =
                [subject.group(), &subject.namespace, &subject.kind, &subject.name].map(str::to_owned);
            let [group, rest @ ..] = names;
            (group, line(subject), rest)
        };
        self.subjects.sort_by_cached_key(key);
        for subject in &mut self.subjects {
            subject.verdicts.sort_by(|one, other| {
                let order = |verdict: &Verdict| (std::cmp::Reverse(verdict.severity), verdict.rule);
                order(one).cmp(&order(other))
            });
        }
    }

    /// Returns each finding with its object.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (&Subject, &Verdict)> {
        self.subjects
            .iter()
            .flat_map(|subject| subject.verdicts.iter().map(move |verdict| (subject, verdict)))
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings().filter(|(_, verdict)| verdict.severity == severity).count()
    }

    /// Returns what matters most of all findings.
    pub(crate) fn worst(&self) -> Option<Severity> {
        self.findings().map(|(_, verdict)| verdict.severity).max()
    }

    /// Returns a sentence for people.
    pub(crate) fn summary(&self) -> String {
        let count =
            |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        format!(
            "{} and {} in {}",
            count(errors, "error"),
            count(warnings, "warning"),
            count(self.subjects.len(), "object")
        )
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            summary: Summary,
            findings: Vec<Finding<'a>>,
        }
        let findings = self.findings().map(|(subject, verdict)| Finding {
            severity: verdict.severity,
            rule: verdict.rule,
            subject,
            container: &verdict.container,
            message: &verdict.message,
        });
        let summary = Summary {
            objects: self.subjects.len(),
            errors: self.count(Severity::Error),
            warnings: self.count(Severity::Warning),
            complete: self.complete,
        };
        Document { summary, findings: findings.collect() }.serialize(serializer)
    }
}
