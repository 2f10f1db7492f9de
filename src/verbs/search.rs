//! `kwasm search [WORD…]`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::catalogue::{Catalogue, Match, nearest, search};
use crate::cli::Output;
use crate::reference::{IndexName, PluginName, Source};
use crate::store::Store;

use super::table::{Table, shown};
use super::{Ending, Error, Reporter, print};

/// A plugin in `-o json`. All keys are always present.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    name: &'a str,
    /// The newest version.
    version: &'a str,
    index: &'a IndexName,
    /// Whether it is installed from there.
    installed: bool,
    installed_version: Option<&'a str>,
    /// Whether another plugin is installed under its name.
    name_taken: bool,
    description: &'a str,
    /// What it asks for, in words; `null` if the index does not say.
    asks_for: Option<&'a [String]>,
    source: &'a str,
    homepage: Option<&'a str>,
    license: Option<&'a str>,
}

/// An installed plugin.
struct Installed {
    source: String,
    version: Option<String>,
}

pub(super) fn find(
    store: &Store,
    reporter: Reporter,
    words: &[String],
    output: Output,
) -> Result<Ending, Error> {
    let mut catalogue = Catalogue::open(store)?;
    let broken = catalogue.take_broken();
    let indexes = catalogue.indexes();
    let found = search(indexes, words)?;
    let installed = installed(store, &found)?;
    let rows: Vec<Row<'_>> = found.iter().map(|found| row(found, &installed)).collect();
    if rows.is_empty() && matches!(output, Output::Table | Output::Wide) {
        if indexes.is_empty() && broken.is_empty() {
            reporter.note("there is no index to search: kwasm index add NAME SOURCE");
        } else if !indexes.is_empty() {
            reporter.note(&format!("nothing found for {}", words.join(" ")));
        }
    } else {
        print(&shown(&rows, output, |wide| table(&rows, wide), |row| format!("{}/{}", row.index, row.name)))?;
    }
    if rows.is_empty() {
        propose(&catalogue, reporter, words);
    }
    let troubles = broken.into_iter().map(|(name, error)| (name.to_string(), Error::from(error))).collect();
    Error::of_several(troubles).map(|()| Ending::Done)
}

/// Proposes the names that were probably meant.
fn propose(catalogue: &Catalogue, reporter: Reporter, words: &[String]) {
    let near: Vec<String> =
        words.iter().flat_map(|word| nearest(catalogue.indexes(), word)).take(3).collect();
    if !near.is_empty() {
        reporter.hint(&format!("do you mean {}?", near.join(" or ")));
    }
}

/// Returns the installed plugins that have the names of those that were found.
fn installed(store: &Store, found: &[Match<'_>]) -> Result<BTreeMap<PluginName, Installed>, Error> {
    let mut installed = BTreeMap::new();
    for name in store.names()? {
        if !found.iter().any(|found| found.summary.name == name.as_str()) {
            continue;
        }
        // Of one whose receipt is broken, kwasm list reports more.
        if let Ok(receipt) = store.receipt(&name) {
            installed.insert(name, Installed { source: receipt.source, version: receipt.version });
        }
    }
    Ok(installed)
}

fn row<'a>(found: &'a Match<'_>, installed: &'a BTreeMap<PluginName, Installed>) -> Row<'a> {
    let summary = &found.summary;
    let there = summary.name.parse().ok().and_then(|name: PluginName| installed.get(&name));
    let own = there.filter(|there| is_from(&there.source, found));
    Row {
        name: &summary.name,
        version: &summary.version,
        index: found.index,
        installed: own.is_some(),
        installed_version: own.and_then(|own| own.version.as_deref()),
        name_taken: there.is_some() && own.is_none(),
        description: &summary.description,
        asks_for: summary.asks_for.as_deref(),
        source: &summary.source,
        homepage: summary.homepage.as_deref(),
        license: summary.license.as_deref(),
    }
}

/// Returns whether a receipt's source is a plugin of an index, or the place that the index names for it.
fn is_from(source: &str, found: &Match<'_>) -> bool {
    match source.parse() {
        Ok(Source::Listed(listed)) => listed.index.as_ref() == Some(found.index),
        Ok(Source::Image(image)) => image.full_name() == found.summary.source,
        _ => false,
    }
}

/// The largest number of things that the narrow table shows of what a plugin asks for.
const NARROW: usize = 2;

fn table(rows: &[Row<'_>], wide: bool) -> Table {
    let mut heads = vec!["NAME", "VERSION", "INDEX", "INSTALLED", "DESCRIPTION", "ASKS FOR"];
    if wide {
        heads.extend(["SOURCE", "LICENSE", "HOMEPAGE"]);
    }
    let mut table = Table::new(&heads);
    for row in rows {
        let installed = match (row.installed, row.installed_version) {
            (true, version) => version.unwrap_or("yes"),
            (false, _) if row.name_taken => "another",
            (false, _) => "",
        };
        let mut cells = vec![
            row.name.to_owned(),
            row.version.to_owned(),
            row.index.to_string(),
            installed.to_owned(),
            row.description.to_owned(),
            asks_for(row.asks_for, if wide { usize::MAX } else { NARROW }),
        ];
        if wide {
            let known = |text: Option<&str>| text.unwrap_or_default().to_owned();
            cells.extend([row.source.to_owned(), known(row.license), known(row.homepage)]);
        }
        table.row(cells);
    }
    table
}

/// Returns what a plugin asks for in one cell.
fn asks_for(sentences: Option<&[String]>, most: usize) -> String {
    let Some(sentences) = sentences else { return "not stated".to_owned() };
    if sentences.is_empty() {
        return "nothing".to_owned();
    }
    let shown: Vec<&str> = sentences.iter().take(most).map(String::as_str).collect();
    let more = sentences.len() - shown.len();
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", shown.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plugin_asks_for_is_cut_in_a_narrow_table_only() {
        let sentences = ["a", "b", "c", "d"].map(str::to_owned);
        assert_eq!(asks_for(Some(&sentences), NARROW), "a; b; and 2 more");
        assert_eq!(asks_for(Some(&sentences), usize::MAX), "a; b; c; d");
        assert_eq!(asks_for(Some(&[]), NARROW), "nothing");
        assert_eq!(asks_for(None, NARROW), "not stated");
    }
}
