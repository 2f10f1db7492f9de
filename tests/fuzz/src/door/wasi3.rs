//! Both doors of WASI 0.3, by a guest that plays scripts in one run.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use kwasm::cluster::{Contexts, Flags};
use kwasm::environment::Environment;
use kwasm::gate::Gate;
use kwasm::inspect::Inspected;
use kwasm::reference::PluginName;
use kwasm::registry::Artifact;
use kwasm::runtime::{Compiler, Sandbox, Unwatched, World};
use kwasm::store::{Places, Plugin};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::allowed::{self, TOKEN};
use super::answer::SESSION;
use super::compare;
use super::control::Control;
use super::message;
use super::script::{self, Asked, End, Step};
use super::upstream::{Arrived, Log, Upstream};

/// The timeout for a script: each of its steps waits for 50 ms at most.
const PATIENCE: Duration = Duration::from_secs(20);

/// The interval after which nothing more of a script arrives at the server.
const QUIET: Duration = Duration::from_millis(1);

/// Plays a script, and checks what came of it on either side.
pub(crate) fn holds(data: &[u8]) {
    let mut stage = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    if data.windows(stage.secret.len()).any(|part| part == stage.secret.as_bytes()) {
        return;
    }
    let line = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let script = data.get(line + 1..).unwrap_or_default();
    let Stage { runtime, upstream, scripts, told, before, .. } = &mut *stage;
    *upstream.log() = Log { answers: data[..line].to_vec(), ..Log::default() };
    drop(scripts.send(script.to_vec()));
    let told = runtime.block_on(async {
        let told = tokio::time::timeout(PATIENCE, told.recv()).await.expect("the script ends");
        settle(upstream).await;
        told.expect("the guest plays")
    });
    let log = std::mem::take(&mut *upstream.log());
    assert_eq!(log.fault, None);
    check(before, script, &log.arrived, &upstream.address.to_string());
    for secret in [TOKEN, SESSION].map(str::as_bytes) {
        let has = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret);
        assert!(has(script) || !has(&told), "the guest got a secret");
    }
    *before = script.to_vec();
}

/// Checks that what arrived was asked for, by this script or, of what it let go of, by the one before.
fn check(before: &[u8], script: &[u8], arrived: &[Arrived], authority: &str) {
    let steps: Vec<_> = script::read(script).into_iter().chain(script::read(before)).collect();
    for arrived in arrived {
        allowed::check(&arrived.head, authority);
        for (name, _) in &arrived.trailers {
            allowed::check_name(name);
        }
        let was_asked = steps.iter().any(|step| match step {
            Step::Request(asked) => asks(asked, arrived),
            Step::Socket(wrote) => compare::asks(wrote, arrived),
        });
        assert!(was_asked, "nobody asked so: {:?}, {} bytes", arrived.head, arrived.body.len());
    }
}

/// Returns whether this is what a request arrives as, whole or in part.
fn asks(asked: &Asked<'_>, arrived: &Arrived) -> bool {
    let [method, target, _] = &arrived.head.first;
    let body = asked.pieces.concat();
    let length = asked.headers.iter().rfind(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let is_announced = length.is_some_and(|(_, length)| *length == body.len().to_string().as_bytes());
    // Without a body there is nothing by which the server could see that it was let go of.
    let is_whole = [End::Whole, End::Beside].contains(&asked.end) || asked.pieces.is_empty() || is_announced;
    // hyper sends none of their bodies whose length it does not know (`set_length` in `proto/h1/role.rs`).
    let is_bare = ["GET", "HEAD"].contains(&method.as_str()) && arrived.body.is_empty();
    let trailers = arrived.trailers.iter().all(|(name, value)| {
        let same = |(known, text): &(String, &[u8])| {
            known.eq_ignore_ascii_case(name) && message::text(text) == *value
        };
        asked.trailers.iter().any(same)
    });
    let fits = if arrived.whole {
        is_whole && arrived.body == body || is_bare
    } else {
        body.starts_with(&arrived.body)
    };
    // As it arrives: byte for byte.
    let asked_for = compare::in_origin_form(&message::text(asked.target.as_bytes()));
    asked.method == *method && asked_for == *target && trailers && fits
}

/// Waits until nothing more arrives.
async fn settle(upstream: &Upstream) {
    let mut steps = None;
    while steps != Some(upstream.log().steps) {
        steps = Some(upstream.log().steps);
        tokio::time::sleep(QUIET).await;
    }
}

/// The state that all scripts share.
struct Stage {
    runtime: Runtime,
    upstream: Upstream,
    /// A text that only the requests of the guest's own have.
    secret: String,
    scripts: UnboundedSender<Vec<u8>>,
    told: UnboundedReceiver<Vec<u8>>,
    /// The script before.
    before: Vec<u8>,
}

static STAGE: LazyLock<Mutex<Stage>> =
    LazyLock::new(|| Mutex::new(Stage::new().expect("there is a loopback, and a guest")));

impl Stage {
    fn new() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (scripts, to_play) = mpsc::unbounded_channel();
        let (tell, mut told) = mpsc::unbounded_channel();
        let folder = tempfile::tempdir()?.keep();
        let secret = folder.file_name().unwrap_or_default().to_string_lossy().replace('.', "").to_lowercase();
        let path = format!("/api/v1/namespaces/shop/configmaps/{secret}");
        let scripts_to_play = Arc::new(tokio::sync::Mutex::new(to_play));
        let control = Control { path: path.as_str().into(), scripts: scripts_to_play, told: tell };
        let upstream = runtime.block_on(async { Upstream::listen(Some(control)) })?;
        let kubeconfig = super::kubeconfig(upstream.address)?;
        thread::spawn(move || {
            let artifact = Artifact::from_file(&component()).expect("the guest is compiled");
            let inspected = Inspected::read(artifact.bytes()).expect("it is a component");
            let grant = super::grant(&inspected);
            let name = "wasi3".parse::<PluginName>().expect("it is a name");
            let plugin = Plugin::new(&name, &artifact, inspected);
            let contexts = Contexts::choose(&kubeconfig, &Flags::default(), |_, _| false);
            let gate = Gate::new(grant.clone(), contexts.expect("it has a context"), Vec::new(), None);
            let variables =
                [("KWASM_HOME".into(), folder.join("home").into()), ("XDG_CACHE_HOME".into(), folder.into())];
            let environment = Environment { variables: variables.into(), ..Environment::default() };
            let places = Places::of(&environment).expect("there is a home");
            let compiler = Compiler::new(&places, &environment, &Unwatched).expect("it has bounds");
            let world = World::new("wasi3", vec!["play".to_owned(), path], &environment, &grant);
            let sandbox = Sandbox::new(&plugin, &compiler, gate, world, grant.limits(), None);
            let outcome = sandbox.expect("it compiles").run();
            eprintln!("the guest ended: {outcome:?}");
            std::process::abort();
        });
        // An empty script first, for which nothing counts: the guest has to be compiled, which takes a minute with the sanitizer.
        drop(scripts.send(Vec::new()));
        runtime.block_on(told.recv()).expect("the guest plays");
        Ok(Self { runtime, upstream, secret, scripts, told, before: Vec::new() })
    }
}

/// Returns the guest's file: in the folder that is named, or beside the programs of the same build.
fn component() -> PathBuf {
    let named = std::env::var_os("KWASM_COMPONENTS").map(|folder| PathBuf::from(folder).join("wasi3.wasm"));
    let program = std::env::current_exe().unwrap_or_default();
    let beside =
        || program.ancestors().map(|folder| folder.join("components/wasi3.wasm")).find(|file| file.exists());
    named.or_else(beside).expect("KWASM_COMPONENTS is the folder with wasi3.wasm")
}
