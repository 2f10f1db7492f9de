//! Replays a record: which recorded request a guest's request is, and when its answer is due.
//!
//! The answers of a record may depend on each other: an event of a watch may follow from a request that the guest made
//! after another event. So the order of the record is kept. A guest that differs from the recorded one might wait
//! forever for that; if nothing happens for longer than in the record, what the next answer waits for is passed over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::clock::Clock;
use super::content::Content;
use super::key::Key;
use super::reader::{Event, Record, Recorded, Step};
use super::recorder::accept;
use super::sensitivity::Sensitivity;
use super::{LARGEST_BODY, redact};
use crate::message::Message;
use crate::policy::{Attempt, Target};

/// The time beyond the recorded one after which a step is not waited for any more.
const STALL: Duration = Duration::from_secs(2);

/// The same for the end of a run, for which no guest waits.
const END_STALL: Duration = Duration::from_secs(10);

/// The shortest time between the last thing that a guest receives and the end of the run by the user, in which the
/// guest prints it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A time after which no replay is waited for.
const FAR: Duration = Duration::from_hours(24);

/// A record that is being replayed.
pub struct Playback {
    record: Record,
    clock: Clock,
    /// Whether the answers take as long as they did.
    is_timed: bool,
    state: Mutex<State>,
    moved: Notify,
}

struct State {
    /// Whether a step was taken or passed over.
    done: Vec<bool>,
    /// The first step that was not.
    next: usize,
    /// Whether a request was made, by the positions of the requests.
    made: Vec<bool>,
    /// The time of the latest step.
    latest: Instant,
    /// The time at which the record begins, if it is replayed with its timing.
    began: Option<Instant>,
}

/// An answer that is replayed. If it is dropped, the rest of it is passed over.
pub struct Replayed {
    playback: Arc<Playback>,
    /// The position of the request.
    request: usize,
    /// The position of the next of its events.
    next: usize,
}

/// Counts the bytes that a guest sends through a stream.
pub struct Sending {
    playback: Arc<Playback>,
    request: usize,
    total: u64,
}

/// The reason why a request has no recorded answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Missing(pub Message);

impl Playback {
    /// Returns a replay that begins now.
    #[must_use]
    pub fn new(record: Record, is_timed: bool) -> Self {
        let state = State {
            done: vec![false; record.steps.len()],
            next: 0,
            made: vec![false; record.requests.len()],
            latest: Instant::now(),
            began: None,
        };
        let clock = Clock::starting(record.start);
        Self { record, clock, is_timed, state: Mutex::new(state), moved: Notify::new() }
    }

    /// Returns the record.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Returns the guest's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Finds the recorded answer to a request. Equal requests get their answers in the recorded order.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(
        self: &Arc<Self>,
        attempt: &Attempt,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Replayed, Missing> {
        let keeps_secrets = self.record.header.secrets;
        let key = Key::of(attempt, accept(headers));
        let sensitivity = if keeps_secrets { Sensitivity::Plain } else { Sensitivity::of(attempt.info()) };
        let body = match body {
            [] => None,
            long if long.len() > LARGEST_BODY => Some(Content::LeftOut(String::new())),
            body => Some(redact::content(sensitivity, body)),
        };
        let mut state = self.state();
        let found =
            self.record.requests.iter().zip(&state.made).position(|(recorded, made)| {
                !made && recorded.key == key && has_body(recorded, body.as_ref())
            });
        let Some(request) = found else { return Err(self.missing(&state, attempt, &key, body.as_ref())) };
        state.made[request] = true;
        let step = self.record.requests[request].step;
        if self.is_timed && state.began.is_none() {
            // The guest's own start takes another time in each run.
            state.began = Instant::now().checked_sub(self.time(step));
        }
        drop(state);
        self.take(step);
        Ok(Replayed { playback: Arc::clone(self), request, next: 0 })
    }

    /// Waits until the user ended the recorded run; forever if it ended by itself.
    pub async fn interrupted(&self) {
        let end = self.record.steps.iter().position(|step| matches!(step, Step::Interrupted(_)));
        let Some(end) = end else { return std::future::pending().await };
        // The guest's own start takes another time in each run.
        loop {
            let moved = self.moved.notified();
            if end == 0 || self.state().is_begun() {
                break;
            }
            moved.await;
        }
        self.turn(end, END_STALL).await;
        tokio::time::sleep(LAST_WORDS).await;
        self.wait_for_time(end).await;
    }

    /// Returns the recorded requests that were not made.
    #[must_use]
    pub fn unused(&self) -> Vec<String> {
        let state = self.state();
        let unused = self.record.requests.iter().zip(&state.made).filter(|(_, made)| !**made);
        unused.map(|(recorded, _)| recorded.label.clone()).collect()
    }

    /// Waits until a step is due: all before it are taken, or nothing has happened for `stall` longer than in the
    /// record.
    async fn turn(&self, step: usize, stall: Duration) {
        loop {
            let moved = self.moved.notified();
            let late = {
                let state = self.state();
                if state.next >= step {
                    return;
                }
                self.late(&state, step, stall)
            };
            tokio::select! {
                () = moved => {}
                () = sleep_until(late) => {
                    let mut state = self.state();
                    if self.late(&state, step, stall) <= Instant::now() {
                        state.done[..step].fill(true);
                        state.advance();
                        drop(state);
                        self.moved.notify_waiters();
                    }
                }
            }
        }
    }

    /// Returns the time at which a step is not waited for any more.
    fn late(&self, state: &State, step: usize, stall: Duration) -> Instant {
        let reached = state.next.checked_sub(1).map_or(Duration::ZERO, |reached| self.time(reached));
        let gap = self.time(step).saturating_sub(reached);
        // A time beyond the clock's range is one that is not reached.
        state.latest.checked_add(gap.saturating_add(stall)).unwrap_or(state.latest + FAR)
    }

    /// Waits until as much time has passed as in the recorded run, if the replay has its timing.
    async fn wait_for_time(&self, step: usize) {
        let began = self.state().began;
        if let Some(due) = began.and_then(|began| began.checked_add(self.time(step))) {
            sleep_until(due).await;
        }
    }

    /// Returns the time of a step since the start of the record.
    fn time(&self, step: usize) -> Duration {
        Duration::from_millis(self.record.steps[step].at())
    }

    /// Takes a step.
    fn take(&self, step: usize) {
        let mut state = self.state();
        state.done[step] = true;
        state.advance();
        drop(state);
        self.moved.notify_waiters();
    }

    /// Explains why a request has no recorded answer.
    fn missing(&self, state: &State, attempt: &Attempt, key: &Key, body: Option<&Content>) -> Missing {
        let is_relayed = attempt.info().is_relayed();
        let subject = match attempt.target() {
            Target::Context(_) if is_relayed => format!("{} {}", attempt.method(), attempt.path()),
            Target::Context(_) => format!("{} {}", attempt.method(), attempt.path_and_query()),
            Target::Host(host) => format!("{} https://{host}{}", attempt.method(), attempt.path()),
        };
        let (recorded, header) = (&self.record.requests, &self.record.header);
        let again = || "record the run again: kwasm run --record FILE SOURCE -- ARG…".to_owned();
        let same = recorded.iter().zip(&state.made).filter(|(recorded, _)| recorded.key == *key);
        let (with_body, others): (Vec<_>, Vec<_>) = same.partition(|(recorded, _)| has_body(recorded, body));
        let is_elsewhere = is_relayed || matches!(attempt.target(), Target::Host(_));
        let (why, hint) = if is_elsewhere && !header.secrets {
            let hint = "kwasm run --record FILE --record-secrets records them too".to_owned();
            ("requests to other servers are not in this record".to_owned(), Some(hint))
        } else if !with_body.is_empty() {
            (
                format!("the record answers it {}, and it was made again", times(with_body.len())),
                Some(again()),
            )
        } else if !others.is_empty() {
            ("it is in the record with another body".to_owned(), Some(again()))
        } else if self.record.refused.iter().any(|refused| refused.differs_in_accept_only(key)) {
            let hint = format!("the policy was {} then: --policy {0}", header.policy);
            ("the policy refused it when this was recorded".to_owned(), Some(hint))
        } else if recorded.iter().any(|recorded| recorded.key.differs_in_accept_only(key)) {
            ("it is in the record with another media type or protocol".to_owned(), Some(again()))
        } else {
            let nearest = recorded.iter().max_by_key(|recorded| recorded.key.nearness(key));
            let hint =
                nearest.map(|nearest| format!("the nearest request in the record is {}", nearest.label));
            ("it is not in the record".to_owned(), Some(hint.unwrap_or_else(again)))
        };
        Missing(Message { text: format!("{subject}: {why}"), hint })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A step cannot be left half-taken.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns whether the guest has made a request of the record.
    fn is_begun(&self) -> bool {
        self.made.contains(&true)
    }

    fn advance(&mut self) {
        while self.done.get(self.next) == Some(&true) {
            self.next += 1;
        }
        self.latest = Instant::now();
    }
}

fn has_body(recorded: &Recorded, body: Option<&Content>) -> bool {
    match (&recorded.body, body) {
        (None, None) => true,
        (Some(recorded), Some(body)) => recorded.equals(body),
        _ => false,
    }
}

fn times(number: usize) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}

impl Replayed {
    /// Waits for the next part of the answer, or returns `None` if the record has no more of it.
    pub async fn next(&mut self) -> Option<Event> {
        let (step, event) = self.events().get(self.next)?.clone();
        self.playback.turn(step, STALL).await;
        self.playback.wait_for_time(step).await;
        self.next += 1;
        if let (
            Event::Answer { .. } | Event::Data(_) | Event::End { .. } | Event::Failure(_),
            Step::Given(at),
        ) = (&event, self.playback.record.steps[step])
        {
            self.playback.clock.set(at);
        }
        // An answer with its whole body is one step.
        if self.events().get(self.next).is_none_or(|(next, _)| *next != step) {
            self.playback.take(step);
        }
        Some(event)
    }

    /// Returns the length of the body, if the record has all of it.
    #[must_use]
    pub fn length(&self) -> Option<usize> {
        let events = self.events().iter().map(|(_, event)| event);
        let mut length = 0;
        for event in events {
            match event {
                Event::Data(bytes) => length += bytes.as_ref()?.len(),
                Event::End { cut } => return cut.is_none().then_some(length),
                Event::Answer { .. } | Event::Failure(_) | Event::Message(_) => {}
            }
        }
        None
    }

    /// Returns the method and the path, for messages.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.playback.record.requests[self.request].label
    }

    /// Returns the counter of the bytes that the guest sends through a stream.
    #[must_use]
    pub fn sending(&self) -> Sending {
        Sending { playback: Arc::clone(&self.playback), request: self.request, total: 0 }
    }

    fn events(&self) -> &[(usize, Event)] {
        &self.playback.record.requests[self.request].events
    }
}

impl Sending {
    /// Counts bytes. What the record has after so many of them is due then.
    pub fn sent(&mut self, bytes: usize) {
        let before = self.total;
        self.total = before.saturating_add(bytes as u64);
        let steps = &self.playback.record.requests[self.request].sent;
        let reached = steps.iter().filter(|(_, total)| before < *total && *total <= self.total);
        for (step, _) in reached {
            self.playback.take(*step);
        }
    }
}

impl Drop for Replayed {
    fn drop(&mut self) {
        let recorded = &self.playback.record.requests[self.request];
        let events = recorded.events.iter().skip(self.next).map(|(step, _)| *step);
        let sent = recorded.sent.iter().map(|(step, _)| *step);
        for step in events.chain(sent) {
            self.playback.take(step);
        }
    }
}
