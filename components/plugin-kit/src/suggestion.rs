//! What a misspelt word was meant to be.

/// Returns the candidate that is at most a third of its length away from `word`, by the fewest edits; of equals the first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let close = |candidate: &'a str| {
        let edits = distance(word, candidate);
        (edits * 3 <= candidate.chars().count().max(3)).then_some((edits, candidate))
    };
    candidates.into_iter().filter_map(close).min_by_key(|(edits, _)| *edits).map(|(_, candidate)| candidate)
}

/// The number of insertions, removals and replacements that make one word of another (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, left) in one.chars().enumerate() {
        let mut corner = row[0];
        row[0] = index + 1;
        for (column, right) in other.iter().enumerate() {
            let replaced = corner + usize::from(left != *right);
            corner = row[column + 1];
            row[column + 1] = replaced.min(corner + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_mistake_is_recognised() {
        let known = ["--namespace", "--output", "-n"];
        assert_eq!(nearest("--namspace", known), Some("--namespace"));
        assert_eq!(nearest("--ouput", known), Some("--output"));
        assert_eq!(nearest("--something-else", known), None);
        assert_eq!(nearest("--x", known), None);
    }

    #[test]
    fn edits_are_counted() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
