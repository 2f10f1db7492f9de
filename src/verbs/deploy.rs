//! `kwasm deploy SOURCE`: manifests by which a cluster runs a plugin under the same policy.

use serde_json::Value;

use crate::cli::{DeployedTask, Deployment, Verbosity, Via};
use crate::deploy::{self, Certificate, Grant, Plan, Review, Task, Way, issue, objects};
use crate::environment::{Connection, Environment};
use crate::policy::{Layers, Policy};
use crate::reference::{Digest, Image, Source};
use crate::registry::{Artifact, Found, Manifest};
use crate::store::{Plugin, Store};

use super::ceiling::ceiling;
use super::consent::{Choice, REQUEST};
use super::fetch::{Fetcher, name_of};
use super::listed::located;
use super::object;
use super::policy::{Chosen, choose, granted, request};
use super::role::{Placed, place};
use super::run::find;
use super::table::yaml;
use super::{Ending, Error, Reporter, print};

/// The options of the command.
pub(super) struct Wish {
    pub(super) source: Source,
    pub(super) policy: Option<String>,
    pub(super) deployment: Deployment,
    /// The flags that select the namespace.
    pub(super) connection: Connection,
    pub(super) verbosity: Verbosity,
    pub(super) arguments: Vec<String>,
}

/// The most bytes of data in a `ConfigMap` or a `Secret` (`MaxSecretSize` of the API).
const MOST: usize = 1 << 20;

pub(super) fn deploy(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    wish: Wish,
) -> Result<Ending, Error> {
    let Wish { source, policy, deployment, connection, verbosity, arguments } = wish;
    // The same artifact is judged, looked at and deployed, wherever its tag leads meanwhile.
    let fetcher = Fetcher::new(environment, store.places(), reporter);
    let pinned = pinned(store, &fetcher, &source)?;
    let plugin = match (&source, &pinned) {
        (Source::Object(object), _) => {
            let brought = object::fetch(environment, reporter, object, &connection)?;
            store.keep_fetched(&name_of(&source), &brought.content)?
        }
        (Source::Installed(_), _) | (_, None) => find(store, environment, reporter, &source)?,
        (_, Some(pinned)) => find(store, environment, reporter, &Source::Image(pinned.artifact()))?,
    };
    check_task(&plugin, &deployment.task)?;
    let Chosen { policy: grant, text } = chosen(&plugin, policy.as_deref())?;
    let policy = text.map_or_else(|| Grant::BuiltIn(grant.name().to_owned()), Grant::Text);
    let layers = Layers {
        request: request(plugin.name(), plugin.inspected())?,
        grant,
        ceiling: ceiling()?,
        installed: None,
    };
    let uses_network = plugin.inspected().uses_network();
    let name = object_name(plugin.name());
    let way = way(&source, pinned.as_ref(), &fetcher, &plugin, &deployment)?;
    // What sends nothing needs no role, and so no server that says what there is.
    let nothing = Layers::of(Policy::none());
    let placed = if uses_network { &layers } else { &nothing };
    let Placed { roles, namespace } = match place(
        environment,
        reporter,
        &format!("{name}{}", suffix(&deployment.task)),
        placed,
        None,
        &connection,
        verbosity,
    )? {
        Ok(placed) => placed,
        Err(ending) => return Ok(ending),
    };
    let limits = layers.clone().for_plugin(plugin.inspected()).limits();
    let has_roles = !roles.are_empty();
    let suffix = suffix(&deployment.task);
    let mut plan = Plan {
        name,
        suffix,
        namespace,
        image: deployment.image.clone(),
        way,
        task: Task::Job { shards: None },
        policy,
        limits,
        creates_namespace: deployment.creates_namespace,
        has_ceiling: layers.ceiling.is_some(),
        has_roles,
        arguments,
    };
    plan.task = task(deployment.task, &plan)?;
    let mut text =
        plan.comments().iter().map(|comment| format!("# {comment}\n")).collect::<Vec<_>>().concat();
    let document = |object: &Value| format!("---\n{}", yaml(object));
    text.extend(plan.namespace_object().iter().map(document));
    if has_roles {
        text.push_str(&roles.to_string());
    }
    text.extend(objects(&plan).iter().map(document));
    print(&text)?;
    Ok(Ending::Done)
}

/// Checks that a plugin can do what it is deployed for.
fn check_task(plugin: &Plugin, task: &DeployedTask) -> Result<(), Error> {
    let inspected = plugin.inspected();
    match task {
        DeployedTask::Job { .. } | DeployedTask::Cron { .. } => {
            inspected.is_command().map_err(|source| Error::Inspect { path: plugin.name().to_owned(), source })
        }
        DeployedTask::Serve { .. } | DeployedTask::Webhook { .. } if inspected.serves().is_none() => {
            Err(Error::NoServer(plugin.name().to_owned()))
        }
        DeployedTask::Serve { .. } | DeployedTask::Webhook { .. } => Ok(()),
    }
}

/// Returns the policy that the user names, or else the one granted at install, or else the default.
fn chosen(plugin: &Plugin, choice: Option<&str>) -> Result<Chosen, Error> {
    match (choice, plugin.granted()) {
        (Some(REQUEST), _) => Choice::Request.grant(plugin.name(), plugin.inspected()),
        (Some(name), _) => choose(Some(name)),
        (None, Some(grant)) => granted(grant),
        (None, None) => choose(None),
    }
}

/// The longest name, so that those of all its objects are labels, and a `CronJob`'s has room for the time.
const LONGEST: usize = 24;

/// Returns a plugin's name as the name of an object may be: a part of a label of RFC 1123.
fn object_name(name: &str) -> String {
    let plain = name.to_ascii_lowercase().replace(|character: char| !character.is_ascii_alphanumeric(), "-");
    let short: String = plain.trim_matches('-').chars().take(LONGEST).collect();
    let short = short.trim_end_matches('-');
    if short == name {
        return short.to_owned();
    }
    // Others may be shortened to the same.
    let digest: String = Digest::of(name.as_bytes()).hex().chars().take(6).collect();
    format!("{short}-{digest}").trim_start_matches('-').to_owned()
}

/// Returns by what the names of a task's objects end: two tasks of one plugin may have two policies.
fn suffix(task: &DeployedTask) -> &'static str {
    match task {
        DeployedTask::Job { .. } => "",
        DeployedTask::Cron { .. } => "-cron",
        DeployedTask::Serve { .. } => "-serve",
        DeployedTask::Webhook { mutates: false, .. } => "-webhook",
        DeployedTask::Webhook { mutates: true, .. } => "-mutating",
    }
}

fn task(task: DeployedTask, plan: &Plan) -> Result<Task, Error> {
    Ok(match task {
        DeployedTask::Job { shards } => Task::Job { shards },
        DeployedTask::Cron { schedule, shards } => Task::Cron { schedule, shards },
        DeployedTask::Serve { replicas } => Task::Serve { replicas },
        DeployedTask::Webhook {
            replicas,
            mutates,
            resources,
            operations,
            failure_policy,
            timeout,
            cert_manager,
        } => {
            let certificate = if cert_manager {
                Certificate::CertManager
            } else {
                let issued = issue(&plan.object_name(), plan.service_names());
                Certificate::Own(issued.map_err(|error| deploy::Error::Certificate(error.to_string()))?)
            };
            let review = Review { mutates, resources, operations, failure_policy, timeout, certificate };
            Task::Webhook { replicas, review }
        }
    })
}

/// An artifact in a registry, whatever its tag leads to meanwhile.
struct Pinned {
    /// The reference, as it was given or recorded.
    image: Image,
    /// The digest of the artifact's own manifest.
    manifest: Digest,
    /// What the registry has there, if it was asked already.
    found: Option<Found>,
}

impl Pinned {
    /// Returns the reference of the artifact itself.
    fn artifact(&self) -> Image {
        self.image.with_digest(self.manifest)
    }
}

/// Returns how the component comes into the pod.
fn way(
    source: &Source,
    pinned: Option<&Pinned>,
    fetcher: &Fetcher<'_>,
    plugin: &Plugin,
    deployment: &Deployment,
) -> Result<Way, Error> {
    let in_registry = || pinned.ok_or_else(|| deploy::Error::NoReference(source.to_string()));
    if let Some(class) = &deployment.shim {
        return Ok(Way::Shim { class: class.clone(), reference: in_registry()?.artifact().to_string() });
    }
    let content = || -> Result<Vec<u8>, Error> {
        let content = plugin.content()?;
        if content.len() > MOST {
            let (name, size) = (plugin.name().to_owned(), content.len());
            return Err(deploy::Error::TooLarge { name, size }.into());
        }
        Ok(content.to_vec())
    };
    // As kwasm reads it: a host without a dot has `oci://`.
    let install = |pinned: &Pinned| Way::Install(Source::Image(pinned.artifact()).to_string());
    Ok(match (deployment.via, &deployment.volume) {
        (Some(Via::Install), _) => install(in_registry()?),
        (Some(Via::ImageVolume), Some(image)) if image.digest().is_none() => {
            return Err(deploy::Error::NoVolumeDigest.into());
        }
        (Some(Via::ImageVolume), Some(image)) => {
            Way::ImageVolume { reference: image.to_string(), proven: false }
        }
        (Some(Via::ImageVolume), None) => {
            Way::ImageVolume { reference: volume(fetcher, in_registry()?, plugin)?, proven: true }
        }
        (Some(Via::Configmap), _) => Way::ConfigMap(content()?),
        (Some(Via::Secret), _) => Way::Secret(content()?),
        (None, _) => match pinned {
            Some(pinned) => install(pinned),
            None => Way::ConfigMap(content()?),
        },
    })
}

/// Returns the reference of the image that was published beside a plugin, which has the same bytes.
///
/// # Errors
/// If there is none, or it has other content.
fn volume(fetcher: &Fetcher<'_>, pinned: &Pinned, plugin: &Plugin) -> Result<String, Error> {
    let found = match &pinned.found {
        Some(found) => found.clone(),
        None => fetcher.find(&Source::Image(pinned.image.clone()))?,
    };
    if found.manifest().map(Manifest::digest) != Some(pinned.manifest) {
        let (name, reference) = (plugin.name().to_owned(), found.reference());
        return Err(deploy::Error::Moved { name, reference }.into());
    }
    let component = Artifact::from_bytes(plugin.content()?);
    Ok(fetcher.registries()?.volume(&found, &component)?)
}

/// Returns the artifact of a source, if it is in a registry, with the signatures that trust.yaml wants of it.
///
/// # Errors
/// If it is not there, or lacks a signature.
fn pinned(store: &Store, fetcher: &Fetcher<'_>, source: &Source) -> Result<Option<Pinned>, Error> {
    match source {
        Source::Object(_) | Source::Path(_) => Ok(None),
        Source::Installed(name) => {
            let origin = store.receipt(name)?.artifact;
            // Its tag may have moved since.
            Ok(origin.and_then(|origin| {
                let image = origin.reference.parse().ok()?;
                Some(Pinned { image, manifest: origin.manifest, found: None })
            }))
        }
        Source::Image(_) | Source::Package(_) => {
            let found = fetcher.find(source)?;
            if fetcher.asks_for_signatures(source, &found)? {
                fetcher.judge(source, &found, None)?;
            }
            let there = found.image().cloned().zip(found.manifest().map(Manifest::digest));
            Ok(there.map(|(image, manifest)| Pinned { image, manifest, found: Some(found) }))
        }
        Source::Listed(listed) => pinned(store, fetcher, &located(store, listed)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_as_objects_may_be() {
        assert_eq!(object_name("view-secret"), "view-secret");
        assert!(object_name("view_Secret.v2_").starts_with("view-secret-v2-"));
        assert_ne!(object_name("a_b"), object_name("a.b"));
        assert!(object_name("__").chars().all(|character| character.is_ascii_hexdigit()));
        assert_eq!(object_name(&"a".repeat(60)).len(), LONGEST + 7);
    }
}
