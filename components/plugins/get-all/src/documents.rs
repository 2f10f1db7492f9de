//! One list of all objects, in JSON or YAML. It is printed page by page, since it may be large.

use crate::choice::Choice;
use kube_guest::{Cluster, Error, Page, Path, Pool, Resource};
use plugin_kit::{Failure, Missing, Output};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{self, Write};

/// The number of lists whose first pages are fetched before they are printed.
const AHEAD: usize = 6;

/// Prints the objects of all resources.
pub(crate) fn print(
    cluster: &Cluster,
    choice: &Choice,
    resources: &[&Resource],
    form: Output,
    missing: &mut Missing,
) -> Result<(), Failure> {
    let mut document = Document { out: io::BufWriter::new(io::stdout().lock()), form, items: 0 };
    let mut pages = Pages { pool: Pool::new(cluster), early: HashMap::new(), asked: 0 };
    for (index, resource) in resources.iter().enumerate() {
        while pages.asked < resources.len().min(index + AHEAD) {
            pages.ask(pages.asked, Page::<Value>::first(choice.path(resources[pages.asked])?));
            pages.asked += 1;
        }
        while let Some(body) = pages.of(index) {
            match body.and_then(|body| Page::read(&body)) {
                Ok(page) => {
                    let next = page.after(choice.path(resource)?);
                    let is_last = next.is_none();
                    if let Some(next) = next {
                        pages.ask(index, next);
                    }
                    for item in page.into_items() {
                        document.add(item, resource, choice)?;
                    }
                    if is_last {
                        break;
                    }
                }
                Err(error) => {
                    missing.add(resource.full_name(), &error);
                    break;
                }
            }
        }
    }
    document.end()
}

/// The pages that are under way, or came too early.
struct Pages<'a> {
    pool: Pool<'a, usize>,
    early: HashMap<usize, Result<Vec<u8>, Error>>,
    /// The number of lists that were asked for.
    asked: usize,
}

impl Pages<'_> {
    fn ask(&mut self, index: usize, page: Path) {
        self.pool.get(index, page);
        self.pool.start();
    }

    /// Waits for the next page of a list.
    fn of(&mut self, index: usize) -> Option<Result<Vec<u8>, Error>> {
        loop {
            if let Some(page) = self.early.remove(&index) {
                return Some(page);
            }
            let (index, page) = self.pool.next()?;
            self.early.insert(index, page);
        }
    }
}

/// The list that is being printed.
struct Document<W> {
    out: W,
    form: Output,
    items: usize,
}

impl<W: Write> Document<W> {
    /// Adds an object, unless it is too old.
    fn add(&mut self, mut item: Value, resource: &Resource, choice: &Choice) -> Result<(), Failure> {
        let created = item.pointer("/metadata/creationTimestamp").and_then(Value::as_str);
        if !choice.includes(created) {
            return Ok(());
        }
        if let Value::Object(object) = &mut item {
            // In a list of one kind the server leaves them out.
            object.insert("apiVersion".to_owned(), resource.api_version().into());
            object.insert("kind".to_owned(), resource.kind.clone().into());
        }
        let first = self.items == 0;
        self.items += 1;
        if self.form == Output::Json {
            let start = if first { "{\n  \"apiVersion\": \"v1\",\n  \"items\": [\n" } else { ",\n" };
            let text = plugin_kit::json(&item)?;
            write!(self.out, "{start}{}", indented(text.trim_end(), "    ", "    "))?;
        } else {
            let start = if first { "apiVersion: v1\nitems:\n" } else { "" };
            writeln!(
                self.out,
                "{start}{}",
                indented(plugin_kit::yaml(&item)?.trim_end_matches('\n'), "- ", "  ")
            )?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), Failure> {
        let text = match (self.form, self.items) {
            (Output::Json, 0) => {
                "{\n  \"apiVersion\": \"v1\",\n  \"items\": [],\n  \"kind\": \"List\",\n  \"metadata\": {}\n}\n"
            }
            (Output::Json, _) => "\n  ],\n  \"kind\": \"List\",\n  \"metadata\": {}\n}\n",
            (_, 0) => "apiVersion: v1\nitems: []\nkind: List\nmetadata: {}\n",
            _ => "kind: List\nmetadata: {}\n",
        };
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }
}

/// Returns lines with something before them; an empty line stays empty.
fn indented(text: &str, first: &str, others: &str) -> String {
    let mut found = String::with_capacity(text.len() + text.len() / 4);
    for (number, line) in text.split('\n').enumerate() {
        match (number, line) {
            (0, _) => found.push_str(first),
            (_, "") => found.push('\n'),
            _ => {
                found.push('\n');
                found.push_str(others);
            }
        }
        found.push_str(line);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn printed(form: Output, items: &[Value]) -> String {
        let resource = Resource { version: "v1".to_owned(), kind: "Pod".to_owned(), ..Resource::default() };
        let mut out = Vec::new();
        let mut document = Document { out: &mut out, form, items: 0 };
        for item in items {
            document.add(item.clone(), &resource, &Choice::default()).unwrap();
        }
        document.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_document_is_a_list_however_many_objects_there_are() {
        let items = [json!({"data": {"a": "one\n\ntwo\n"}}), json!({"metadata": {"name": "b"}})];
        let whole: Vec<Value> = items
            .iter()
            .map(|item| {
                let mut item = item.clone();
                item["apiVersion"] = "v1".into();
                item["kind"] = "Pod".into();
                item
            })
            .collect();
        for number in 0..=2 {
            let expected =
                json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": whole[..number]});
            let text = printed(Output::Json, &items[..number]);
            assert_eq!(text, plugin_kit::json(&expected).unwrap());
            assert_eq!(printed(Output::Yaml, &items[..number]), plugin_kit::yaml(&expected).unwrap());
        }
    }
}
