//! Requests to the API server without pause, through `kubectl proxy`, each of which has to get its own answer.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::cluster::Cluster;
use crate::process;

/// A request that creates an object, of which the API server keeps nothing, and the answer that it has to get.
#[derive(Clone)]
pub(super) struct Request {
    bytes: Vec<u8>,
    status: u16,
    text: &'static str,
}

impl Request {
    /// Creates a deployment, which is to be answered with a status and a text.
    pub(super) fn new(deployment: &Value, status: u16, text: &'static str) -> Self {
        let namespace = deployment["metadata"]["namespace"].as_str().unwrap_or_default();
        let body = deployment.to_string();
        let head = format!(
            "POST /apis/apps/v1/namespaces/{namespace}/deployments?dryRun=All HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Self { bytes: [head, body].concat().into_bytes(), status, text }
    }
}

/// Requests under way, by several connections at once.
pub(super) struct Load {
    proxy: Child,
    connections: Vec<JoinHandle<Result<()>>>,
    done: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
}

impl Load {
    /// Sends these requests in turn, by so many connections.
    pub(super) fn start(cluster: &Cluster, connections: usize, requests: &[Request]) -> Result<Self> {
        let mut proxy = cluster.kubectl(&["proxy", "--port=0"])?;
        let mut proxy = proxy.stdout(Stdio::piped()).spawn().context("cannot start `kubectl proxy`")?;
        let mut line = String::new();
        let stdout = proxy.stdout.take().context("`kubectl proxy` has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let mut load = Self { proxy, connections: Vec::new(), done: Arc::default(), ends: Arc::default() };
        // Starting to serve on 127.0.0.1:38457
        let port = line.trim().rsplit(':').next().context("`kubectl proxy` does not serve")?;
        for _ in 0..connections {
            let (requests, done, ends) = (requests.to_vec(), Arc::clone(&load.done), Arc::clone(&load.ends));
            let mut connection = Connection::open(cluster, port)?;
            load.connections.push(thread::spawn(move || {
                for request in requests.iter().cycle() {
                    if ends.load(Ordering::Relaxed) {
                        break;
                    }
                    connection.exchange(request)?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            }));
        }
        Ok(load)
    }

    /// Returns the number of requests that were answered as they have to be.
    pub(super) fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// Fails by the wrong answer that a request got, if one did.
    pub(super) fn check(&mut self) -> Result<()> {
        match self.connections.iter().position(JoinHandle::is_finished) {
            Some(index) => ended(self.connections.swap_remove(index)),
            None => Ok(()),
        }
        .with_context(|| format!("after {} requests", self.done()))
    }

    /// Ends it, and returns the number of requests.
    ///
    /// # Errors
    /// The first wrong answer.
    pub(super) fn end(mut self) -> Result<usize> {
        self.ends.store(true, Ordering::Relaxed);
        for connection in self.connections.drain(..) {
            ended(connection)?;
        }
        Ok(self.done())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        process::end(&mut self.proxy);
    }
}

fn ended(connection: JoinHandle<Result<()>>) -> Result<()> {
    connection.join().ok().context("a connection's thread panicked")?
}

/// A connection in the node's network, by a program there: this one is in another network.
struct Connection {
    netcat: Child,
    sends: ChildStdin,
    receives: BufReader<ChildStdout>,
}

impl Connection {
    fn open(cluster: &Cluster, port: &str) -> Result<Self> {
        let mut command = cluster.busybox(&["nc", "127.0.0.1", port])?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut netcat = command.spawn().context("cannot start busybox")?;
        let sends = netcat.stdin.take().context("a connection without input")?;
        let receives = BufReader::new(netcat.stdout.take().context("a connection without output")?);
        Ok(Self { netcat, sends, receives })
    }

    /// Sends a request and reads its answer.
    fn exchange(&mut self, request: &Request) -> Result<()> {
        self.sends.write_all(&request.bytes)?;
        let status = self.line()?;
        let (mut length, mut chunked) = (0, false);
        loop {
            match self.line()?.to_ascii_lowercase().split_once(": ") {
                Some(("content-length", value)) => length = value.parse()?,
                Some(("transfer-encoding", value)) => chunked = value == "chunked",
                Some(_) => {}
                None => break,
            }
        }
        let body = if chunked { self.chunks()? } else { self.bytes(length)? };
        let body = String::from_utf8_lossy(&body);
        let code = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        if code != Some(request.status) || !body.contains(request.text) {
            bail!("instead of {}: {status} {body}", request.status);
        }
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.receives.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.receives.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(&self.line()?, 16).context("a chunk without a length")?;
            body.extend(self.bytes(length)?);
            self.bytes(2)?;
            if length == 0 {
                return Ok(body);
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        process::end(&mut self.netcat);
    }
}
