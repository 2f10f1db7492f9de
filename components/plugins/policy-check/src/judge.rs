//! The judging: rules and a pod make findings. Nothing here reads or writes, so that what asks (a list, a file, an
//! admission review) does not matter.

use crate::pod::{Amount, Container, PodSpec, Resources, SecurityContext};
use crate::rules::{Rule, Rules, Severity};
use plugin_kit::{Image, Quantity};
use std::collections::BTreeMap;

/// What a rule says about a part of an object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) rule: Rule,
    pub(crate) severity: Severity,
    /// The name of the container; empty of the pod itself, or of a namespace.
    pub(crate) container: String,
    pub(crate) message: String,
}

/// Returns all that the rules find in a pod.
pub(crate) fn pod(rules: &Rules, pod: &PodSpec) -> Vec<Verdict> {
    let mut judge = Judge { rules, verdicts: Vec::new() };
    judge.host_namespaces(pod);
    judge.host_paths(pod);
    if let Some(context) = &pod.security_context {
        judge.privileged("", context);
    }
    let lasting = [&pod.init_containers, &pod.containers];
    for container in lasting.into_iter().flatten().flatten() {
        judge.container(container);
        judge.resources(container, pod.resources.as_ref());
    }
    for container in pod.ephemeral_containers.iter().flatten() {
        judge.container(container);
    }
    judge.verdicts
}

/// Returns what the rules find in a namespace with so many resource quotas and network policies; `None` means that it is not
/// known.
pub(crate) fn namespace(rules: &Rules, quotas: Option<usize>, policies: Option<usize>) -> Vec<Verdict> {
    let mut judge = Judge { rules, verdicts: Vec::new() };
    if quotas == Some(0) {
        judge.add(Rule::ResourceQuota, "", "has no resource quota".to_owned());
    }
    if policies == Some(0) {
        judge.add(Rule::NetworkPolicy, "", "has no network policy".to_owned());
    }
    judge.verdicts
}

struct Judge<'a> {
    rules: &'a Rules,
    verdicts: Vec<Verdict>,
}

impl Judge<'_> {
    fn add(&mut self, rule: Rule, container: &str, message: String) {
        let severity = self.rules.severity(rule);
        if severity > Severity::Off {
            self.verdicts.push(Verdict { rule, severity, container: container.to_owned(), message });
        }
    }

    fn container(&mut self, container: &Container) {
        self.image(&container.name, container.image.as_deref().unwrap_or_default());
        if let Some(context) = &container.security_context {
            self.privileged(&container.name, context);
            self.capabilities(&container.name, context);
        }
    }

    fn image(&mut self, container: &str, written: &str) {
        let Some(image) = Image::parse(written) else {
            let message = format!("`{written}` is not the name of an image");
            self.add(Rule::ImageRegistry, container, message.clone());
            return self.add(Rule::ImageDigest, container, message);
        };
        let allowed = &self.rules.image_registry.allowed;
        if !allowed.is_empty() && !allowed.iter().any(|pattern| pattern.matches(&image)) {
            self.add(
                Rule::ImageRegistry,
                container,
                format!("image {image} is of none of the listed registries"),
            );
        }
        if image.digest.is_none() {
            let tag = image.tag.as_deref().map(|tag| format!(":{tag}")).unwrap_or_default();
            self.add(Rule::ImageDigest, container, format!("image {image}{tag} is not pinned by a digest"));
        }
    }

    fn privileged(&mut self, container: &str, context: &SecurityContext) {
        if context.privileged {
            self.add(Rule::Privileged, container, "is privileged".to_owned());
        }
        if context.windows_options.as_ref().is_some_and(|options| options.host_process) {
            self.add(Rule::Privileged, container, "is a process of the node (hostProcess)".to_owned());
        }
    }

    fn capabilities(&mut self, container: &str, context: &SecurityContext) {
        let added = context.capabilities.iter().flat_map(|capabilities| capabilities.add.iter().flatten());
        let allowed: Vec<String> =
            self.rules.capabilities.allowed.iter().map(|name| capability(name)).collect();
        let beyond: Vec<String> =
            added.map(|name| capability(name)).filter(|name| !allowed.contains(name)).collect();
        if !beyond.is_empty() {
            let plural = if beyond.len() == 1 { "y" } else { "ies" };
            self.add(
                Rule::Capabilities,
                container,
                format!("adds the capabilit{plural} {}", beyond.join(", ")),
            );
        }
    }

    fn resources(&mut self, container: &Container, shared: Option<&Resources>) {
        let own = container.resources.as_ref();
        let has = |of: fn(&Resources) -> &Option<BTreeMap<String, Amount>>, name: &str| {
            let amounts = [own, shared].into_iter().flatten().filter_map(|resources| of(resources).as_ref());
            amounts.filter_map(|amounts| amounts.get(name)).any(is_some_amount)
        };
        let limited = |name: &str| has(|resources| &resources.limits, name);
        // The API server takes a limit for the request where there is none.
        let requested = |name: &str| has(|resources| &resources.requests, name) || limited(name);
        let missing = |names: &[String], is_there: &dyn Fn(&str) -> bool| {
            let missing: Vec<&str> =
                names.iter().map(String::as_str).filter(|name| !is_there(name)).collect();
            (!missing.is_empty()).then(|| missing.join(" and "))
        };
        if let Some(names) = missing(&self.rules.requests.resources, &requested) {
            self.add(Rule::Requests, &container.name, format!("does not request {names}"));
        }
        if let Some(names) = missing(&self.rules.limits.resources, &limited) {
            self.add(Rule::Limits, &container.name, format!("has no limit of {names}"));
        }
    }

    fn host_namespaces(&mut self, pod: &PodSpec) {
        let used = [(pod.host_network, "hostNetwork"), (pod.host_pid, "hostPID"), (pod.host_ipc, "hostIPC")];
        let used: Vec<&str> =
            used.into_iter().filter(|(is_used, _)| *is_used).map(|(_, name)| name).collect();
        if !used.is_empty() {
            self.add(Rule::HostNamespaces, "", format!("uses the node's namespaces: {}", used.join(", ")));
        }
    }

    fn host_paths(&mut self, pod: &PodSpec) {
        for volume in pod.volumes.iter().flatten() {
            let Some(mounted) = &volume.host_path else { continue };
            if !self.rules.host_path.allowed.iter().any(|allowed| is_below(&mounted.path, allowed)) {
                let message = format!("volume {} is the node's {}", volume.name, mounted.path);
                self.add(Rule::HostPath, "", message);
            }
        }
    }
}

/// Returns whether there is more than nothing of a resource.
fn is_some_amount(amount: &Amount) -> bool {
    Quantity::parse(&amount.0).is_some_and(|amount| !amount.is_zero())
}

/// Returns the name of a capability as the kernel knows it, less its prefix.
fn capability(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    name.strip_prefix("CAP_").unwrap_or(&name).to_owned()
}

/// Returns whether a path is a folder, or below it. One that goes up is nowhere.
fn is_below(path: &str, folder: &str) -> bool {
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
    };
    let (path, folder) = (parts(path), parts(folder));
    !path.iter().any(|part| part == "..") && path.starts_with(&folder)
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
