//! The command line.

use guests::attempt::{Request, header_line};

/// Parses a command line. Returns `None` if it has no request.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Option<Request> {
    let mut arguments = arguments;
    let mut request = Request::new("GET", "");
    let mut url = None;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--method" => request.method = arguments.next()?,
            "--header" => {
                let line = arguments.next()?;
                let (name, value) = header_line(&line)?;
                request.headers.push((name.to_owned(), value.into()));
            }
            "--body" => request.body = Some(arguments.next()?.into_bytes()),
            _ if url.is_none() => url = Some(argument),
            _ => return None,
        }
    }
    let Request { scheme, authority, path, .. } = Request::new("", &url?);
    Some(Request { scheme, authority, path, ..request })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Option<Request> {
        super::parse(line.iter().map(|&word| word.to_owned()))
    }

    #[test]
    fn options_may_stand_on_either_side_of_the_url() {
        let request =
            parse(&["--header", "A: b: c", "http://h/", "--header", ":path:/x", "--method", "PUT"]).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.into());
        assert_eq!(request.headers, [pair("A", "b: c"), pair(":path", "/x")]);
        assert_eq!((request.method.as_str(), request.authority.as_deref()), ("PUT", Some("h")));
        assert_eq!(parse(&["h", "--body", "b"]).unwrap().body.as_deref(), Some(&b"b"[..]));
    }

    #[test]
    fn a_line_without_a_url_says_no_request() {
        assert_eq!(parse(&["--method", "GET"]), None);
        assert_eq!(parse(&["a", "b"]), None);
    }
}
