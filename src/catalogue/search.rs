//! Searches the indexes that are kept, by names and descriptions.

use super::error::Error;
use super::kept::{Kept, Line, Summary};
use crate::document::distance;
use crate::reference::IndexName;

/// A plugin that was found.
#[derive(Clone, Debug)]
pub struct Match<'a> {
    /// The index that has it.
    pub index: &'a IndexName,
    /// The plugin.
    pub summary: Summary<'a>,
}

/// The largest number of names that are proposed.
const PROPOSED: usize = 3;

/// Returns the plugins in whose names or descriptions all words occur, as parts of words too and in any case.
/// The best match comes first: a name, the beginning of one, a part of one, a description.
///
/// # Errors
/// [`Error::Form`].
pub fn search<'a>(indexes: &'a [Kept], words: &[String]) -> Result<Vec<Match<'a>>, Error> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut found: Vec<(usize, Match<'a>)> = Vec::new();
    for kept in indexes {
        let index = &kept.head().name;
        for line in kept.lines()? {
            if let Some(rank) = rank(&line, &words) {
                found.push((rank, Match { index, summary: kept.summary(&line)? }));
            }
        }
    }
    found.sort_by(|(one_rank, one), (other_rank, other)| {
        (one_rank, &one.summary.name, one.index).cmp(&(other_rank, &other.summary.name, other.index))
    });
    Ok(found.into_iter().map(|(_, found)| found).collect())
}

/// Returns a number that is lower the better a plugin matches, or `None` if a word does not occur.
fn rank(line: &Line<'_>, words: &[String]) -> Option<usize> {
    words.iter().try_fold(0, |sum, word| {
        let word = word.as_str();
        let rank = match line.name {
            name if name == word => 0,
            name if name.starts_with(word) => 1,
            name if name.contains(word) => 2,
            _ => line.description.contains(word).then_some(3)?,
        };
        Some(sum + rank)
    })
}

/// Returns the names that a misspelt one probably means, the nearest first.
#[must_use]
pub fn nearest(indexes: &[Kept], word: &str) -> Vec<String> {
    let word = word.to_lowercase();
    // A longer text is not a typing error of a name.
    if word.is_empty() || word.len() > 63 {
        return Vec::new();
    }
    let most = word.len().div_ceil(3).min(3);
    let mut near: Vec<(usize, String)> = Vec::new();
    for line in indexes.iter().filter_map(|kept| kept.lines().ok()).flatten() {
        if line.name.len().abs_diff(word.len()) > most {
            continue;
        }
        let distance = distance(&word, line.name);
        if distance <= most && !near.iter().any(|(_, name)| name == line.name) {
            near.push((distance, line.name.to_owned()));
        }
    }
    near.sort();
    near.into_iter().take(PROPOSED).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::kept::tests::kept;
    use super::super::listing::Listing;
    use super::super::listing::tests::tail;
    use super::*;

    fn listing(name: &str, description: &str) -> Listing {
        let (name, description) = (name.parse().unwrap(), description.to_owned());
        Listing { name, description, ..tail(&["1.0.0"]) }
    }

    fn indexes() -> Vec<Kept> {
        let acme = vec![
            listing("tail", "Follows the logs of many pods"),
            listing("view-secret", "Decodes a Secret"),
            listing("logs-of", "Prints what a pod wrote"),
        ];
        vec![kept("acme", 1, acme), kept("corp", 1, vec![listing("tail-all", "Follows everything")])]
    }

    fn found(words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let indexes = indexes();
        let found = search(&indexes, &words).unwrap();
        found.iter().map(|found| format!("{}/{}", found.index, found.summary.name)).collect()
    }

    #[test]
    fn a_plugin_is_found_by_parts_of_its_name_and_its_description_the_best_match_first() {
        assert_eq!(found(&["tail"]), ["acme/tail", "corp/tail-all"]);
        assert_eq!(found(&["LOGS"]), ["acme/logs-of", "acme/tail"]);
        assert_eq!(found(&["secret"]), ["acme/view-secret"]);
        assert_eq!(found(&["follows", "pods"]), ["acme/tail"]);
        assert_eq!(found(&["follows", "secret"]), Vec::<String>::new());
        assert_eq!(found(&[]).len(), 4);
    }

    #[test]
    fn a_misspelt_name_is_proposed_and_nothing_far_from_it() {
        let indexes = indexes();
        assert_eq!(nearest(&indexes, "tial"), ["tail"]);
        assert_eq!(nearest(&indexes, "view-secrte"), ["view-secret"]);
        assert_eq!(nearest(&indexes, "xxxxxx"), Vec::<String>::new());
        assert_eq!(nearest(&indexes, ""), Vec::<String>::new());
        assert_eq!(nearest(&indexes, &"x".repeat(10_000)), Vec::<String>::new());
    }
}
