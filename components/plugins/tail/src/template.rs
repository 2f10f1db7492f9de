//! What a line is printed as.

use crate::json;
use kube_guest::for_terminal_line;
use plugin_kit::{Colour, Failure, Style};
use std::collections::BTreeMap;

/// A template as in stern, of which only the message differs from line to line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Text(String),
    Field {
        name: Field,
        coloured: bool,
    },
    Message(Form),
    /// The name of a field's value in JSON.
    JsonField(Field),
    /// The whole record in JSON.
    Record,
}

/// What a container's lines have in common.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Field {
    Pod,
    Container,
    Namespace,
    Node,
}

/// How the message is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// As it is.
    Plain,
    /// As a string of JSON.
    Json,
    /// As it is, if it is JSON, else as a string of JSON.
    ExtJson,
}

/// A template of one container: text, and between two texts the message in some form.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Line {
    pub(crate) first: Vec<u8>,
    pub(crate) rest: Vec<(Form, Vec<u8>)>,
}

/// The container whose lines are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) pod: &'a str,
    pub(crate) container: &'a str,
    pub(crate) node: &'a str,
    pub(crate) labels: Option<&'a BTreeMap<String, String>>,
    pub(crate) annotations: Option<&'a BTreeMap<String, String>>,
}

impl Template {
    /// Returns the template of a format's name; `namespaced` is whether lines of several namespaces come together.
    pub(crate) fn of_format(format: &str, namespaced: bool) -> Result<Self, Failure> {
        let optional = |text: &'static str| if namespaced { text } else { "" };
        let text = match format {
            "raw" => "{{.Message}}\\n".to_owned(),
            "json" => "{{json .}}\\n".to_owned(),
            "extjson" | "ppextjson" => {
                let (open, between, close) =
                    if format == "extjson" { ("{", ", ", "}") } else { ("{\\n  ", ",\\n  ", "\\n}") };
                let namespace = optional(r#""namespace": "{{color .PodColor .Namespace}}""#);
                let after = optional(between);
                let pod = r#""pod": "{{color .PodColor .PodName}}""#;
                let container = r#""container": "{{color .ContainerColor .ContainerName}}""#;
                format!(
                    "{open}{namespace}{after}{pod}{between}{container}{between}\"message\": {{{{extjson .Message}}}}{close}\\n"
                )
            }
            _ => format!(
                "{}{{{{color .PodColor .PodName}}}} {{{{color .ContainerColor .ContainerName}}}} {{{{.Message}}}}\\n",
                optional("{{color .PodColor .Namespace}} ")
            ),
        };
        Self::read(&text)
    }

    /// Reads a template.
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let (action, after) = after.split_once("}}").ok_or_else(|| bad(text, "`{{` without `}}`"))?;
            push_text(&mut parts, &escapes(before));
            match read_action(action.trim()) {
                Some(Part::Text(literal)) => push_text(&mut parts, &literal),
                Some(part) => parts.push(part),
                None => {
                    let known =
                        ".Message, .PodName, .ContainerName, .Namespace, .NodeName, json, extjson and color";
                    return Err(bad(&format!("{{{{{action}}}}}"), &format!("none of {known}")));
                }
            }
            rest = after;
        }
        push_text(&mut parts, &escapes(rest));
        Ok(Self(parts))
    }

    /// Returns the lines of one container.
    pub(crate) fn of(&self, source: Source, style: Style) -> Line {
        let mut line = Line::default();
        for part in &self.0 {
            match part {
                Part::Text(text) => line.push(text.as_bytes()),
                Part::Field { name, coloured } => {
                    let value = style.value(name.of(source));
                    let colour = Colour::Apart(if *coloured { hue(source.pod) } else { 0 });
                    let painted = if *coloured { style.paint(colour, &value) } else { value.clone() };
                    line.push(painted.as_bytes());
                }
                Part::JsonField(name) => line.push(&json::string(name.of(source).as_bytes())),
                Part::Message(form) => line.rest.push((*form, Vec::new())),
                Part::Record => {
                    line.push(br#"{"message":"#);
                    line.rest.push((Form::Json, Vec::new()));
                    for (key, value) in [
                        ("nodeName", source.node),
                        ("namespace", source.namespace),
                        ("podName", source.pod),
                        ("containerName", source.container),
                    ] {
                        line.push(format!(",\"{key}\":").as_bytes());
                        line.push(&json::string(value.as_bytes()));
                    }
                    for (key, map) in [("labels", source.labels), ("annotations", source.annotations)] {
                        line.push(format!(",\"{key}\":").as_bytes());
                        line.push(
                            serde_json::to_string(&map).unwrap_or_else(|_| "null".to_owned()).as_bytes(),
                        );
                    }
                    line.push(b"}");
                }
            }
        }
        line
    }
}

impl Line {
    fn push(&mut self, text: &[u8]) {
        self.rest.last_mut().map_or(&mut self.first, |(_, after)| after).extend_from_slice(text);
    }
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            ".PodName" => Self::Pod,
            ".ContainerName" => Self::Container,
            ".Namespace" => Self::Namespace,
            ".NodeName" => Self::Node,
            _ => return None,
        })
    }

    fn of(self, source: Source<'_>) -> &str {
        match self {
            Self::Pod => source.pod,
            Self::Container => source.container,
            Self::Namespace => source.namespace,
            Self::Node => source.node,
        }
    }
}

/// Reads what stands between braces.
fn read_action(action: &str) -> Option<Part> {
    if let Some(literal) = action.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return (!literal.contains('"')).then(|| Part::Text(escapes(literal)));
    }
    let words: Vec<&str> = action.split_whitespace().collect();
    Some(match words[..] {
        [".Message"] => Part::Message(Form::Plain),
        ["json", "."] => Part::Record,
        ["json", ".Message"] => Part::Message(Form::Json),
        ["extjson", ".Message"] => Part::Message(Form::ExtJson),
        ["json", field] => Part::JsonField(Field::named(field)?),
        ["color", ".PodColor" | ".ContainerColor", field] => {
            Part::Field { name: Field::named(field)?, coloured: true }
        }
        [field] => Part::Field { name: Field::named(field)?, coloured: false },
        _ => return None,
    })
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        Some(Part::Text(before)) => before.push_str(text),
        _ if text.is_empty() => {}
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

/// Reads `\n`, `\t` and `\\`.
fn escapes(text: &str) -> String {
    let (mut read, mut characters) = (String::with_capacity(text.len()), text.chars().peekable());
    while let Some(character) = characters.next() {
        let meant = match (character, characters.peek()) {
            ('\\', Some('n')) => Some('\n'),
            ('\\', Some('t')) => Some('\t'),
            ('\\', Some('\\')) => Some('\\'),
            _ => None,
        };
        if meant.is_some() {
            characters.next();
        }
        read.push(meant.unwrap_or(character));
    }
    read
}

/// Returns the number of a pod's colour, the same in each run (FNV-1a).
pub(crate) fn hue(pod: &str) -> u8 {
    let hash =
        pod.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    u8::try_from(hash % 6).unwrap_or(0)
}

fn bad(what: &str, why: &str) -> Failure {
    Failure::usage(format!("--template: {}: {why}", for_terminal_line(what)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::write_message;

    const SOURCE: Source = Source {
        namespace: "shop",
        pod: "web-0",
        container: "app",
        node: "node-1",
        labels: None,
        annotations: None,
    };

    fn printed(template: &Template, style: Style, message: &str) -> String {
        let mut out = Vec::new();
        write_message(&template.of(SOURCE, style), message.as_bytes(), message.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn format(name: &str, namespaced: bool, message: &str) -> String {
        printed(&Template::of_format(name, namespaced).unwrap(), Style::PLAIN, message)
    }

    fn template(text: &str) -> String {
        printed(&Template::read(text).unwrap(), Style::PLAIN, "hello")
    }

    #[test]
    fn the_formats_are_those_of_stern() {
        assert_eq!(format("default", false, "hello"), "web-0 app hello\n");
        assert_eq!(format("default", true, "hello"), "shop web-0 app hello\n");
        assert_eq!(format("raw", true, "hello"), "hello\n");
        let json = r#"{"message":"a \"b\"","nodeName":"node-1","namespace":"shop","podName":"web-0","containerName":"app","labels":null,"annotations":null}"#;
        assert_eq!(format("json", false, "a \"b\""), format!("{json}\n"));
        let text = r#"{"pod": "web-0", "container": "app", "message": "x"}"#;
        assert_eq!(format("extjson", false, "x"), format!("{text}\n"));
        let pretty = "{\n  \"namespace\": \"shop\",\n  \"pod\": \"web-0\",\n  \"container\": \"app\",\n  \"message\": {\"a\":1}\n}\n";
        assert_eq!(format("ppextjson", true, "{\"a\":1}"), pretty);
    }

    #[test]
    fn a_template_has_fields_and_escapes() {
        assert_eq!(
            template("{{.Namespace}}/{{ .PodName }}\\t{{.NodeName}}: {{.Message}}\\n"),
            "shop/web-0\tnode-1: hello\n"
        );
        assert_eq!(template("{{.Message}}{{\"\\n\"}}"), "hello\n");
        assert_eq!(
            template("{\"m\":{{json .Message}},\"c\":{{json .ContainerName}}}"),
            "{\"m\":\"hello\",\"c\":\"app\"}"
        );
        assert_eq!(template("no field"), "no field");
        assert_eq!(template("{{.Message}} {{.Message}}"), "hello hello");
    }

    #[test]
    fn anything_else_is_a_mistake() {
        for text in ["{{.Messag}}", "{{.Message", "{{range .}}", "{{}}", "{{json .X}}", "{{color .Message}}"]
        {
            assert!(matches!(Template::read(text), Err(Failure::Usage(_))), "{text}");
        }
    }

    #[test]
    fn a_pod_has_always_the_same_colour() {
        let style = Style { colours: true, ..Style::PLAIN };
        let default = Template::of_format("default", false).unwrap();
        let colour = ["36", "35", "34", "33", "32", "31"][usize::from(hue("web-0"))];
        let expected = format!("\x1b[{colour}mweb-0\x1b[0m \x1b[{colour}mapp\x1b[0m hello\n");
        assert_eq!(printed(&default, style, "hello"), expected);
    }
}
