//! What a hostile plugin may try. Each has its twin in the arguments: what is allowed beside it.

use futures::FutureExt as _;
use futures::future::join_all;
use wasip3::clocks::monotonic_clock;
use wasip3::http::types::Fields;
use wasip3::random::random;
use wasip3::wit_stream;

use crate::Words;
use crate::ordinary::Kept;
use crate::request::Call;
use crate::socket;

pub(crate) async fn run(command: &str, words: &mut Words) -> Result<String, String> {
    match command {
        // The destination, the path, the method: all of them are in the URL.
        "dials" => Call::to(&words.next("GET"), &words.next("http://127.0.0.1:1/")).reach().await,
        "impersonates" => {
            Call::get("/version").header(&words.next("Impersonate-User"), "admin").reach().await
        }
        "sets-authorization" => {
            Call::get("/version").header("Authorization", &words.next("Bearer stolen")).reach().await
        }
        "brings-a-session" => {
            let foreign =
                [("Cookie", "a=b"), ("Forwarded", "for=x"), ("X-Forwarded-For", "x"), ("Via", "1.1 x")];
            let call =
                foreign.iter().fold(Call::get("/version"), |call, (name, value)| call.header(name, value));
            call.reach().await
        }
        "names-hop-headers" => names_hop_headers().await,
        "claims-in-trailers" => claims_in_trailers(&words.next("Impersonate-User")).await,
        "smuggles-by-length" => smuggles_by_length(&words.next("chunked")).await,
        "injects-crlf" => Call::get(&words.next("/version\r\nX: y")).reach().await,
        "floods-headers" => floods_headers(words.number("200"), words.number("10")).await,
        "floods-requests" => floods_requests(words.number("100"), &words.next("/version")).await,
        "hoards-handles" => Ok(hoards_handles(words.number("200000"))),
        "hoards-streams" => Ok(hoards_streams(words.number("50000"))),
        "hoards-calls" => Ok(hoards_calls(words.number("50000"))),
        "hoards-sockets" => socket::hoard(words.number("1000"), &words.next("keep")).await,
        "opens-sockets" => socket::connect(&words.next("127.0.0.1:80")).await,
        "pipelines" => socket::pipeline(&words.next("/api/v1/namespaces/default/secrets")).await,
        "is-redirected" => is_redirected(&words.next("/version")).await,
        "outlasts" => outlasts(words.number("2"), &words.next("waiting")).await,
        "binds-a-socket" => socket::bind(&words.next("127.0.0.1:0")),
        "looks-names-up" => socket::look_up(&words.next("example.com")).await,
        "halves-a-request" => socket::halve(&words.next("drop")).await,
        "asks-for-random" => asks_for_random(words.number("8388608")),
        "fills-memory" => Ok(fills_memory(words.number("1024"))),
        unknown => Err(format!("no command {unknown:?}")),
    }
}

async fn names_hop_headers() -> Result<String, String> {
    let mut call = Call::get("/version");
    for name in ["TE", "Trailer", "Keep-Alive", "Proxy-Authorization", "Upgrade"] {
        let fields = Fields::new();
        if fields.append(name, b"x").is_ok() {
            call = call.header(name, "x");
        }
    }
    call.reach().await
}

async fn claims_in_trailers(name: &str) -> Result<String, String> {
    let mut call =
        Call::to("POST", "/api/v1/namespaces/default/configmaps").body("{}").header("Trailer", name);
    call.trailers.push((name.to_owned(), b"admin".to_vec()));
    call.reach().await
}

/// States the length of a body that holds a second request in two ways, as one that is too short, or as it is.
async fn smuggles_by_length(how: &str) -> Result<String, String> {
    let body = "0\r\n\r\nGET /api/v1/namespaces/kube-system/secrets HTTP/1.1\r\nHost: smuggled\r\n\r\n";
    let length = body.len() - if how == "short" { 3 } else { 0 };
    let call = Call::to("POST", "/sink").body(body).header("Content-Length", &length.to_string());
    let call = if how == "chunked" { call.header("Transfer-Encoding", "chunked") } else { call };
    call.reach().await
}

async fn is_redirected(path: &str) -> Result<String, String> {
    let answer = Call::get(path).send().await?;
    let location = answer.headers.iter().find(|(name, _)| name == "location");
    match location {
        Some((_, target)) => Err(format!("not followed to {}", String::from_utf8_lossy(target))),
        None => answer.text().await,
    }
}

/// Lasts for some seconds, in a busy loop or waiting for the clock.
async fn outlasts(seconds: u64, how: &str) -> Result<String, String> {
    let end = monotonic_clock::now() + seconds * 1_000_000_000;
    if how == "busy" {
        while monotonic_clock::now() < end {}
    } else {
        monotonic_clock::wait_until(end).await;
    }
    Ok("outlasted".to_owned())
}

async fn floods_headers(count: usize, size: usize) -> Result<String, String> {
    let value = "a".repeat(size);
    let call =
        (0..count).fold(Call::get("/version"), |call, number| call.header(&format!("x-{number}"), &value));
    call.reach().await
}

/// Has this many requests in flight: none of their answers is let go of.
async fn floods_requests(count: usize, path: &str) -> Result<String, String> {
    let call = Call::get(path);
    let sent = join_all((0..count).map(|_| call.send())).await;
    let mut kept: Kept = Vec::new();
    let mut other = None;
    for answer in sent {
        match answer {
            Ok(answer) if answer.status == 200 => kept.push(answer),
            Ok(answer) => other = other.or(Some(format!("status {}", answer.status))),
            Err(why) => other = other.or(Some(why)),
        }
    }
    let got = format!("{} of {count} answered", kept.len());
    match other {
        None => Ok(got),
        Some(why) => Err(format!("{got}; the first of the others: {why}")),
    }
}

fn hoards_handles(count: usize) -> String {
    let hoard: Vec<Fields> = (0..count).map(|_| Fields::new()).collect();
    format!("{} handles", hoard.len())
}

/// Makes streams that nobody reads, of each of which the host keeps three things.
fn hoards_streams(count: usize) -> String {
    let hoard: Vec<_> = (0..count).map(|_| wit_stream::new::<u8>()).collect();
    format!("{} streams", hoard.len())
}

/// 0.3 gives fewer bytes than were asked for, where 0.2 has no other way than to end the guest.
fn asks_for_random(bytes: u64) -> Result<String, String> {
    let got = random::get_random_bytes(bytes).len();
    if got as u64 == bytes { Ok(format!("{got} bytes")) } else { Err(format!("{got} of {bytes} bytes")) }
}

fn fills_memory(mib: usize) -> String {
    let hoard: Vec<Vec<u8>> = (0..mib).map(|_| vec![1; 1 << 20]).collect();
    format!("took {} MiB", hoard.len())
}

/// Has this many calls under way that only the clock ends.
fn hoards_calls(count: usize) -> String {
    let mut calls: Vec<_> = (0..count).map(|_| Box::pin(monotonic_clock::wait_for(1_000_000_000))).collect();
    let under_way = calls.iter_mut().map(|call| call.as_mut().now_or_never()).filter(Option::is_none).count();
    format!("{under_way} calls")
}
