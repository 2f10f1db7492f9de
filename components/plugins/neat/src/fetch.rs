//! Gets objects from the cluster, as `kubectl get` does.

use crate::OUTPUT;
use crate::documents::Form;
use kube_guest::{Cluster, Discovery, Error, List, Path, Pool, Resource, for_terminal_line};
use lexopt::Arg;
use plugin_kit::{ALL_NAMESPACES, Arguments, Explain, Failure, NAMESPACE, SELECTOR};
use serde_json::{Value, json};
use std::ffi::OsString;

/// What is asked for.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Query {
    words: Vec<String>,
    namespace: Option<String>,
    all_namespaces: bool,
    selector: Option<String>,
    /// The form of the output, if it is said after `--`.
    pub(crate) form: Option<Form>,
}

/// Some objects of a resource: one by its name, or a list.
#[derive(Debug, Eq, PartialEq)]
struct Part {
    noun: String,
    name: Option<String>,
}

impl Query {
    /// Reads the words after `get`. Flags may stand after `--`, as what is kubectl's.
    pub(crate) fn read(arguments: &Arguments) -> Result<Self, Failure> {
        let text = |flag| arguments.value(flag).map(str::to_owned);
        let query = Self {
            namespace: text(&NAMESPACE),
            all_namespaces: arguments.has(&ALL_NAMESPACES),
            selector: text(&SELECTOR),
            ..Self::default()
        };
        let form = if arguments.value(&OUTPUT) == Some("json") { Some(Form::Json) } else { None };
        query
            .read_words(arguments.words().iter().skip(1))
            .map(|query| Self { form: query.form.or(form), ..query })
    }

    fn read_words<'a>(mut self, words: impl Iterator<Item = &'a String>) -> Result<Self, Failure> {
        let usage = |why: &dyn std::fmt::Display| Failure::usage(for_terminal_line(&why.to_string()));
        let text = |value: OsString| value.to_string_lossy().into_owned();
        let mut parser = lexopt::Parser::from_args(words);
        while let Some(argument) = parser.next().map_err(|error| usage(&error))? {
            match argument {
                Arg::Value(word) => self.words.push(text(word)),
                Arg::Short('A') | Arg::Long("all-namespaces") => self.all_namespaces = true,
                Arg::Short('n' | 'l' | 'o') | Arg::Long("namespace" | "selector" | "output") => {
                    let is = |short: char, long: &str| {
                        argument == Arg::Short(short) || argument == Arg::Long(long)
                    };
                    let (namespace, selector) = (is('n', "namespace"), is('l', "selector"));
                    let value = text(parser.value().map_err(|error| usage(&error))?);
                    match value.as_str() {
                        _ if namespace => self.namespace = Some(value),
                        _ if selector => self.selector = Some(value),
                        "json" => self.form = Some(Form::Json),
                        "yaml" => self.form = Some(Form::Yaml),
                        _ => return Err(usage(&format!("-o {value}: none of json, yaml"))),
                    }
                }
                other => return Err(usage(&other.unexpected())),
            }
        }
        if self.words.is_empty() {
            return Err(Failure::usage("KIND: missing"));
        }
        Ok(self)
    }

    /// Returns the objects or lists that the words name: `KIND/NAME…`, or kinds, to be followed by names.
    fn parts(&self) -> Result<Vec<Part>, Failure> {
        let part =
            |noun: &str, name: Option<&str>| Part { noun: noun.to_owned(), name: name.map(str::to_owned) };
        if self.words.iter().any(|word| word.contains('/')) {
            let pair = |word: &String| match word.split_once('/') {
                Some((noun, name)) => Ok(part(noun, Some(name))),
                None => Err(Failure::usage(format!(
                    "{}: not KIND/NAME, as the others are",
                    for_terminal_line(word)
                ))),
            };
            return self.words.iter().map(pair).collect();
        }
        let (kinds, names) = self.words.split_first().ok_or_else(|| Failure::usage("KIND: missing"))?;
        let kinds = kinds.split(',').filter(|kind| !kind.is_empty());
        if names.is_empty() {
            return Ok(kinds.map(|kind| part(kind, None)).collect());
        }
        Ok(kinds.flat_map(|kind| names.iter().map(move |name| part(kind, Some(name)))).collect())
    }

    /// Gets the objects: one that is named as it is, all others as a list. If one is missing, there is no answer.
    pub(crate) fn fetch(&self, cluster: &Cluster) -> Result<Value, Failure> {
        let parts = self.parts()?;
        let named = parts.iter().filter(|part| part.name.is_some()).count();
        if named > 0 && (self.all_namespaces || self.selector.is_some()) {
            return Err(Failure::usage("NAME: neither with -A nor with -l"));
        }
        let discovery = Discovery::load(cluster).of("resources")?;
        let resources: Result<Vec<&Resource>, _> =
            parts.iter().map(|part| discovery.find(&part.noun)).collect();
        let resources = resources?;
        let namespace =
            self.namespace.as_deref().filter(|name| !name.is_empty()).unwrap_or(cluster.namespace());
        let namespace = Some(namespace).filter(|_| !self.all_namespaces);

        let mut found: Vec<Option<Value>> = parts.iter().map(|_| None).collect();
        let mut pool = Pool::new(cluster);
        for (index, (part, resource)) in parts.iter().zip(&resources).enumerate() {
            if let Some(name) = &part.name {
                pool.get(index, resource.object(namespace, name)?);
            }
        }
        while let Some((index, body)) = pool.next() {
            let object = body.and_then(|body| serde_json::from_slice(&body).map_err(Error::Json));
            found[index] = Some(object.of(parts[index].words())?);
        }
        if let ([_], 1) = (parts.as_slice(), named) {
            return Ok(found.pop().flatten().unwrap_or_default());
        }
        let mut items = Vec::new();
        for ((part, resource), object) in parts.iter().zip(resources).zip(found) {
            match object {
                Some(object) => items.push(object),
                None => items.extend(self.list(cluster, part, resource, namespace)?),
            }
        }
        Ok(json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items}))
    }

    fn list(
        &self,
        cluster: &Cluster,
        part: &Part,
        resource: &Resource,
        namespace: Option<&str>,
    ) -> Result<Vec<Value>, Failure> {
        let path: Path = resource.path(namespace)?;
        let path = match &self.selector {
            Some(selector) => path.query("labelSelector", selector),
            None => path,
        };
        let mut list: List<Value> = cluster.list(path).of(part.words())?;
        for item in &mut list.items {
            // In a list of one kind the server leaves them out.
            if let Value::Object(object) = item {
                object.insert("apiVersion".to_owned(), resource.api_version().into());
                object.insert("kind".to_owned(), resource.kind.clone().into());
            }
        }
        Ok(list.items)
    }
}

impl Part {
    fn words(&self) -> String {
        let name = self.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        for_terminal_line(&format!("{}{name}", self.noun)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Query, Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Query::default().read_words(words.iter())
    }

    fn parts(line: &str) -> Vec<(String, Option<String>)> {
        let parts = read(line).unwrap().parts().unwrap();
        parts.into_iter().map(|part| (part.noun, part.name)).collect()
    }

    #[test]
    fn objects_are_named_as_for_kubectl() {
        let named = |noun: &str, name: &str| (noun.to_owned(), Some(name.to_owned()));
        assert_eq!(parts("pod web db"), [named("pod", "web"), named("pod", "db")]);
        assert_eq!(parts("pod/web svc/db"), [named("pod", "web"), named("svc", "db")]);
        assert_eq!(parts("pods,svc"), [("pods".to_owned(), None), ("svc".to_owned(), None)]);
        assert!(read("pod/web db").unwrap().parts().is_err());
        assert!(read("").is_err());
    }

    #[test]
    fn flags_after_the_dashes_are_kubectls() {
        let query = read("pod web -n shop -ojson").unwrap();
        assert_eq!((query.namespace.as_deref(), query.form), (Some("shop"), Some(Form::Json)));
        let query = read("pods --selector=app=web -A --output yaml").unwrap();
        assert_eq!((query.selector.as_deref(), query.form), (Some("app=web"), Some(Form::Yaml)));
        assert!(query.all_namespaces);
        for bad in ["pod -x", "pod -o", "pod -o wide"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
