//! The doors, fed with what a guest does, before a server that answers as it likes: what it writes to a socket ([`holds`]), and
//! what it asks for by WASI 0.3 ([`wasi3::holds`]).
//!
//! The first line has a letter a request, for how it is answered (`answer.rs`); the rest is the guest's (`guest.rs`; of
//! 0.3, `tests/guests/wasi3/src/script.rs`).

mod allowed;
mod answer;
mod compare;
mod control;
mod guest;
mod message;
#[path = "../../../guests/wasi3/src/script.rs"]
mod script;
mod upstream;
pub(crate) mod wasi3;

use std::cell::Cell;
use std::mem;
use std::net::SocketAddr;
use std::sync::{LazyLock, Mutex, PoisonError};

use kwasm::cluster::{Contexts, Flags, Kubeconfig};
use kwasm::environment::Environment;
use kwasm::gate::Gate;
use kwasm::inspect::Inspected;
use kwasm::policy::{Grant, Policy};
use tokio::runtime::{Builder, Runtime};

use self::allowed::TOKEN;
use self::answer::SESSION;
use self::guest::Guest;
use self::upstream::{Log, Upstream};

/// Plays a script, and checks what came of it on either side.
pub(crate) fn holds(data: &[u8]) {
    let bench = BENCH.lock().unwrap_or_else(PoisonError::into_inner);
    let line = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let script = data.get(line + 1..).unwrap_or_default();
    *bench.upstream.log() = Log { answers: data[..line].to_vec(), ..Log::default() };

    let panics = PANICS.get();
    let played = bench.runtime.block_on(bench.play(script));
    assert_eq!(PANICS.get(), panics, "a task panicked");
    let log = mem::take(&mut *bench.upstream.log());
    assert_eq!(log.fault, None);
    let authority = bench.upstream.address.to_string();
    for arrived in &log.arrived {
        allowed::check(&arrived.head, &authority);
        for (name, _) in &arrived.trailers {
            allowed::check_name(name);
        }
    }
    compare::check(&played, &log.arrived);
    keeps_secrets(&played);
}

/// The result of a script.
struct Played {
    wrote: Vec<u8>,
    got: Vec<u8>,
    heard_all: bool,
    interrupted: bool,
    report: String,
}

/// The state that all scripts share.
struct Bench {
    runtime: Runtime,
    upstream: Upstream,
    kubeconfig: Kubeconfig,
    grant: Grant,
}

static BENCH: LazyLock<Mutex<Bench>> = LazyLock::new(|| {
    // A task that panics ends nothing but itself.
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.set(PANICS.get() + 1);
        previous(panic);
    }));
    Mutex::new(Bench::new().expect("there is a loopback and a folder for temporary files"))
});

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

impl Bench {
    fn new() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let upstream = runtime.block_on(async { Upstream::listen(None) })?;
        let kubeconfig = kubeconfig(upstream.address)?;
        let inspected = r#"{"kind": "component", "imports": ["wasi:sockets/tcp@0.2.0"]}"#;
        let grant = grant(&serde_json::from_str(inspected)?);
        Ok(Self { runtime, upstream, kubeconfig, grant })
    }

    async fn play(&self, script: &[u8]) -> Played {
        let contexts = Contexts::choose(&self.kubeconfig, &Flags::default(), |_, _| false);
        let gate = Gate::new(self.grant.clone(), contexts.expect("it has a context"), Vec::new(), None);
        let socket = gate.connect(([192, 0, 2, 1], 80).into()).expect("it is the context's address");
        let mut guest = Guest::new(&gate, &self.upstream, socket);
        guest.play(script).await;
        let Guest { socket, wrote, got, heard_all, interrupted, .. } = guest;
        drop(socket);
        let report = gate.report().into_iter().map(|line| line.text).collect();
        // Every handle to the gate keeps its idle connections open.
        drop(gate);
        guest::until_idle().await;
        Played { wrote, got, heard_all, interrupted, report }
    }
}

/// Returns a kubeconfig whose user has a token.
fn kubeconfig(server: SocketAddr) -> std::io::Result<Kubeconfig> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("config");
    let text = format!(
        "{{current-context: a, clusters: [{{name: c, cluster: {{server: 'http://{server}'}}}}], users: [{{name: u, user: \
         {{token: {TOKEN}}}}}], contexts: [{{name: a, context: {{cluster: c, user: u, namespace: shop}}}}]}}"
    );
    std::fs::write(&path, text)?;
    let variables = [("KUBECONFIG".into(), path.into())].into();
    let environment = Environment { variables, ..Environment::default() };
    Ok(Kubeconfig::load(&environment, &Flags::default()).expect("it is a kubeconfig"))
}

fn grant(inspected: &Inspected) -> Grant {
    Policy::read("test.yaml", allowed::POLICY).expect("it is a policy").grant(inspected)
}

/// Checks that the gate's secrets stay hidden from the guest.
fn keeps_secrets(played: &Played) {
    for secret in [TOKEN, SESSION] {
        let contains = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(secret);
        let known = contains(&played.wrote);
        assert!(known || !contains(&played.got), "the guest got {secret}");
        assert!(known || !played.report.contains(secret), "the report has {secret}");
    }
}
