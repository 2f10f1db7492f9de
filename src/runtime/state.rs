//! The host's state of a running guest.

use std::sync::Arc;

use wasmtime::component::{Linker, Resource};
use wasmtime::{ResourceLimiter, StoreContextMut};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::bindings::sockets::network::LinkOptions;
use wasmtime_wasi::p2::bindings::{cli, filesystem, random, sockets as wasi_sockets};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi::{WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView};

use super::calls::Origins;
use super::http::{self, Answers, Http};
use super::limits::{self, Meter};
use super::sockets::{self, Sockets};
use crate::gate::{Door, Gate};
use crate::inspect::Inspected;
use crate::policy::Limits;

/// The state of one run.
pub(super) struct State {
    /// WASI with its table of resources: for a component, and for a core module's preview 1, which is a layer
    /// on top of it.
    wasi: WasiP1Ctx,
    http: WasiHttpCtx,
    answers: Answers,
    door: Door,
    meter: Meter,
    origins: Arc<Origins>,
}

impl State {
    pub(super) fn new(mut wasi: WasiP1Ctx, gate: Gate, limits: Limits, origins: Arc<Origins>) -> Self {
        limits::bound_resources(wasi.ctx().table);
        let (http, answers) = (limits::headers(&limits), Answers::default());
        Self { wasi, http, answers, door: Door(gate), meter: Meter::new(limits), origins }
    }

    /// Returns the limiter of the guest's resources, for wasmtime.
    pub(super) fn limiter(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.meter
    }

    /// Returns the counter of the guest's resources.
    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Begins a request: a limit that an earlier one met says nothing about it.
    pub(super) fn begin(&mut self) {
        self.meter.forget();
    }

    /// Returns where the guest's libraries begin in the plugin.
    pub(super) fn origins(&self) -> &Origins {
        &self.origins
    }

    fn http(&mut self) -> Http<'_> {
        let Self { wasi, http, answers, door, .. } = self;
        Http(WasiHttpCtxView { hooks: door, table: wasi.ctx().table, ctx: http }, answers)
    }

    /// Returns whether the guest has the body of an answer of WASI 0.2 that it has neither finished nor dropped.
    pub(super) fn is_answering(&self) -> bool {
        !self.answers.are_ended()
    }

    /// Returns the host's side of wasi:http, of which 0.2 and 0.3 have the same.
    pub(super) fn http_view(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.door, table: self.wasi.ctx().table, ctx: &mut self.http }
    }

    /// Returns the host's side of wasi:sockets, of which 0.2 and 0.3 have the same.
    pub(super) fn sockets(&mut self) -> Sockets<'_> {
        Sockets { gate: &self.door.0, table: self.wasi.ctx().table }
    }

    /// Returns the host's side of a core module's preview 1 calls.
    pub(super) fn preview1(&mut self) -> &mut WasiP1Ctx {
        &mut self.wasi
    }

    /// Adds the interfaces that a guest can call: WASI 0.2, with sockets that lead to the gate's door, and
    /// wasi:http, whose requests pass through it. The larger interfaces are added only if they are imported, since
    /// linking all of them takes longer than many a run.
    pub(super) fn link(linker: &mut Linker<Self>, inspected: &Inspected) -> wasmtime::Result<()> {
        if !inspected.imports_wasi2() {
            return Ok(());
        }
        wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?; // io, clocks, random, standard streams
        Self::link_errors(linker)?;
        random::insecure::add_to_linker::<Self, WasiRandom>(linker, Self::random)?;
        random::insecure_seed::add_to_linker::<Self, WasiRandom>(linker, Self::random)?;
        cli::environment::add_to_linker::<Self, WasiCli>(linker, Self::cli)?;
        cli::exit::add_to_linker::<Self, WasiCli>(linker, Self::cli)?;
        cli::terminal_input::add_to_linker::<Self, WasiCli>(linker, Self::cli)?;
        cli::terminal_output::add_to_linker::<Self, WasiCli>(linker, Self::cli)?;
        cli::terminal_stdin::add_to_linker::<Self, WasiCli>(linker, Self::cli)?;
        cli::terminal_stdout::add_to_linker::<Self, WasiCli>(linker, Self::cli)?;
        cli::terminal_stderr::add_to_linker::<Self, WasiCli>(linker, Self::cli)?;
        if inspected.imports_any_of("wasi:filesystem") {
            filesystem::preopens::add_to_linker::<Self, WasiFilesystem>(linker, Self::filesystem)?;
            filesystem::types::add_to_linker::<Self, WasiFilesystem>(linker, Self::filesystem)?;
        }
        if inspected.imports_any_of("wasi:sockets") {
            Self::link_sockets(linker)?;
        }
        if inspected.imports_any_of("wasi:http") {
            http::link(linker, Self::http)?;
        }
        Ok(())
    }

    /// Makes errors contain only their description: wasmtime-wasi 48.0.8 formats them with `{:?}`, which
    /// contains paths of this machine if `RUST_BACKTRACE` is set.
    fn link_errors(linker: &mut Linker<Self>) -> wasmtime::Result<()> {
        linker.allow_shadowing(true);
        linker.instance("wasi:io/error@0.2.12")?.func_wrap(
            "[method]error.to-debug-string",
            |mut store: StoreContextMut<'_, Self>, (error,): (Resource<wasmtime::Error>,)| {
                let causes = store.data_mut().wasi.ctx().table.get(&error)?.chain().map(ToString::to_string);
                Ok((causes.collect::<Vec<_>>().join(": "),))
            },
        )?;
        linker.allow_shadowing(false);
        Ok(())
    }

    /// Links wasi:sockets: functions that open something are the gate's, and the rest, which only describes
    /// it, is wasmtime's.
    fn link_sockets(linker: &mut Linker<Self>) -> wasmtime::Result<()> {
        let options = LinkOptions::default();
        wasi_sockets::instance_network::add_to_linker::<Self, WasiSockets>(linker, WasiSocketsView::sockets)?;
        wasi_sockets::network::add_to_linker::<Self, WasiSockets>(
            linker,
            &options,
            WasiSocketsView::sockets,
        )?;
        wasi_sockets::udp::add_to_linker::<Self, WasiSockets>(linker, WasiSocketsView::sockets)?;
        #[cfg(feature = "faults")]
        if !crate::defence::Defence::Sockets.stands() {
            return super::holes::link_sockets(linker);
        }
        sockets::link(linker, Self::sockets)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}
