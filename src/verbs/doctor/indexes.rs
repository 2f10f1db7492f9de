//! Checks of the indexes of plugins that are kept. No registry is contacted.

use super::check::{Check, Patient, Problem, count};
use crate::catalogue::Catalogue;

/// Checks that each index can be searched.
pub(super) fn kept(patient: &Patient<'_>) -> Check {
    let mut catalogue = match Catalogue::open(patient.store) {
        Ok(catalogue) => catalogue,
        Err(error) => {
            let problems = vec![Problem::of("the indexes", &error, "kwasm index list")];
            return Check { name: "indexes", found: String::new(), problems };
        }
    };
    let mut problems: Vec<Problem> =
        catalogue.take_broken().into_iter().map(|(name, error)| problem(name.as_str(), &error)).collect();
    let mut plugins = 0;
    for kept in catalogue.indexes() {
        match kept.summaries() {
            Ok(summaries) => plugins += summaries.len(),
            Err(error) => problems.push(problem(kept.head().name.as_str(), &error)),
        }
    }
    let found = match catalogue.indexes().len() {
        0 => "no index of plugins".to_owned(),
        1 => format!("1 index with {}", count(plugins, "plugin")),
        number => format!("{number} indexes with {}", count(plugins, "plugin")),
    };
    Check { name: "indexes", found, problems }
}

fn problem(name: &str, error: &crate::catalogue::Error) -> Problem {
    // What is damaged does not say where it came from.
    Problem::of(&format!("the index {name}"), error, format!("kwasm index remove {name}, and add it again"))
}
