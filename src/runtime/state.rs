//! What a running guest holds on the host's side.

use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::gate::{Door, Gate};

/// The state of one run.
pub(super) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    door: Door,
}

impl State {
    pub(super) fn new(wasi: WasiCtx, gate: Gate) -> Self {
        Self { wasi, http: WasiHttpCtx::new(), table: ResourceTable::new(), door: Door(gate) }
    }

    /// All that a guest can call: WASI 0.2 and wasi:http, whose requests go through the gate's door.
    ///
    /// wasi:sockets is wasmtime's own, which creates no socket unless it is told to; `.clippy.toml` bans the telling.
    pub(super) fn link(linker: &mut Linker<Self>) -> wasmtime::Result<()> {
        wasmtime_wasi::p2::add_to_linker_async(linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.door, table: &mut self.table, ctx: &mut self.http }
    }
}
