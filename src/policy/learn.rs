//! The smallest policy that covers what a plugin did.
//!
//! Each request is a rule for itself ([`generalise`]). What rules have in common is merged, one kind of list after
//! the other, and only where all other lists are the same, so that together they never cover more than each did.

mod merge;

use std::collections::BTreeSet;

use self::merge::{Part, Place};
use super::format::{GROUP, HOST, LABEL, METHODS, REQUEST_VERBS, RESOURCE, URL};
use super::generalise::generalise;
use super::host::Host;
use super::judge::Policy;
use super::request_info::RequestInfo;
use super::rule::{NameSelector, ResourceRule, Rule, UrlRule, Words};
use super::target::Context;

/// The requests of a run, without those that others cover. Their number is limited, whatever a plugin sends.
#[derive(Debug, Default)]
pub struct Lesson {
    keeps_names: bool,
    parts: BTreeSet<Part>,
    /// Methods and paths, or prefixes of paths.
    urls: BTreeSet<(String, String)>,
    hosts: Vec<Host>,
    /// The size of all of them in bytes.
    size: usize,
    left_out: BTreeSet<String>,
}

/// The largest size of what is learnt in bytes, a quarter of what a policy may have.
const MOST: usize = 256 << 10;

/// The largest number of hosts.
const HOSTS: usize = 64;

/// The largest number of requests that are left out and named.
const NAMED: usize = 20;

impl Lesson {
    /// Returns a lesson without requests. With `keeps_names`, a request for one object stays one for that object.
    #[must_use]
    pub fn new(keeps_names: bool) -> Self {
        Self { keeps_names, ..Self::default() }
    }

    /// Adds a request to the API server of a context. `opens` is whether it opens a stream into a pod, so that it
    /// has to be allowed as `create` too.
    pub fn add(&mut self, info: &RequestInfo, context: &Context, opens: bool) {
        let opened = RequestInfo { verb: "create".to_owned(), ..info.clone() };
        for info in std::iter::once(info).chain(opens.then_some(&opened)) {
            let is_learnt = generalise(info, context).is_some_and(|rule| self.take(rule));
            if !is_learnt && self.left_out.len() < NAMED {
                self.left_out.insert(info.to_string());
            }
        }
    }

    /// Adds a host outside the cluster.
    pub fn add_host(&mut self, host: Host) {
        let is_valid = host.address().is_some() || HOST.fits(&host.name);
        if is_valid && self.hosts.len() < HOSTS && !self.hosts.contains(&host) {
            self.hosts.push(host);
        }
    }

    /// Returns the requests that no policy of a useful size covers, or none but by a wildcard: the first ones.
    pub fn left_out(&self) -> impl Iterator<Item = &str> {
        self.left_out.iter().map(String::as_str)
    }

    /// Returns the hosts outside the cluster.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Returns the policy that covers all requests and hosts and nothing else, but for the names of objects. What
    /// has nothing to do with requests is as in `base`.
    #[must_use]
    pub fn policy(&self, base: Policy) -> Policy {
        let mut policy = base.only(|_| false);
        let rules = merge::resources(&self.parts).into_iter().chain(merge::urls(&self.urls));
        rules.for_each(|rule| policy.add(rule, Words::default()));
        policy.hosts.clone_from(&self.hosts);
        policy
    }

    /// Adds the parts of a rule. Returns whether there was room for them and a policy can state them.
    fn take(&mut self, rule: Rule) -> bool {
        match rule {
            Rule::Urls(rule) => {
                let parts = rule.verbs.iter().flat_map(|verb| rule.urls.iter().map(move |url| (verb, url)));
                for (verb, url) in parts {
                    let part = (verb.clone(), url.clone());
                    if self.urls.contains(&part) {
                        continue;
                    }
                    let is_stated = METHODS.contains(&verb.as_str()) && URL.fits(url);
                    if !is_stated || !self.has_room(verb.len() + url.len()) {
                        return false;
                    }
                    self.urls.insert(part);
                }
                true
            }
            Rule::Resources(mut rule) => {
                if !self.keeps_names {
                    rule.resource_names.clear();
                }
                let places = match &rule.namespaces {
                    NameSelector::All => vec![Place::All],
                    NameSelector::Some { current, names } => {
                        let named = names.iter().cloned().map(Place::Named);
                        current.then_some(Place::Current).into_iter().chain(named).collect()
                    }
                };
                let parts = Part::all(&rule, &places);
                parts.into_iter().all(|part| self.parts.contains(&part) || self.insert(part))
            }
        }
    }

    fn insert(&mut self, part: Part) -> bool {
        let is_stated = REQUEST_VERBS.contains(&part.verb.as_str())
            && GROUP.fits(&part.group)
            && RESOURCE.fits(&part.resource)
            && !matches!(&part.place, Place::Named(name) if !LABEL.fits(name));
        is_stated && self.has_room(part.size()) && self.parts.insert(part)
    }

    fn has_room(&mut self, size: usize) -> bool {
        let fits = self.size + size <= MOST;
        if fits {
            self.size += size;
        }
        fits
    }
}

impl Policy {
    /// Returns the policy under which requests of a plugin of this name are learnt: it allows all reads in the current
    /// context, or with `writes` everything there, and what this one allows beside requests.
    #[must_use]
    pub fn for_learning(self, name: &str, writes: bool) -> Self {
        let mut policy = self.renamed(name).only(|_| false);
        policy.description = None;
        policy.contexts = NameSelector::current();
        policy.impersonate = false;
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (verbs, methods, except): (&[&str], &[&str], &[&str]) =
            if writes { (&["*"], &["*"], &[]) } else { (READS, READING_METHODS, REACHES) };
        let resources = ResourceRule {
            verbs: words(verbs),
            api_groups: words(&["*"]),
            resources: words(&["*"]),
            except: words(except),
            ..ResourceRule::default()
        };
        policy.add(Rule::Resources(resources), Words::default());
        let urls = UrlRule { verbs: words(methods), urls: words(&["*"]) };
        policy.add(Rule::Urls(urls), Words::default());
        policy
    }

    /// Returns a policy that only says, as this one does, which of kubectl's flags a plugin defines itself. That
    /// is no permission.
    #[must_use]
    pub fn flags_alone(self) -> Self {
        let mut policy = Self::named(&self.name);
        policy.own_flags = self.own_flags;
        policy
    }
}

/// The verbs that only read.
const READS: &[&str] = &["get", "list", "watch"];

/// The methods that only read.
const READING_METHODS: &[&str] = &["get", "head"];

/// The subresources for which a read is more than that: it reaches into a pod, or to another server.
const REACHES: &[&str] = &["*/attach", "*/exec", "*/portforward", "*/proxy"];

#[cfg(test)]
mod tests;
