//! Passing a request on, and its answer back, both while they arrive.

use kube_guest::{CHUNK, Cluster, Error, Response};
use serve_kit::{Answer, Request};

/// The header by which the service learns who asks.
const USER: &str = "x-gateway-user";

/// Passes a request on to a path of the API server, in the name of the gateway.
pub(crate) fn forward(
    cluster: &Cluster,
    method: &str,
    path: &str,
    user: &str,
    request: &Request,
    answer: Answer,
) {
    match ask(cluster, method, path, user, request) {
        Ok(response) => reply(response, method, answer),
        Err(Failed::Client(why)) => answer.text(400, &format!("{why}\n")),
        Err(Failed::Service(error)) => {
            eprintln!("gateway: {error}");
            answer.text(502, "the service cannot be reached\n");
        }
    }
}

/// Whose fault it is that there is no answer.
enum Failed {
    Client(serve_kit::Unread),
    Service(Error),
}

fn ask(
    cluster: &Cluster,
    method: &str,
    path: &str,
    user: &str,
    request: &Request,
) -> Result<Response, Failed> {
    let headers = request.headers();
    let passed = headers.iter().filter(|(name, _)| passes(name));
    let mut passed: Vec<(&str, &str)> =
        passed.filter_map(|(name, value)| Some((&**name, str::from_utf8(value).ok()?))).collect();
    passed.push((USER, user));
    let mut upload = cluster.upload(method, path, &passed).map_err(Failed::Service)?;
    let mut body = request.body().map_err(Failed::Client)?;
    while let Some(chunk) = body.chunk().map_err(Failed::Client)? {
        // A service that has answered already needs no more.
        if !upload.send(&chunk).map_err(Failed::Service)? {
            break;
        }
    }
    upload.finish().map_err(Failed::Service)
}

/// Returns whether a header of a request is passed on: none that is of its connection, says who asks, or carries their session.
/// What says who asks is the gateway's to say; and to many servers `x_gateway_user` is another spelling of it, so that no name
/// with an underscore passes.
fn passes(name: &str) -> bool {
    const STAY: [&str; 13] = [
        "authorization",
        "connection",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let name = name.to_ascii_lowercase();
    let claims = ["impersonate-", "x-forwarded-", "x-remote-", USER];
    !name.contains('_') && !STAY.contains(&&*name) && !claims.iter().any(|claim| name.starts_with(claim))
}

fn reply(mut response: Response, method: &str, answer: Answer) {
    let mut headers = response.headers().to_vec();
    // These are the API server's own, about the gateway's request.
    headers.retain(|(name, _)| name != "audit-id" && !name.starts_with("x-kubernetes-"));
    if method == "HEAD" {
        // That of a body which does not follow.
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
    }
    // From here on nothing but an end that is missing can tell of an error.
    let Ok(mut sink) = answer.begin(response.status(), &headers) else { return };
    loop {
        match response.chunk(CHUNK) {
            Ok(Some(chunk)) if sink.send(&chunk).is_ok() => {}
            Ok(Some(_)) => return,
            Ok(None) => return sink.finish(),
            Err(error) => return eprintln!("gateway: the answer broke off: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_who_asks_is_not_passed_on() {
        for name in [
            "Authorization",
            "cookie",
            "X-Remote-User",
            "impersonate-group",
            "X-Gateway-User",
            "host",
            "x_gateway_user",
            "X-Gateway_User",
            "x_remote_user",
            "request_id",
        ] {
            assert!(!passes(name), "{name}");
        }
        for name in ["accept", "content-type", "content-length", "x-request-id", "if-none-match"] {
            assert!(passes(name), "{name}");
        }
    }
}
