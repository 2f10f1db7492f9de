//! `kwasm serve gateway.wasm -- --to NAMESPACE/SERVICE:PORT`: a server in front of a service of the cluster. It asks the API server
//! whose bearer token a request has (`TokenReview`) and whether its user may reach the service (`SubjectAccessReview`: the verb of the
//! request's method on `services/proxy`), bounds how often each user may ask, and passes the request on by the API server's proxy.
//!
//! So nobody reaches by it what RBAC would not let them reach without it, and the service gets no token, but the user's name in
//! `x-gateway-user`.
//!
//! What it refuses is bounded, too: the API server's answers are remembered for ten seconds, whatever they are; a user whom it
//! refuses has the same share as one whom it does not; and tokens that are not known yet have one share together, out of which
//! each is looked up. While that is used up, a token that was somebody's before passes, and new ones wait.
//!
//! All of that is in the instance's memory, which is why its policy lets instances be reused (`limits: {reuse: 100000}`). Of
//! requests at the same time each has an instance of its own, which counts by itself, and one that runs out of time ends with
//! what it has counted: no exact bound for users who mean harm. Counting in the cluster instead (a `Lease`, a `ConfigMap`) would be a
//! write with its consensus for each request, slower than what it protects, and the first thing to be overloaded.

mod callers;
mod forward;
mod identity;
mod limiter;
mod route;

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use callers::{Callers, Rates, Refused};
use identity::ApiServer;
use kube_guest::Cluster;
use limiter::Rate;
use plugin_kit::{Arguments, Command, Failure, Flag};
use route::Route;
use serve_kit::{Answer, Request, Serve};

static TO: Flag = Flag::text("to", None, "NS/SERVICE:PORT", "the service; https:SERVICE:PORT if it has TLS");

static AUDIENCE: Flag =
    Flag::text("audience", None, "NAME", "whom tokens have to be for [default: the API server]");

static RATE: Flag =
    Flag::text("rate", None, "NUMBER", "requests of a user in a second, over time [default: 10]");

static BURST: Flag = Flag::text("burst", None, "NUMBER", "requests of a user at once [default: 20]");

static NEW_TOKENS: Flag = Flag::text(
    "new-tokens",
    None,
    "NUMBER",
    "tokens in a second that are looked up for the first time, of all callers; twice as many at once [default: 20]",
);

static COMMAND: Command = Command {
    name: "gateway",
    version: env!("CARGO_PKG_VERSION"),
    about: "Passes requests on to a service, of users who may reach it.",
    usage: &[
        "--to NAMESPACE/SERVICE:PORT [--audience NAME] [--rate NUMBER] [--burst NUMBER] [--new-tokens NUMBER]",
    ],
    flags: &[&TO, &AUDIENCE, &RATE, &BURST, &NEW_TOKENS],
    notes: "",
    complete: None,
};

/// What an instance remembers from one request to the next.
struct Memory {
    callers: Callers,
    /// When it began.
    since: Instant,
}

static MEMORY: LazyLock<Mutex<Memory>> =
    LazyLock::new(|| Mutex::new(Memory { callers: Callers::default(), since: Instant::now() }));

/// Returns the memory. An instance answers one request at a time, so that nobody waits for it.
fn memory() -> MutexGuard<'static, Memory> {
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The settings of the server's arguments.
struct Settings {
    route: Route,
    audience: Option<String>,
    rates: Rates,
}

impl Settings {
    fn read() -> Result<Self, Failure> {
        let arguments = Arguments::of(&COMMAND)?;
        arguments.exactly([])?;
        let to = arguments.value(&TO).ok_or_else(|| Failure::usage("--to is needed"))?;
        let number = |flag, default| {
            let number = arguments.parsed(flag, "a number from 1")?.unwrap_or(default);
            if number > 0 {
                Ok(number)
            } else {
                Err(Failure::usage("--rate, --burst and --new-tokens begin at 1"))
            }
        };
        let new: u32 = number(&NEW_TOKENS, 20)?;
        Ok(Self {
            route: Route::read(to).map_err(Failure::usage)?,
            audience: arguments.value(&AUDIENCE).map(str::to_owned),
            rates: Rates {
                user: Rate { second: number(&RATE, 10)?, burst: number(&BURST, 20)? },
                unknown: Rate { second: new, burst: new.saturating_mul(2) },
            },
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
    let api = ApiServer { cluster, route: &settings.route, audience: settings.audience.as_deref() };
    let admitted = {
        let mut memory = memory();
        let now = memory.since.elapsed();
        memory.callers.admit(&api, settings.rates, &token, verb, now)
    };
    match admitted {
        Ok(user) => forward::forward(cluster, &method, &path, &user, request, answer),
        Err(Refused::Unknown) => {
            let challenge = [("www-authenticate", "Bearer error=\"invalid_token\"")];
            answer.whole(401, &challenge, b"");
        }
        Err(Refused::Forbidden) => answer.text(403, "you may not reach this service\n"),
        Err(Refused::TooOften(later)) => {
            let seconds = later.as_secs() + 1;
            answer.whole(429, &[("retry-after", &seconds.to_string())], b"");
        }
        Err(Refused::Unasked(why)) => {
            eprintln!("gateway: {why}");
            answer.text(503, "the API server cannot be asked who you are\n");
        }
    }
}

fn bearer(request: &Request) -> Option<String> {
    let header = request.header("authorization")?;
    let (scheme, token) = header.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.trim().to_owned())
}
