//! The process that holds a cluster: starts it, says that it is ready, and ends it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::assets::Assets;
use crate::error::{Error, chain};
use crate::folder::Folder;
use crate::kubeconfig::User;
use crate::node::{self, Node};
use crate::plane::Plane;
use crate::program::Program;
use crate::ready::{Line, Ready};
use crate::setup::{self, Credentials};

/// The number of times that other ports are tried.
const ATTEMPTS: u32 = 5;
/// The interval at which the end of a program or the removal of `up` is noticed.
const PERIOD: Duration = Duration::from_millis(200);

/// The event that ends a cluster, besides SIGINT and SIGTERM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The end of the supervisor's standard input.
    InputEnds,
    /// The removal of the file `up` in the cluster's folder.
    UpRemoved,
}

/// Starts a cluster, with a real node of the programs in `node` if that is given, prints one line on standard output (a [`Ready`], or `{"error": "…"}`), and returns when
/// the cluster has been ended and its folder removed. To be called once, on the main thread of a process of
/// its own.
///
/// # Errors
/// If there is no cluster, or a program of it ends before it is asked to.
pub fn serve(assets: &Assets, node: Option<&Path>, until: Until) -> Result<(), Error> {
    let folder = Folder::new()?;
    let stop = Stop::new(&folder, until)?;
    let failed = |e: Error| match say(&Line::Failed { error: chain(&e) }) {
        Err(silent) => silent,
        Ok(()) => e,
    };
    let node = node.map(|programs| Node::prepare(programs, &folder)).transpose().map_err(failed)?;
    let plane = match start(assets, &folder, &stop, node.as_ref()) {
        Err(Error::Stopped) => return Ok(()),
        started => started.map_err(failed)?,
    };
    let registry = node.as_ref().map(|_| node::REGISTRY.to_owned());
    say(&Line::Ready(Box::new(Ready { registry, ..ready(assets, &folder, &plane) })))?;
    hold(plane, &stop)
}

fn start<'a>(
    assets: &'a Assets,
    folder: &'a Folder,
    stop: &'a Stop,
    node: Option<&'a Node>,
) -> Result<Plane<'a>, Error> {
    let credentials = Credentials::write(folder)?;
    let mut attempt = 1;
    loop {
        match Plane::start(assets, folder, &credentials, stop, node) {
            Err(Error::PortTaken { .. }) if attempt < ATTEMPTS => attempt += 1,
            done => return done,
        }
        // What the first attempt stored names its ports.
        let store = folder.join("etcd");
        if store.exists() {
            std::fs::remove_dir_all(&store).map_err(Error::at(&store))?;
        }
    }
}

fn hold(mut plane: Plane, stop: &Stop) -> Result<(), Error> {
    while !stop.within(PERIOD) {
        plane.check()?;
    }
    Ok(())
}

fn ready(assets: &Assets, folder: &Folder, plane: &Plane) -> Ready {
    let users: BTreeMap<_, _> =
        User::ALL.map(User::name).map(|user| (user.to_owned(), folder.join(&setup::file_of(user)))).into();
    Ready {
        dir: folder.path().to_owned(),
        server: plane.server(),
        ca_file: folder.join("ca.crt"),
        kubectl: assets.path(Program::Kubectl),
        oracle: assets.program(Program::KubeOracle),
        audit: folder.join("audit.log"),
        users,
        pod_log: folder.join("pod.log"),
        registry: None,
        programs: plane.programs().iter().map(ToString::to_string).collect(),
    }
}

fn say(line: &Line) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, line)
        .map_err(io::Error::from)
        .and_then(|()| writeln!(out))
        .and_then(|()| out.flush())
        .map_err(Error::at("standard output"))
}

/// The signal that the cluster is to end.
pub(crate) struct Stop {
    signal: Receiver<()>,
    /// The file whose removal is a signal too.
    up: Option<PathBuf>,
    stopped: Cell<bool>,
}

impl Stop {
    fn new(folder: &Folder, until: Until) -> Result<Self, Error> {
        let (sender, signal) = mpsc::channel();
        let on_signal = sender.clone();
        ctrlc::set_handler(move || send(&on_signal))
            .map_err(|e| Error::Supervisor(format!("signal handler: {e}")))?;
        let up = match until {
            Until::InputEnds => {
                thread::spawn(move || end_with_input(&sender));
                None
            }
            Until::UpRemoved => Some(folder.mark_up()?),
        };
        Ok(Self { signal, up, stopped: Cell::new(false) })
    }

    /// Waits for the signal to end, at most for `time`, and returns whether it has come, now or earlier.
    pub(crate) fn within(&self, time: Duration) -> bool {
        if !self.stopped.get() {
            let signalled = self.signal.recv_timeout(time) != Err(RecvTimeoutError::Timeout);
            let removed = self.up.as_ref().is_some_and(|up| !up.exists());
            self.stopped.set(signalled || removed);
        }
        self.stopped.get()
    }
}

fn end_with_input(sender: &Sender<()>) {
    let mut ignored = [0; 64];
    while io::stdin().lock().read(&mut ignored).is_ok_and(|bytes| bytes > 0) {}
    send(sender);
}

fn send(sender: &Sender<()>) {
    // Without a receiver the cluster has ended already.
    let _sent = sender.send(());
}
