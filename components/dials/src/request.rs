//! The command line.

/// One request, nothing of it normalised.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) scheme: Option<String>,
    pub(crate) authority: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

impl Request {
    /// `None` for a command line that says no request.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut arguments = arguments;
        let mut request = Self { method: "GET".to_owned(), ..Self::default() };
        let mut url = None;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--method" => request.method = arguments.next()?,
                "--header" => {
                    let header = arguments.next()?;
                    // A pseudo-header begins with a colon of its own.
                    let colon = header.get(1..)?.find(':')? + 1;
                    let value = &header[colon + 1..];
                    let value = value.strip_prefix(' ').unwrap_or(value);
                    request.headers.push((header[..colon].to_owned(), value.to_owned()));
                }
                "--body" => request.body = Some(arguments.next()?),
                _ if url.is_none() => url = Some(argument),
                _ => return None,
            }
        }
        request.take_apart(&url?);
        Some(request)
    }

    fn take_apart(&mut self, url: &str) {
        let rest = match url.split_once("://") {
            Some((scheme, rest)) => {
                self.scheme = Some(scheme.to_owned()).filter(|scheme| !scheme.is_empty());
                rest
            }
            None => url,
        };
        let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        let present = |part: &str| Some(part.to_owned()).filter(|part| !part.is_empty());
        self.authority = present(authority);
        self.path = present(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Option<Request> {
        Request::parse(line.iter().map(|&word| word.to_owned()))
    }

    #[test]
    fn nothing_of_a_url_is_normalised() {
        let request = parse(&["HTTP://u:p@Host:080/../a%2F//b?x#y"]).unwrap();
        assert_eq!(request.scheme.as_deref(), Some("HTTP"));
        assert_eq!(request.authority.as_deref(), Some("u:p@Host:080"));
        assert_eq!(request.path.as_deref(), Some("/../a%2F//b?x#y"));
    }

    #[test]
    fn each_part_may_be_missing() {
        let request = parse(&["/only/path"]).unwrap();
        assert_eq!((request.scheme, request.authority), (None, None));
        assert_eq!(parse(&["http://host"]).unwrap().path, None);
        assert_eq!(parse(&["gopher://host?q"]).unwrap().path.as_deref(), Some("?q"));
    }

    #[test]
    fn headers_keep_their_bytes() {
        let request =
            parse(&["http://h/", "--header", "A: b: c", "--header", ":path:/x", "--method", "PUT"]).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(request.headers, [pair("A", "b: c"), pair(":path", "/x")]);
        assert_eq!(request.method, "PUT");
    }

    #[test]
    fn a_line_without_a_url_says_no_request() {
        assert_eq!(parse(&["--method", "GET"]), None);
        assert_eq!(parse(&["a", "b"]), None);
    }
}
