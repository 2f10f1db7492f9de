//! Refusals of requests, in words for the user and for the guest.

use crate::message::Explain;
use std::fmt;

use http::uri::Scheme;
use http::{HeaderName, Method, Uri};

use super::host::{Host, is_public};
use super::layer::Layer;
use super::limits::Limit;
use super::request_info::RequestInfo;
use super::rule::Rule;

/// A request that was refused, and the reason.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The request, e.g. `GET https://example.com/`, or `get secrets "db" in namespace shop`.
    request: String,
    reason: Reason,
    /// The rule that would allow it.
    rule: Option<Box<str>>,
    /// The attributes of the request, if it was about a resource.
    info: Option<Box<RequestInfo>>,
    /// The name of the plugin, if it is installed.
    plugin: Option<Box<str>>,
}

/// The reason of a refusal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The destination was not granted.
    Destination,
    /// The granted host is at this private address.
    PrivateAddress(String),
    /// There is no cluster to reach, for this reason.
    NoCluster(String),
    /// The context in the kubeconfig is not usable.
    BrokenContext {
        /// The name of the context.
        name: String,
        /// The reason.
        why: String,
    },
    /// The context is not granted by the policy of this name.
    Context {
        /// The context.
        context: String,
        /// The policy.
        policy: String,
    },
    /// The path, method or headers are ambiguous or invalid.
    Ambiguous(&'static str),
    /// The request claims an identity, which only the host may state.
    SpeaksAs(HeaderName),
    /// The request claims another identity than the one that the user impersonates.
    SpeaksOver(String),
    /// A policy does not cover the request.
    Policy {
        /// Which of the policies that limit the plugin.
        layer: Layer,
        /// The name of the policy.
        name: String,
    },
    /// The request exceeds a limit.
    Limit(Limit),
    /// An earlier request could not be recorded, so that this one would not be either.
    Unrecorded,
}

impl Refusal {
    /// Refuses a request to an endpoint that is not granted, or to none.
    #[must_use]
    pub fn elsewhere(method: &Method, uri: &Uri, reason: Reason) -> Self {
        let rule = match reason {
            Reason::Destination => host_of(uri).map(|host| host.entry().into()),
            _ => None,
        };
        Self { request: short(&format!("{method} {uri}")), reason, rule, info: None, plugin: None }
    }

    /// Refuses a request to a granted endpoint. `rule` is the one that would allow it, and `info` its
    /// attributes.
    pub(super) fn new(request: &str, reason: Reason, rule: Option<Rule>, info: &RequestInfo) -> Self {
        let info = info.is_resource_request.then(|| Box::new(info.clone()));
        Self {
            request: short(request),
            reason,
            rule: rule.map(|rule| rule.to_string().into()),
            info,
            plugin: None,
        }
    }

    /// Returns the refusal for an installed plugin of this name, whose grant a command can change.
    #[must_use]
    pub(super) fn of_installed(self, plugin: Option<&str>) -> Self {
        Self { plugin: plugin.map(Into::into), ..self }
    }

    /// Returns the reason.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Returns the attributes of the request, if it was about a resource.
    #[must_use]
    pub fn info(&self) -> Option<&RequestInfo> {
        self.info.as_deref()
    }

    /// Returns the narrowest rule that would allow it, if a rule could.
    #[must_use]
    pub fn missing_rule(&self) -> Option<&str> {
        self.rule.as_deref().filter(|_| matches!(self.reason, Reason::Policy { .. }))
    }
}

impl std::error::Error for Refusal {}

impl Explain for Refusal {
    /// Returns how to allow such a request, if that is possible.
    fn hint(&self) -> Option<String> {
        match &self.reason {
            Reason::Policy { layer, name } => {
                let rule = self.rule.as_deref()?;
                Some(match (layer, &self.plugin) {
                    (Layer::Grant, Some(plugin)) => {
                        format!("to allow it: kwasm policy grant {plugin} --rule {}", shell(rule))
                    }
                    (Layer::Grant, None) => {
                        format!("--policy FILE with this rule in spec.kubernetes.rules allows it: {rule}")
                    }
                    (Layer::Request, _) => format!(
                        "no grant exceeds what a plugin requests; its author can add this rule with kwasm policy embed: {rule}"
                    ),
                    (Layer::Ceiling, _) => {
                        format!("an administrator of this machine can add this rule to {name}: {rule}")
                    }
                })
            }
            Reason::Destination => {
                let host = self.rule.as_deref()?;
                Some(format!("--policy FILE with this host in spec.network allows it: {host}"))
            }
            Reason::PrivateAddress(_) => {
                Some("`private: true` at this host in spec.network of the policy allows it".to_owned())
            }
            Reason::SpeaksAs(header) if header.as_str().starts_with("impersonate-") => {
                Some("`impersonate: true` in spec.kubernetes of a policy allows it".to_owned())
            }
            Reason::Limit(limit) => limit.hint(),
            Reason::NoCluster(_) => Some(NAME_A_KUBECONFIG.to_owned()),
            Reason::Context { context, .. } => {
                Some(format!("`contexts: [{context:?}]` in spec.kubernetes of a policy grants it"))
            }
            Reason::Ambiguous(_)
            | Reason::BrokenContext { .. }
            | Reason::SpeaksAs(_)
            | Reason::SpeaksOver(_)
            | Reason::Unrecorded => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.request, self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination => f.write_str("the policy does not grant this host"),
            Self::PrivateAddress(address) => write!(f, "the host is at a private address, {address}"),
            Self::NoCluster(why) => f.write_str(why),
            Self::BrokenContext { name, why } => write!(f, "context `{name}`: {why}"),
            Self::Context { context, policy } => {
                write!(f, "the policy `{policy}` does not grant the context `{context}`")
            }
            Self::Ambiguous(what) => f.write_str(what),
            Self::SpeaksOver(user) => {
                write!(f, "you impersonate `{user}`, and the plugin would impersonate someone else")
            }
            Self::SpeaksAs(header) => {
                write!(f, "a plugin may not set `{header}`: kwasm sets the identity")
            }
            Self::Policy { layer: Layer::Grant, name } => write!(f, "the policy `{name}` does not allow it"),
            Self::Policy { layer: Layer::Request, name } => {
                write!(f, "the plugin's own request `{name}` does not include it")
            }
            Self::Policy { layer: Layer::Ceiling, name } => {
                write!(f, "the administrator's ceiling {name} does not allow it")
            }
            Self::Limit(limit) => limit.fmt(f),
            Self::Unrecorded => f.write_str("its requests can no longer be recorded"),
        }
    }
}

/// The cluster's names for a guest, at both doors.
pub const CLUSTER: [&str; 3] = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];

/// Returns the entry of `network` that would grant a URL, which must be HTTPS.
#[must_use]
pub fn host_of(uri: &Uri) -> Option<Host> {
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let (name, port) = (authority.host().to_ascii_lowercase(), authority.port_u16().unwrap_or(443));
    // The cluster's own names are not hosts of a policy: the error is in the scheme or the port.
    let virtual_name = name.starts_with("192.0.2.") || CLUSTER.contains(&name.as_str());
    let mut host = Host { name, port, private: false };
    host.private = host.address().is_some_and(|address| !is_public(address));
    let granted = uri.scheme() == Some(&Scheme::HTTPS) && !virtual_name;
    granted.then_some(host)
}

/// The hint if no cluster is selected.
pub const NAME_A_KUBECONFIG: &str =
    "name a kubeconfig with KUBECONFIG or --kubeconfig, and a context in it with --context";

/// Quotes a text for a shell, so that a command can be pasted.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The longest request that a line shows whole.
const SHOWN: usize = 160;

/// Shortens a guest's text.
fn short(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_only_begins_like_the_cluster_can_be_granted() {
        let rule = |uri: &str| host_of(&uri.parse().unwrap()).map(|host| host.entry());
        assert_eq!(rule("https://kubernetes.io/docs").unwrap(), "{host: kubernetes.io, port: 443}");
        assert_eq!(rule("https://192.0.20.1/").unwrap(), "{host: 192.0.20.1, port: 443}");
        for own in [
            "https://kubernetes/",
            "https://Kubernetes.Default.svc/",
            "https://192.0.2.7/",
            "http://kubernetes.io/",
        ] {
            assert_eq!(rule(own), None, "{own}");
        }
    }

    #[test]
    fn a_refusal_has_an_end() {
        let uri = format!("https://x/{}", "a".repeat(1000)).parse().unwrap();
        let text = Refusal::elsewhere(&Method::GET, &uri, Reason::Destination).to_string();
        assert!(text.chars().count() < 250);
    }
}
