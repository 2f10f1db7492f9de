//! Which nodes are left out by their taints.

use crate::nodes::Node;

/// What `--node-taints` says: nodes with one of some taints, and none of others.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Taints {
    with: Vec<Wanted>,
    without: Vec<Wanted>,
}

#[derive(Debug, Eq, PartialEq)]
struct Wanted {
    key: String,
    /// Any, if empty.
    effect: String,
}

impl Taints {
    /// Reads `key=value:effect,…`; as in kubectl taint, the value does not matter and `-` at the end means without. `!` at the
    /// beginning does too.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut taints = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (bare, without) = match (part.strip_prefix('!'), part.strip_suffix('-')) {
                (Some(bare), _) | (None, Some(bare)) => (bare, true),
                (None, None) => (part, false),
            };
            let (key, effect) = bare.split_once(':').unwrap_or((bare, ""));
            let key = key.split_once('=').map_or(key, |(key, _)| key);
            if key.is_empty() || !matches!(effect, "" | "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
                return Err(format!("--node-taints {part}: no taint such as key:NoSchedule"));
            }
            let wanted = Wanted { key: key.to_owned(), effect: effect.to_owned() };
            if without { &mut taints.without } else { &mut taints.with }.push(wanted);
        }
        Ok(taints)
    }

    /// Returns whether a node is meant.
    pub(crate) fn includes(&self, node: &Node) -> bool {
        let has = |wanted: &Wanted| {
            node.spec.taints.iter().flatten().any(|taint| {
                taint.key == wanted.key && (wanted.effect.is_empty() || taint.effect == wanted.effect)
            })
        };
        (self.with.is_empty() || self.with.iter().any(has)) && !self.without.iter().any(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn includes(text: &str) -> bool {
        let node = r#"{"spec":{"taints":[{"key":"gpu","value":"a","effect":"NoSchedule"}]}}"#;
        Taints::parse(text).unwrap().includes(&serde_json::from_str(node).unwrap())
    }

    #[test]
    fn nodes_are_chosen_by_key_and_effect() {
        assert!(includes("gpu:NoSchedule") && includes("gpu=b:NoSchedule") && includes("gpu"));
        assert!(!includes("gpu:NoExecute") && !includes("disk:NoSchedule"));
        assert!(!includes("!gpu:NoSchedule") && !includes("gpu:NoSchedule-") && includes("!gpu:NoExecute"));
        assert!(includes("gpu,!disk") && includes("!disk") && includes(""));
        assert!(Taints::default().includes(&Node::default()));
        assert!(Taints::parse("gpu:Never").is_err() && Taints::parse("!").is_err());
    }
}
