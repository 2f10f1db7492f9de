//! `sends-many`: sends the requests on standard input, one after the other, and prints a line for each:
//! `status N`, also if kwasm answered, or `error WHY`. It only waits for the head of an answer, so that a
//! watch is dropped.
//!
//! A request is a line of JSON, `[METHOD, URL, [[NAME, VALUE], …], BODY]`, in which the last may be `null`. Nothing of
//! it is normalised.

use guests::attempt::Request;
use std::io::{self, BufRead, Write};
use std::time::Duration;

/// The timeout for an answer. Not a bar, only a way to notice a failure.
const PATIENCE: Duration = Duration::from_mins(1);

fn main() {
    kube_guest::finish("sends-many", send_all())
}

fn send_all() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let sent = request(&line?).and_then(|request| request.send());
        match sent {
            Ok(answer) => writeln!(out, "status {}", answer.status())?,
            Err(why) => writeln!(out, "error {why}")?,
        }
    }
    out.flush()
}

fn request(line: &str) -> Result<Request, String> {
    type Line = (String, String, Vec<(String, String)>, Option<String>);
    let (method, url, headers, body): Line =
        serde_json::from_str(line).map_err(|error| format!("no request: {error}"))?;
    let mut request = Request::to(&method, &url).within(PATIENCE);
    for (name, value) in headers {
        request = request.header(&name, value);
    }
    request.body = body.map(String::into_bytes);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_request() {
        let read = request(r#"["PUT","/a?b#c",[["N","v"]],"x"]"#).unwrap();
        let expected = Request::to("PUT", "/a?b#c").header("N", "v").body("x").within(PATIENCE);
        assert_eq!(read, expected);
        assert_eq!(request(r#"["GET","/",[],null]"#).unwrap().body, None);
        assert!(request("GET /").is_err());
    }
}
