//! What an ordinary plugin does.

use std::cell::Cell;

use futures::future::{AbortHandle, Abortable, Either, join_all, select};
use futures::{join, pin_mut};
use memchr::memrchr;
use wasip3::cli::{exit, stdin};
use wasip3::clocks::monotonic_clock;
use wasip3::http::client;
use wasip3::http::types::ErrorCode;
use wasip3::wit_bindgen::StreamResult;
use wasip3::{wit_future, wit_stream};

use crate::Words;
use crate::event;
use crate::out::{Out, complain, print};
use crate::request::{Answer, Call, PIECE};

/// The time between two ticks, in nanoseconds.
const TICK: u64 = 100_000_000;

/// As much as one read of a watch or a log asks for, of which there may be many at once.
const LINES: usize = 8 << 10;

pub(crate) async fn run(command: &str, words: &mut Words) -> Result<(), ()> {
    match command {
        "get" => copy(&words.next("/version")).await,
        "count" => count(&words.next("/source")).await,
        "follow" => follow(&words.next("/source")).await,
        "upload" => {
            upload(&words.next("/sink"), words.number("1000000"), &words.next("finish"), words.number("0"))
                .await
        }
        "follow-many" => follow_many(&words.next("/source"), words.number("50"), words.number("0")).await,
        "echo" => echo().await,
        "exit" => {
            exit::exit_with_code(words.number("3"));
            Ok(())
        }
        "spin" => {
            print("spinning\n").await?;
            loop {
                std::hint::spin_loop();
            }
        }
        "sleep" => {
            print("sleeping\n").await?;
            monotonic_clock::wait_for(u64::MAX).await;
            Ok(())
        }
        "trap" => std::process::abort(),
        // `wait`: for what never comes, which is a deadlock where nothing else is under way.
        _ => {
            let (_writer, reader) = wit_stream::new::<u8>();
            drop(reader.collect().await);
            Ok(())
        }
    }
}

/// Prints an answer as it comes.
async fn copy(target: &str) -> Result<(), ()> {
    let mut answer = match Call::get(target).send().await {
        Ok(answer) => answer,
        Err(why) => {
            complain(format!("{why}\n")).await?;
            return Err(());
        }
    };
    let mut out = Out::new();
    while let Some(piece) = answer.piece().await {
        out.write(piece).await?;
    }
    out.close().await?;
    answer.end().await.map_err(|_| ())
}

/// Counts the bytes of an answer.
async fn count(target: &str) -> Result<(), ()> {
    let mut answer = Call::get(target).send().await.map_err(drop)?;
    let (mut bytes, mut buffer) = (0, Vec::with_capacity(PIECE));
    while let Some(piece) = answer.piece_into(buffer).await {
        bytes += piece.len();
        buffer = piece;
    }
    answer.end().await.map_err(drop)?;
    print(format!("{bytes} bytes\n")).await
}

/// Prints the name of each event's object in a watch as soon as it is there, and those together that come together.
async fn follow(target: &str) -> Result<(), ()> {
    let mut answer = Call::get(target).send().await.map_err(drop)?;
    let mut out = Out::new();
    let mut begun = Vec::new();
    while let Some(piece) = answer.piece().await {
        begun.extend(piece);
        let whole = memrchr(b'\n', &begun).map_or(0, |end| end + 1);
        let rest = begun.split_off(whole);
        let mut names = Vec::new();
        for line in begun.split_inclusive(|byte| *byte == b'\n') {
            names.extend_from_slice(event::name(line).unwrap_or_default());
            names.push(b'\n');
        }
        begun = rest;
        if !names.is_empty() {
            out.write(names).await?;
        }
    }
    out.close().await?;
    answer.end().await.map_err(drop)
}

/// Sends this many bytes, and ends as it is told after some of them: by `finish`, `trap`, `return`, `exit`,
/// `cancel` (of the call), `err` (the trailers say that it failed) or `stall`.
async fn upload(path: &str, bytes: usize, end: &str, after: usize) -> Result<(), ()> {
    let (mut writer, contents) = wit_stream::new();
    let (trailers, trailers_reader) = wit_future::new(|| Err(ErrorCode::InternalError(None)));
    let request = Call::to("POST", path).made(Some(contents), trailers_reader, None).map_err(|_| ())?;
    let whole = end == "finish";
    let length = if whole { bytes } else { after };
    let body = async {
        let mut left = length;
        while left > 0 {
            let piece = vec![b'x'; left.min(64 << 10)];
            left -= piece.len();
            if !writer.write_all(piece).await.is_empty() {
                break;
            }
        }
        match end {
            "finish" => {
                drop(writer);
                drop(trailers.write(Ok(None)).await);
                std::future::pending::<()>().await;
            }
            "err" => {
                drop(writer);
                drop(trailers);
                std::future::pending::<()>().await;
            }
            "trap" => std::process::abort(),
            "exit" => exit::exit_with_code(3),
            "stall" => {
                complain("stalling\n").await.unwrap_or_default();
                std::future::pending::<()>().await;
            }
            // `return`, `cancel`: the call below is dropped.
            _ => {}
        }
    };
    let sent = Box::pin(client::send(request));
    pin_mut!(body);
    let answer = match select(sent, body).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), sent)) if end == "cancel" => {
            drop(sent);
            // Long enough for the server to see it.
            monotonic_clock::wait_for(500_000_000).await;
            return print("cancelled\n").await;
        }
        Either::Right(_) => return Ok(()),
    };
    match answer {
        Ok(response) => print(format!("status {}\n", response.get_status_code())).await,
        Err(code) => complain(format!("{code:?}\n")).await.and(Err(())),
    }
}

/// Follows the same answer this many times at once, and prints `NUMBER LINE` for each that comes. It ticks meanwhile,
/// and lets go of the one with this number once something of all has come.
async fn follow_many(path: &str, count: usize, cancelled: usize) -> Result<(), ()> {
    let (stop, stopped) = AbortHandle::new_pair();
    let begun = Cell::new(0);
    let one = async |number: usize| {
        let mut answer = Call::get(path).send().await.map_err(drop)?;
        let (mut is_first, mut buffer) = (true, Vec::with_capacity(LINES));
        while let Some(piece) = answer.piece_into(buffer).await {
            if std::mem::take(&mut is_first) {
                begun.set(begun.get() + 1);
                if begun.get() == count {
                    stop.abort();
                }
            }
            for line in String::from_utf8_lossy(&piece).lines() {
                print(format!("{number} {line}\n")).await?;
            }
            buffer = piece;
        }
        Ok::<(), ()>(())
    };
    let others = join_all((0..count).filter(|number| *number != cancelled).map(&one));
    let that = async {
        // The stream is dropped, and with it the request.
        if Abortable::new(one(cancelled), stopped).await.is_err() {
            print(format!("let go of {cancelled}\n")).await.unwrap_or_default();
        }
    };
    let ticks = async {
        for tick in 0.. {
            monotonic_clock::wait_for(TICK).await;
            if print(format!("tick {tick}\n")).await.is_err() {
                return;
            }
        }
    };
    let all = async { join!(others, that) };
    pin_mut!(all, ticks);
    match select(all, ticks).await {
        Either::Left((ended, _)) => ended.0.into_iter().collect(),
        Either::Right(_) => Err(()),
    }
}

/// Copies standard input to standard output.
async fn echo() -> Result<(), ()> {
    let (mut input, ended) = stdin::read_via_stream();
    let mut out = Out::new();
    loop {
        let (result, bytes) = input.read(Vec::with_capacity(64 << 10)).await;
        match result {
            StreamResult::Complete(_) => out.write(bytes).await?,
            StreamResult::Dropped | StreamResult::Cancelled => break,
        }
    }
    let (closed, ended) = join!(out.close(), async { ended.await.map_err(|_| ()) });
    closed.and(ended)
}

/// The type of answers, for the commands that keep some.
pub(crate) type Kept = Vec<Answer>;
