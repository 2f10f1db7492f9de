//! The matrix, and how it is printed.

use plugin_kit::{Cell, Colour, Style, Table};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::io::{self, Write};

/// The verbs, with their headings.
const VERBS: &[(&str, &str)] = &[
    ("create", "CREATE"),
    ("get", "GET"),
    ("list", "LIST"),
    ("watch", "WATCH"),
    ("update", "UPDATE"),
    ("patch", "PATCH"),
    ("delete", "DELETE"),
    ("deletecollection", "DELETECOLLECTION"),
    ("approve", "APPROVE"),
    ("attest", "ATTEST"),
    ("bind", "BIND"),
    ("escalate", "ESCALATE"),
    ("impersonate", "IMPERSONATE"),
    ("sign", "SIGN"),
    ("use", "USE"),
];

/// How many of them `all` means: those that resources have.
const OF_RESOURCES: usize = 8;

/// A verb, by its place among all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Verb(usize);

impl Verb {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        VERBS[self.0].0
    }

    /// Reads a list such as `get,list`; `all` and `*` are all that resources have. The error is `what: why`.
    pub(crate) fn list(text: &str) -> Result<Vec<Self>, String> {
        let mut verbs = Vec::new();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let found = match name {
                "all" | "*" => return Ok((0..OF_RESOURCES).map(Self).collect()),
                name => VERBS.iter().position(|(known, _)| *known == name).map(Self),
            };
            let verb = found.ok_or_else(|| {
                let known: Vec<&str> = VERBS.iter().map(|(name, _)| *name).collect();
                format!("--verbs {name}: none of {}", known.join(", "))
            })?;
            if !verbs.contains(&verb) {
                verbs.push(verb);
            }
        }
        if verbs.is_empty() { Err("--verbs: none is named".to_owned()) } else { Ok(verbs) }
    }
}

/// Whether something is allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    /// It was not found out.
    Failed,
    No,
    /// The resource has no such verb.
    NotApplicable,
    Yes,
}

impl Access {
    fn word(self) -> &'static str {
        match self {
            Self::Failed => "ERR",
            Self::No => "no",
            Self::NotApplicable => "n/a",
            Self::Yes => "yes",
        }
    }

    fn cell(self, icons: bool) -> Cell {
        let (icon, colour) = match self {
            Self::Failed => ("ERR", Colour::Soon),
            Self::No => ("✖", Colour::Bad),
            Self::NotApplicable => return Cell::new(if icons { "" } else { "n/a" }),
            Self::Yes => ("✔", Colour::Good),
        };
        Cell::new(if icons { icon } else { self.word() }).in_colour(colour)
    }
}

/// What some things or people are allowed, by verbs.
#[derive(Debug)]
pub(crate) struct Matrix<N> {
    pub(crate) verbs: Vec<Verb>,
    /// Names with as many answers as there are verbs.
    pub(crate) rows: Vec<(N, Vec<Access>)>,
}

/// What stands before the answers.
pub(crate) trait Named {
    /// The headings of what [`Named::cells`] returns.
    const HEADINGS: &'static [&'static str];

    /// Returns the texts.
    fn cells(&self) -> Vec<&str>;
}

impl<N: Named> Matrix<N> {
    /// Prints a table, with icons or with words.
    pub(crate) fn print(&self, icons: bool, style: Style, out: &mut impl Write) -> io::Result<()> {
        let verbs = self.verbs.iter().map(|verb| VERBS[verb.0].1);
        let mut table = Table::new(N::HEADINGS.iter().copied().chain(verbs).collect::<Vec<_>>());
        for (name, answers) in &self.rows {
            let names = name.cells().into_iter().map(Cell::new);
            table.row(names.chain(answers.iter().map(|answer| answer.cell(icons))));
        }
        table.print(style, true, out)
    }
}

/// A row as it is printed in JSON and YAML.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a, N> {
    #[serde(flatten)]
    name: &'a N,
    access: Answers<'a>,
}

/// The answers by verbs, in the order of the verbs.
#[derive(Debug)]
struct Answers<'a>(&'a [Verb], &'a [Access]);

impl Serialize for Answers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (verb, answer) in self.0.iter().zip(self.1) {
            map.serialize_entry(verb.name(), answer.word())?;
        }
        map.end()
    }
}

impl<N: Serialize> Matrix<N> {
    /// Returns the rows as they are printed in JSON and YAML.
    pub(crate) fn document(&self) -> Vec<Row<'_, N>> {
        let mut rows = Vec::with_capacity(self.rows.len());
        for (name, answers) in &self.rows {
            rows.push(Row { name, access: Answers(&self.verbs, answers) });
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Name(&'static str);

    impl Named for Name {
        const HEADINGS: &'static [&'static str] = &["NAME"];

        fn cells(&self) -> Vec<&str> {
            vec![self.0]
        }
    }

    fn printed(icons: bool, style: Style) -> String {
        use Access::{Failed, No, NotApplicable, Yes};
        let rows = vec![(Name("pods"), vec![Yes, No]), (Name("bindings"), vec![NotApplicable, Failed])];
        let mut out = Vec::new();
        Matrix { verbs: Verb::list("list,create").unwrap(), rows }.print(icons, style, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn answers_are_icons_or_words() {
        assert_eq!(
            printed(true, Style::PLAIN),
            "NAME       LIST   CREATE\npods       ✔      ✖\nbindings          ERR\n"
        );
        assert_eq!(
            printed(false, Style::PLAIN),
            "NAME       LIST   CREATE\npods       yes    no\nbindings   n/a    ERR\n"
        );
        let coloured = printed(true, Style { colours: true, ..Style::PLAIN });
        assert!(coloured.contains("\u{1b}[32m✔") && coloured.contains("\u{1b}[31m✖"), "{coloured}");
    }

    #[test]
    fn verbs_are_known_ones() {
        let names =
            |text: &str| Verb::list(text).map(|all| all.into_iter().map(Verb::name).collect::<Vec<_>>());
        assert_eq!(names("get, list,get"), Ok(vec!["get", "list"]));
        assert_eq!(names("get,*").unwrap().len(), OF_RESOURCES);
        assert_eq!(names("use").unwrap(), ["use"]);
        assert!(names("").is_err());
        assert!(names("read").unwrap_err().starts_with("--verbs read: none of create, get"));
    }

    #[test]
    fn a_document_has_words() {
        #[derive(Serialize)]
        struct Named {
            name: &'static str,
        }
        let rows = vec![(Named { name: "pods" }, vec![Access::Yes, Access::NotApplicable])];
        let matrix = Matrix { verbs: Verb::list("list,create").unwrap(), rows };
        let json = serde_json::to_string(&matrix.document()).unwrap();
        assert_eq!(json, r#"[{"name":"pods","access":{"list":"yes","create":"n/a"}}]"#);
    }
}
