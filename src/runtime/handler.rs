//! Plugins that answer requests, each in an instance of its own unless the policy lets instances be reused.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use tokio::sync::oneshot;
use tokio::time::{self, Instant};
use wasmtime::{Engine, PoolConcurrencyLimitError};
use wasmtime_wasi_http::Error as HttpError;

use super::answer::{self, Answer, Beginning, Driver, Guest};
use super::calls::{self, Origins};
use super::engine::{Pool, Runner};
use super::entry::{Entry, Head};
use super::fault::Fault;
use super::stay::Instances;
use super::{Compiler, Error, Outcome, Trap, World, ending};
use crate::gate::{Gate, Parent};
use crate::policy::Limits;
use crate::store::Plugin;

/// A plugin that answers requests. An instance answers one at a time, and as many one after another as its policy lets it: by
/// default one, so that it knows nothing of the others.
pub struct Handler(Arc<Shared>);

struct Shared {
    instances: Arc<Instances>,
    watcher: Arc<dyn Visits>,
}

/// Watches the instances of a plugin.
pub trait Visits: Send + Sync {
    /// An instance is there, after this time.
    fn instantiated(&self, took: Duration);

    /// A request was not answered, or not to its end.
    fn failed(&self, fault: &Fault);
}

/// A request to a plugin.
pub struct Visit<B> {
    /// The request.
    pub request: Request<B>,
    /// Whether it came through TLS.
    pub is_tls: bool,
    /// The time for its whole answer.
    pub time: Duration,
    /// What the guest's own requests belong to.
    pub work: Arc<dyn Parent>,
}

/// How often guests that compute let others go on, and whether their time is over is looked at.
const TICK: Duration = Duration::from_millis(10);

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
        // One that has waited for too long may still be going when all others are in use.
        let pool = Pool::for_guests(instances.saturating_add(1), limits.memory, &code);
        // Where there is no room for a pool of addresses, instances are made one by one.
        let code = compiler.code(Runner { pool: Some(pool), ..runner }, plugin).unwrap_or(code);
        let engine = code.engine().clone();
        let entry =
            Entry::link(&engine, &code, &inspected).map_err(|error| Error::link(plugin.name(), &error))?;
        tick(&engine).map_err(Error::system)?;
        let origins = Arc::new(Origins::of(&code));
        let world = world.among_others();
        let idle = Mutex::default();
        let instances = Instances { entry, engine, inspected, gate, world, limits, origins, idle };
        Ok(Self(Arc::new(Shared { instances: Arc::new(instances), watcher })))
    }

    /// Answers a request. `held` is dropped when the instance is gone, which may be after the answer has ended.
    ///
    /// # Errors
    /// If there is no answer. What goes wrong after its head was sent cuts its body off.
    pub async fn answer<B, H>(&self, visit: Visit<B>, held: H) -> Result<Response<Answer>, Fault>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<HttpError>,
        H: Send + 'static,
    {
        let (tell, mut told) = oneshot::channel();
        let (shared, is_head) = (Arc::clone(&self.0), visit.request.method() == Method::HEAD);
        let broken = Arc::new(AtomicBool::new(false));
        let breaks = Arc::clone(&broken);
        let is_kept = shared.instances.limits.reuse > 1;
        let run = async move {
            let ended = shared.visit(visit, tell, &breaks).await;
            if let Err(fault) = &ended {
                shared.watcher.failed(fault);
            }
            drop((shared, held));
            ended
        };
        let mut guest = Guest::new(run, is_kept);
        let mut ended = None;
        let said = poll_fn(|context| {
            // What it says and how it ends can come at the same time.
            guest.step(&mut ended, context);
            Pin::new(&mut told).poll(context).map(Result::ok)
        })
        .await;
        let response = match (said, ended.take()) {
            // Nothing has been sent, even if there is a head.
            (_, Some(Err(fault))) => return Err(fault),
            (Some(Err(error)), _) => return Err(self.failed(Fault::Failed(error.to_string()))),
            // One that lets go of its chance to answer is not waited for.
            (None, _) => return Err(self.failed(Fault::Silent)),
            (Some(Ok(response)), how) => {
                ended = how;
                response
            }
        };
        let (parts, mut body) = response.into_parts();
        let begun = Beginning::of(&mut guest, &mut ended, &mut body).await;
        if let Some(Err(fault)) = ended {
            return Err(fault);
        }
        let length = answer::length(&parts, is_head);
        let driver = Driver::of(guest);
        Ok(Response::from_parts(parts, Answer::new(begun, body, broken, driver, length)))
    }

    /// Ends everything in flight, and waits for what must not be cut off: see [`Gate::settled`].
    pub async fn end(&self) {
        let instances = &self.0.instances;
        instances.end();
        instances.gate.end();
        instances.gate.settled().await;
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
    /// Lets an instance answer, and waits until it has nothing more to do.
    async fn visit<B>(
        &self,
        visit: Visit<B>,
        tell: oneshot::Sender<Head>,
        broken: &AtomicBool,
    ) -> Result<(), Fault>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<HttpError>,
    {
        let began = Instant::now();
        // The policy may give it less than the server does.
        let time = self.instances.limits.timeout.map_or(visit.time, |timeout| timeout.min(visit.time));
        let mut stay = self.instances.stay()?;
        let (kept, store) = (stay.instance(visit.work), &mut stay.store);
        let answered = async {
            let instance = if let Some(instance) = kept {
                instance
            } else {
                let made = self.instances.entry.instantiate(store).await?;
                self.watcher.instantiated(began.elapsed());
                made
            };
            instance.answer(store, visit.request, visit.is_tls, tell).await.map(|()| instance)
        };
        let ended = match time::timeout_at(began + time, answered).await {
            Ok(Ok(_)) if stay.is_answering() => Err(Fault::Unfinished),
            Ok(Ok(instance)) => {
                self.instances.keep(stay, instance);
                return Ok(());
            }
            Ok(Err(error)) if error.is::<PoolConcurrencyLimitError>() => {
                Err(Fault::System(error.to_string()))
            }
            Ok(Err(error)) => Err(fault(ending(&mut stay.store, &error))),
            Err(_) => Err(Fault::Late(time)),
        };
        // Before the store is gone, with which an unfinished body ends like any other.
        broken.store(ended.is_err(), Ordering::Release);
        ended
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
