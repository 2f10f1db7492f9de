//! Reads a record. It may have been edited, or come from anyone: every line is checked, and the first that is not valid
//! is an error with its number.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::content::Content;
use super::key::Key;
use super::line::{Answer, Cut, Header, Line, Request};
use super::{Error, LARGEST, VERSION};
use crate::message::Message;

/// A record that was read.
#[derive(Debug)]
pub struct Record {
    pub(super) header: Header,
    pub(super) start: OffsetDateTime,
    pub(super) requests: Vec<Recorded>,
    /// The requests that the policy refused.
    pub(super) refused: Vec<Key>,
    /// The steps of the run in their order.
    pub(super) steps: Vec<Step>,
}

/// A request with its answer.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) key: Key,
    /// The method and the path, for messages.
    pub(super) label: String,
    pub(super) body: Option<Content>,
    /// The position of the request among the steps.
    pub(super) step: usize,
    /// The positions among the steps at which the guest has sent so many bytes through a stream.
    pub(super) sent: Vec<(usize, u64)>,
    /// Whether the connection is upgraded.
    is_upgraded: bool,
    /// What follows it, with the positions among the steps.
    pub(super) events: Vec<(usize, Event)>,
    /// Whether its answer has ended.
    ended: bool,
    /// Whether its answer has begun.
    answered: bool,
}

/// A step of a run: the order of all steps is part of the record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// The guest makes a request or sends something, so many milliseconds after the start.
    Guest(u64),
    /// The guest receives something, so many milliseconds after the start.
    Given(u64),
    /// The user ends the run, so many milliseconds after the start.
    Interrupted(u64),
}

impl Step {
    /// Returns the milliseconds since the start.
    pub(super) fn at(self) -> u64 {
        let (Self::Guest(at) | Self::Given(at) | Self::Interrupted(at)) = self;
        at
    }
}

/// A part of an answer.
#[derive(Clone, Debug)]
pub enum Event {
    /// The beginning.
    Answer {
        /// The status.
        status: StatusCode,
        /// The headers.
        headers: HeaderMap,
    },
    /// Bytes of its body; `None` if they are left out of the record.
    Data(Option<Bytes>),
    /// The end of its body.
    End {
        /// The reason why the body is not complete.
        cut: Option<Cut>,
    },
    /// There was no answer, with the name of the failure.
    Failure(String),
    /// What kwasm reported to the user.
    Message(Message),
}

impl Record {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is too large, or has a line that is not valid.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File { path: path.to_owned(), source };
        let mut text = Vec::new();
        let most = LARGEST as u64 + 1;
        File::open(path).map_err(failed)?.take(most).read_to_end(&mut text).map_err(failed)?;
        if text.len() > LARGEST {
            return Err(Error::Large(path.to_owned()));
        }
        Self::parse(path, &text)
    }

    /// Returns the facts about the run.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Self, Error> {
        let mut lines =
            text.split(|byte| *byte == b'\n').zip(1..).filter(|(line, _)| !line.trim_ascii().is_empty());
        let fault = |line, what| Error::Line { path: path.to_owned(), line, what };
        let other = || Error::Version(path.to_owned());
        let (first, number) = lines.next().ok_or_else(other)?;
        let header = match serde_json::from_slice(first) {
            Ok(Line::Record(header)) if header.version == VERSION => header,
            Err(error) if first.starts_with(b"{\"record\":{\"version\":1,") => {
                return Err(fault(number, described(&error)));
            }
            _ => return Err(other()),
        };
        let start = OffsetDateTime::parse(&header.time, &Rfc3339);
        let start = start.map_err(|_| fault(number, "its time is not one of RFC 3339".to_owned()))?;
        let record = Self { header, start, requests: Vec::new(), refused: Vec::new(), steps: Vec::new() };
        let mut reading = Reading { record, known: BTreeMap::new() };
        for (line, number) in lines {
            let line = serde_json::from_slice(line).map_err(|error| fault(number, described(&error)))?;
            reading.add(line).map_err(|what| fault(number, what))?;
        }
        Ok(reading.record)
    }
}

/// Returns an error of JSON without its line, which is always the first.
fn described(error: &serde_json::Error) -> String {
    let (text, column) = (error.to_string(), error.column());
    let what = text.split(" at line ").next().unwrap_or_default();
    format!("it is not a line of a record: {what} (column {column})")
}

struct Reading {
    record: Record,
    /// The positions of the requests by their numbers.
    known: BTreeMap<u64, usize>,
}

impl Reading {
    fn add(&mut self, line: Line) -> Result<(), String> {
        match line {
            Line::Record(_) => return Err("the first line of a record is there again".to_owned()),
            Line::Request(request) => self.request(request)?,
            Line::Refused(refused) => self.record.refused.push(Key::refused(&refused)),
            Line::Answer(answer) => self.answer(answer)?,
            Line::Data(data) => {
                let bytes = bytes(&data.body)?;
                let open = self.open(data.id)?;
                if !open.answered {
                    return Err(format!("the answer to request {} begins later", data.id));
                }
                self.give(data.id, data.at, [Event::Data(bytes)])?;
            }
            Line::Sent(sent) => {
                let step = self.record.steps.len();
                let open = self.open(sent.id)?;
                let before = open.sent.last().map_or(0, |(_, total)| *total);
                open.sent.push((step, before.saturating_add(sent.bytes)));
                self.record.steps.push(Step::Guest(sent.at));
            }
            Line::End(end) => {
                self.give(end.id, end.at, [Event::End { cut: end.cut }])?;
                self.open(end.id)?.ended = true;
            }
            Line::Failure(failure) => {
                self.give(failure.id, failure.at, [Event::Failure(failure.error)])?;
                self.open(failure.id)?.ended = true;
            }
            Line::Message(said) => {
                let message = Message { text: said.text, hint: said.hint };
                let at = self.record.steps.last().map_or(0, |step| step.at());
                self.give(said.id, at, [Event::Message(message)])?;
            }
            Line::Interrupted(interrupted) => self.record.steps.push(Step::Interrupted(interrupted.at)),
        }
        Ok(())
    }

    fn request(&mut self, request: Request) -> Result<(), String> {
        if self.known.insert(request.id, self.record.requests.len()).is_some() {
            return Err(format!("there is a request {} before", request.id));
        }
        if let Some(body) = &request.body {
            bytes(body)?;
        }
        self.record.requests.push(Recorded {
            key: Key::recorded(&request),
            label: format!("{} {}", request.method, request.path),
            is_upgraded: request.upgrade.is_some(),
            body: request.body,
            step: self.record.steps.len(),
            sent: Vec::new(),
            events: Vec::new(),
            ended: false,
            answered: false,
        });
        self.record.steps.push(Step::Guest(request.at));
        Ok(())
    }

    fn answer(&mut self, answer: Answer) -> Result<(), String> {
        let Answer { id, at, status, headers, body } = answer;
        let is_upgraded = self.open(id)?.is_upgraded;
        // 101 says that the connection is another one from then on, and others that the answer is still to come.
        let fits = |status: &StatusCode| {
            !status.is_informational() || (*status == StatusCode::SWITCHING_PROTOCOLS && is_upgraded)
        };
        let status =
            StatusCode::from_u16(status).ok().filter(fits).ok_or("its status is not one of an answer")?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(&value).ok());
            let (name, value) = header.ok_or_else(|| format!("the header {name:?} is not valid"))?;
            map.try_append(name, value).map_err(|_| "it has too many headers")?;
        }
        let open = self.open(id)?;
        if open.answered {
            return Err(format!("request {id} is answered before"));
        }
        open.answered = true;
        let mut events = vec![Event::Answer { status, headers: map }];
        if let Some(body) = &body {
            events.extend([Event::Data(bytes(body)?), Event::End { cut: None }]);
        }
        self.give(id, at, events)?;
        self.open(id)?.ended |= body.is_some();
        Ok(())
    }

    /// Adds a step that gives the guest a part of an answer.
    fn give(&mut self, id: u64, at: u64, events: impl IntoIterator<Item = Event>) -> Result<(), String> {
        let step = self.record.steps.len();
        self.open(id)?.events.extend(events.into_iter().map(|event| (step, event)));
        self.record.steps.push(Step::Given(at));
        Ok(())
    }

    /// Returns a request whose answer has not ended.
    fn open(&mut self, id: u64) -> Result<&mut Recorded, String> {
        let known = self.known.get(&id).and_then(|position| self.record.requests.get_mut(*position));
        let request = known.ok_or_else(|| format!("there is no request {id} before"))?;
        if request.ended {
            return Err(format!("the answer to request {id} has ended before"));
        }
        Ok(request)
    }
}

fn bytes(content: &Content) -> Result<Option<Bytes>, String> {
    content.bytes().map_err(|error| format!("its base64 is not valid: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"record":{"version":1,"time":"2026-01-01T00:00:00Z","plugin":"p","policy":"q","secrets":false,"contexts":[]}}"#;
    const GET: &str = r#"{"request":{"id":1,"at":0,"context":"c","method":"GET","path":"/version"}}"#;
    const OK: &str = r#"{"answer":{"id":1,"at":5,"status":200,"headers":[["a","b"]],"body":{"text":"x"}}}"#;

    fn read(lines: &[&str]) -> Result<Record, Error> {
        Record::parse(Path::new("r.jsonl"), lines.join("\n").as_bytes())
    }

    #[test]
    fn a_record_is_read_in_its_order() {
        let record = read(&[HEAD, "", GET, OK, r#"{"interrupted":{"at":7}}"#]).unwrap();
        assert_eq!(record.steps, [Step::Guest(0), Step::Given(5), Step::Interrupted(7)]);
        let [request] = record.requests.as_slice() else { panic!("one request") };
        assert_eq!(request.label, "GET /version");
        assert_eq!(request.events.len(), 3);
    }

    #[test]
    fn a_file_of_another_purpose_is_not_a_record() {
        for text in ["", "x", "{}", &HEAD.replace(":1,", ":2,"), GET] {
            assert!(matches!(read(&[text]), Err(Error::Version(_))), "{text}");
        }
    }

    #[test]
    fn the_first_line_that_is_not_valid_is_named() {
        let data = r#"{"data":{"id":1,"at":5,"body":{"text":"x"}}}"#;
        for (lines, line, what) in [
            (&[GET, "{"][..], 3, "EOF while parsing"),
            (&[GET, r#"{"answer":{"id":1}}"#], 3, "missing field `at`"),
            (&[&GET.replace("\"at\"", "\"when\"")], 2, "unknown field `when`"),
            (&[OK], 2, "there is no request 1 before"),
            (&[GET, GET], 3, "there is a request 1 before"),
            (&[GET, OK, OK], 4, "the answer to request 1 has ended before"),
            (&[GET, OK, data], 4, "has ended before"),
            (&[GET, data], 3, "begins later"),
            (&[GET, &OK.replace("200", "101")], 3, "its status is not one of an answer"),
            (&[GET, &OK.replace("200", "99")], 3, "its status is not one of an answer"),
            (&[GET, &OK.replace("[\"a\"", "[\"a b\"")], 3, "the header \"a b\" is not valid"),
            (&[GET, &OK.replace("\"b\"]", "\"b\\r\\nc: d\"]")], 3, "the header \"a\" is not valid"),
            (&[GET, &OK.replace("{\"text\":\"x\"}", "{\"base64\":\"%\"}")], 3, "its base64 is not valid"),
            (&[HEAD], 2, "the first line of a record is there again"),
            (&[r#"{"exec":{}}"#], 2, "unknown variant `exec`"),
        ] {
            match read(&[&[HEAD], lines].concat()) {
                Err(Error::Line { line: found, what: text, .. }) => {
                    assert!(found == line && text.contains(what), "{found}: {text}");
                }
                other => panic!("{what}: {other:?}"),
            }
        }
    }
}
