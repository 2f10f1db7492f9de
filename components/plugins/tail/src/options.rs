//! What was asked for.

use crate::patterns::{self, Patterns};
use crate::pod::Phase;
use crate::template::Template;
use kube_guest::Cluster;
use plugin_kit::{ALL_NAMESPACES, Arguments, Failure, Flag, NAMESPACE, SELECTOR, Style, Value};
use regex::bytes::Regex;
use std::collections::BTreeSet;

pub(crate) static CONTAINER: Flag = Flag::text("container", Some('c'), "REGEX", "only these containers");
pub(crate) static EXCLUDE_CONTAINER: Flag =
    Flag::text("exclude-container", Some('E'), "REGEX", "not these containers; repeatable");
pub(crate) static EXCLUDE_POD: Flag = Flag::text("exclude-pod", None, "REGEX", "not these pods; repeatable");
pub(crate) static INCLUDE: Flag =
    Flag::text("include", Some('i'), "REGEX", "only lines that match; repeatable");
pub(crate) static EXCLUDE: Flag =
    Flag::text("exclude", Some('e'), "REGEX", "no lines that match; repeatable");
pub(crate) static HIGHLIGHT: Flag =
    Flag::text("highlight", Some('H'), "REGEX", "marks what matches; repeatable");
pub(crate) static SINCE: Flag = Flag::text("since", Some('s'), "DURATION", "nothing older [default: 48h]");
pub(crate) static TAIL: Flag = Flag::text("tail", None, "LINES", "the last lines of each log; -1 for all");
pub(crate) static NO_FOLLOW: Flag = Flag::switch("no-follow", None, "ends when all logs have been shown");
pub(crate) static INIT: Flag = Flag::switch("init-containers", None, "init containers too [default: true]");
pub(crate) static EPHEMERAL: Flag =
    Flag::switch("ephemeral-containers", None, "ephemeral containers too [default: true]");
pub(crate) static STATE: Flag = Flag {
    long: "container-state",
    short: None,
    value: Value::OneOf("STATE", &["all", "running", "waiting", "terminated"]),
    help: "only containers in this state at the start",
};
pub(crate) static FIELDS: Flag =
    Flag::text("field-selector", None, "SELECTOR", "only pods with these fields");
pub(crate) static NODE: Flag = Flag::text("node", None, "NAME", "only pods on this node");
pub(crate) static TIMESTAMPS: Flag = Flag::switch("timestamps", Some('t'), "the time before each line");
pub(crate) static ONLY_LINES: Flag =
    Flag::switch("only-log-lines", None, "no notes about pods that come and go");
pub(crate) static MAX: Flag =
    Flag::text("max-log-requests", None, "NUMBER", "logs at a time [default: 250, to show 16]");
pub(crate) static OUTPUT: Flag = Flag {
    long: "output",
    short: Some('o'),
    value: Value::OneOf("FORMAT", &["default", "raw", "json", "extjson", "ppextjson"]),
    help: "default, raw, json, extjson or ppextjson",
};
pub(crate) static TEMPLATE: Flag = Flag::text("template", None, "TEMPLATE", "prints lines by a template");
pub(crate) static COLOUR: Flag = Flag {
    long: "color",
    short: None,
    value: Value::OneOf("WHEN", &["auto", "always", "never"]),
    help: "auto, always or never",
};

/// The number of logs that are read at a time without `--max-log-requests`: to follow them, and else.
const AT_ONCE: [usize; 2] = [250, 16];

/// Two days, in seconds, as in stern.
const SINCE_DEFAULT: i64 = 48 * 3600;

/// The pods that are meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Query {
    /// Those whose names match.
    Names,
    /// Those of an object.
    Of { kind: String, name: String },
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) query: Query,
    /// The namespaces; none means all.
    pub(crate) namespaces: Vec<String>,
    pub(crate) selector: Option<String>,
    pub(crate) fields: Vec<String>,
    pub(crate) pods: Pods,
    pub(crate) lines: Lines,
    pub(crate) follow: bool,
    pub(crate) since: i64,
    pub(crate) tail: Option<u64>,
    pub(crate) max: usize,
    pub(crate) notes: bool,
    pub(crate) template: Template,
    pub(crate) style: Style,
}

/// The pods and containers that are wanted.
#[derive(Debug, Default)]
pub(crate) struct Pods {
    names: Patterns,
    excluded: Patterns,
    containers: Patterns,
    excluded_containers: Patterns,
    pub(crate) init: bool,
    pub(crate) ephemeral: bool,
    state: Option<Phase>,
}

/// The lines that are wanted, and how they are shown.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) include: Patterns,
    pub(crate) exclude: Patterns,
    pub(crate) marks: Option<Regex>,
    pub(crate) timestamps: bool,
}

impl Pods {
    pub(crate) fn has_pod(&self, name: &str) -> bool {
        wanted(&self.names, &self.excluded, name)
    }

    pub(crate) fn has_container(&self, name: &str) -> bool {
        wanted(&self.containers, &self.excluded_containers, name)
    }

    /// Returns whether a container that was there before is wanted in its state.
    pub(crate) fn has_state(&self, phase: Phase) -> bool {
        self.state.is_none_or(|state| state == phase)
    }
}

fn wanted(included: &Patterns, excluded: &Patterns, name: &str) -> bool {
    (included.is_empty() || included.match_any(name.as_bytes())) && !excluded.match_any(name.as_bytes())
}

impl Options {
    pub(crate) fn read(arguments: &Arguments, cluster: &Cluster) -> Result<Self, Failure> {
        let namespaces = namespaces(arguments, cluster);
        let word = match arguments.words() {
            [] => "",
            [word] => word,
            [_, more, ..] => return Err(Failure::usage(format!("{more}: unexpected"))),
        };
        let query = match word.split_once('/') {
            Some((kind, name)) => Query::Of { kind: kind.to_owned(), name: name.to_owned() },
            None => Query::Names,
        };
        let names = if query == Query::Names && !word.is_empty() { Some(word) } else { None };
        let follow = !arguments.has(&NO_FOLLOW);
        let max = arguments.parsed(&MAX, "a number of 1 and above")?;
        let max = max.unwrap_or(AT_ONCE[usize::from(!follow)]);
        if max == 0 {
            return Err(Failure::usage("--max-log-requests 0: not a number of 1 and above"));
        }
        let node = arguments.value(&NODE).map(|node| format!("spec.nodeName={node}"));
        Ok(Self {
            query,
            selector: arguments.value(&SELECTOR).map(str::to_owned).filter(|selector| !selector.is_empty()),
            fields: arguments.value(&FIELDS).map(str::to_owned).into_iter().chain(node).collect(),
            pods: pods(arguments, names)?,
            lines: lines(arguments)?,
            follow,
            since: arguments.duration(&SINCE)?.unwrap_or(SINCE_DEFAULT).max(1),
            tail: tail(arguments)?,
            max,
            notes: !arguments.has(&ONLY_LINES),
            template: match arguments.value(&TEMPLATE) {
                Some(text) if !text.is_empty() => Template::read(text)?,
                _ => {
                    Template::of_format(arguments.value(&OUTPUT).unwrap_or("default"), namespaces.len() != 1)?
                }
            },
            namespaces,
            style: style(arguments),
        })
    }

    /// Returns whether pods of several namespaces come together.
    pub(crate) fn namespaced(&self) -> bool {
        self.namespaces.len() != 1
    }

    /// Returns words for the namespaces.
    pub(crate) fn scope(&self) -> String {
        match &self.namespaces[..] {
            [] => "the cluster".to_owned(),
            names => format!("namespace {}", kube_guest::for_terminal_line(&names.join(", "))),
        }
    }
}

fn namespaces(arguments: &Arguments, cluster: &Cluster) -> Vec<String> {
    if arguments.has(&ALL_NAMESPACES) {
        return Vec::new();
    }
    let named = arguments.values(&NAMESPACE).flat_map(|names| names.split(','));
    let named: BTreeSet<&str> = named.filter(|name| !name.is_empty()).collect();
    if named.is_empty() {
        return vec![cluster.namespace().to_owned()];
    }
    named.into_iter().map(str::to_owned).collect()
}

fn pods(arguments: &Arguments, names: Option<&str>) -> Result<Pods, Failure> {
    let patterns = |flag: &Flag| Patterns::read(&format!("--{}", flag.long), arguments.values(flag));
    Ok(Pods {
        names: Patterns::read("QUERY", names.into_iter())?,
        excluded: patterns(&EXCLUDE_POD)?,
        containers: patterns(&CONTAINER)?,
        excluded_containers: patterns(&EXCLUDE_CONTAINER)?,
        init: arguments.value(&INIT) != Some("false"),
        ephemeral: arguments.value(&EPHEMERAL) != Some("false"),
        state: match arguments.value(&STATE) {
            Some("running") => Some(Phase::Running),
            Some("waiting") => Some(Phase::Waiting),
            Some("terminated") => Some(Phase::Terminated),
            _ => None,
        },
    })
}

fn lines(arguments: &Arguments) -> Result<Lines, Failure> {
    let patterns = |flag: &Flag| Patterns::read(&format!("--{}", flag.long), arguments.values(flag));
    patterns(&HIGHLIGHT)?;
    Ok(Lines {
        include: patterns(&INCLUDE)?,
        exclude: patterns(&EXCLUDE)?,
        marks: patterns::alternation(arguments.values(&INCLUDE).chain(arguments.values(&HIGHLIGHT))),
        timestamps: arguments.has(&TIMESTAMPS),
    })
}

fn tail(arguments: &Arguments) -> Result<Option<u64>, Failure> {
    if arguments.value(&TAIL) == Some("-1") {
        return Ok(None);
    }
    arguments.parsed(&TAIL, "a number of lines")
}

fn style(arguments: &Arguments) -> Style {
    let style = Style::stdout();
    match arguments.value(&COLOUR) {
        Some("always") => Style { colours: true, terminal: true, ..style },
        Some("never") => Style { colours: false, ..style },
        _ => style,
    }
}
