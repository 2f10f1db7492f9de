//! Records the traffic of a run.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use http::{HeaderMap, HeaderName, StatusCode, header};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::clock::Clock;
use super::content::Content;
use super::key::upgrade;
use super::line::{self, Cut, Header, Line, ShownContext};
use super::sensitivity::Sensitivity;
use super::{Error, LARGEST, LARGEST_BODY, VERSION, redact};
use crate::message::Message;
use crate::policy::{Attempt, RequestInfo, Target};

/// The beginning of the media type of Kubernetes' protobuf.
const PROTOBUF: &[u8] = b"application/vnd.kubernetes.protobuf";

/// Parts of the names of headers that may have a credential as their value.
const CREDENTIALS: [&str; 6] = ["auth", "cookie", "key", "password", "secret", "token"];

/// About the number of bytes of a line without its path, headers and body.
const LINE: usize = 256;

/// The largest number of requests that are reported as not recorded.
const LEFT_OUT: usize = 20;

/// Records the traffic of a run.
pub struct Recorder {
    clock: Clock,
    began: Instant,
    /// Whether to keep values of secrets, and requests to other servers.
    keeps_secrets: bool,
    state: Mutex<State>,
}

struct State {
    lines: Vec<Line>,
    /// The number of requests.
    requests: u64,
    /// About the number of bytes so far.
    size: usize,
    /// The requests whose answers may not have ended.
    open: Vec<Weak<Exchange>>,
    /// The requests that are not recorded.
    left_out: Vec<String>,
}

/// A request that is recorded while it passes.
pub struct Exchange {
    recorder: Arc<Recorder>,
    id: u64,
    sensitivity: Sensitivity,
    form: Form,
    /// The position of the request's line.
    line: usize,
    state: Mutex<Passing>,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// One body.
    Whole,
    /// Lines or frames, which come piece by piece.
    Pieces,
    /// A connection in both directions.
    Tunnel,
}

#[derive(Default)]
struct Passing {
    sent: Vec<u8>,
    /// Whether more was sent than is kept.
    sent_more: bool,
    /// The position of the answer's line.
    answer: Option<usize>,
    is_protobuf: bool,
    /// The received bytes that have no line yet.
    received: Vec<u8>,
    ended: bool,
}

impl Recorder {
    /// Returns a recorder of a run that begins now.
    #[must_use]
    pub fn new(plugin: &str, policy: &str, keeps_secrets: bool) -> Self {
        let now = OffsetDateTime::now_utc();
        // As precise as the lines are.
        let start = now.replace_millisecond(now.millisecond()).unwrap_or(now);
        let header = Header {
            version: VERSION,
            time: start.format(&Rfc3339).unwrap_or_default(),
            plugin: plugin.to_owned(),
            policy: policy.to_owned(),
            secrets: keeps_secrets,
            contexts: Vec::new(),
        };
        let state = State {
            lines: vec![Line::Record(header)],
            requests: 0,
            size: 0,
            open: Vec::new(),
            left_out: Vec::new(),
        };
        Self { clock: Clock::starting(start), began: Instant::now(), keeps_secrets, state: Mutex::new(state) }
    }

    /// Records the contexts that the guest sees.
    pub fn show(&self, contexts: Vec<ShownContext>) {
        if let Some(Line::Record(header)) = self.state().lines.first_mut() {
            header.contexts = contexts;
        }
    }

    /// Returns the guest's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Begins to record a request, unless it is one that is not recorded.
    #[must_use]
    pub fn request(self: &Arc<Self>, attempt: &Attempt, headers: &HeaderMap) -> Option<Arc<Exchange>> {
        let (context, host) = match attempt.target() {
            Target::Context(context) => (Some(context.name().to_owned()), None),
            Target::Host(host) => (None, Some(host.to_string())),
        };
        // What is sent to another server may be a secret as a whole, its path too.
        let is_elsewhere = (host.is_some() || attempt.info().is_relayed()) && !self.keeps_secrets;
        if is_elsewhere {
            let (mut state, request) = (self.state(), attempt.to_string());
            if state.left_out.len() < LEFT_OUT && !state.left_out.contains(&request) {
                state.left_out.push(request);
            }
            return None;
        }
        let sensitivity =
            if self.keeps_secrets { Sensitivity::Plain } else { Sensitivity::of(attempt.info()) };
        let at = self.at();
        let mut state = self.state();
        if !state.has_room_for(LINE + attempt.path_and_query().len()) {
            return None;
        }
        state.requests += 1;
        let (id, line) = (state.requests, state.lines.len());
        state.lines.push(Line::Request(line::Request {
            id,
            at,
            context,
            host,
            method: attempt.method().to_string(),
            path: attempt.path_and_query(),
            accept: accept(headers).map(str::to_owned),
            upgrade: attempt.upgrade().map(upgrade),
            body: None,
        }));
        let recorder = Arc::clone(self);
        let form = Form::of(attempt);
        let exchange = Exchange { recorder, id, sensitivity, form, line, state: Mutex::default() };
        let exchange = Arc::new(exchange);
        state.open.retain(|open| open.strong_count() > 0);
        state.open.push(Arc::downgrade(&exchange));
        Some(exchange)
    }

    /// Records a request that the policy refused.
    pub fn refused(&self, attempt: &Attempt, reason: &str) {
        let Target::Context(context) = attempt.target() else { return };
        // The query may be another server's, and have a credential in it.
        let is_hidden = attempt.info().is_relayed() && !self.keeps_secrets;
        let path = if is_hidden { attempt.path().to_owned() } else { attempt.path_and_query() };
        let mut state = self.state();
        if state.has_room_for(LINE + path.len()) {
            state.lines.push(Line::Refused(line::Refused {
                at: self.at(),
                context: context.name().to_owned(),
                method: attempt.method().to_string(),
                path,
                reason: reason.to_owned(),
            }));
        }
    }

    /// Records that the user ended the run.
    pub fn interrupted(&self) {
        let at = self.at();
        self.state().lines.push(Line::Interrupted(line::Interrupted { at }));
    }

    /// Returns the requests that are not recorded.
    #[must_use]
    pub fn left_out(&self) -> Vec<String> {
        self.state().left_out.clone()
    }

    /// Returns the text of the record, for a file at `path`, when the run has ended.
    ///
    /// # Errors
    /// If it is too large.
    pub fn text(&self, path: &Path) -> Result<String, Error> {
        // A guest that has ended does not drop the answers that it left unread.
        let open = std::mem::take(&mut self.state().open);
        open.iter().filter_map(Weak::upgrade).for_each(|exchange| exchange.dropped());
        let full = || Error::Full(path.to_owned());
        let state = self.state();
        if state.size > LARGEST {
            return Err(full());
        }
        let mut text = String::new();
        for line in &state.lines {
            text.push_str(&serde_json::to_string(line).unwrap_or_default());
            text.push('\n');
        }
        if text.len() > LARGEST { Err(full()) } else { Ok(text) }
    }

    /// Returns the time since the start in milliseconds.
    fn at(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns the time since the start of something that the guest receives now, which sets its clock.
    fn given(&self) -> u64 {
        let at = self.at();
        self.clock.set(at);
        at
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Lines are added as a whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns whether there is room for this number of bytes, and takes it. Otherwise the record is not written.
    fn has_room_for(&mut self, bytes: usize) -> bool {
        self.size = self.size.saturating_add(bytes);
        self.size <= LARGEST
    }
}

/// Returns whether the value of a header may be a credential. A challenge that a guest sees has none.
fn has_credential(name: &HeaderName) -> bool {
    *name != header::WWW_AUTHENTICATE && CREDENTIALS.iter().any(|part| name.as_str().contains(part))
}

/// Returns the media types that a request accepts.
pub(super) fn accept(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok())
}

impl Form {
    /// Returns the form of the answer to a request.
    fn of(attempt: &Attempt) -> Self {
        let RequestInfo { verb, subresource, .. } = attempt.info();
        let query = attempt.query().unwrap_or_default();
        let follows = || {
            form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "follow" && value != "false")
        };
        if attempt.upgrade().is_some() {
            Self::Tunnel
        } else if verb == "watch" || (subresource == "log" && follows()) {
            Self::Pieces
        } else {
            Self::Whole
        }
    }
}

impl Exchange {
    /// Records bytes of the request's body.
    pub fn sent(&self, bytes: &[u8]) {
        let mut passing = self.passing();
        if passing.sent.len() + bytes.len() > LARGEST_BODY || !self.recorder.state().has_room_for(bytes.len())
        {
            passing.sent_more = true;
            passing.sent = Vec::new();
        } else if !passing.sent_more {
            passing.sent.extend_from_slice(bytes);
        }
    }

    /// Records that the guest sent bytes through a stream.
    pub fn sent_through(&self, bytes: usize) {
        let passing = self.passing();
        if passing.ended {
            // The server has closed its side, and reads no more.
            return;
        }
        let bytes = bytes as u64;
        let at = self.recorder.at();
        let mut state = self.recorder.state();
        if let Some(Line::Sent(sent)) = state.lines.last_mut()
            && sent.id == self.id
        {
            sent.bytes = sent.bytes.saturating_add(bytes);
        } else if state.has_room_for(LINE) {
            state.lines.push(Line::Sent(line::Sent { id: self.id, at, bytes }));
        }
    }

    /// Records the beginning of the answer.
    pub fn answered(&self, status: StatusCode, headers: &HeaderMap) {
        let headers: Vec<_> = headers
            .iter()
            .filter(|(name, _)| !has_credential(name) && !self.may_quote(name))
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let media_type = headers.iter().find(|(name, _)| name == header::CONTENT_TYPE.as_str());
        let mut passing = self.passing();
        passing.is_protobuf = media_type.is_some_and(|(_, value)| value.as_bytes().starts_with(PROTOBUF));
        self.record_sent(&passing);
        let at = self.recorder.given();
        let mut state = self.recorder.state();
        let length: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if state.has_room_for(LINE + length) {
            passing.answer = Some(state.lines.len());
            let answer = line::Answer { id: self.id, at, status: status.as_u16(), headers, body: None };
            state.lines.push(Line::Answer(answer));
        }
    }

    /// Returns whether the value of a header may quote a secret: an API server's warnings quote what they warn of.
    fn may_quote(&self, name: &HeaderName) -> bool {
        *name == header::WARNING && self.sensitivity != Sensitivity::Plain
    }

    /// Records bytes of the answer's body.
    pub fn received(&self, bytes: &[u8]) {
        let mut passing = self.passing();
        if !self.recorder.state().has_room_for(bytes.len()) {
            passing.received = Vec::new();
            return;
        }
        let known = passing.received.len();
        passing.received.extend_from_slice(bytes);
        let whole = match self.form {
            Form::Whole => 0,
            Form::Pieces => passing.whole(known),
            Form::Tunnel => passing.received.len(),
        };
        if whole > 0 {
            let rest = passing.received.split_off(whole);
            let pieces = std::mem::replace(&mut passing.received, rest);
            self.record_pieces(&passing, &pieces);
        }
    }

    /// Records the end of the answer, and the reason if it is not complete.
    pub fn ended(&self, cut: Option<Cut>) {
        let mut passing = self.passing();
        if std::mem::replace(&mut passing.ended, true) {
            return;
        }
        // An answer may begin before its request has ended.
        self.record_sent(&passing);
        let rest = std::mem::take(&mut passing.received);
        if self.form == Form::Whole && cut.is_none() && self.completed(&passing, &rest) {
            return;
        }
        if !rest.is_empty() {
            self.record_pieces(&passing, &rest);
        }
        let at = self.recorder.given();
        self.recorder.state().lines.push(Line::End(line::End { id: self.id, at, cut }));
    }

    /// Records that the guest receives no more of the answer.
    pub fn dropped(&self) {
        let mut passing = self.passing();
        if std::mem::replace(&mut passing.ended, true) {
            return;
        }
        // It may have given up before there was an answer.
        self.record_sent(&passing);
        let rest = std::mem::take(&mut passing.received);
        if !rest.is_empty() {
            self.record_pieces(&passing, &rest);
        }
    }

    /// Records that there was no answer.
    pub fn failed(&self, error: &str) {
        let mut passing = self.passing();
        self.record_sent(&passing);
        passing.ended = true;
        let at = self.recorder.given();
        let failure = line::Failure { id: self.id, at, error: error.to_owned() };
        self.recorder.state().lines.push(Line::Failure(failure));
    }

    /// Records what kwasm reported to the user about this request.
    pub fn reported(&self, Message { text, hint }: &Message) {
        let mut state = self.recorder.state();
        if state.has_room_for(LINE + text.len()) {
            let (text, hint) = (text.clone(), hint.clone());
            state.lines.push(Line::Message(line::Said { id: self.id, text, hint }));
        }
    }

    /// Adds the whole body to the answer's line, if nothing came between. Returns whether it did.
    fn completed(&self, passing: &Passing, body: &[u8]) -> bool {
        let content = redact::content(self.sensitivity, body);
        let mut state = self.recorder.state();
        let last = state.lines.len().checked_sub(1);
        match state.lines.last_mut() {
            Some(Line::Answer(answer)) if last == passing.answer => {
                answer.body = Some(content);
                true
            }
            _ => false,
        }
    }

    /// Adds the request's body to its line.
    fn record_sent(&self, passing: &Passing) {
        let body = match passing.sent.as_slice() {
            _ if passing.sent_more => Content::LeftOut("it is longer than 1 MiB".to_owned()),
            [] => return,
            sent => redact::content(self.sensitivity, sent),
        };
        if let Some(Line::Request(request)) = self.recorder.state().lines.get_mut(self.line) {
            request.body = Some(body);
        }
    }

    /// Records a body, or a part of one: of a stream, each line or frame by itself where that can be read.
    fn record_pieces(&self, passing: &Passing, pieces: &[u8]) {
        if self.form != Form::Pieces {
            self.record_content(redact::content(self.sensitivity, pieces));
        } else if passing.is_protobuf {
            let mut rest = pieces;
            while !rest.is_empty() {
                let (frame, others) = rest.split_at(frame_length(rest).unwrap_or(rest.len()));
                self.record_content(redact::frame(self.sensitivity, frame));
                rest = others;
            }
        } else if pieces.starts_with(b"{") {
            for line in pieces.split_inclusive(|byte| *byte == b'\n') {
                self.record_content(redact::content(self.sensitivity, line));
            }
        } else {
            self.record_content(redact::content(self.sensitivity, pieces));
        }
    }

    fn record_content(&self, body: Content) {
        let at = self.recorder.given();
        let mut state = self.recorder.state();
        // The bytes were counted when they came.
        if state.has_room_for(LINE) {
            state.lines.push(Line::Data(line::Data { id: self.id, at, body }));
        }
    }

    fn passing(&self) -> MutexGuard<'_, Passing> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guest that gives a request up drops it.
impl Drop for Exchange {
    fn drop(&mut self) {
        self.dropped();
    }
}

impl Passing {
    /// Returns the length of the whole lines or frames that were received. Before `known` no line ends.
    fn whole(&self, known: usize) -> usize {
        if self.is_protobuf {
            let mut whole = 0;
            while let Some(length) = frame_length(&self.received[whole..]) {
                whole += length;
            }
            return whole;
        }
        let end = self.received[known..].iter().rposition(|byte| *byte == b'\n');
        end.map_or(0, |end| known + end + 1)
    }
}

/// Returns the length of a frame at the beginning of bytes, if it is complete. A frame begins with the length of the rest
/// (k8s.io/apimachinery, `pkg/util/framer`).
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?);
    let whole = usize::try_from(length).ok()?.checked_add(4)?;
    (bytes.len() >= whole).then_some(whole)
}
