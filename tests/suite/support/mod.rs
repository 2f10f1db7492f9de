//! The parts that the tests share: a kwasm with a home of its own, the two API servers, and the real
//! registries.

#[cfg(target_os = "linux")]
mod conversation;
mod kwasm;
pub(crate) mod proxy;
mod registry;
mod relay;
mod running;
mod servers;
#[cfg(unix)]
mod terminal;
pub(crate) mod tls;
mod toolchains;

#[cfg(target_os = "linux")]
pub(crate) use self::conversation::Conversation;
pub(crate) use self::kwasm::{Kwasm, Run, UNSTABLE, component, faults_program};
pub(crate) use self::registry::{Layout, RealRegistry, open_registry, registry, registry_with_referrers};
pub(crate) use self::relay::Relay;
pub(crate) use self::running::Running;
pub(crate) use self::servers::{Real, filled, real, seed, skip};
#[cfg(unix)]
pub(crate) use self::terminal::{asked_on_terminal, at_terminal, on_terminal, on_terminal_whole};

pub(crate) use self::toolchains::{kept_target, rust_homes, wasm_toolchain, with_toolchains};

use std::path::Path;

use kwasm_apiserver::{ApiServer, User};

/// Returns a kubeconfig of the embedded API server.
pub(crate) fn kubeconfig(server: &ApiServer, user: User) -> std::path::PathBuf {
    server.kubeconfig(user)
}

/// Returns the files below a folder, for tests that check what is left behind.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}
