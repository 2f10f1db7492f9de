//! A small Kubernetes API server for tests and demonstrations.
//!
//! It speaks real HTTPS with client certificates and tokens, keeps secrets, config maps, events and pods,
//! lists and watches them as a cluster does, records the requests, and has faults that a real server doesn't
//! have on demand. Every user that it recognises may do everything; all others get 401.
//!
//! ```
//! use kwasm_apiserver::{ApiServer, Fault, User};
//!
//! let server = ApiServer::start()?;
//! server.put("namespaces/shop/secrets/db", serde_json::json!({ "stringData": { "user": "jane" } }))?;
//! server.fault(Fault::unauthorized().on("GET", "/api/v1/namespaces/shop"));
//! let kubeconfig = server.kubeconfig(User::Certificate);
//! // … run what is to be tested with it …
//! assert!(kubeconfig.exists() && server.requests().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![expect(clippy::disallowed_methods, reason = "the bans are for the host; this runs beside it, in tests")]

mod body;
mod control;
mod credentials;
pub mod demo;
mod discovery;
mod faults;
mod identity;
mod kubeconfig;
mod list;
mod log;
mod object;
mod rest;
mod routes;
mod selectors;
mod server;
mod service;
mod status;
mod store;
mod streams;
mod ticks;
mod tls;
mod watch;
mod wire;

pub use credentials::{BASIC_USER, CERTIFICATE_GROUPS, CERTIFICATE_USER, TOKEN_GROUPS, TOKEN_USER};
pub use faults::Fault;
pub use kubeconfig::{Context, Kubeconfig, User};
pub use log::{Answer, Received, Sunk, Upload};
pub use server::{ApiServer, Builder, ClientCheck, ServerCertificate, StartError};
pub use status::Refused;
pub use tls::KeyedCertificate;
pub use wire::Cut;
