//! The namespaces of a rule in one word. A judge that follows each of 200 rules into memory spends most of its
//! time there; the words of all rules are side by side.

use super::request_info::RequestInfo;
use super::rule::{NameSelector, Rule};
use super::target::Context;

/// A superset of the namespaces that a rule covers, or those of one request: a Bloom filter with one hash.
///
/// It decides nothing: where it lets a rule through, the rule itself is asked. Where it does not, the rule covers
/// none of the request's namespaces.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NamespaceFilter(u64);

/// The bits by which namespaces are known.
const HASHED: u64 = 62;
/// The user's own namespace, whatever its name.
const CURRENT: u64 = 1 << HASHED;
/// What is in no namespace. Only rules for all of them cover it.
const NO_NAMESPACE: u64 = 1 << (HASHED + 1);

impl NamespaceFilter {
    /// Returns the namespaces of a rule, or more.
    pub(super) fn of_rule(rule: &Rule) -> Self {
        let Rule::Resources(rule) = rule else { return Self(u64::MAX) };
        match &rule.namespaces {
            NameSelector::All => Self(u64::MAX),
            NameSelector::Some { current, names } => {
                let listed = names.iter().fold(0, |bits, name| bits | hashed(name));
                Self(listed | if *current { CURRENT } else { 0 })
            }
        }
    }

    /// Returns the namespace of a request in a context.
    pub(super) fn of_request(info: &RequestInfo, context: &Context) -> Self {
        if info.namespace.is_empty() {
            return Self(NO_NAMESPACE);
        }
        let is_current = info.namespace == context.namespace();
        Self(hashed(&info.namespace) | if is_current { CURRENT } else { 0 })
    }

    /// Returns whether a rule and a request may have a namespace in common.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Returns the bit of a name, by FNV-1a: names that differ in a digit at their end get different ones.
fn hashed(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    1 << ((hash >> 32) % HASHED)
}

#[cfg(test)]
mod tests {
    use super::super::rule::ResourceRule;
    use super::*;

    fn rule(namespaces: NameSelector) -> Rule {
        Rule::Resources(ResourceRule { namespaces, ..ResourceRule::default() })
    }

    fn request(namespace: &str) -> RequestInfo {
        RequestInfo { namespace: namespace.to_owned(), is_resource_request: true, ..RequestInfo::default() }
    }

    #[test]
    fn no_rule_is_passed_over_that_covers_a_namespace() {
        let context = Context::new("prod", "shop", "prod");
        let names = || ["", "shop", "current", "*", "kube-system"].map(str::to_owned).into_iter();
        let names: Vec<String> = names().chain((0..500).map(|number| format!("team-{number}"))).collect();
        let mut passed_over = 0;
        for current in [false, true] {
            for listed in names.windows(3) {
                let selector = NameSelector::Some { current, names: listed.to_vec() };
                let filter = NamespaceFilter::of_rule(&rule(selector.clone()));
                for name in &names {
                    let meets = filter.meets(NamespaceFilter::of_request(&request(name), &context));
                    assert!(meets || !selector.covers(name, context.namespace()), "{selector}: {name}");
                    passed_over += usize::from(!meets);
                }
            }
        }
        assert!(passed_over > 450_000, "{passed_over} of 506,000 rules need not be read");
    }

    #[test]
    fn rules_for_all_namespaces_and_for_urls_are_always_asked() {
        let context = Context::new("prod", "shop", "prod");
        for rule in [rule(NameSelector::All), Rule::Urls(super::super::rule::UrlRule::default())] {
            for namespace in ["", "shop", "other"] {
                let wanted = NamespaceFilter::of_request(&request(namespace), &context);
                assert!(NamespaceFilter::of_rule(&rule).meets(wanted), "{rule}: {namespace:?}");
            }
        }
    }
}
