//! Plays scripts that the server sends, one after the other, in one run.

use std::slice;

use futures::future::{Either, join_all, select};
use futures::{FutureExt, join, pin_mut};
use wasip3::clocks::monotonic_clock;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, RequestOptions};
use wasip3::{wit_future, wit_stream};

use crate::request::{Answer, Call};
use crate::script::{self, Asked, End, Step};
use crate::socket;

/// The time that is waited for a server, in nanoseconds.
const PATIENCE: u64 = 50_000_000;

/// The most that is told of an answer's body, in bytes.
const TOLD: usize = 1_000;

/// Gets scripts from this path, each as the number of its bytes in eight hexadecimal digits and these bytes. It posts there what
/// came of each.
pub(crate) async fn run(control: &str) -> Result<(), ()> {
    let mut scripts = Call::get(control).send().await.map_err(drop)?;
    let mut waiting = Vec::new();
    while let Some(script) = next(&mut scripts, &mut waiting).await {
        let told = play(script::read(&script)).await;
        Call { body: Some(told), ..Call::to("POST", control) }
            .send()
            .await
            .map_err(drop)?
            .text()
            .await
            .map_err(drop)?;
    }
    Ok(())
}

async fn next(scripts: &mut Answer, waiting: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some((digits, rest)) = waiting.split_at_checked(8) {
            let length = usize::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
            if let Some((script, rest)) = rest.split_at_checked(length) {
                let script = script.to_vec();
                *waiting = rest.to_vec();
                return Some(script);
            }
        }
        waiting.extend(scripts.piece().await?);
    }
}

async fn play(steps: Vec<Step<'_>>) -> Vec<u8> {
    let mut told = Vec::new();
    let mut beside = Vec::new();
    for step in steps {
        match step {
            Step::Request(asked) => {
                let is_last = asked.end != End::Beside;
                beside.push(ask(asked));
                if is_last {
                    told.extend(join_all(beside.drain(..)).await.concat());
                }
            }
            Step::Socket(bytes) => {
                let answer = socket::exchange(bytes).fuse();
                let late = monotonic_clock::wait_for(PATIENCE).fuse();
                pin_mut!(answer, late);
                if let Either::Left((Ok(answer), _)) = select(answer, late).await {
                    told.extend(answer);
                }
            }
        }
    }
    told.extend(join_all(beside).await.concat());
    told
}

/// Makes a request, and returns what came of it.
async fn ask(asked: Asked<'_>) -> Vec<u8> {
    match answer(&asked).await {
        Ok(Some(answer)) => tell(answer).await,
        Ok(None) => b"dropped\n".to_vec(),
        Err(why) => format!("{why}\n").into_bytes(),
    }
}

async fn answer(asked: &Asked<'_>) -> Result<Option<Answer>, String> {
    let mut call = Call::to(&asked.method, &asked.target);
    let headers = asked.headers.iter().map(|(name, value)| (name.clone(), value.to_vec()));
    // One that no guest can set would hide the others.
    call.headers = headers.filter(|header| Fields::from_list(slice::from_ref(header)).is_ok()).collect();
    let (mut writer, contents) = if asked.pieces.is_empty() {
        (None, None)
    } else {
        let (writer, reader) = wit_stream::new();
        (Some(writer), Some(reader))
    };
    let (trailers, trailers_reader) = wit_future::new(|| Err(ErrorCode::InternalError(None)));
    let fields = asked.trailers.iter().map(|(name, value)| (name.clone(), value.to_vec()));
    let fields =
        Fields::from_list(&fields.collect::<Vec<_>>()).map_err(|error| format!("trailer: {error:?}"))?;
    let options = RequestOptions::new();
    for set in [RequestOptions::set_first_byte_timeout, RequestOptions::set_between_bytes_timeout] {
        set(&options, Some(PATIENCE)).map_err(|error| format!("{error:?}"))?;
    }
    let request = call.made(contents, trailers_reader, Some(options))?;
    let is_dropped = asked.end == End::Dropped;
    let body = async {
        for piece in &asked.pieces {
            if let Some(writer) = &mut writer
                && !writer.write_all(piece.clone()).await.is_empty()
            {
                break;
            }
        }
        if is_dropped {
            return;
        }
        drop(writer.take());
        if asked.end == End::Failed {
            drop(trailers);
        } else {
            drop(trailers.write(Ok((!asked.trailers.is_empty()).then_some(fields))).await);
        }
    };
    let sent = client::send(request);
    pin_mut!(body);
    if !is_dropped {
        let (answer, ()) = join!(sent, body);
        return answer.map(|response| Some(Answer::of(response))).map_err(|code| format!("{code:?}"));
    }
    match select(Box::pin(sent), body).await {
        Either::Left((answer, _)) => {
            answer.map(|response| Some(Answer::of(response))).map_err(|code| format!("{code:?}"))
        }
        Either::Right(_) => Ok(None),
    }
}

async fn tell(mut answer: Answer) -> Vec<u8> {
    let mut told = format!("{}\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        told.extend([name.as_bytes(), b": ", value, b"\n"].concat());
    }
    let mut length = 0;
    while let Some(piece) = answer.piece().await {
        told.extend(&piece[..piece.len().min(TOLD.saturating_sub(length))]);
        length += piece.len();
    }
    told.extend(format!("\n{length} bytes, {:?}\n", answer.end().await).into_bytes());
    told
}
