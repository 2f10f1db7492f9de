//! Resolves a context's name to a cluster and a user, which flags override: clientcmd's `getContext`,
//! `getCluster` and `getAuthInfo` (client-go, `tools/clientcmd/client_config.go`).

use std::path::PathBuf;

use super::document::{ClusterEntry, ContextEntry, Text, UserEntry};
use super::{Error, Flags, Kubeconfig, in_cluster};

/// The parts of a context, after flags have overridden them.
pub(super) struct Selected {
    /// The context's name; empty if only flags are used.
    pub(super) context: String,
    /// The cluster's name; empty if only flags are used.
    pub(super) cluster_name: String,
    pub(super) cluster: ClusterEntry,
    /// The user's name; empty if there is none.
    pub(super) user_name: String,
    pub(super) user: UserEntry,
    pub(super) namespace: String,
}

/// The name of the only context if there is no kubeconfig, but a service account.
const IN_CLUSTER: &str = "in-cluster";

/// Returns the user's selection. `Ok(Err)` means no selection, with the reason.
pub(super) fn selected(kubeconfig: &Kubeconfig, flags: &Flags) -> Result<Result<Selected, String>, Error> {
    let current = kubeconfig.document.current_context.as_deref().filter(|name| !name.is_empty());
    if let Some(name) = flags.context.as_deref().or(current) {
        return named(kubeconfig, name, flags).map(Ok);
    }
    // A context may be called nothing at all.
    if kubeconfig.context("").is_some() {
        return named(kubeconfig, "", flags).map(Ok);
    }
    let master = kubeconfig.environment.variable("KUBERNETES_MASTER").is_some();
    if flags.server.is_some() || flags.cluster.is_some() || master {
        return followed(kubeconfig, String::new(), ContextEntry::default(), flags).map(Ok);
    }
    if let Some((cluster, user, namespace)) = in_cluster::entries(&kubeconfig.environment) {
        let mut selected = Selected {
            context: IN_CLUSTER.to_owned(),
            cluster_name: IN_CLUSTER.to_owned(),
            cluster,
            user_name: "service account".to_owned(),
            user,
            namespace: flags.namespace.clone().unwrap_or(namespace),
        };
        if flags.token.is_some() {
            // In a pod it takes the place of the service account's (clientcmd's `inClusterClientConfig`).
            selected.user.token_file = None;
        }
        return selected.overridden_by(flags).map(Ok);
    }
    Ok(Err(absent(kubeconfig)))
}

/// Returns the reason why there is no context.
fn absent(kubeconfig: &Kubeconfig) -> String {
    let shown = |paths: &[PathBuf]| {
        let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        paths.join(", ")
    };
    match (kubeconfig.files(), kubeconfig.looked_at.as_slice()) {
        ([], []) => "there is no kubeconfig".to_owned(),
        ([], looked_at) => format!("there is no kubeconfig (looked for {})", shown(looked_at)),
        (files, _) => format!("the kubeconfig has no current context (read {})", shown(files)),
    }
}

/// Resolves the context `name`.
pub(super) fn named(kubeconfig: &Kubeconfig, name: &str, flags: &Flags) -> Result<Selected, Error> {
    let context = kubeconfig.context(name).ok_or_else(|| Error::Unknown {
        kind: "context",
        name: name.to_owned(),
        known: kubeconfig.contexts().map(str::to_owned).collect(),
    })?;
    followed(kubeconfig, name.to_owned(), context.clone(), flags)
}

/// Resolves a context to its cluster and its user.
///
/// If the cluster or the user does not exist, client-go continues with `localhost:8080` and without a user.
/// Here it is an error, since that is certainly a mistake.
fn followed(
    kubeconfig: &Kubeconfig,
    context: String,
    entry: ContextEntry,
    flags: &Flags,
) -> Result<Selected, Error> {
    let unknown =
        |kind, name: &str| Error::Unknown { kind, name: name.to_owned(), known: kubeconfig.names(kind) };
    let named = |flag: &Option<String>, own: Option<String>| flag.clone().or(own).unwrap_or_default();
    let cluster_name = named(&flags.cluster, entry.cluster);
    let master = kubeconfig.environment.variable("KUBERNETES_MASTER");
    let mut cluster = match kubeconfig.cluster(&cluster_name) {
        Some(cluster) => cluster.clone(),
        None if flags.cluster.is_none() && (flags.server.is_some() || master.is_some()) => {
            ClusterEntry::default()
        }
        None if cluster_name.is_empty() => return Err(Error::NoCluster(context)),
        None => return Err(unknown("cluster", &cluster_name)),
    };
    if is_empty(cluster.server.as_ref()) {
        cluster.server = master.and_then(|server| server.to_str()).map(str::to_owned);
    }
    let user_name = named(&flags.user, entry.user);
    let user = match kubeconfig.user(&user_name) {
        Some(user) => user.clone(),
        None if user_name.is_empty() => UserEntry::default(),
        None => return Err(unknown("user", &user_name)),
    };
    let namespace = flags.namespace.clone().or(entry.namespace).filter(|name| !name.is_empty());
    // In a pod, what no context says is the service account's.
    let namespace = namespace
        .or_else(|| in_cluster::entries(&kubeconfig.environment).map(|(.., namespace)| namespace))
        .unwrap_or_else(|| "default".to_owned());
    Selected { context, cluster_name, cluster, user_name, user, namespace }.overridden_by(flags)
}

impl Selected {
    pub(super) fn overridden_by(mut self, flags: &Flags) -> Result<Self, Error> {
        self.cluster.override_by(flags);
        self.user.override_by(flags);
        if !is_segment(&self.namespace) {
            return Err(Error::Namespace(self.namespace));
        }
        match self.cluster.server.as_deref() {
            None | Some("") => Err(Error::NoServer(self.cluster_name)),
            Some(_) => Ok(self),
        }
    }
}

impl ClusterEntry {
    fn override_by(&mut self, flags: &Flags) {
        replace(&mut self.server, flags.server.as_ref());
        // Who vouches for the server is said by the flags as a whole, or not at all.
        if flags.insecure || flags.certificate_authority.is_some() {
            self.insecure_skip_tls_verify = Some(flags.insecure);
            self.certificate_authority.clone_from(&flags.certificate_authority);
            self.certificate_authority_data = None;
        }
        // Another server has another name.
        if flags.tls_server_name.is_some() || flags.server.is_some() {
            self.tls_server_name.clone_from(&flags.tls_server_name);
        }
        if flags.disable_compression {
            self.disable_compression = Some(true);
        }
    }
}

impl UserEntry {
    fn override_by(&mut self, flags: &Flags) {
        replace(&mut self.token, flags.token.as_ref());
        replace(&mut self.username, flags.username.as_ref());
        replace(&mut self.password, flags.password.as_ref());
        if flags.client_certificate.is_some() {
            self.client_certificate.clone_from(&flags.client_certificate);
            self.client_certificate_data = None;
        }
        if flags.client_key.is_some() {
            self.client_key.clone_from(&flags.client_key);
            self.client_key_data = None;
        }
        replace(&mut self.impersonate, flags.impersonate.as_ref());
        replace(&mut self.as_uid, flags.as_uid.as_ref());
        if !flags.as_groups.is_empty() {
            self.as_groups = Some(texts(&flags.as_groups));
        }
        for (key, values) in &flags.as_user_extra {
            self.as_user_extra.get_or_insert_default().insert(key.clone(), Some(texts(values)));
        }
    }
}

fn replace<T: Clone>(own: &mut Option<T>, flag: Option<&T>) {
    if let Some(value) = flag {
        *own = Some(value.clone());
    }
}

fn texts(values: &[String]) -> Vec<Text> {
    values.iter().cloned().map(Text).collect()
}

/// Returns whether a name can be a segment of a path (apimachinery, `pkg/api/validation/path/name.go`): the
/// API server accepts no other.
fn is_segment(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '%'])
}

fn is_empty(text: Option<&String>) -> bool {
    text.is_none_or(String::is_empty)
}
