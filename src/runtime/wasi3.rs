//! WASI 0.3 for a component that imports it, on the same state, the same door and the same table as 0.2.
//!
//! wasmtime-wasi implements what only describes or times: the command line, clocks, random numbers, files. Of
//! its 0.3 nothing is linked that opens a connection: sockets are the gate's (`runtime::sockets::wasi3`), and
//! upstream's wasi:http has no other way out than the hook that is the gate's door (`gate::http`).

use wasmtime::component::Linker;
use wasmtime_wasi::p3::{cli, clocks, filesystem, random};

use super::http;
use super::sockets;
use super::state::State;
use crate::inspect::Inspected;

/// Adds the interfaces of WASI 0.3 for a guest that imports any. The larger ones are added only if they are imported,
/// since linking all of them takes longer than many a run.
pub(super) fn link(linker: &mut Linker<State>, inspected: &Inspected) -> wasmtime::Result<()> {
    if !inspected.imports_wasi3() {
        return Ok(());
    }
    cli::add_to_linker(linker)?;
    clocks::add_to_linker(linker)?;
    random::add_to_linker(linker)?;
    if inspected.imports_any_of("wasi:filesystem") {
        filesystem::add_to_linker(linker)?;
    }
    if inspected.imports_any_of("wasi:sockets") {
        #[cfg(feature = "faults")]
        if !crate::defence::Defence::Sockets.stands() {
            return super::holes::link_wasi3_sockets(linker).and_then(|()| link_http(linker, inspected));
        }
        sockets::wasi3::link(linker, State::sockets)?;
    }
    link_http(linker, inspected)
}

fn link_http(linker: &mut Linker<State>, inspected: &Inspected) -> wasmtime::Result<()> {
    if inspected.imports_any_of("wasi:http") { http::wasi3::link(linker) } else { Ok(()) }
}
