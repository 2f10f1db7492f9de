//! Plugins that answer requests, each in an instance of its own.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::{self, Instant};
use wasmtime::{Engine, Store};
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

use super::calls::{self, Origins};
use super::engine::{Pool, Runner};
use super::entry::{Entry, Head};
use super::state::State;
use super::{Calls, Compiler, Error, Outcome, Trap, World, ending, limits};
use crate::gate::Gate;
use crate::inspect::Inspected;
use crate::policy::{Limit, Limits};
use crate::store::Plugin;

/// A plugin that answers requests. Each is answered by an instance of its own, which knows nothing of the others.
pub struct Handler(Arc<Shared>);

struct Shared {
    entry: Entry,
    engine: Engine,
    inspected: Inspected,
    gate: Gate,
    world: World,
    limits: Limits,
    origins: Arc<Origins>,
    watcher: Arc<dyn Visits>,
}

/// Watches the instances of a plugin.
pub trait Visits: Send + Sync {
    /// An instance is there, after this time.
    fn instantiated(&self, took: Duration);

    /// A request was not answered, or not to its end.
    fn failed(&self, fault: &Fault);
}

/// The reason why a request is not answered, or not to its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The plugin took longer than this.
    Late(Duration),
    /// It exceeded a limit, in these calls.
    Limited(Limit, Calls),
    /// It returned without an answer.
    Silent,
    /// It answered with an error of `wasi:http` instead.
    Failed(String),
    /// It trapped.
    Trapped(Trap),
    /// Its answer is not what it has to be, for this reason.
    Unfit(String),
    /// The system lacks what an instance requires.
    System(String),
}

/// A request to a plugin.
pub struct Visit<B> {
    /// The request.
    pub request: Request<B>,
    /// Whether it came through TLS.
    pub is_tls: bool,
    /// The time for its whole answer.
    pub time: Duration,
}

/// How often guests that compute let others go on, and whether their time is over is looked at.
const TICK: Duration = Duration::from_millis(10);

/// A guest that answers.
type Guest = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

impl Handler {
    /// Maps the plugin's code, after compiling it if necessary, for this many instances at a time, and checks that its
    /// imports can be resolved.
    ///
    /// # Errors
    /// If it cannot be compiled, or answers no requests.
    pub fn new(
        plugin: &Plugin,
        compiler: &Compiler<'_>,
        gate: Gate,
        world: World,
        limits: Limits,
        instances: u32,
        watcher: Arc<dyn Visits>,
    ) -> Result<Self, Error> {
        let inspected = plugin.inspected().clone();
        let runner = Runner { stack: limits.stack, calls: calls::CALLS, pool: None };
        let code = compiler.code(runner, plugin)?;
        let pool = Pool::for_guests(instances, limits.memory, &code);
        // Where there is no room for a pool of addresses, instances are made one by one.
        let code = compiler.code(Runner { pool: Some(pool), ..runner }, plugin).unwrap_or(code);
        let engine = code.engine().clone();
        let entry =
            Entry::link(&engine, &code, &inspected).map_err(|error| Error::link(plugin.name(), &error))?;
        tick(&engine).map_err(Error::system)?;
        let origins = Arc::new(Origins::of(&code));
        Ok(Self(Arc::new(Shared {
            entry,
            engine,
            inspected,
            gate,
            world: world.among_others(),
            limits,
            origins,
            watcher,
        })))
    }

    /// Answers a request. `held` is dropped when the instance is gone, which may be after the answer has ended.
    ///
    /// # Errors
    /// If there is no answer. What goes wrong after its head cuts its body off.
    pub async fn answer<B, H>(&self, visit: Visit<B>, held: H) -> Result<Response<Answer>, Fault>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<HttpError>,
        H: Send + 'static,
    {
        let (tell, mut told) = oneshot::channel();
        let shared = Arc::clone(&self.0);
        let mut guest: Guest = Box::pin(async move {
            let ended = shared.visit(visit, tell).await;
            if let Err(fault) = &ended {
                shared.watcher.failed(fault);
            }
            drop((shared, held));
            ended
        });
        let mut ended = None;
        let said = std::future::poll_fn(|context| {
            // What it says and how it ends can come at the same time.
            if ended.is_none()
                && let Poll::Ready(how) = guest.as_mut().poll(context)
            {
                ended = Some(how);
            }
            Pin::new(&mut told).poll(context).map(Result::ok)
        })
        .await;
        match (said, ended) {
            // Nothing has been sent, even if there is a head.
            (_, Some(Err(fault))) => Err(fault),
            (Some(Ok(response)), ended) => {
                let guest = ended.is_none().then_some(guest);
                Ok(response.map(|body| Answer { guest, body, breaks_off: false, is_whole: false }))
            }
            (Some(Err(error)), _) => Err(self.failed(Fault::Failed(error.to_string()))),
            // One that lets go of its chance to answer is not waited for.
            (None, _) => Err(self.failed(Fault::Silent)),
        }
    }

    /// Tells of a fault that is found in a whole answer.
    pub fn tell(&self, fault: &Fault) {
        self.0.watcher.failed(fault);
    }

    fn failed(&self, fault: Fault) -> Fault {
        self.tell(&fault);
        fault
    }
}

impl Shared {
    /// Makes an instance, lets it answer, and waits until it has nothing more to do.
    async fn visit<B>(&self, visit: Visit<B>, tell: oneshot::Sender<Head>) -> Result<(), Fault>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<HttpError>,
    {
        let began = Instant::now();
        let mut stay = Stay::begin(self)?;
        let store = &mut stay.store;
        let answered = async {
            let instance = self.entry.instantiate(store).await?;
            self.watcher.instantiated(began.elapsed());
            instance.answer(store, visit.request, visit.is_tls, tell).await
        };
        match time::timeout_at(began + visit.time, answered).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(fault(ending(&mut stay.store, &error))),
            Err(_) => Err(Fault::Late(visit.time)),
        }
    }
}

/// An instance's stay: its store, and its way to the network.
struct Stay {
    store: Store<State>,
    gate: Gate,
}

impl Stay {
    fn begin(shared: &Shared) -> Result<Self, Fault> {
        let system = |error: wasmtime::Error| Fault::System(format!("{error:#}"));
        let gate = shared.gate.another();
        let context = shared.world.context().map_err(system)?;
        let state = State::new(context, gate.clone(), shared.limits, Arc::clone(&shared.origins));
        let mut store = Store::new(&shared.engine, state);
        store.limiter(State::limiter);
        limits::bound(&mut store, shared.inspected.kind());
        store.set_epoch_deadline(1);
        // A guest that computes lets others go on, and is given up when its time is over.
        store.epoch_deadline_async_yield_and_update(1);
        Ok(Self { store, gate })
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        // Before the store: the end of a dropped body looks like any other end.
        self.gate.leave();
    }
}

fn fault(outcome: Outcome) -> Fault {
    match outcome {
        Outcome::Limited(limit, calls) => Fault::Limited(limit, calls),
        Outcome::Trapped(trap) => Fault::Trapped(trap),
        Outcome::Ended(code) => {
            Fault::Trapped(Trap::plain(format!("it ended itself, with exit code {code}")))
        }
        Outcome::Interrupted => Fault::Trapped(Trap::plain("it was interrupted")),
    }
}

/// Makes time pass for the guests of an engine, for as long as there is one.
fn tick(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    let ticks = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("ticks".to_owned()).spawn(ticks).map(drop)
}

/// The body of an answer, which its guest may still be writing: it goes on while the body is read.
pub struct Answer {
    guest: Option<Guest>,
    body: WasiBody,
    /// Whether its guest failed before it had written all of it.
    breaks_off: bool,
    /// Whether its end has been read.
    is_whole: bool,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Some(guest) = &mut self.guest
            && let Poll::Ready(ended) = guest.as_mut().poll(context)
        {
            (self.guest, self.breaks_off) = (None, ended.is_err());
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        // What was written is sent, but never with an end that looks like that of a whole answer.
        if frame.is_none() && mem::take(&mut self.breaks_off) {
            return Poll::Ready(Some(Err(HttpError::HttpResponseIncomplete)));
        }
        self.is_whole = frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        !self.breaks_off && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    /// Lets a guest that has answered do what it does afterwards. One whose answer nobody reads to its end is given up.
    fn drop(&mut self) {
        let is_answered = self.is_whole || self.body.is_end_stream();
        if let Some(guest) = self.guest.take().filter(|_| is_answered)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            drop(runtime.spawn(guest));
        }
    }
}
