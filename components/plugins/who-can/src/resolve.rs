//! What the server calls the resource that was typed.

use crate::action::{Action, Target, VERBS_OF_ROLES};
use kube_guest::{Cluster, Discovery, Path, Resource, for_terminal_line};
use plugin_kit::rbac::Rule;
use plugin_kit::{Explain, Failure};
use serde::Deserialize;

/// An action in the words of roles.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Wanted {
    verb: String,
    object: Object,
}

#[derive(Debug, Eq, PartialEq)]
enum Object {
    Path(String),
    Resource {
        group: String,
        /// With the subresource, as in `pods/log`.
        resource: String,
        name: String,
    },
}

impl Wanted {
    /// Returns whether a rule allows it.
    pub(crate) fn is_allowed_by(&self, rule: &Rule) -> bool {
        rule.has_verb(&self.verb)
            && match &self.object {
                Object::Path(path) => rule.has_path(path),
                Object::Resource { group, resource, name } => rule.has_resource(group, resource, name),
            }
    }

    /// Returns an action with a resource in the words of roles.
    pub(crate) fn resource(verb: &str, group: &str, resource: &str, name: &str) -> Self {
        let (group, resource, name) = (group.to_owned(), resource.to_owned(), name.to_owned());
        Self { verb: verb.to_owned(), object: Object::Resource { group, resource, name } }
    }

    /// Returns an action with a path that is no resource.
    pub(crate) fn path(verb: &str, path: &str) -> Self {
        Self { verb: verb.to_owned(), object: Object::Path(path.to_owned()) }
    }
}

/// Resolves an action; the error says that the server has no such resource, or that it cannot be done with it.
pub(crate) fn resolve(cluster: &Cluster, action: &Action) -> Result<Wanted, Failure> {
    let verb = action.verb.as_str();
    let (noun, name, subresource) = match &action.target {
        Target::Path(path) => return Ok(Wanted::path(verb, path)),
        Target::Resource { noun, name, subresource } => (noun, name, subresource.as_deref()),
    };
    let whole = |resource: &str| subresource.map_or(resource.to_owned(), |sub| format!("{resource}/{sub}"));
    // Users and groups are no resources of the server, but roles know them as such.
    if noun == "*" || (verb == "impersonate" && matches!(noun.as_str(), "users" | "groups")) {
        return Ok(Wanted::resource(verb, "", &whole(noun), name));
    }
    let found = Discovery::load(cluster).of("the server's resources")?;
    let resource = found.find(noun)?;
    let verbs = match subresource {
        Some(subresource) => verbs_of(cluster, resource, subresource)?,
        None => resource.verbs.clone(),
    };
    if verb != "*" && !VERBS_OF_ROLES.contains(&verb) && !verbs.iter().any(|known| known == verb) {
        let (resource, verb) = (whole(&resource.name), for_terminal_line(verb));
        return Err(Failure::message(format!(
            "`{}` cannot be done with `{}`: only {}",
            verb,
            for_terminal_line(&resource),
            for_terminal_line(&verbs.join(", "))
        )));
    }
    Ok(Wanted::resource(verb, &resource.group, &whole(&resource.name), name))
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    resources: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    #[serde(default)]
    verbs: Vec<String>,
}

/// Returns the verbs of a subresource, which only the document of the resource's version has.
fn verbs_of(cluster: &Cluster, resource: &Resource, subresource: &str) -> Result<Vec<String>, Failure> {
    let segments = match resource.group.as_str() {
        "" => vec!["api", &resource.version],
        group => vec!["apis", group, &resource.version],
    };
    let document: Document = cluster.get_json(Path::new(segments)?).of("the server's resources")?;
    let name = format!("{}/{subresource}", resource.name);
    let listed = document.resources.into_iter().find(|listed| listed.name == name);
    let unknown = || {
        Failure::message(format!("the server has no subresource of the name `{}`", for_terminal_line(&name)))
    };
    listed.map(|listed| listed.verbs).ok_or_else(unknown)
}
