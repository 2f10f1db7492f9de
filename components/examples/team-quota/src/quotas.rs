//! What teams may request. It is read strictly: a bound that is misspelt must not be none.

use std::collections::BTreeMap;

use plugin_kit::Quantity;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The quotas of all teams.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quotas {
    /// The label of a namespace that names its team.
    pub(crate) label: String,
    teams: BTreeMap<String, Quota>,
    /// That of each team that is not named; without it, they have none.
    others: Option<Quota>,
}

/// What the pods of a team may request together. What is not said has no bound.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quota {
    #[serde(default, deserialize_with = "quantity")]
    pub(crate) cpu: Option<Quantity>,
    #[serde(default, deserialize_with = "quantity")]
    pub(crate) memory: Option<Quantity>,
    #[serde(default, deserialize_with = "quantity")]
    pub(crate) pods: Option<Quantity>,
}

/// A quantity, as it may be written in YAML.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u32),
    Text(String),
}

fn quantity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Quantity>, D::Error> {
    let text = match Written::deserialize(deserializer)? {
        Written::Number(number) => number.to_string(),
        Written::Text(text) => text,
    };
    let quantity = Quantity::parse(&text).filter(|quantity| *quantity >= Quantity::default());
    quantity
        .map(Some)
        .ok_or_else(|| D::Error::custom(format!("`{text}` is not an amount, such as 10 or 64Gi")))
}

impl Quotas {
    /// Reads quotas from YAML.
    ///
    /// # Errors
    /// What is wrong with them, on one line.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
        serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
    }

    /// Returns the quota of a team.
    pub(crate) fn of(&self, team: &str) -> Option<Quota> {
        self.teams.get(team).copied().or(self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_has_its_own_quota_or_that_of_the_others() {
        let text = "label: team\nteams:\n  shop: {cpu: 10, memory: 64Gi}\nothers: {pods: \"5\"}";
        let quotas = Quotas::read(text).unwrap();
        let shop = quotas.of("shop").unwrap();
        assert_eq!((shop.cpu, shop.pods), (Quantity::parse("10"), None));
        assert_eq!(quotas.of("blog").unwrap().pods, Quantity::parse("5"));
        assert_eq!(Quotas::read("label: team\nteams: {}").unwrap().of("blog"), None);
    }

    #[test]
    fn a_bound_that_is_misspelt_is_refused() {
        for (text, why) in [
            ("label: team\nteams: {a: {cpu: 1O}}", "`1O` is not an amount"),
            ("label: team\nteams: {a: {cpu: \"-1\"}}", "`-1` is not an amount"),
            ("label: team\nteams: {a: {cpus: 1}}", "cpus"),
            ("label: team\nteam: {}", "team"),
            ("teams: {}", "label"),
        ] {
            let refused = Quotas::read(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }
}
