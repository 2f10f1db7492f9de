//! The requests that two rules have in common, and whether rules cover all requests of another.
//!
//! Nothing here decides about a request: each policy judges it alone. These are for what users are shown.

use super::rule::{NameSelector, ResourceRule, Rule, UrlRule};

/// The largest number of parts into which a rule is divided to find out whether several others cover it. No
/// policy written by hand needs more than some dozens, and a hostile one must not take long.
const PARTS: usize = 4096;

impl Rule {
    /// Returns a rule that covers what both cover, or `None` if they have nothing in common.
    ///
    /// Where one selects the current namespace and the other names one, they only have something in common
    /// while that is the current one, which no rule can express: it is left out.
    #[must_use]
    pub fn and(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Resources(one), Self::Resources(other)) => one.and(other).map(Self::Resources),
            (Self::Urls(one), Self::Urls(other)) => one.and(other).map(Self::Urls),
            _ => None,
        }
    }

    /// Returns whether other rules cover every request that it covers. Where that is not certain, they do not.
    #[must_use]
    pub fn is_within(&self, others: &[Self]) -> bool {
        let mut parts = PARTS;
        match self {
            Self::Resources(rule) => {
                let others: Vec<&ResourceRule> = others.iter().filter_map(resources).collect();
                within(rule.normal(), &others, &mut parts, ResourceRule::covers_all_of, ResourceRule::divided)
            }
            Self::Urls(rule) => {
                let others: Vec<&UrlRule> = others.iter().filter_map(urls).collect();
                within(rule.clone(), &others, &mut parts, UrlRule::covers_all_of, UrlRule::divided)
            }
        }
    }
}

fn resources(rule: &Rule) -> Option<&ResourceRule> {
    if let Rule::Resources(rule) = rule { Some(rule) } else { None }
}

fn urls(rule: &Rule) -> Option<&UrlRule> {
    if let Rule::Urls(rule) = rule { Some(rule) } else { None }
}

/// Returns whether each part of a rule is covered by one of the others. A rule that none of them covers as a whole is
/// divided, as long as parts are left.
fn within<T>(
    rule: T,
    others: &[&T],
    parts: &mut usize,
    covers: fn(&T, &T) -> bool,
    divided: fn(&T) -> Option<(T, T)>,
) -> bool {
    let mut open = vec![rule];
    while let Some(rule) = open.pop() {
        if others.iter().any(|other| covers(other, &rule)) {
            continue;
        }
        *parts = parts.saturating_sub(1);
        match divided(&rule) {
            Some((one, other)) if *parts > 0 => open.extend([one, other]),
            _ => return false,
        }
    }
    true
}

impl ResourceRule {
    fn and(&self, other: &Self) -> Option<Self> {
        let resource_names = match (self.resource_names.is_empty(), other.resource_names.is_empty()) {
            (true, _) => other.resource_names.clone(),
            (_, true) => self.resource_names.clone(),
            _ => some(common(&self.resource_names, &other.resource_names, same))?,
        };
        let mut except = [self.except.clone(), other.except.clone()].concat();
        except.sort();
        except.dedup();
        let resources = some(common(&self.resources, &other.resources, both_resources))?;
        let is_excepted = |listed: &String| except.iter().any(|except| includes(except, listed));
        let resources: Vec<String> = resources.into_iter().filter(|listed| !is_excepted(listed)).collect();
        // What takes nothing out of these resources says nothing.
        except.retain(|except| resources.iter().any(|listed| both_resources(listed, except).is_some()));
        Some(Self {
            verbs: some(common(&self.verbs, &other.verbs, both_words))?,
            api_groups: some(common(&self.api_groups, &other.api_groups, both_words))?,
            resources: some(resources)?,
            resource_names,
            namespaces: self.namespaces.and(&other.namespaces)?,
            except,
        })
    }

    /// Returns whether it alone covers every request that `rule` covers.
    fn covers_all_of(&self, rule: &Self) -> bool {
        let excepted = |listed: &String, except: &String| {
            let taken = both_resources(listed, except);
            taken.is_some_and(|taken| !rule.except.iter().any(|except| includes(except, &taken)))
        };
        all(&rule.verbs, &self.verbs, includes_word)
            && all(&rule.api_groups, &self.api_groups, includes_word)
            && all(&rule.resources, &self.resources, includes)
            && !rule.resources.iter().any(|listed| self.except.iter().any(|except| excepted(listed, except)))
            && (self.resource_names.is_empty()
                || (!rule.resource_names.is_empty()
                    && all(&rule.resource_names, &self.resource_names, |one, other| one == other)))
            && self.namespaces.includes(&rule.namespaces)
    }

    /// Returns two rules that together cover what it covers, or `None` if it has one of everything.
    fn divided(&self) -> Option<(Self, Self)> {
        let of = |change: &dyn Fn(&mut Self)| {
            let mut rule = self.clone();
            change(&mut rule);
            rule
        };
        if let Some((one, other)) = halves(&self.resources) {
            return Some((
                of(&|rule| rule.resources.clone_from(&one)),
                of(&|rule| rule.resources.clone_from(&other)),
            ));
        }
        if let Some((one, other)) = halves(&self.verbs) {
            return Some((
                of(&|rule| rule.verbs.clone_from(&one)),
                of(&|rule| rule.verbs.clone_from(&other)),
            ));
        }
        if let Some((one, other)) = halves(&self.api_groups) {
            return Some((
                of(&|rule| rule.api_groups.clone_from(&one)),
                of(&|rule| rule.api_groups.clone_from(&other)),
            ));
        }
        if let Some((one, other)) = halves(&self.resource_names) {
            let named = |names: &Vec<String>| of(&|rule| rule.resource_names.clone_from(names));
            return Some((named(&one), named(&other)));
        }
        let (one, other) = self.namespaces.halves()?;
        Some((of(&|rule| rule.namespaces = one.clone()), of(&|rule| rule.namespaces = other.clone())))
    }

    /// Returns it without what is listed twice or included in another entry.
    fn normal(&self) -> Self {
        let once = |listed: &[String]| {
            let mut listed = listed.to_vec();
            listed.sort();
            listed.dedup();
            // What lists all needs to list nothing else.
            if listed.iter().any(|entry| entry == "*") { vec!["*".to_owned()] } else { listed }
        };
        let mut names = self.resource_names.clone();
        names.sort();
        names.dedup();
        Self {
            verbs: once(&self.verbs),
            api_groups: once(&self.api_groups),
            resources: once(&self.resources),
            resource_names: names,
            ..self.clone()
        }
    }
}

impl UrlRule {
    fn and(&self, other: &Self) -> Option<Self> {
        Some(Self {
            verbs: some(common(&self.verbs, &other.verbs, both_words))?,
            urls: some(common(&self.urls, &other.urls, both_urls))?,
        })
    }

    fn covers_all_of(&self, rule: &Self) -> bool {
        all(&rule.verbs, &self.verbs, includes_word)
            && all(&rule.urls, &self.urls, |listed, url| both_urls(listed, url).as_deref() == Some(url))
    }

    fn divided(&self) -> Option<(Self, Self)> {
        let of = |verbs: Vec<String>, urls: Vec<String>| Self { verbs, urls };
        if let Some((one, other)) = halves(&self.urls) {
            return Some((of(self.verbs.clone(), one), of(self.verbs.clone(), other)));
        }
        let (one, other) = halves(&self.verbs)?;
        Some((of(one, self.urls.clone()), of(other, self.urls.clone())))
    }
}

impl NameSelector {
    /// Returns the choice of what both select by the same words, or `None` if there is nothing.
    #[must_use]
    pub fn and(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::All, selector) | (selector, Self::All) => Some(selector.clone()),
            (Self::Some { current, names }, Self::Some { current: other_current, names: other_names }) => {
                let names = common(names, other_names, same);
                let current = *current && *other_current;
                (current || !names.is_empty()).then_some(Self::Some { current, names })
            }
        }
    }

    /// Returns whether it selects everything that `other` selects, whatever is current.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (_, Self::All) => false,
            (Self::Some { current, names }, Self::Some { current: wanted, names: others }) => {
                (*current || !*wanted) && others.iter().all(|other| names.contains(other))
            }
        }
    }

    fn halves(&self) -> Option<(Self, Self)> {
        let Self::Some { current, names } = self else { return None };
        if *current && !names.is_empty() {
            return Some((Self::current(), Self::Some { current: false, names: names.clone() }));
        }
        let (one, other) = halves(names)?;
        let of = |names| Self::Some { current: *current, names };
        Some((of(one), of(other)))
    }
}

/// Divides a list of several entries.
fn halves(listed: &[String]) -> Option<(Vec<String>, Vec<String>)> {
    let (one, other) = listed.split_at(listed.len() / 2);
    (!one.is_empty()).then(|| (one.to_vec(), other.to_vec()))
}

/// Returns a list unless it is empty.
fn some(listed: Vec<String>) -> Option<Vec<String>> {
    (!listed.is_empty()).then_some(listed)
}

/// Returns what the entries of two lists have in common, each once.
fn common(ones: &[String], others: &[String], both: fn(&str, &str) -> Option<String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for one in ones {
        for both in others.iter().filter_map(|other| both(one, other)) {
            if !found.contains(&both) {
                found.push(both);
            }
        }
    }
    // What a wider entry includes need not be listed beside it.
    if found.iter().any(|entry| entry == "*") { vec!["*".to_owned()] } else { found }
}

/// Returns whether each entry of a list is included in one of another.
fn all(listed: &[String], others: &[String], includes: fn(&str, &str) -> bool) -> bool {
    listed.iter().all(|entry| others.iter().any(|other| includes(other, entry)))
}

fn same(one: &str, other: &str) -> Option<String> {
    (one == other).then(|| one.to_owned())
}

/// Returns what two verbs or groups have in common, one of which may be `*`.
fn both_words(one: &str, other: &str) -> Option<String> {
    match (one, other) {
        ("*", word) | (word, "*") => Some(word.to_owned()),
        _ => same(one, other),
    }
}

fn includes_word(listed: &str, word: &str) -> bool {
    listed == "*" || listed == word
}

/// Returns what two entries of `resources` have in common.
fn both_resources(one: &str, other: &str) -> Option<String> {
    if includes(one, other) { Some(other.to_owned()) } else { includes(other, one).then(|| one.to_owned()) }
}

/// Returns whether an entry of `resources` covers all that another one covers.
fn includes(listed: &str, entry: &str) -> bool {
    let by_subresource = || listed.strip_prefix('*').is_some_and(|subresource| entry.ends_with(subresource));
    listed == "*" || listed == entry || (listed.starts_with("*/") && by_subresource())
}

/// Returns what two entries of `nonResourceURLs` have in common.
fn both_urls(one: &str, other: &str) -> Option<String> {
    let prefix = |url: &str| url.strip_suffix('*').map(str::to_owned);
    match (prefix(one), prefix(other)) {
        (Some(prefix), _) if other.starts_with(&prefix) => Some(other.to_owned()),
        (_, Some(prefix)) if one.starts_with(&prefix) => Some(one.to_owned()),
        _ => same(one, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::samples;

    fn rules(text: &str) -> Vec<Rule> {
        samples::rules(text).rules().to_vec()
    }

    fn rule(text: &str) -> Rule {
        rules(text).remove(0)
    }

    const SECRETS: &str = "{apiGroups: [''], resources: [secrets], verbs: [get], namespaces: [current]}";

    #[test]
    fn two_rules_have_in_common_what_both_cover() {
        let all = "{apiGroups: ['*'], resources: ['*'], verbs: ['*']}";
        for (one, other, both) in [
            (SECRETS, all, Some(SECRETS)),
            (
                "{apiGroups: ['', apps], resources: [pods, '*/log', secrets], verbs: [get, list]}",
                "{apiGroups: [''], resources: ['*'], verbs: [list, watch], except: [secrets, '*/exec']}",
                Some("{apiGroups: [''], resources: [pods, '*/log'], verbs: [list]}"),
            ),
            (
                "{apiGroups: [''], resources: [pods/log], verbs: [get], namespaces: [a, b, current]}",
                "{apiGroups: [''], resources: ['*/log'], verbs: [get], namespaces: [b, c], resourceNames: [x]}",
                Some(
                    "{apiGroups: [''], resources: [pods/log], verbs: [get], namespaces: [b], resourceNames: [x]}",
                ),
            ),
            (SECRETS, "{apiGroups: [''], resources: [secrets/x], verbs: [get]}", None),
            (SECRETS, "{apiGroups: [''], resources: ['*'], verbs: [get], except: [secrets]}", None),
            (SECRETS, "{apiGroups: [''], resources: [secrets], verbs: [get], namespaces: [shop]}", None),
            (SECRETS, "{nonResourceURLs: ['*'], verbs: ['*']}", None),
            (
                "{nonResourceURLs: ['/api*', /version], verbs: ['*']}",
                "{nonResourceURLs: ['/apis/*', '/v*'], verbs: [get]}",
                Some("{nonResourceURLs: ['/apis/*', /version], verbs: [get]}"),
            ),
        ] {
            let both = both.map(rule);
            assert_eq!(rule(one).and(&rule(other)), both, "{one} and {other}");
            let reversed = rule(other).and(&rule(one));
            assert_eq!(reversed.is_some(), both.is_some(), "{other} and {one}");
        }
    }

    #[test]
    fn a_rule_is_within_others_that_cover_each_of_its_parts() {
        let parts = "{apiGroups: [''], resources: [secrets, pods], verbs: [get, list]}";
        for (others, within) in [
            ("{apiGroups: ['*'], resources: ['*'], verbs: ['*']}", true),
            (
                "{apiGroups: [''], resources: [secrets], verbs: [get, list]}, {apiGroups: [''], resources: [pods], verbs: ['*']}",
                true,
            ),
            (
                "{apiGroups: [''], resources: [secrets], verbs: [get, list]}, {apiGroups: [''], resources: [pods], verbs: [get]}",
                false,
            ),
            ("{apiGroups: [''], resources: ['*'], verbs: ['*'], except: [configmaps]}", true),
            ("{apiGroups: [''], resources: ['*'], verbs: ['*'], except: [secrets]}", false),
            ("{apiGroups: [''], resources: ['*'], verbs: ['*'], namespaces: [current]}", false),
            ("{apiGroups: [''], resources: ['*'], verbs: ['*'], resourceNames: [x]}", false),
            ("{apiGroups: [apps], resources: ['*'], verbs: ['*']}", false),
            ("{nonResourceURLs: ['*'], verbs: ['*']}", false),
        ] {
            assert_eq!(rule(parts).is_within(&rules(others)), within, "{others}");
        }
        assert!(!rule(SECRETS).is_within(&[]));
        let except = "{apiGroups: ['*'], resources: ['*'], verbs: [get], except: [secrets, '*/exec']}";
        assert!(rule(except).is_within(&[rule(except)]));
        assert!(!rule("{apiGroups: ['*'], resources: ['*'], verbs: [get]}").is_within(&[rule(except)]));
    }

    #[test]
    fn a_rule_of_thousands_of_parts_is_not_divided_for_long() {
        let many: Vec<String> = (0..2000).map(|number| format!("r{number}")).collect();
        let of = |rule: ResourceRule| Rule::Resources(rule);
        let verbs = vec!["get".to_owned()];
        let large = of(ResourceRule {
            verbs: verbs.clone(),
            api_groups: many.clone(),
            resources: many,
            ..Default::default()
        });
        assert!(large.is_within(std::slice::from_ref(&large)));
        let small = of(ResourceRule {
            verbs,
            api_groups: vec!["r1".to_owned()],
            resources: vec!["r1".to_owned()],
            ..Default::default()
        });
        assert!(!large.is_within(&[small]));
    }
}
