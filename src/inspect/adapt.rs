//! Turns a core module into a component, for registries and tools that accept only components.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};

use super::embed::{embed, without_request};
use super::outline::Outline;
use super::{Error, guess};

/// Turns a core module into a component, with wasmtime's adapter for preview 1.
///
/// The component is inferior to the module. The adapter allocates from the module's memory while the program
/// runs, which programs that manage their own memory do not expect (Go's, Kotlin's and `AssemblyScript`'s
/// runtimes, C libraries from before 2023, and any memory of a fixed size). Of an exit code, it only passes
/// on whether it is zero.
///
/// The module's request becomes the component's.
///
/// # Errors
/// [`Error::Unadaptable`] when the adapter does not fit the module; [`Error::Request`] if its request cannot be
/// read.
pub fn adapt(module: &[u8]) -> Result<Vec<u8>, Error> {
    if !module.starts_with(b"\0asm") {
        return Err(Error::Alien(guess(module)));
    }
    match Outline::read(module)?.request? {
        // In the module inside of the component it would not be one.
        Some(request) => embed(&component_of(&without_request(module)?)?, &request),
        None => component_of(module),
    }
}

fn component_of(module: &[u8]) -> Result<Vec<u8>, Error> {
    wit_component::ComponentEncoder::default()
        .module(module)
        .and_then(|encoder| {
            encoder
                .validate(true)
                .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER)
        })
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| Error::Unadaptable(joined(&format!("{error:#}"))))
}

/// Joins the lines of a message, which `wit-component` spreads over several.
fn joined(text: &str) -> String {
    text.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}
