//! Tests of credentials for the API server: each kind, and how it is renewed.

#[cfg(unix)]
mod interactive;
mod issuer;
mod kinds;
mod oidc;
mod plugins;
mod program;
mod refreshes;
mod renewal;

use kwasm_apiserver::{ApiServer, Kubeconfig, User};
use serde_json::Value;

use crate::support::Kwasm;

/// Returns a kwasm whose kubeconfig has this user, at this server.
fn known_by(server: &ApiServer, user: &Value) -> Kwasm {
    let mut context = server.context(User::Token);
    context.user = user.as_object().cloned().unwrap();
    let kubeconfig = server.write_kubeconfig("own", &Kubeconfig::new().with(context)).unwrap();
    Kwasm::new().kubeconfig(kubeconfig)
}

/// Returns the user of each request in order.
fn users(server: &ApiServer) -> Vec<String> {
    server.requests().into_iter().map(|request| request.user.unwrap_or_else(|| "nobody".to_owned())).collect()
}

/// Returns the statuses of all requests in order.
fn statuses(server: &ApiServer) -> Vec<u16> {
    server.requests().into_iter().filter_map(|request| request.status).collect()
}
