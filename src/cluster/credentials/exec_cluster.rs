//! The information about the cluster for a credential plugin that requests it (client-go, rest/exec.go).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;

use super::super::document::ClusterEntry;
use super::super::pem::Pem;

/// The extension of a cluster with data for its credential plugin only.
const EXTENSION: &str = "client.authentication.k8s.io/exec";

/// A cluster as in `KUBERNETES_EXEC_INFO`.
#[derive(Clone, Default)]
pub struct ExecCluster {
    info: ClusterInfo,
    authority: Option<Pem>,
}

/// The serialised cluster (client-go, pkg/apis/clientauthentication/v1/types.go).
#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ClusterInfo {
    server: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    tls_server_name: String,
    #[serde(skip_serializing_if = "is_false")]
    insecure_skip_tls_verify: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    certificate_authority_data: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    proxy_url: String,
    #[serde(skip_serializing_if = "is_false")]
    disable_compression: bool,
    config: Value,
}

impl From<&ClusterEntry> for ExecCluster {
    fn from(entry: &ClusterEntry) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut extensions = entry.extensions.iter().flatten();
        let config = extensions.find(|extension| extension.name == EXTENSION);
        Self {
            info: ClusterInfo {
                server: text(&entry.server),
                tls_server_name: text(&entry.tls_server_name),
                insecure_skip_tls_verify: entry.insecure_skip_tls_verify == Some(true),
                certificate_authority_data: String::new(),
                proxy_url: text(&entry.proxy_url),
                disable_compression: entry.disable_compression == Some(true),
                config: config.map(|named| named.extension.clone()).unwrap_or_default(),
            },
            authority: Pem::of(
                entry.certificate_authority_data.as_deref(),
                entry.certificate_authority.as_deref(),
            ),
        }
    }
}

impl ExecCluster {
    /// Returns the information, with the authority's certificate from its file, or the reason why that cannot
    /// be read.
    pub(super) fn info(&self) -> Result<ClusterInfo, String> {
        let mut info = self.info.clone();
        if let Some(authority) = &self.authority {
            info.certificate_authority_data = STANDARD.encode(authority.read()?.as_slice());
        }
        Ok(info)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
