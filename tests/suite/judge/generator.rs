//! Random rules, and random requests of which most are near what the rules cover.

use kwasm::policy::{NameSelector, ResourceRule, Rule, UrlRule};

use super::CURRENT;

/// A policy's rules and a request.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) rules: Vec<Rule>,
    pub(super) method: String,
    pub(super) url: String,
}

pub(super) struct Generator(pub(super) fastrand::Rng);

const VERBS: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
const GROUPS: &[&str] = &["", "", "apps", "batch", "example.com"];
const RESOURCES: &[&str] = &["pods", "secrets", "services", "nodes", "namespaces", "deployments", "jobs"];
const SUBRESOURCES: &[&str] = &["log", "exec", "status", "scale", "proxy", "finalize"];
const NAMES: &[&str] = &["web", "db", "web-0", "system:x"];
const NAMESPACES: &[&str] = &["judged-a", "judged-b"];
const METHODS: &[&str] = &["get", "head", "post", "put", "patch", "delete", "options"];
const URLS: &[&str] = &[
    "/version",
    "/version/",
    "/healthz/etcd",
    "/livez",
    "/metrics",
    "/api",
    "/api/v1",
    "/apis/apps/v1",
    "/logs/x",
];
const PREFIXES: &[&str] = &["*", "/healthz*", "/api*", "/apis/*", "/logs/*", "/openapi/*", "/version*"];

/// A request before it is written as one. Without a resource, `url` is the path.
#[derive(Clone, Debug, Default)]
struct Wanted {
    verb: String,
    group: String,
    resource: String,
    subresource: String,
    name: String,
    namespace: String,
    url: String,
}

impl Generator {
    pub(super) fn case(&mut self) -> Case {
        let rules = self.rules();
        let (method, url) = self.request(&rules);
        Case { rules, method, url }
    }

    pub(super) fn rules(&mut self) -> Vec<Rule> {
        (0..self.0.usize(1..4)).map(|_| self.rule()).collect()
    }

    /// Returns a request that one of the rules covers, one that differs from such a one in a single point, or
    /// any.
    pub(super) fn request(&mut self, rules: &[Rule]) -> (String, String) {
        let rule = &rules[self.0.usize(..rules.len())];
        let wanted = match self.0.u8(..8) {
            0..5 => self.covered(rule),
            5..7 => {
                let covered = self.covered(rule);
                self.neighbour(covered)
            }
            _ => self.any(),
        };
        let (method, url) = self.written(&wanted);
        (method, self.disguised(url))
    }

    fn one_in(&mut self, number: u8) -> bool {
        self.0.u8(..number) == 0
    }

    fn one(&mut self, words: &[&str]) -> String {
        words[self.0.usize(..words.len())].to_owned()
    }

    fn some(&mut self, most: usize, words: &[&str]) -> Vec<String> {
        let mut chosen: Vec<String> = (0..self.0.usize(1..=most)).map(|_| self.one(words)).collect();
        chosen.sort();
        chosen.dedup();
        chosen
    }

    fn star_or_some(&mut self, most: usize, words: &[&str]) -> Vec<String> {
        if self.one_in(5) { vec!["*".to_owned()] } else { self.some(most, words) }
    }

    fn rule(&mut self) -> Rule {
        if self.one_in(5) {
            let mut urls = self.some(2, URLS);
            if self.0.bool() {
                urls = self.some(2, PREFIXES);
            }
            return Rule::Urls(UrlRule { verbs: self.star_or_some(3, METHODS), urls });
        }
        let mut rule = ResourceRule {
            verbs: self.star_or_some(4, VERBS),
            api_groups: self.star_or_some(2, GROUPS),
            ..ResourceRule::default()
        };
        if self.one_in(8) {
            rule.verbs.push("proxy".to_owned());
        }
        rule.resources = if self.one_in(4) { vec!["*".to_owned()] } else { self.resources() };
        if self.one_in(4) {
            rule.resource_names = self.some(2, NAMES);
        }
        if self.0.bool() {
            let current = self.0.bool();
            let names = if current && self.0.bool() { Vec::new() } else { self.some(2, NAMESPACES) };
            rule.namespaces = NameSelector::Some { current, names };
        }
        if self.one_in(4) {
            rule.except = self.resources();
        }
        Rule::Resources(rule)
    }

    fn resources(&mut self) -> Vec<String> {
        let mut resources: Vec<String> = (0..self.0.usize(1..4))
            .map(|_| match self.0.u8(..8) {
                0..4 => self.one(RESOURCES),
                4..6 => format!("{}/{}", self.one(RESOURCES), self.one(SUBRESOURCES)),
                _ => format!("*/{}", self.one(SUBRESOURCES)),
            })
            .collect();
        resources.sort();
        resources.dedup();
        resources
    }

    /// Returns one of those that are listed, any for `*`.
    fn of(&mut self, listed: &[String], any: &[&str]) -> String {
        match self.0.choice(listed).map(String::as_str) {
            None | Some("*") => self.one(any),
            Some(listed) => listed.to_owned(),
        }
    }

    fn covered(&mut self, rule: &Rule) -> Wanted {
        match rule {
            Rule::Urls(UrlRule { verbs, urls }) => {
                let url = self.of(urls, URLS);
                let url = match url.strip_suffix('*') {
                    Some(prefix) => format!("{prefix}{}", self.one(&["", "x", "x/y"])),
                    None => url,
                };
                Wanted { verb: self.of(verbs, METHODS), url, ..Wanted::default() }
            }
            Rule::Resources(rule) => {
                let entry = self.of(&rule.resources, RESOURCES);
                let (resource, subresource) = entry.split_once('/').unwrap_or((&entry, ""));
                let resource = self.of(&[resource.to_owned()], RESOURCES);
                let namespace = match &rule.namespaces {
                    NameSelector::All => self.one(&["", CURRENT, "judged-a"]),
                    NameSelector::Some { current: true, names } if names.is_empty() || self.0.bool() => {
                        CURRENT.to_owned()
                    }
                    NameSelector::Some { names, .. } => self.of(names, NAMESPACES),
                };
                Wanted {
                    verb: self.of(&rule.verbs, VERBS),
                    group: self.of(&rule.api_groups, GROUPS),
                    resource,
                    subresource: subresource.to_owned(),
                    name: self.of(&rule.resource_names, NAMES),
                    namespace,
                    url: String::new(),
                }
            }
        }
    }

    /// Returns the same request with one attribute changed.
    fn neighbour(&mut self, mut wanted: Wanted) -> Wanted {
        if !wanted.url.is_empty() {
            match self.0.u8(..3) {
                0 => wanted.verb = self.one(METHODS),
                1 => wanted.url = self.one(URLS),
                // Not what begins with it, and not what it begins with.
                _ => wanted.url.push('x'),
            }
            return wanted;
        }
        match self.0.u8(..7) {
            0 => wanted.verb = self.one(VERBS),
            1 => wanted.group = self.one(GROUPS),
            2 => wanted.resource = self.one(RESOURCES),
            3 if wanted.subresource.is_empty() => wanted.subresource = self.one(SUBRESOURCES),
            3 => wanted.subresource.clear(),
            4 => wanted.subresource = self.one(SUBRESOURCES),
            5 => wanted.name = self.one(NAMES),
            _ => wanted.namespace = self.one(&["", CURRENT, "judged-a", "judged-b"]),
        }
        wanted
    }

    fn any(&mut self) -> Wanted {
        if self.one_in(5) {
            return Wanted { verb: self.one(METHODS), url: self.one(URLS), ..Wanted::default() };
        }
        let subresource = if self.one_in(3) { self.one(SUBRESOURCES) } else { String::new() };
        Wanted {
            verb: self.one(VERBS),
            group: self.one(GROUPS),
            resource: self.one(RESOURCES),
            subresource,
            name: self.one(NAMES),
            namespace: self.one(&["", CURRENT, "judged-a", "judged-b"]),
            url: String::new(),
        }
    }

    /// Returns method and URL of a wanted request. A verb and a subresource that no request can have together
    /// are replaced.
    fn written(&mut self, wanted: &Wanted) -> (String, String) {
        if !wanted.url.is_empty() {
            return (wanted.verb.to_ascii_uppercase(), wanted.url.clone());
        }
        let Wanted { verb, group, resource, subresource, name, namespace, .. } = wanted;
        let of_collection = ["list", "watch", "create", "deletecollection"].contains(&verb.as_str());
        let by_prefix = verb == "proxy" || (verb == "watch" && self.one_in(3));
        let with_name = !subresource.is_empty() || !of_collection || (by_prefix && self.0.bool());
        let mut url = if group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{group}/v1") };
        if by_prefix {
            url.push('/');
            url.push_str(verb);
        }
        if !namespace.is_empty() {
            url.push_str("/namespaces/");
            url.push_str(namespace);
        }
        // A namespace is in itself.
        if resource != "namespaces" || namespace.is_empty() {
            url = format!(
                "{url}/{resource}{}{}",
                if with_name { "/" } else { "" },
                if with_name { name } else { "" }
            );
        }
        if !subresource.is_empty() {
            url.push('/');
            url.push_str(subresource);
        }
        let method = match verb.as_str() {
            "get" | "list" | "watch" | "proxy" => self.one(&["GET", "GET", "GET", "GET", "HEAD"]),
            "create" => "POST".to_owned(),
            "update" => "PUT".to_owned(),
            "delete" | "deletecollection" => "DELETE".to_owned(),
            _ => self.one(&["PATCH", "PATCH", "PATCH", "PATCH", "OPTIONS"]),
        };
        let mut query = Vec::new();
        if verb == "watch" && !by_prefix {
            query.push(self.one(&["watch=1", "watch=true", "watch", "w%61tch=yes", "watch=true&watch=0"]));
        }
        if of_collection && self.0.bool() {
            let name = name.replace(':', "%3A");
            query.push(format!("fieldSelector=metadata.name{}{name}", self.one(&["=", "%3D", "=="])));
        }
        if self.one_in(10) {
            query.push(self.one(&["limit=5", "labelSelector=a%3Db", "watch=false", "dryRun=All", "limit=x"]));
        }
        let mark = if query.is_empty() { "" } else { "?" };
        (method, format!("{url}{mark}{}", query.join("&")))
    }

    /// Returns a URL that is sometimes in another spelling: one with the same meaning, or an ambiguous one.
    fn disguised(&mut self, url: String) -> String {
        let (path, query) = url.split_once('?').map_or((url.as_str(), ""), |(path, query)| (path, query));
        let mark = if query.is_empty() { "" } else { "?" };
        match self.0.u8(..64) {
            0..4 => {
                let letters: Vec<usize> =
                    path.char_indices().filter(|(_, c)| c.is_ascii_alphabetic()).map(|(at, _)| at).collect();
                let at = letters[self.0.usize(..letters.len())];
                format!("{}%{:02x}{}{mark}{query}", &path[..at], path.as_bytes()[at], &path[at + 1..])
            }
            4..6 => format!("{path}/{mark}{query}"),
            6 => format!("{path}{}{mark}{query}", self.one(&["/..", "//x", "%2fx", "/%2e", "%00", "%zz"])),
            7 => format!("{path}?labelSelector=a+in+(b)&{query}"),
            _ => url,
        }
    }
}
