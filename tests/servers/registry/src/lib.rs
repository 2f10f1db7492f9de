//! OCI registries on loopback, for tests.
//!
//! Two are real, over TLS with a certificate authority of their own, and end with the test, however that ends:
//! [`Registry::start`] is distribution, the `docker-registry` of Debian; [`Registry::with_referrers`] is
//! go-containerregistry's, which has the referrers API that distribution 2 lacks.
//!
//! [`Wrong`] is a third that serves whatever it is given and misbehaves on demand: it cuts, stalls, lies,
//! redirects, requires tokens, and records the requests.
//!
//! ```no_run
//! use kwasm_registry::{Artifact, Fault, Kind, Registry, Wrong};
//!
//! let registry = Registry::start()?;
//! let home = tempfile::tempdir()?;
//! registry.access().write_docker_config(home.path())?;
//! // … push to registry.access().host() with DOCKER_CONFIG and SSL_CERT_FILE set …
//!
//! let wrong = Wrong::start()?;
//! wrong.push("plugins/hello", "1.0.0", &Artifact::component(b"\0asm".as_slice()));
//! wrong.fault(Fault::cut_after(2).on(Kind::Blob));
//! // … pull, and see what it makes of it …
//! assert!(wrong.requests().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![expect(clippy::disallowed_methods, reason = "the bans are for the host; this runs beside it, in tests")]

mod access;
mod certificates;
mod digest;
mod environment;
mod error;
mod go_module;
mod process;
mod registry;
mod wrong;

pub use access::{Access, Login};
pub use digest::digest;
pub use environment::tool;
pub use error::Error;
pub use registry::{Builder, Registry};
pub use wrong::{Artifact, Fault, Kind, Paging, Received, Side, Tokens, Wrong, WrongBuilder};
