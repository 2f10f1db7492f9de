//! Compares what a guest wrote and received with what arrived at the server.

use super::Played;
use super::answer::GREETING;
use super::message::{Body, Framing, Head, Reader};
use super::upstream::{Arrived, Tunnel};

/// Checks that exactly the written requests arrived, in order, and that none was completed.
pub(super) fn check(played: &Played, arrived: &[Arrived]) {
    let asked = asked(&played.wrote);
    let answers = answers(&played.got, &asked);
    let mut rest = asked.iter().enumerate();
    for arrived in arrived {
        let [method, target, _] = &arrived.head.first;
        // hyper sends none of their bodies whose length it does not know (`set_length` in `proto/h1/role.rs`).
        let bare = ["GET", "HEAD"].contains(&method.as_str()) && arrived.body.is_empty();
        let found = rest.find(|(number, asked)| {
            let body = if arrived.whole {
                asked.whole && asked.body == arrived.body || asked.chunked && bare
            } else {
                asked.body.starts_with(&arrived.body)
            };
            let tunnel = arrived.tunnel.as_ref().is_none_or(|tunnel| {
                if answers.switched {
                    *number == answers.number
                } else {
                    played.wrote[asked.end..].starts_with(&tunnel.bytes)
                }
            });
            (&asked.method, &asked.target) == (method, target) && body && tunnel
        });
        let Some((_, asked)) = found else { panic!("nobody asked so: {:?}", arrived.head) };
        if let Some(tunnel) = &arrived.tunnel {
            check_tunnel(&played.wrote[asked.end..], tunnel, played, &answers);
            // No requests follow it.
            rest = [].iter().enumerate();
        }
    }
    let switched = arrived.iter().any(|arrived| arrived.tunnel.is_some());
    assert!(switched || !answers.switched, "a switch that no server made");
}

/// Returns whether one of the requests in what was written to a socket arrives so, whole or in part.
pub(super) fn asks(wrote: &[u8], arrived: &Arrived) -> bool {
    let [method, target, _] = &arrived.head.first;
    asked(wrote).iter().any(|asked| {
        let is_bare = ["GET", "HEAD"].contains(&method.as_str()) && arrived.body.is_empty();
        let fits = if arrived.whole {
            asked.whole && asked.body == arrived.body || asked.chunked && is_bare
        } else {
            asked.body.starts_with(&arrived.body)
        };
        (&asked.method, &asked.target) == (method, target) && fits
    })
}

/// A request as the guest wrote it.
struct Asked {
    method: String,
    target: String,
    body: Vec<u8>,
    /// Whether the body's length was not announced.
    chunked: bool,
    whole: bool,
    /// The position after the body.
    end: usize,
}

/// Parses what a guest wrote, as far as any server could read it as requests.
fn asked(wrote: &[u8]) -> Vec<Asked> {
    let mut all = Vec::new();
    let mut start = 0;
    while let Ok(Some(head)) = Head::read(&wrote[start..], Reader::Lenient) {
        start += head.length;
        let Ok(framing) = head.framing(Reader::Lenient) else { break };
        let chunked = matches!(framing, Framing::Chunked);
        let Ok(body) = Body::read(&wrote[start..], framing, Reader::Lenient) else { break };
        start += body.length;
        let [method, target, _] = head.first;
        let Body { bytes: body, whole, .. } = body;
        all.push(Asked { method, target: in_origin_form(&target), body, chunked, whole, end: start });
        if !whole {
            break;
        }
    }
    all
}

/// Returns a target without the address that it may begin with, and without what never leaves a client.
pub(super) fn in_origin_form(target: &str) -> String {
    let target = target.split('#').next().unwrap_or_default();
    match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => {
            rest.find('/').map_or_else(String::new, |slash| rest[slash..].to_owned())
        }
        _ => target.to_owned(),
    }
}

/// Checks that the bytes that left a tunnel are those that entered it.
fn check_tunnel(wrote: &[u8], tunnel: &Tunnel, played: &Played, answers: &Answers<'_>) {
    assert!(wrote.starts_with(&tunnel.bytes), "other bytes came out of a tunnel than went in");
    if !answers.switched {
        return;
    }
    let sent = [GREETING, wrote].concat();
    assert!(sent.starts_with(answers.rest), "other bytes came back through a tunnel");
    if !tunnel.closed && !played.interrupted {
        assert!(tunnel.ended, "a tunnel was cut");
        assert_eq!(tunnel.bytes.len(), wrote.len(), "a tunnel lost the end");
        let whole = !tunnel.echoed || !played.heard_all || answers.rest == sent;
        assert!(whole, "a tunnel lost the end of the answer");
    }
}

/// The answers that a guest received.
struct Answers<'a> {
    /// The number of answers before the last one or the upgrade.
    number: usize,
    /// Whether they end with an upgrade.
    switched: bool,
    /// The bytes after the upgrade.
    rest: &'a [u8],
}

/// Reads what the guest got.
fn answers<'a>(got: &'a [u8], asked: &[Asked]) -> Answers<'a> {
    let mut answers = Answers { number: 0, switched: false, rest: got };
    while let Some(head) = Head::read(answers.rest, Reader::Strict).expect("an answer is well-formed") {
        answers.rest = &answers.rest[head.length..];
        let status = head.first[1].as_str();
        if status == "101" {
            answers.switched = true;
            break;
        }
        let question = asked.get(answers.number);
        let bare = status.starts_with('1')
            || ["204", "304"].contains(&status)
            || question.is_some_and(|asked| asked.method == "HEAD");
        let framing = match head.framing(Reader::Strict).expect("an answer has one framing") {
            _ if bare => Framing::Length(0),
            Framing::Length(0) if head.all("content-length").next().is_none() => Framing::Rest,
            framing => framing,
        };
        let body =
            Body::read(answers.rest, framing, Reader::Strict).expect("an answer's body is well-formed");
        answers.rest = &answers.rest[body.length..];
        if !body.whole {
            break;
        }
        if !status.starts_with('1') {
            // The answers of the gate's own server to bytes that are not a request.
            let unread = ["400", "414", "431"].contains(&status);
            assert!(question.is_some() || unread, "more answers than questions");
            answers.number += 1;
        }
    }
    answers
}
