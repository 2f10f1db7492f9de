//! A port of this machine that leads to a plugin's socket, for any client.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use super::Kwasm;

/// A listener whose every connection is a run of the guest `relays`. They end with it.
pub(crate) struct Relay {
    address: SocketAddr,
    runs: Arc<Mutex<Vec<Child>>>,
}

impl Relay {
    pub(crate) fn start(kwasm: Kwasm) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let runs = Arc::new(Mutex::new(Vec::new()));
        let started = Arc::clone(&runs);
        // It ends with the process, when no one connects any more.
        thread::spawn(move || {
            for stream in listener.incoming() {
                started.lock().unwrap().push(serve(&kwasm, &stream.unwrap()));
            }
        });
        Self { address, runs }
    }

    /// Returns the address that a client is given for its server.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        for run in self.runs.lock().unwrap().iter_mut() {
            drop(run.kill());
            drop(run.wait());
        }
    }
}

/// Starts a guest, and copies between it and a client, each direction to its own end.
fn serve(kwasm: &Kwasm, client: &TcpStream) -> Child {
    let mut guest = kwasm.guest("relays", &[]);
    let mut run = guest.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut input, mut output) = (run.stdin.take().unwrap(), run.stdout.take().unwrap());
    let (mut from, mut to) = (client.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || copy(&mut from, &mut input));
    thread::spawn(move || {
        copy(&mut output, &mut to);
        drop(to.shutdown(Shutdown::Write));
    });
    run
}

/// Copies until a client or a guest closes the connection.
fn copy(from: &mut impl Read, to: &mut impl Write) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || to.write_all(&buffer[..length]).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
}
