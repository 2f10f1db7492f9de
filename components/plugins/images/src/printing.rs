//! The table, and the document.

use crate::columns::{Column, Columns};
use crate::image::Image;
use plugin_kit::{Arguments, Failure, NO_HEADERS, Output, Style, Table};
use serde::Serialize;
use std::collections::HashSet;
use std::io::{self, Write};

/// An image in the document: what is asked for of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pod: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    container: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    image: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    image_pull_policy: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    image_size: &'a str,
}

/// Prints the images.
pub(crate) fn print(arguments: &Arguments, columns: &Columns, images: &[Image]) -> Result<(), Failure> {
    let output = Output::of(arguments);
    if output != Output::Table {
        let records: Vec<Record> = images.iter().map(|image| record(columns, image)).collect();
        output.print(&records)?;
        return Ok(());
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    if images.is_empty() {
        eprintln!("No images found.");
        return Ok(());
    }
    let headings = !arguments.has(&NO_HEADERS);
    if headings {
        writeln!(out, "{}", summary(images))?;
    }
    let mut table = Table::new(columns.iter().map(Column::heading).collect::<Vec<_>>());
    for row in rows(columns, images) {
        table.row(row);
    }
    table.print(Style::stdout(), headings, &mut out)?;
    Ok(out.flush()?)
}

/// Returns the rows that differ.
fn rows<'a>(columns: &Columns, images: &'a [Image]) -> Vec<Vec<&'a str>> {
    let mut seen = HashSet::new();
    let row = |image: &'a Image| columns.iter().map(|column| column.of(image)).collect::<Vec<_>>();
    images.iter().map(row).filter(|row| seen.insert(row.clone())).collect()
}

fn record<'a>(columns: &Columns, image: &'a Image) -> Record<'a> {
    let of = |column: Column| if columns.has(column) { column.of(image) } else { "" };
    Record {
        namespace: of(Column::Namespace),
        pod: of(Column::Pod),
        container: of(Column::Container),
        image: of(Column::Image),
        image_pull_policy: of(Column::PullPolicy),
        image_size: of(Column::Size),
    }
}

fn summary(images: &[Image]) -> String {
    fn different<'a, T: std::hash::Hash + Eq>(images: &'a [Image], of: impl Fn(&'a Image) -> T) -> usize {
        images.iter().map(of).collect::<HashSet<T>>().len()
    }
    let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    let namespaces = different(images, |image| &image.namespace);
    let pods = different(images, |image| (&image.namespace, &image.pod));
    let kinds = different(images, |image| &image.reference);
    format!(
        "{}, {}, {}, {}",
        count(namespaces, "namespace"),
        count(pods, "pod"),
        count(images.len(), "container"),
        count(kinds, "different image")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(pod: &str, reference: &str) -> Image {
        let [namespace, pod, reference] = ["shop", pod, reference].map(str::to_owned);
        Image { namespace, pod, reference, container: "main".to_owned(), ..Image::default() }
    }

    #[test]
    fn rows_that_look_the_same_are_shown_once() {
        let images = [image("a", "i:1"), image("b", "i:1"), image("b", "i:2")];
        let rows = |numbers: &str| rows(&Columns::read(Some(numbers), false).unwrap(), &images);
        assert_eq!(rows("3"), [["i:1"], ["i:2"]]);
        assert_eq!(rows("1,3").len(), 3);
        assert_eq!(summary(&images), "1 namespace, 2 pods, 3 containers, 2 different images");
    }

    #[test]
    fn the_document_has_what_is_asked_for() {
        let columns = Columns::read(Some("1,3,5"), false).unwrap();
        let text = plugin_kit::yaml(&[record(&columns, &image("a", "i:1"))]).unwrap();
        assert_eq!(text, "- pod: a\n  image: i:1\n");
    }
}
