//! Lists of patterns, such as `pods,*sets,!secrets`.

/// Patterns, of which those with an exclamation mark exclude.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Patterns {
    included: Vec<String>,
    excluded: Vec<String>,
}

impl Patterns {
    /// Reads them, separated by commas.
    pub(crate) fn read(text: &str) -> Self {
        let mut found = Self::default();
        for pattern in text.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()) {
            match pattern.strip_prefix('!') {
                Some(excluded) => found.excluded.push(excluded.to_owned()),
                None => found.included.push(pattern.to_owned()),
            }
        }
        found
    }

    /// Returns whether something with these names is meant: none of them is excluded, and one is included, unless nothing is
    /// said to be.
    pub(crate) fn mean<'a>(&self, names: &(impl Iterator<Item = &'a str> + Clone)) -> bool {
        let any = |patterns: &[String]| {
            patterns
                .iter()
                .any(|pattern| names.clone().any(|name| matches(pattern.as_bytes(), name.as_bytes())))
        };
        !any(&self.excluded) && (self.included.is_empty() || any(&self.included))
    }
}

/// Returns whether a name matches a pattern, in which `*` stands for any text and `?` for one character.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where to go on if the text that the last `*` stands for has to be longer.
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, from));
                at += 1;
            }
            Some(&expected) if expected == b'?' || expected == name[from] => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((after, taken)) = star else { return false };
                star = Some((after, taken + 1));
                (at, from) = (after, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|&rest| rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_stars_and_question_marks() {
        for (pattern, name) in [
            ("pods", "pods"),
            ("*", ""),
            ("*", "x"),
            ("*sets", "replicasets"),
            ("a*b*c", "aXbXbXc"),
            ("p?d*", "pods"),
            ("*.example.com", "shop.example.com"),
        ] {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in
            [("pods", "pod"), ("pod", "pods"), ("*sets", "sets2"), ("?", ""), ("", "x"), ("a*c", "ab")]
        {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_excluded_wins_and_nothing_said_means_all() {
        let mean = |patterns: &str| Patterns::read(patterns).mean(&["pods", "pod", "po"].into_iter());
        assert!(mean("") && mean("pods") && mean("deployments,po") && mean("!secrets") && mean("*,!secrets"));
        assert!(!mean("deployments") && !mean("!po") && !mean("*,!pod") && !mean("deployments,!secrets"));
    }
}
