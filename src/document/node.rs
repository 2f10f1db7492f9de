//! A YAML document as a tree with line numbers, and a reader that knows its keys, so that an error can name
//! both.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error as YamlError, Options, Spanned};

use super::fault::Format;

/// A node and the line at which it begins.
pub(crate) struct Node {
    pub(crate) line: u64,
    pub(crate) shape: Shape,
}

/// The kinds of nodes.
pub(crate) enum Shape {
    Nothing,
    Flag(bool),
    /// A number, as YAML writes it: `1.10` is `1.1` here, and `0x10` is `16`.
    Number(String),
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(String, u64, Node)>),
}

impl Shape {
    /// Returns the kind of the node, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Flag(_) => "true or false",
            Self::Number(_) | Self::Scalar(_) => "a single value",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// The reason why a text is not a readable document, and a hint. Contains nothing of the text: a file of
/// another purpose may hold secrets.
pub(crate) struct Broken {
    pub(crate) line: u64,
    pub(crate) what: String,
    pub(crate) hint: String,
}

impl Node {
    /// Reads the only document of a text.
    pub(crate) fn read(text: &str, format: Format) -> Result<Self, Broken> {
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
            let line = error.location().map_or(1, |location| location.line().max(1));
            let (what, hint) = explained(error.without_snippet(), text, line, format);
            Broken { line, what, hint }
        })
    }
}

/// Leaves duplicate keys, and those by which YAML merges maps, to the reader, which reports their names.
fn options() -> Options {
    serde_saphyr::options! {
        // Otherwise a few aliases could make their values be read a million times.
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 10_000 },
        // Each level takes its part of the stack, and no document of kwasm's has more than six.
        budget: serde_saphyr::budget! { max_depth: 16 },
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        reject_unsupported_tags: true,
    }
}

fn explained(error: &YamlError, text: &str, line: u64, format: Format) -> (String, String) {
    let at = usize::try_from(line - 1).ok().and_then(|before| text.lines().nth(before)).unwrap_or_default();
    let name = format.name;
    let yaml = |hint: &str| ("it is not valid YAML".to_owned(), hint.to_owned());
    match error {
        YamlError::AliasError { error, .. } => explained(error, text, line, format),
        YamlError::MultipleDocuments { .. } => (
            "a second document begins there".to_owned(),
            format!("{name} is one document: remove what begins with `---`"),
        ),
        YamlError::Budget { .. }
        | YamlError::AliasReplayLimitExceeded { .. }
        | YamlError::AliasExpansionLimitExceeded { .. }
        | YamlError::AliasReplayStackDepthExceeded { .. } => (
            format!("it is deeper or larger than {name} can be"),
            "write it without anchors and aliases".to_owned(),
        ),
        _ if at.trim_start_matches(' ').starts_with('\t') => yaml("indent with spaces, not with tabs"),
        _ if at.contains('*') => yaml("put what has an asterisk in quotes: \"*\""),
        _ if at.contains('!') => yaml("put what has an exclamation mark in quotes"),
        _ => yaml("check indentation, quotes and colons there and before"),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Shape>::deserialize(deserializer)?;
        Ok(Self { line: spanned.referenced.line().max(1), shape: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E: Error>(self) -> Result<Shape, E> {
        Ok(Shape::Nothing)
    }

    fn visit_none<E: Error>(self) -> Result<Shape, E> {
        Ok(Shape::Nothing)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Shape, E> {
        Ok(Shape::Flag(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Shape, E> {
        Ok(Shape::Number(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Shape, E> {
        Ok(Shape::Number(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Shape, E> {
        Ok(Shape::Number(number.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape::Scalar(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element()? {
            nodes.push(node);
        }
        Ok(Shape::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shape, A::Error> {
        let mut nodes = Vec::new();
        while let Some((key, node)) = entries.next_entry::<Spanned<String>, Node>()? {
            nodes.push((key.value, key.referenced.line(), node));
        }
        Ok(Shape::Map(nodes))
    }
}
