//! The watch against an API server that plays a script.

use crate::api::{Api, Watch};
use crate::event::Page;
use crate::follow::{Stop, follow};
use crate::listing;
use crate::printer::Printer;
use crate::table::Table;
use kube_guest::{Error, Status, Timestamp};
use std::collections::VecDeque;
use std::time::Duration;

/// The server's next answer.
enum Step {
    List(String),
    Watch(Vec<String>),
    /// A stream whose last line is incomplete.
    Cut(Vec<String>),
    Refuse(u16),
}
use Step::{Cut, List, Refuse, Watch as Lines};

#[derive(Default)]
struct Server {
    script: VecDeque<Step>,
    asked: Vec<String>,
    pauses: Vec<u64>,
}

struct Script {
    lines: VecDeque<Vec<u8>>,
    line: Vec<u8>,
    cut: bool,
}

fn refusal(code: u16) -> Error {
    Status { code, message: format!("refused with {code}"), reason: String::new() }.into()
}

impl Api for Server {
    type Watch = Script;

    fn page(&mut self, next: Option<&str>) -> Result<Page, Error> {
        self.asked.push(format!("list {}", next.unwrap_or_default()).trim_end().to_owned());
        match self.script.pop_front() {
            Some(List(json)) => Ok(serde_json::from_str(&json).unwrap()),
            Some(Refuse(code)) => Err(refusal(code)),
            _ => panic!("a list was asked for: {:?}", self.asked),
        }
    }

    fn watch(&mut self, version: &str) -> Result<Script, Error> {
        self.asked.push(format!("watch {version}"));
        let (lines, cut) = match self.script.pop_front() {
            Some(Lines(lines)) => (lines, false),
            Some(Cut(lines)) => (lines, true),
            Some(Refuse(code)) => return Err(refusal(code)),
            Some(List(_)) => panic!("a watch was asked for: {:?}", self.asked),
            // The script is over.
            None => return Err(refusal(403)),
        };
        Ok(Script { lines: lines.into_iter().map(String::into_bytes).collect(), line: Vec::new(), cut })
    }

    fn pause(&mut self, pause: Duration) {
        self.pauses.push(pause.as_secs());
    }

    fn now(&self) -> Timestamp {
        Timestamp::parse("2026-01-01T01:00:00Z").unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

impl Watch for Script {
    fn next_line(&mut self) -> Result<Option<&[u8]>, Error> {
        match self.lines.pop_front() {
            Some(line) if line == b"BREAK" => Err(refusal(0)),
            Some(line) => {
                self.line = line;
                Ok(Some(&self.line))
            }
            None => Ok(None),
        }
    }

    fn is_ready(&self) -> bool {
        !self.lines.is_empty()
    }

    fn cut_off(&self) -> bool {
        self.cut && self.lines.is_empty()
    }
}

fn event(uid: &str, version: u32) -> String {
    let minute = version % 60;
    format!(
        r#"{{"metadata":{{"uid":"{uid}","resourceVersion":"{version}"}},"reason":"R","message":"{uid}@{version}",
        "lastTimestamp":"2026-01-01T00:{minute:02}:00Z"}}"#
    )
}

fn list(version: u32, events: &[String]) -> Step {
    List(format!(r#"{{"metadata":{{"resourceVersion":"{version}"}},"items":[{}]}}"#, events.join(",")))
}

fn change(kind: &str, object: &str) -> String {
    format!(r#"{{"type":"{kind}","object":{object}}}"#)
}

fn added(uid: &str, version: u32) -> String {
    change("ADDED", &event(uid, version))
}

fn bookmark(version: u32) -> String {
    change("BOOKMARK", &format!(r#"{{"metadata":{{"resourceVersion":"{version}"}}}}"#))
}

fn error(code: u16) -> String {
    change("ERROR", &format!(r#"{{"kind":"Status","code":{code},"message":"no more","reason":"Expired"}}"#))
}

/// Plays a script. Returns the printed messages, the server, and the reason of the end.
fn play(script: impl IntoIterator<Item = Step>, first: Option<&str>) -> (Vec<String>, Server, String) {
    let mut server = Server { script: script.into_iter().collect(), ..Server::default() };
    let listed = listing::list(&mut server).unwrap();
    let mut out = Vec::new();
    let first = first.map(|first| Timestamp::parse(first).unwrap());
    let stop = follow(&mut server, listed, first, Printer::Table(Table::new(false, false)), &mut out);
    let text = String::from_utf8(out).unwrap();
    let messages = text.lines().skip(1).filter_map(|line| line.split_whitespace().last()).map(str::to_owned);
    let Stop::Why(why) = stop else { panic!("{stop:?}") };
    (messages.collect(), server, why)
}

#[test]
fn it_lists_then_watches_from_the_lists_version() {
    let script = [list(7, &[event("b", 5), event("a", 3)]), Lines(vec![added("c", 8)])];
    let (printed, server, why) = play(script, None);
    assert_eq!(printed, ["a@3", "b@5", "c@8"]);
    assert_eq!(server.asked, ["list", "watch 7", "watch 8"]);
    assert_eq!(why, "watch: the server answered 403: refused with 403");
}

#[test]
fn a_watch_that_ends_is_resumed_at_once_from_what_was_seen_last() {
    let script = [
        list(1, &[]),
        Lines(vec![added("a", 2), bookmark(9)]),
        Lines(vec![added("a", 12), "BREAK".to_owned()]),
        Lines(vec![change("DELETED", &event("a", 13))]),
    ];
    let (printed, server, _) = play(script, None);
    assert_eq!(printed, ["a@2", "a@12"]);
    assert_eq!(server.asked, ["list", "watch 1", "watch 9", "watch 12", "watch 13"]);
    assert!(server.pauses.is_empty(), "{:?}", server.pauses);
}

#[test]
fn after_410_it_lists_again_and_prints_nothing_twice() {
    for expired in [Refuse(410), Lines(vec![error(410)])] {
        let script = [
            list(7, &[event("a", 3)]),
            Lines(vec![added("b", 8)]),
            expired,
            list(20, &[event("c", 15), event("b", 8), event("a", 3), event("d", 14)]),
            Lines(vec![added("c", 15), added("e", 21)]),
        ];
        let (printed, server, _) = play(script, None);
        assert_eq!(printed, ["a@3", "b@8", "d@14", "c@15", "e@21"]);
        assert_eq!(server.asked, ["list", "watch 7", "watch 8", "list", "watch 20", "watch 21"]);
    }
}

#[test]
fn what_was_too_old_stays_so_after_410() {
    let old_and_new = || [event("old", 3), event("new", 30)];
    let script = [list(31, &old_and_new()), Refuse(410), list(32, &old_and_new())];
    let (printed, ..) = play(script, Some("2026-01-01T00:20:00Z"));
    assert_eq!(printed, ["new@30"]);
}

#[test]
fn an_end_that_brings_nothing_again_and_again_is_slowed_down() {
    let ends = (0..9).map(|_| Lines(vec![bookmark(1)]));
    let (_, server, _) = play([list(1, &[])].into_iter().chain(ends), None);
    assert_eq!(server.pauses, [1, 2, 4, 8, 16, 30, 30]);
    let brings = (2..12).map(|version| Lines(vec![added("a", version)]));
    let (_, server, _) = play([list(1, &[])].into_iter().chain(brings), None);
    assert!(server.pauses.is_empty(), "{:?}", server.pauses);
}

#[test]
fn a_failure_that_passes_is_waited_for_and_one_that_stays_is_an_error() {
    let script = [list(1, &[]), Refuse(503), Refuse(429), Lines(vec![added("a", 2)])];
    let (printed, server, _) = play(script, None);
    assert_eq!(printed, ["a@2"]);
    assert_eq!(server.pauses, [1, 2]);
    let (_, server, why) = play([list(1, &[])].into_iter().chain((0..6).map(|_| Refuse(503))), None);
    assert_eq!(why, "watch: the server answered 503: refused with 503");
    assert_eq!(server.pauses.len(), 5);
}

#[test]
fn a_list_that_fails_for_a_while_after_410_is_tried_again() {
    let script = [list(1, &[]), Refuse(410), Refuse(503), Lines(vec![error(410)]), list(5, &[event("a", 4)])];
    let (printed, server, _) = play(script, None);
    assert_eq!(printed, ["a@4"]);
    assert_eq!(server.asked, ["list", "watch 1", "list", "watch 1", "list", "watch 5"]);
}

#[test]
fn another_error_event_is_an_error() {
    let (printed, _, why) = play([list(1, &[]), Lines(vec![added("a", 2), error(500)])], None);
    assert_eq!(printed, ["a@2"]);
    assert_eq!(why, "watch: no more");
}

#[test]
fn a_broken_line_is_an_error_but_a_cut_one_is_an_end() {
    let (_, _, why) = play([list(1, &[]), Lines(vec!["{\"type\":\"ADD".to_owned()])], None);
    assert!(why.starts_with("watch: broken line: "), "{why}");
    let half = added("b", 3)[..40].to_owned();
    let script = [list(1, &[]), Cut(vec![added("a", 2), half]), Lines(vec![added("b", 3)])];
    let (printed, server, _) = play(script, None);
    assert_eq!(printed, ["a@2", "b@3"]);
    assert_eq!(server.asked, ["list", "watch 1", "watch 2", "watch 3"]);
}

#[test]
fn pages_are_put_together_and_an_expired_one_begins_anew() {
    let page = |next: &str, uid: &str| {
        List(format!(
            r#"{{"metadata":{{"resourceVersion":"9","continue":"{next}"}},"items":[{}]}}"#,
            event(uid, 1)
        ))
    };
    let (printed, server, _) =
        play([page("x", "a"), Refuse(410), page("y", "a"), page("", "b"), Lines(Vec::new())], None);
    assert_eq!(printed, ["a@1", "b@1"]);
    assert_eq!(server.asked[..4], ["list", "list x", "list", "list y"]);
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut server = Server { script: [list(1, &[event("a", 1)])].into(), ..Server::default() };
    let listed = listing::list(&mut server).unwrap();
    let stop = follow(&mut server, listed, None, Printer::Table(Table::new(false, false)), Closed);
    assert!(matches!(stop, Stop::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe));
}
