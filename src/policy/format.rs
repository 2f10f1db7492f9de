//! The format of policies, declared once: the reader takes its keys, words and ranges from here, and so does the
//! JSON schema ([`super::schema`]).

use crate::document::Format;

/// The kind of a policy's document, and its name in messages.
pub(super) const FORMAT: Format = Format { kind: "Policy", name: "a policy" };

/// A map with a fixed set of keys.
pub(super) struct Map {
    pub(super) keys: &'static [Key],
}

/// A key of a map.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// Its description, for whoever writes a policy.
    pub(super) about: &'static str,
    pub(super) is_required: bool,
    pub(super) kind: Kind,
}

/// The kinds of values.
pub(super) enum Kind {
    Text(Form),
    /// `true` or `false`, which is the default.
    Flag,
    Number(Range),
    /// A number of bytes, with or without a unit.
    Bytes(Range),
    /// A duration, or `none`.
    Timeout,
    /// A list of texts, which may be empty.
    Texts(Form),
    /// A list of at least one text.
    SomeTexts(Form),
    /// `"*"`, or a list of at least one text.
    Selector(Form),
    Map(&'static Map),
    /// A list of maps of one kind.
    List(&'static Map),
    /// A list of maps of two kinds: those that have the first key of the first kind, and others.
    Either(&'static Map, &'static Map),
}

/// The forms of texts.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Any,
    NotEmpty,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of kubectl's connection flags, long or short.
    ConnectionFlag,
    Pattern(Pattern),
}

/// A form of texts, for the reader and, as a regular expression of ECMA 262, for the schema.
#[derive(Clone, Copy)]
pub(super) struct Pattern {
    pub(super) expression: &'static str,
    check: fn(&str) -> bool,
}

impl Pattern {
    /// Returns whether a text has this form.
    pub(super) fn fits(self, text: &str) -> bool {
        (self.check)(text)
    }
}

/// The numbers from `least` to `most`.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) least: u64,
    pub(super) most: u64,
}

impl Range {
    const fn of(least: u64, most: u64) -> Self {
        Self { least, most }
    }

    pub(super) fn contains(self, number: u64) -> bool {
        (self.least..=self.most).contains(&number)
    }
}

impl Map {
    /// Returns the names of its keys.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }

    /// Returns the names of its keys that another map does not have.
    pub(super) fn names_beyond(&self, other: &Self) -> Vec<&'static str> {
        let is_new = |name: &&str| other.keys.iter().all(|key| key.name != *name);
        self.names().into_iter().filter(is_new).collect()
    }
}

const fn key(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, about, is_required: false, kind }
}

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, about, is_required: true, kind }
}

macro_rules! label {
    () => {
        "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
    };
}

/// A label by RFC 1123, as in the names of namespaces.
pub(super) const LABEL: Pattern = Pattern { expression: concat!("^", label!(), "$"), check: is_label };

/// A namespace, `current`, or `*` for all.
pub(super) const NAMESPACE: Pattern =
    Pattern { expression: concat!(r"^(\*|", label!(), ")$"), check: |text| text == "*" || is_label(text) };

/// An API group: the empty text, `*`, or labels with dots between them.
pub(super) const GROUP: Pattern = Pattern {
    expression: concat!(r"^(\*|", label!(), r"(\.", label!(), ")*)?$"),
    check: |text| text.is_empty() || text == "*" || is_domain(text),
};

/// An entry of `resources`.
pub(super) const RESOURCE: Pattern = Pattern {
    expression: concat!(r"^(\*|", label!(), r"|(\*|", label!(), ")/", label!(), ")$"),
    check: |text| text == "*" || is_resource(text),
};

/// An entry of `except`, which cannot be everything.
pub(super) const EXCEPTED: Pattern = Pattern {
    expression: concat!("^(", label!(), r"|(\*|", label!(), ")/", label!(), ")$"),
    check: is_resource,
};

/// A path that is not a resource's, or a prefix of such paths.
pub(super) const URL: Pattern = Pattern {
    expression: r"^(\*|/[^*]*\*?)$",
    check: |text| {
        let fixed = text.strip_suffix('*').unwrap_or(text);
        text == "*" || (fixed.starts_with('/') && !fixed.contains('*'))
    },
};

/// A host's name, its IPv4 address, or its IPv6 address in brackets. The reader checks more.
pub(super) const HOST: Pattern = Pattern {
    expression: concat!("^(", label!(), r"(\.", label!(), r")*|\[[0-9A-Fa-f:.]+\])$"),
    check: |text| is_domain(text) && text.len() <= 253,
};

/// The name of an environment variable, or the beginning of names. The reader checks more.
pub(super) const VARIABLE: Pattern = Pattern {
    expression: r"^[A-Za-z_][A-Za-z0-9_]*(_\*)?$",
    check: |text| {
        let name = text.strip_suffix("_*").unwrap_or(text);
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    },
};

fn is_label(text: &str) -> bool {
    let ends = [text.bytes().next(), text.bytes().last()];
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && ends.into_iter().flatten().all(|byte| byte != b'-')
}

fn is_domain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_resource(text: &str) -> bool {
    match text.split_once('/') {
        None => is_label(text),
        Some((of, subresource)) => (of == "*" || is_label(of)) && is_label(subresource),
    }
}

/// `*` and the verbs of requests. Others, such as `bind` and `escalate`, are only checked inside the API server.
pub(super) const VERBS: &[&str] =
    &["*", "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "proxy"];

/// The verbs of requests.
pub(super) const REQUEST_VERBS: &[&str] = VERBS.split_at(1).1;

/// The verbs of requests that are not about resources: `*` and methods.
pub(super) const METHODS: &[&str] = &["*", "get", "head", "post", "put", "patch", "delete", "options"];

/// The ways in which a folder may be used.
pub(super) const ACCESS: &[&str] = &["read-only", "read-write"];

pub(super) const MEMORY: Range = Range::of(1 << 20, 4 << 30);
pub(super) const HEADERS: Range = Range::of(1 << 10, 1 << 20);
pub(super) const STACK: Range = Range::of(64 << 10, 64 << 20);
pub(super) const AT_A_TIME: Range = Range::of(1, 1024);
pub(super) const REUSE: Range = Range::of(1, 1_000_000);
pub(super) const PORT: Range = Range::of(1, 65535);

/// The keys of a document besides `apiVersion` and `kind`.
pub(super) const DOCUMENT: Map = Map {
    keys: &[
        required("metadata", Kind::Map(&METADATA), "Its name."),
        required("spec", Kind::Map(&SPEC), "The permissions; {} for none."),
    ],
};

pub(super) const METADATA: Map = Map {
    keys: &[required(
        "name",
        Kind::Text(Form::Pattern(LABEL)),
        "The name of the policy, usually that of its plugin.",
    )],
};

pub(super) const SPEC: Map = Map {
    keys: &[
        key("description", Kind::Text(Form::Any), "One sentence about what the plugin does."),
        key("kubernetes", Kind::Map(&KUBERNETES), "The requests to API servers."),
        key("files", Kind::List(&FILES), "The folders of this machine, with everything below them."),
        key(
            "environment",
            Kind::Texts(Form::Pattern(VARIABLE)),
            "The environment variables: names, or beginnings of names such as \"MY_*\".",
        ),
        key(
            "network",
            Kind::List(&NETWORK),
            "The hosts outside of the cluster, which are reached by HTTPS and without your credentials.",
        ),
        key("flags", Kind::Map(&FLAGS), "kubectl's connection flags."),
        key("limits", Kind::Map(&LIMITS), "The limits of a run. What is not stated has its default."),
        key(
            "stableOnly",
            Kind::Flag,
            "Whether only plugins run that use nothing which wasmtime calls unstable: today, WASI 0.3.",
        ),
    ],
};

pub(super) const KUBERNETES: Map = Map {
    keys: &[
        key(
            "contexts",
            Kind::Selector(Form::Any),
            "The contexts of your kubeconfig: names, current for the selected one (the default), or \"*\".",
        ),
        key(
            "impersonate",
            Kind::Flag,
            "Whether the plugin may set Impersonate-* headers, and so act as other users.",
        ),
        key(
            "rules",
            Kind::Either(&URL_RULE, &RESOURCE_RULE),
            "The rules. A request passes if any of them covers it; there is none that denies.",
        ),
    ],
};

const REASON: Key = key(
    "reason",
    Kind::Text(Form::Any),
    "The purpose of the rule, which users are shown before they grant it.",
);
const OPTIONAL: Key = key(
    "optional",
    Kind::Flag,
    "Whether the plugin works without the rule, so that it may be declined alone.",
);

pub(super) const RESOURCE_RULE: Map = Map {
    keys: &[
        required(
            "apiGroups",
            Kind::SomeTexts(Form::Pattern(GROUP)),
            "The API groups, as in an RBAC role: \"\" is the core group, \"*\" all.",
        ),
        required(
            "resources",
            Kind::SomeTexts(Form::Pattern(RESOURCE)),
            "The resources, as in an RBAC role: pods, pods/log, \"*/scale\", or \"*\" for all with their subresources.",
        ),
        required("verbs", Kind::SomeTexts(Form::Word(VERBS)), "The verbs of requests, \"*\" for all."),
        key(
            "namespaces",
            Kind::Selector(Form::Pattern(NAMESPACE)),
            "The namespaces: names, current for the selected one, or \"*\" (the default), which cluster-scoped resources need.",
        ),
        key("resourceNames", Kind::Texts(Form::NotEmpty), "The names of objects; none means all."),
        key(
            "except",
            Kind::Texts(Form::Pattern(EXCEPTED)),
            "Resources that the rule does not cover, in any API group: secrets, \"*/exec\".",
        ),
        REASON,
        OPTIONAL,
    ],
};

pub(super) const URL_RULE: Map = Map {
    keys: &[
        required(
            "nonResourceURLs",
            Kind::SomeTexts(Form::Pattern(URL)),
            "Paths that are not those of resources, such as /version, or prefixes of them, such as \"/openapi/*\".",
        ),
        required(
            "verbs",
            Kind::SomeTexts(Form::Word(METHODS)),
            "The methods of requests in lower case, \"*\" for all.",
        ),
        REASON,
        OPTIONAL,
    ],
};

pub(super) const FILES: Map = Map {
    keys: &[
        required(
            "path",
            Kind::Text(Form::NotEmpty),
            "The folder, from the working directory (.), from ~, a variable such as $XDG_CONFIG_HOME, or /.",
        ),
        key("access", Kind::Text(Form::Word(ACCESS)), "Whether it may also be changed [default: read-only]."),
    ],
};

pub(super) const NETWORK: Map = Map {
    keys: &[
        required("host", Kind::Text(Form::Pattern(HOST)), "The host's name or address alone, in lower case."),
        key("port", Kind::Number(PORT), "The port [default: 443]."),
        key("private", Kind::Flag, "Whether it may be at an address of your own network."),
    ],
};

pub(super) const FLAGS: Map = Map {
    keys: &[key(
        "own",
        Kind::Texts(Form::ConnectionFlag),
        "Those that the plugin defines itself, with their dashes.",
    )],
};

pub(super) const LIMITS: Map = Map {
    keys: &[
        key(
            "memory",
            Kind::Bytes(MEMORY),
            "The size of all linear memories together, from 1Mi to 4Gi [default: 512Mi].",
        ),
        key("timeout", Kind::Timeout, "The wall-clock time of a run, e.g. 1h30m [default: none]."),
        key("requests", Kind::Number(AT_A_TIME), "The number of requests at a time [default: 64]."),
        key("sockets", Kind::Number(AT_A_TIME), "The number of sockets at a time [default: 64]."),
        key(
            "headers",
            Kind::Bytes(HEADERS),
            "The size of one message's headers, from 1Ki to 1Mi [default: 128Ki].",
        ),
        key("stack", Kind::Bytes(STACK), "The size of the call stack, from 64Ki to 64Mi [default: 2Mi]."),
        key(
            "reuse",
            Kind::Number(REUSE),
            "The number of requests that an instance of a server answers, one after another [default: 1].",
        ),
    ],
};
