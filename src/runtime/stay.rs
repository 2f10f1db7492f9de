//! Instances of a plugin that answers requests: each made for one, and kept for the next if the policy lets it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{self, Instant};
use wasmtime::{Engine, Store};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi_http::p2::body::HostOutgoingBody;

use super::calls::Origins;
use super::entry::{Entry, Instance};
use super::fault::Fault;
use super::state::State;
use super::{World, limits};
use crate::gate::{Gate, Parent};
use crate::inspect::Inspected;
use crate::policy::Limits;

/// The time for which an instance waits for its next request. It keeps its memory meanwhile.
const IDLE: Duration = Duration::from_secs(30);

/// What instances are made of, and those that wait for their next request.
pub(super) struct Instances {
    pub(super) entry: Entry,
    pub(super) engine: Engine,
    pub(super) inspected: Inspected,
    pub(super) gate: Gate,
    pub(super) world: World,
    pub(super) limits: Limits,
    pub(super) origins: Arc<Origins>,
    pub(super) idle: Mutex<Idle>,
}

/// Instances that wait, the last one to be used at the end.
#[derive(Default)]
pub(super) struct Idle {
    waiting: Vec<(Instant, Stay)>,
    /// Whether a task looks after those that wait for too long.
    is_looked_after: bool,
}

/// An instance's stay: its store, its way to the network, and the instance once there is one.
pub(super) struct Stay {
    pub(super) store: Store<State>,
    gate: Gate,
    instance: Option<Instance>,
    /// The requests that it has answered.
    answered: u32,
    /// The streams, tasks and calls that the guest had when it got its request.
    before: usize,
}

impl Instances {
    /// Returns the stay of the instance that was used last, or begins one.
    ///
    /// # Errors
    /// If the system has no room for it.
    pub(super) fn stay(&self) -> Result<Stay, Fault> {
        let waiting = self.idle().waiting.pop();
        waiting.map_or_else(|| Stay::begin(self), |(_, stay)| Ok(stay))
    }

    /// Keeps an instance that has answered, if it may answer once more and has left nothing open.
    pub(super) fn keep(self: &Arc<Self>, mut stay: Stay, instance: Instance) {
        stay.answered += 1;
        stay.gate.belongs_to(None);
        if stay.answered >= self.limits.reuse || stay.is_open() {
            return;
        }
        stay.instance = Some(instance);
        let mut idle = self.idle();
        idle.waiting.push((Instant::now(), stay));
        if !std::mem::replace(&mut idle.is_looked_after, true) {
            tokio::spawn(Arc::clone(self).look_after());
        }
    }

    /// Ends the instances that wait for too long, until none is left.
    async fn look_after(self: Arc<Self>) {
        loop {
            time::sleep(IDLE).await;
            while let Some(late) = self.late() {
                drop(late);
            }
            let mut idle = self.idle();
            idle.is_looked_after = !idle.waiting.is_empty();
            if !idle.is_looked_after {
                return;
            }
        }
    }

    /// Takes an instance that has waited for too long. One at a time: each has its place in the pool until it is dropped.
    fn late(&self) -> Option<Stay> {
        let mut idle = self.idle();
        // The first one has waited for the longest time.
        let (since, _) = idle.waiting.first()?;
        (since.elapsed() >= IDLE).then(|| idle.waiting.remove(0).1)
    }

    /// Ends the instances that wait.
    pub(super) fn end(&self) {
        let waiting = std::mem::take(&mut self.idle().waiting);
        // No longer under the lock.
        drop(waiting);
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        // Instances are put there and taken away as a whole.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stay {
    fn begin(instances: &Instances) -> Result<Self, Fault> {
        let system = |error: wasmtime::Error| Fault::System(format!("{error:#}"));
        let gate = instances.gate.another();
        let context = instances.world.context().map_err(system)?;
        let state = State::new(context, gate.clone(), instances.limits, Arc::clone(&instances.origins));
        let mut store = Store::new(&instances.engine, state);
        store.limiter(State::limiter);
        limits::bound(&mut store, instances.inspected.kind());
        store.set_epoch_deadline(1);
        // A guest that computes lets others go on, and is given up when its time is over.
        store.epoch_deadline_async_yield_and_update(1);
        Ok(Self { store, gate, instance: None, answered: 0, before: 0 })
    }

    /// Begins a request, and takes the instance if it has answered before. Its own requests belong to `work`.
    pub(super) fn instance(&mut self, work: Arc<dyn Parent>) -> Option<Instance> {
        self.gate.belongs_to(Some(work));
        self.before = self.concurrent();
        self.store.data_mut().begin();
        self.instance.take()
    }

    /// Returns whether the guest has the body of an answer of WASI 0.2 that it has neither finished nor dropped. With the store
    /// it would end like a whole one.
    pub(super) fn is_answering(&self) -> bool {
        self.store.data().is_answering()
    }

    /// Returns whether the guest has left a body, stream, task or call open, which ends with its store alone.
    fn is_open(&mut self) -> bool {
        let resources = self.store.data_mut().ctx().table;
        resources.iter_mut().any(|resource| resource.is::<HostOutgoingBody>())
            || self.concurrent() > self.before
    }

    fn concurrent(&mut self) -> usize {
        self.store.concurrent_resource_table().map_or(0, |table| table.iter_mut().count())
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        // Before the store: the end of a dropped body looks like any other end.
        self.gate.leave();
    }
}
