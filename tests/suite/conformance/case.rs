//! One case: files, variables and flags, and what kubectl and kwasm make of them.

use std::fmt::Write as _;

/// A test case for a kubeconfig. Texts have placeholders such as `$TLS` (lab.rs).
#[must_use]
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Paths in the case's folder, and texts.
    pub(super) files: Vec<(&'static str, String)>,
    pub(super) variables: Vec<(&'static str, &'static str)>,
    pub(super) flags: Vec<&'static str>,
    pub(super) kubectl: Outcome,
    pub(super) kwasm: Outcome,
    /// The reason of a deliberate difference.
    pub(super) reason: Option<&'static str>,
    parts: Parts,
}

/// The ending of a run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// A server is asked, in this way (seen.rs).
    Asks(String),
    /// No server is asked, and this is part of what is said.
    Fails(String),
}

impl Outcome {
    /// Returns whether a run ended as expected.
    pub(super) fn is_as(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Fails(said), Self::Fails(part)) => !said.trim().is_empty() && said.contains(part.as_str()),
            (ended, wanted) => ended == wanted,
        }
    }
}

/// The kubeconfig that most cases have, in its parts.
struct Parts {
    cluster: &'static str,
    context: &'static str,
    user: &'static str,
}

/// Returns a case with a working kubeconfig, to be changed.
pub(super) fn case(name: &'static str) -> Case {
    Case {
        name,
        files: Vec::new(),
        variables: vec![("KUBECONFIG", "$DIR/config")],
        flags: Vec::new(),
        kubectl: fails("the case says nothing of what is to come"),
        kwasm: fails("the case says nothing of what is to come"),
        reason: None,
        parts: Parts {
            cluster: "{$TRUSTED}",
            context: "{cluster: main, user: main}",
            user: "{token: $TOKEN}",
        },
    }
}

impl Case {
    /// Sets the cluster `main` of the kubeconfig.
    pub(super) fn cluster(mut self, fields: &'static str) -> Self {
        self.parts.cluster = fields;
        self
    }

    /// Sets the context `main` of the kubeconfig.
    pub(super) fn context(mut self, fields: &'static str) -> Self {
        self.parts.context = fields;
        self
    }

    /// Sets the user `main` of the kubeconfig.
    pub(super) fn user(mut self, fields: &'static str) -> Self {
        self.parts.user = fields;
        self
    }

    /// Adds a file with this text; `config` is the kubeconfig.
    pub(super) fn file(mut self, path: &'static str, text: impl Into<String>) -> Self {
        self.files.push((path, text.into()));
        self
    }

    /// Removes the kubeconfig, and the variable that names one.
    pub(super) fn no_kubeconfig(mut self) -> Self {
        self.variables.clear();
        self
    }

    pub(super) fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value));
        self
    }

    /// Flags with nothing but spaces between them.
    pub(super) fn flags(mut self, flags: &'static str) -> Self {
        self.flags.extend(flags.split_whitespace());
        self
    }

    /// Adds a flag with spaces in it, or an empty one.
    pub(super) fn flag(mut self, flag: &'static str) -> Self {
        self.flags.push(flag);
        self
    }

    /// Expects both to send a request in this way.
    pub(super) fn asks(self, how: &str) -> Self {
        Self { kubectl: asks(how), kwasm: asks(how), ..self }
    }

    /// Expects both to contact no server. `kubectl` is part of kubectl's message; kwasm has its own.
    pub(super) fn fails(self, kubectl: &str) -> Self {
        Self { kubectl: fails(kubectl), kwasm: fails(""), ..self }
    }

    /// Expects kwasm to differ from kubectl, for this reason.
    pub(super) fn differs(self, reason: &'static str, kubectl: Outcome, kwasm: Outcome) -> Self {
        Self { kubectl, kwasm, reason: Some(reason), ..self }
    }

    /// Returns the files, including the kubeconfig: the one made of the parts, unless the case has its own.
    pub(super) fn all_files(&self) -> Vec<(&'static str, String)> {
        let mut files = self.files.clone();
        let named = self.variables.iter().any(|(_, value)| *value == "$DIR/config");
        if named && files.iter().all(|(path, _)| *path != "config") {
            files.push(("config", config(self.parts.cluster, self.parts.context, self.parts.user)));
        }
        files
    }
}

/// Returns a kubeconfig whose one context, cluster and user are called `main`.
pub(super) fn config(cluster: &str, context: &str, user: &str) -> String {
    let mut text = String::from("apiVersion: v1\nkind: Config\ncurrent-context: main\n");
    for (list, key, fields) in
        [("clusters", "cluster", cluster), ("contexts", "context", context), ("users", "user", user)]
    {
        writeln!(text, "{list}:\n- name: main\n  {key}: {fields}").unwrap();
    }
    text
}

/// Returns the outcome of a request that is sent in this way.
pub(super) fn asks(how: &str) -> Outcome {
    Outcome::Asks(how.to_owned())
}

/// Returns the outcome in which no server is contacted and this message is printed.
pub(super) fn fails(said: &str) -> Outcome {
    Outcome::Fails(said.to_owned())
}
