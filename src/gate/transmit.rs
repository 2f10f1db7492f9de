//! Sends permitted requests over the network, and reports their failures.

use ::http::{HeaderMap, Response, StatusCode, header};

use super::failure::{self, Failure};
use super::hosts::Hosts;
use super::reports::Reports;
use super::sender::Unrenewed;
use super::{Body, GuestBody, Inner, Reach, Timeouts, deadline};
use crate::message::Message;
use crate::policy::{Permit, Target};

impl Inner {
    /// Sends a permitted request over the network.
    pub(super) async fn transmit(
        &self,
        permit: Permit,
        headers: HeaderMap,
        body: GuestBody,
        timeouts: Timeouts,
        reports: Reports,
    ) -> Result<Response<Body>, Failure> {
        match permit.attempt().target() {
            Target::Context(context) => {
                let context = context.clone();
                self.send_to_cluster(context.name(), permit, headers, body, timeouts, reports).await
            }
            Target::Host(_) => self.send_to_host(permit, headers, body, timeouts, reports).await,
        }
    }

    /// Sends a request with the credentials of the user.
    async fn send_to_cluster(
        &self,
        context: &str,
        permit: Permit,
        mut headers: HeaderMap,
        body: GuestBody,
        timeouts: Timeouts,
        reports: Reports,
    ) -> Result<Response<Body>, Failure> {
        let Some(Reach { cluster, sender }) = self.reach(context) else { return Err(Failure::Closed) };
        if let Some(impersonation) = cluster.impersonation() {
            impersonation.put_into(&mut headers);
        }
        if cluster.disables_compression() {
            headers.remove(header::ACCEPT_ENCODING);
        }
        let (limit, late_reports) = (cluster.request_timeout(), reports.clone());
        let late = limit.map(|limit| Failure::RequestTimeout(limit).explain(cluster, None));
        let on_timeout = move || late.into_iter().for_each(|line| late_reports.failed(line));
        let relayed = permit.attempt().info().is_relayed();
        let sent = sender.send(cluster, permit, headers, body, timeouts);
        let mut sent = deadline::within(limit, sent, on_timeout).await;
        if let Err(Failure::RequestTimeout(limit)) = sent
            && sender.waits_for_credentials()
        {
            sent = Err(failure::no_credentials(cluster, limit));
        }
        let certificate = || sender.certificate();
        match &mut sent {
            Err(failure) => reports.failed(failure.explain(cluster, certificate().as_ref())),
            Ok(response) if response.status() == StatusCode::UNAUTHORIZED && !relayed => {
                let line = match response.extensions_mut().remove() {
                    Some(Unrenewed(line)) => line,
                    None => failure::unauthorized(cluster, certificate().as_ref()),
                };
                reports.failed(line);
            }
            Ok(response) if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                if let Some(line) = failure::login(cluster) {
                    reports.failed(line);
                }
            }
            Ok(_) => {}
        }
        sent
    }

    /// Sends a request without credentials.
    async fn send_to_host(
        &self,
        permit: Permit,
        headers: HeaderMap,
        body: GuestBody,
        timeouts: Timeouts,
        reports: Reports,
    ) -> Result<Response<Body>, Failure> {
        let host = match permit.attempt().target() {
            Target::Host(host) => host.to_string(),
            Target::Context(_) => return Err(Failure::Closed),
        };
        let hosts = self.hosts.get_or_try_init(|| async { Hosts::new(self.grant.hosts()) }).await;
        let sent = match hosts {
            Ok(hosts) => hosts.send(permit, headers, body, timeouts).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = &sent
            && !matches!(failure, Failure::PrivateAddress(_))
        {
            // What helps there is about kubeconfigs.
            let Message { text, .. } = failure.explain_at(&format!("https://{host}"), None);
            reports.failed(Message::plain(text));
        }
        sent
    }
}
