//! Hints for the errors of registries.

use super::{Error, Obstacle};
use crate::message::Explain;

/// The configuration that kwasm shares with wkg.
const SETTINGS: &str = "~/.config/wasm-pkg/config.toml";

impl Explain for Error {
    fn subject(&self) -> Option<String> {
        Some(match self {
            Self::Missing(path) | Self::Unreadable { path, .. } | Self::Credentials { path, .. } => {
                path.display().to_string()
            }
            Self::TooLarge { what, .. } => what.clone(),
            Self::Settings { .. } => "the configuration of package registries".to_owned(),
            Self::Answer { host, .. }
            | Self::Host { host, .. }
            | Self::Status { host, .. }
            | Self::WebPage { host }
            | Self::Unreachable { host, .. } => host.clone(),
            Self::Denied { repository, .. } => repository.clone(),
            Self::NoVersion { package, .. } => package.clone(),
            Self::NotFound(reference)
            | Self::NoVolume(reference)
            | Self::Published(reference)
            | Self::Altered { reference, .. }
            | Self::CutOff { reference, .. }
            | Self::Layer { reference, .. }
            | Self::Length { reference, .. }
            | Self::Manifest { reference, .. }
            | Self::Push { reference, .. }
            | Self::Referrers { reference, .. }
            | Self::Volume { reference, .. } => reference.clone(),
            Self::NoRegistry { .. } | Self::System(_) => return None,
        })
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { path, .. } if self.is_forbidden() => {
                format!("ls -l {} shows who may read it", path.display())
            }
            Self::NotFound(_) => "check its tag; some registries report more after a login".to_owned(),
            Self::NoVersion { known, .. } if !known.is_empty() => format!("it has {}", known.join(", ")),
            Self::NoRegistry { namespace } => {
                format!("set it in {SETTINGS}: [namespace_registries] {namespace} = \"registry.example.com\"")
            }
            Self::Denied { unknown: Some(unknown), .. } => return unknown.hint(),
            Self::Credentials { path, helper: Some(helper), .. } => {
                format!("install {helper}, or remove it from {} and log in again", path.display())
            }
            Self::Credentials { path, helper: None, .. } => {
                format!("fix {}, or move it away and log in again", path.display())
            }
            Self::Denied { login, .. } => {
                format!("log in as with any other client: docker login {login}, or podman login {login}")
            }
            Self::Unreachable { host, registry, obstacle, .. } => {
                return unreachable(host, registry, *obstacle);
            }
            Self::Settings { .. } => format!("it is read from {SETTINGS}, as wkg does"),
            Self::Published(_) => "a published version cannot be changed: publish the next one".to_owned(),
            Self::NoVolume(_) => {
                "publish it again with kwasm publish --volume, or deploy it by --via install".to_owned()
            }
            Self::Volume { .. } => {
                "ask its publisher, who publishes both with kwasm publish --volume; --via install does without the image"
                    .to_owned()
            }
            Self::Layer { reference, .. } => format!(
                "publish a plugin there: kwasm publish FILE {reference}, or oras push {reference} FILE:application/wasm"
            ),
            Self::Referrers { artifact, .. } => format!("the artifact itself is {artifact}"),
            _ => return None,
        })
    }
}

fn unreachable(host: &str, registry: &str, obstacle: Obstacle) -> Option<String> {
    match obstacle {
        Obstacle::UnknownIssuer => Some(format!(
            "add a private CA to {SETTINGS}: [[registry.\"{registry}\".oci.extra_root_certificates]]"
        )),
        // Whether another host speaks TLS, the registry's configuration does not say.
        Obstacle::PlainHttp if host == registry => Some(format!(
            "if it has no TLS, set in {SETTINGS}: [registry.\"{host}\".oci] protocol = \"http\""
        )),
        Obstacle::Proxy(source) => {
            Some(format!("check {source}, or name the host in NO_PROXY if it is reached without a proxy"))
        }
        Obstacle::Other | Obstacle::PlainHttp => None,
    }
}
