//! Many requests at once.

use crate::pending::{self, Ready};
use crate::response::{CHUNK, Piece};
use crate::{Cluster, Error, Path, Pending, Response};
use std::collections::VecDeque;

/// The number of requests that are under way at once, if nothing else is said: what one connection of HTTP/2, or a
/// few of HTTP/1.1, serve well, and far below the limit that a policy sets by default.
const AT_ONCE: usize = 8;

/// Gets many paths, some at a time, or posts to them. Answers come in the order of their arrival, each with the key of its request.
///
/// ```no_run
/// # fn main() -> Result<(), kube_guest::Error> {
/// # use kube_guest::{Cluster, Path, Pool};
/// # let cluster = Cluster::from_env()?;
/// let mut pool = Pool::new(&cluster);
/// for resource in ["pods", "services"] {
///     pool.get(resource, Path::new(["api", "v1", resource])?);
/// }
/// while let Some((resource, body)) = pool.next() {
///     println!("{resource}: {} bytes", body?.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Pool<'a, K> {
    cluster: &'a Cluster,
    accept: &'a str,
    at_once: usize,
    waiting: VecDeque<(K, Path, Option<Vec<u8>>)>,
    running: Vec<(K, State)>,
}

/// What [`Pool::step`] waited for.
#[derive(Debug)]
pub(crate) enum Step<K> {
    /// The bodies of some answers have grown.
    Grown,
    /// An answer, or the error that it reports.
    Answer(K, Result<Vec<u8>, Error>),
}

#[derive(Debug)]
enum State {
    Head(Pending),
    Body(Box<Response>, Vec<u8>),
    /// It could not even be sent.
    Failed(Option<Error>),
}

impl<'a, K> Pool<'a, K> {
    /// Returns a pool without requests. Its answers are JSON.
    #[must_use]
    pub fn new(cluster: &'a Cluster) -> Self {
        let (waiting, running) = (VecDeque::new(), Vec::new());
        Self { cluster, accept: "application/json", at_once: AT_ONCE, waiting, running }
    }

    /// Sets the `Accept` header of all requests.
    #[must_use]
    pub fn accept(mut self, accept: &'a str) -> Self {
        self.accept = accept;
        self
    }

    /// Sets how many requests may be under way at once.
    #[must_use]
    pub fn at_once(mut self, number: usize) -> Self {
        self.at_once = number.max(1);
        self
    }

    /// Adds a request.
    pub fn get(&mut self, key: K, path: Path) {
        self.waiting.push_back((key, path, None));
    }

    /// Adds a request with a JSON document: for reviews, which store nothing.
    pub fn post(&mut self, key: K, path: Path, body: Vec<u8>) {
        self.waiting.push_back((key, path, Some(body)));
    }

    /// Sends what may be under way now, and does not wait: the answers arrive while something else is done.
    pub fn start(&mut self) {
        while self.running.len() < self.at_once
            && let Some((key, path, body)) = self.waiting.pop_front()
        {
            let state = match self.send(&path, body.as_deref()) {
                Ok(pending) => State::Head(pending),
                Err(error) => State::Failed(Some(error)),
            };
            self.running.push((key, state));
        }
    }

    fn send(&self, path: &Path, body: Option<&[u8]>) -> Result<Pending, Error> {
        match body {
            None => self.cluster.start_request("GET", path, &[("accept", self.accept)]),
            Some(body) => self.cluster.start_post(path, &[("accept", self.accept)], body),
        }
    }

    /// Waits for the next answer, and returns its body, or the error that it reports. `None` means that all are
    /// answered; more may be added then.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator would borrow the pool, to which pages add requests"
    )]
    pub fn next(&mut self) -> Option<(K, Result<Vec<u8>, Error>)> {
        loop {
            if let Step::Answer(key, answer) = self.step()? {
                return Some((key, answer));
            }
        }
    }

    /// Waits for the next answer, or for more of those that are under way. `None` means that all are answered.
    pub(crate) fn step(&mut self) -> Option<Step<K>> {
        loop {
            self.start();
            let before = self.received();
            for index in 0..self.running.len() {
                if let Some(answer) = self.running[index].1.advance() {
                    return Some(Step::Answer(self.running.swap_remove(index).0, answer));
                }
            }
            if self.received() > before {
                return Some(Step::Grown);
            }
            if self.running.is_empty() {
                return None;
            }
            let ready: Vec<Ready> = self.running.iter().filter_map(|(_, state)| state.ready()).collect();
            pending::wait(&ready);
        }
    }

    /// Aborts requests, and those that were not sent yet.
    pub(crate) fn forget(&mut self, is_meant: impl Fn(&K) -> bool) {
        self.waiting.retain(|(key, _, _)| !is_meant(key));
        self.running.retain(|(key, _)| !is_meant(key));
    }

    /// Returns what has arrived of the answer to a request so far.
    pub(crate) fn body(&self, key: &K) -> Option<&[u8]>
    where
        K: PartialEq,
    {
        self.running.iter().find(|(running, _)| running == key).map(|(_, state)| state.body())
    }

    fn received(&self) -> usize {
        self.running.iter().map(|(_, state)| state.body().len()).sum()
    }
}

impl State {
    fn body(&self) -> &[u8] {
        match self {
            Self::Body(_, body) => body,
            Self::Head(_) | Self::Failed(_) => &[],
        }
    }

    fn ready(&self) -> Option<Ready> {
        match self {
            Self::Head(pending) => Some(pending.ready()),
            Self::Body(response, _) => Some(response.ready()),
            Self::Failed(_) => None,
        }
    }

    /// Goes as far as it can without waiting, and returns the body when it is whole.
    fn advance(&mut self) -> Option<Result<Vec<u8>, Error>> {
        if let Self::Head(pending) = self {
            match pending.poll()? {
                Ok(response) if response.status() >= 400 => {
                    // The body of a failure is small, and follows its head.
                    return Some(response.into_success().map(|_| Vec::new()));
                }
                Ok(response) => *self = Self::Body(Box::new(response), Vec::new()),
                Err(error) => return Some(Err(error)),
            }
        }
        match self {
            Self::Head(_) => None,
            Self::Failed(error) => error.take().map(Err),
            Self::Body(response, body) => loop {
                match response.piece(CHUNK) {
                    Ok(Piece::Bytes(bytes)) if body.is_empty() => *body = bytes,
                    Ok(Piece::Bytes(bytes)) => body.extend_from_slice(&bytes),
                    Ok(Piece::Later) => return None,
                    Ok(Piece::End) => return Some(Ok(std::mem::take(body))),
                    Err(error) => return Some(Err(error)),
                }
            },
        }
    }
}
