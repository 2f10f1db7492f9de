//! `kwasm serve serves-wasi3.wasm`: what the guest `serves` does at the same paths, by WASI 0.3.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::{wit_bindgen, wit_future, wit_stream};

struct Guest;

wasip3::http::service::export!(Guest);

/// The requests that this instance has answered.
static ANSWERED: AtomicU32 = AtomicU32::new(0);

const MILLISECOND: u64 = 1_000_000;

impl wasip3::exports::http::handler::Guest for Guest {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let number = query.parse().unwrap_or(1_u64);
        match path {
            "/" => Ok(text("hello\n".to_owned())),
            "/echo" => Ok(echo(request)),
            "/count" => Ok(text(format!("{}\n", ANSWERED.fetch_add(1, Ordering::Relaxed) + 1))),
            "/large" => Ok(text("x".repeat(usize::try_from(number).unwrap_or(0) << 10))),
            "/slow" => {
                wait_for(number * MILLISECOND).await;
                Ok(text("slow\n".to_owned()))
            }
            "/after" => {
                wit_bindgen::spawn_local(async move {
                    wait_for(number * MILLISECOND).await;
                    eprintln!("went on after the answer");
                });
                Ok(text("answered\n".to_owned()))
            }
            "/open" => Ok(open()),
            "/spin" => loop {
                black_box(0);
            },
            "/trap" => std::process::abort(),
            "/nothing" => Err(ErrorCode::DestinationUnavailable),
            _ => {
                let response = text("no such path\n".to_owned());
                let _ = response.set_status_code(404);
                Ok(response)
            }
        }
    }
}

fn text(content: String) -> Response {
    let (mut body, contents) = wit_stream::new();
    let (trailers, end) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(Fields::new(), Some(contents), end);
    drop(trailers);
    wit_bindgen::spawn_local(async move {
        // What nobody reads any more comes back.
        drop(body.write_all(content.into_bytes()).await);
    });
    response
}

/// Answers with a body that never ends.
fn open() -> Response {
    let (body, contents) = wit_stream::new();
    let (trailers, end) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(Fields::new(), Some(contents), end);
    std::mem::forget((body, trailers));
    response
}

/// Sends the body back while it arrives.
fn echo(request: Request) -> Response {
    let (_, done) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, done);
    let (response, _) = Response::new(Fields::new(), Some(body), trailers);
    response
}
