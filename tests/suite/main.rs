//! The tests that run the program: one binary, one module a promise.
//!
//! `cargo xtask test` builds what they need (guests, the real control plane) and says what could not be run.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and speaks to whoever runs it, and is told by its environment what was built"
)]

mod archives;
#[cfg(target_os = "linux")]
mod asking;
#[cfg(unix)]
mod audit_log;
mod catalogue;
#[cfg(unix)]
mod code_cache;
#[cfg(unix)]
mod conformance;
#[cfg(unix)]
mod consent;
mod contexts_and_identities;
mod core_modules;
#[cfg(unix)]
mod crash_safety;
mod credentials;
mod decoder;
mod deploying;
#[cfg(unix)]
mod doctor;
mod documented_limits;
mod endings;
mod error_messages;
mod formats;
mod fuzz_corpora;
mod go_builds;
mod go_guests;
mod granted_at_install;
#[cfg(unix)]
mod granted_files;
mod granted_hosts;
mod granted_variables;
mod hostile;
#[cfg(unix)]
mod hostile_texts;
mod inspect;
mod interrupted_writes;
mod judge;
mod kube_rs;
mod kubectl;
#[cfg(unix)]
mod learning;
mod manual_and_completions;
#[cfg(unix)]
mod new_projects;
mod object_sources;
#[cfg(unix)]
mod optimizing;
#[cfg(unix)]
mod output_files;
mod path_prefixes;
mod plugin_lifecycle;
#[cfg(unix)]
mod plugins;
mod policies;
mod profiles;
mod project_documents;
mod proxies;
mod recorded_runs;
#[cfg(unix)]
mod recorded_terminal;
#[cfg(unix)]
mod refusal_messages;
mod refused_destinations;
mod registries;
mod registry_tools;
#[cfg(unix)]
mod requests;
#[cfg(unix)]
mod restricted_systems;
mod reused_connections;
mod roles;
mod secret_leaks;
mod serving;
#[cfg(unix)]
mod shared_libraries;
#[cfg(unix)]
mod shared_store;
#[cfg(target_os = "linux")]
mod sockets;
#[cfg(unix)]
mod standard_streams;
mod streamed_bodies;
mod support;
mod timeline;
mod tls;
mod traps;
#[cfg(unix)]
mod tunnel_transfers;
mod tunnels;
mod verbosity;
mod wasi3;
mod watches;
