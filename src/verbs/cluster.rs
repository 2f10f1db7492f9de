//! `kwasm cluster`: the cluster that plugins reach, and the user as whom they reach it. Shows no secrets.

use std::path::PathBuf;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::{Output, Verbosity};
use crate::cluster::{
    Authentication, Authority, Cluster, Contexts, Flags, Impersonation, Kubeconfig, Selection, Validity,
};
use crate::environment::{Connection, Environment};
use crate::gate::{Checked, Gate, Observer};
use crate::policy::Policy;
use crate::runtime::OpenLine;

use super::watching::Lines;
use super::{Ending, Error, Reporter, print, table};

/// The facts about a cluster that are known without a request, and its answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    context: String,
    cluster: String,
    server: String,
    namespace: String,
    user: String,
    authentication: Authentication,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_certificate: Option<Certificate>,
    /// The reason why its validity period is not valid now.
    #[serde(skip)]
    fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impersonate: Option<Impersonation>,
    certificate_authority: Authority,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_server_name: Option<String>,
    insecure_skip_tls_verify: bool,
    /// The proxy's address without its password.
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy_url: Option<String>,
    /// The kubeconfig files that were read, in order.
    files: Vec<PathBuf>,
    #[serde(flatten)]
    checked: Option<Checked>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    subject: String,
    issuer: String,
    not_before: String,
    not_after: String,
}

/// The options of the command.
pub(super) struct Wish {
    /// The flags that select the cluster.
    pub(super) connection: Connection,
    /// Whether to ask the server for the user's identity, and to report each request.
    pub(super) check: bool,
    pub(super) verbosity: Verbosity,
    pub(super) output: Output,
}

pub(super) fn cluster(environment: &Environment, reporter: Reporter, wish: &Wish) -> Result<Ending, Error> {
    let flags = Flags::of(&wish.connection)?;
    let kubeconfig = Kubeconfig::load(environment, &flags)?;
    let contexts = Contexts::choose(&kubeconfig, &flags, |name, selected| name == selected)?;
    let mut subject = match contexts.selected() {
        Selection::Cluster(cluster) => Subject::of(cluster, &kubeconfig)?,
        Selection::Nothing(why) => return Err(Error::NoCluster(why.clone())),
    };
    if wish.check {
        let lines = Lines::new(reporter, OpenLine::default());
        let observers = lines.observer(wish.verbosity).into_iter().collect();
        match gate(contexts, observers)?.check() {
            Ok(None) => return Ok(Ending::Interrupted),
            Ok(checked) => subject.checked = checked,
            Err(lines) => {
                reporter.messages(&lines);
                return Ok(Ending::Faulty);
            }
        }
    }
    print(&table::one(&subject, wish.output, || subject.page(), || subject.context.clone()))?;
    Ok(Ending::Done)
}

/// The policy for kwasm's own requests, which every user may make about themselves.
const POLICY: &str = "
apiVersion: kwasm.dev/v1
kind: Policy
metadata: {name: check}
spec:
  kubernetes:
    rules:
    - {nonResourceURLs: [/version], verbs: [get]}
    - {apiGroups: [authentication.k8s.io], resources: [selfsubjectreviews], verbs: [create]}
";

/// Returns a gate that allows exactly these requests.
fn gate(contexts: Contexts, observers: Vec<Observer>) -> Result<Gate, Error> {
    let policy = Policy::read("kwasm cluster", POLICY).map_err(Error::Policy)?;
    Ok(Gate::new(policy.grant_whole(), contexts, observers, None))
}

impl Subject {
    fn of(cluster: &Cluster, kubeconfig: &Kubeconfig) -> Result<Self, Error> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        // To a plain HTTP server it is not shown, and so not read.
        let secure = cluster.endpoint().origin().is_secure();
        let stated = if secure { cluster.credentials().stated_certificate() } else { Ok(None) };
        let stated = stated.map_err(crate::cluster::Error::from)?;
        Ok(Self {
            context: cluster.context().to_owned(),
            cluster: cluster.cluster_name().to_owned(),
            server: cluster.server().to_owned(),
            namespace: cluster.namespace().to_owned(),
            user: cluster.user_name().to_owned(),
            authentication: cluster.credentials().authentication(),
            fault: stated
                .as_ref()
                .and_then(|stated| stated.fault(OffsetDateTime::now_utc().unix_timestamp())),
            client_certificate: stated.map(Certificate::of),
            impersonate: cluster.impersonation().cloned(),
            certificate_authority: cluster.trust().authority(),
            tls_server_name: owned(cluster.trust().server_name()),
            insecure_skip_tls_verify: cluster.trust().is_insecure(),
            proxy_url: cluster.proxy().map(ToString::to_string),
            files: kubeconfig.files().to_vec(),
            checked: None,
        })
    }

    /// Returns a page with one fact per line.
    fn page(&self) -> String {
        let mut lines = vec![
            ("context", self.context.clone()),
            ("cluster", self.cluster.clone()),
            ("server", self.server.clone()),
            ("namespace", self.namespace.clone()),
            ("user", self.user.clone()),
            ("authentication", named(&self.authentication)),
        ];
        if let Some(Certificate { subject, issuer, not_before, not_after }) = &self.client_certificate {
            lines.push(("certificate", subject.clone()));
            lines.push(("", format!("issued by {issuer}")));
            let fault = self.fault.as_ref().map_or_else(String::new, |fault| format!(": it {fault}"));
            lines.push(("", format!("valid from {not_before} to {not_after}{fault}")));
        }
        if let Some(impersonation) = &self.impersonate {
            for (index, who) in impersonation.describe().into_iter().enumerate() {
                lines.push((if index == 0 { "impersonates" } else { "" }, who));
            }
        }
        lines.push(("authority", named(&self.certificate_authority)));
        let mut line = |key, value: Option<String>| lines.extend(value.map(|value| (key, value)));
        line("server name", self.tls_server_name.clone());
        line(
            "insecure",
            self.insecure_skip_tls_verify.then(|| "the server's certificate is not verified".to_owned()),
        );
        line("proxy", self.proxy_url.clone());
        for (index, file) in self.files.iter().enumerate() {
            line(if index == 0 { "files" } else { "" }, Some(file.display().to_string()));
        }
        if let Some(Checked { version, username, groups }) = &self.checked {
            line("version", Some(version.clone().unwrap_or_else(|| "not reported".to_owned())));
            line("known as", Some(username.clone().unwrap_or_else(|| "not reported".to_owned())));
            for (index, group) in groups.iter().enumerate() {
                line(if index == 0 { "groups" } else { "" }, Some(group.clone()));
            }
        }
        table::page(&lines)
    }
}

/// Returns the name of a kind as in the output of data.
fn named(kind: &impl Serialize) -> String {
    serde_json::to_value(kind).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

impl Certificate {
    fn of(validity: Validity) -> Self {
        let time = |seconds| {
            let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
            time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
        };
        Self {
            not_before: time(validity.not_before),
            not_after: time(validity.not_after),
            subject: validity.subject,
            issuer: validity.issuer,
        }
    }
}
