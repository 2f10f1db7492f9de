//! `kwasm serve gateway.wasm -- --to NAMESPACE/SERVICE:PORT`: a server in front of a service of the cluster. It asks the API server
//! whose bearer token a request has (`TokenReview`) and whether its user may reach the service (`SubjectAccessReview`: the verb of the
//! request's method on `services/proxy`), bounds how often each user may ask, and passes the request on by the API server's proxy.
//!
//! So nobody reaches by it what RBAC would not let them reach without it, and the service gets no token, but the user's name in
//! `x-gateway-user`.
//!
//! Rates are counted in the instance's memory, which is why its policy lets instances be reused (`limits: {reuse: 100000}`). Of
//! requests at the same time each has an instance of its own, which counts by itself, and whose counts end if its client leaves
//! before the answer: no bound for users who mean harm. Counting in the cluster instead (a `Lease`, a
//! `ConfigMap`) would be a write with its consensus for each request, slower than what it protects, and the first thing to be
//! overloaded.

mod forward;
mod identity;
mod limiter;
mod route;

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use identity::{Admitted, Refused};
use kube_guest::Cluster;
use limiter::Limiter;
use plugin_kit::{Arguments, Command, Failure, Flag};
use route::Route;
use serve_kit::{Answer, Request, Serve};

static TO: Flag = Flag::text("to", None, "NS/SERVICE:PORT", "the service; https:SERVICE:PORT if it has TLS");

static AUDIENCE: Flag =
    Flag::text("audience", None, "NAME", "whom tokens have to be for [default: the API server]");

static RATE: Flag =
    Flag::text("rate", None, "NUMBER", "requests of a user in a second, over time [default: 10]");

static BURST: Flag = Flag::text("burst", None, "NUMBER", "requests of a user at once [default: 20]");

static COMMAND: Command = Command {
    name: "gateway",
    version: env!("CARGO_PKG_VERSION"),
    about: "Passes requests on to a service, of users who may reach it.",
    usage: &["--to NAMESPACE/SERVICE:PORT [--audience NAME] [--rate NUMBER] [--burst NUMBER]"],
    flags: &[&TO, &AUDIENCE, &RATE, &BURST],
    notes: "",
    complete: None,
};

/// What an instance remembers from one request to the next.
struct Memory {
    limiter: Limiter,
    admitted: Admitted,
    /// When it began.
    since: Instant,
}

static MEMORY: LazyLock<Mutex<Memory>> = LazyLock::new(|| {
    let (limiter, admitted) = (Limiter::default(), Admitted::default());
    Mutex::new(Memory { limiter, admitted, since: Instant::now() })
});

/// Returns the memory, until the end of a statement: nothing waits while it is held.
fn memory() -> MutexGuard<'static, Memory> {
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    fn now(&self) -> Duration {
        self.since.elapsed()
    }
}

/// The settings of the server's arguments.
struct Settings {
    route: Route,
    audience: Option<String>,
    rate: u32,
    burst: u32,
}

impl Settings {
    fn read() -> Result<Self, Failure> {
        let arguments = Arguments::of(&COMMAND)?;
        arguments.exactly([])?;
        let to = arguments.value(&TO).ok_or_else(|| Failure::usage("--to is needed"))?;
        let number = |flag, default| {
            let number = arguments.parsed(flag, "a number from 1")?.unwrap_or(default);
            if number > 0 { Ok(number) } else { Err(Failure::usage("--rate and --burst begin at 1")) }
        };
        Ok(Self {
            route: Route::read(to).map_err(Failure::usage)?,
            audience: arguments.value(&AUDIENCE).map(str::to_owned),
            rate: number(&RATE, 10)?,
            burst: number(&BURST, 20)?,
        })
    }
}

struct Gateway;

impl Serve for Gateway {
    fn serve(request: &Request, answer: Answer) {
        let ready = Settings::read().and_then(|settings| Ok((settings, Cluster::from_env()?)));
        match ready {
            Ok((settings, cluster)) => pass(&cluster, &settings, request, answer),
            Err(why) => {
                eprintln!("gateway: {why}");
                answer.text(500, "the gateway is not set up\n");
            }
        }
    }
}

serve_kit::export!(Gateway);

/// Passes a request on, or answers why not.
fn pass(cluster: &Cluster, settings: &Settings, request: &Request, answer: Answer) {
    let method = request.method();
    let Some(verb) = route::verb(&method) else {
        return answer.text(405, "there is no such method here\n");
    };
    let Some(path) = settings.route.path(request.target()) else {
        return answer.text(400, "a path with empty, dot or encoded segments is not passed on\n");
    };
    let Some(token) = bearer(request) else {
        let challenge = [("www-authenticate", "Bearer"), ("content-type", "text/plain; charset=utf-8")];
        return answer.whole(401, &challenge, b"a bearer token is needed\n");
    };
    let user = match identity::admit(cluster, settings, &token, verb) {
        Ok(user) => user,
        Err(Refused::Unknown) => {
            let challenge = [("www-authenticate", "Bearer error=\"invalid_token\"")];
            return answer.whole(401, &challenge, b"");
        }
        Err(Refused::Forbidden) => return answer.text(403, "you may not reach this service\n"),
        Err(Refused::Unasked(why)) => {
            eprintln!("gateway: {why}");
            return answer.text(503, "the API server cannot be asked who you are\n");
        }
    };
    let share = {
        let mut memory = memory();
        let now = memory.now();
        memory.limiter.take(&user, now, settings.rate, settings.burst)
    };
    match share {
        Ok(()) => forward::forward(cluster, &method, &path, &user, request, answer),
        Err(later) => {
            let seconds = later.as_secs() + 1;
            answer.whole(429, &[("retry-after", &seconds.to_string())], b"");
        }
    }
}

fn bearer(request: &Request) -> Option<String> {
    let header = request.header("authorization")?;
    let (scheme, token) = header.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.trim().to_owned())
}
