//! The request of a plugin, which is the policy that it asks for: the text of a [custom section][1] of its
//! binary.
//!
//! Only a section of the outermost component or module is a request. One further inside would be shown by no
//! tool and could not be distinguished from that of another component that this one was composed of, so it is
//! an error. What the text says is read by whoever knows policies.
//!
//! [1]: https://webassembly.github.io/spec/core/appendix/custom.html

use crate::message::Explain;

/// The name of the custom section.
pub const SECTION: &str = "kwasm:policy";

/// The largest request, in bytes.
pub const LONGEST: usize = 64 << 10;

/// The reason why a binary's request cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// The binary has more than one.
    #[error("it has two requests (custom sections `{SECTION}`), and a plugin has one at most")]
    Second,
    /// A module or component inside the binary has one.
    #[error(
        "a module or component inside it has a request (a custom section `{SECTION}`), which only the outermost one can have"
    )]
    Nested,
    /// The request is too large, with its size in bytes.
    #[error("its request (the custom section `{SECTION}`) has {0} bytes, of at most {LONGEST}")]
    TooLarge(usize),
    /// The request is not a text.
    #[error("its request (the custom section `{SECTION}`) is not UTF-8 text")]
    NotUtf8,
}

impl Explain for RequestError {
    fn hint(&self) -> Option<String> {
        let replaced = "kwasm policy embed FILE --request FILE.yaml";
        Some(match self {
            Self::Nested => format!(
                "wasm-tools strip --delete '^{SECTION}$' FILE -o FILE removes it, and {replaced} writes one for the whole"
            ),
            Self::Second => format!("{replaced} puts a single one in their place"),
            Self::TooLarge(_) | Self::NotUtf8 => format!("{replaced} puts another one in its place"),
        })
    }
}

/// Takes note of a section of the name [`SECTION`]. The first error stays.
pub(super) fn note(request: &mut Result<Option<String>, RequestError>, content: &[u8], outermost: bool) {
    let Ok(before) = request else { return };
    *request = match before {
        _ if !outermost => Err(RequestError::Nested),
        Some(_) => Err(RequestError::Second),
        None => read(content).map(Some),
    };
}

fn read(content: &[u8]) -> Result<String, RequestError> {
    if content.len() > LONGEST {
        return Err(RequestError::TooLarge(content.len()));
    }
    str::from_utf8(content).map(str::to_owned).map_err(|_| RequestError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{Error, Facts, Inspected, Kind, embed};

    const START: &str = r#"(func (export "_start"))"#;

    fn module(sections: &str) -> Vec<u8> {
        wat::parse_str(format!("(module {sections} {START})")).unwrap()
    }

    /// Returns a component that can run, with more in it.
    fn component(more: &str) -> Vec<u8> {
        let run =
            r#"(component $i) (instance $i (instantiate $i)) (export "wasi:cli/run@0.2.3" (instance $i))"#;
        wat::parse_str(format!("(component (core module (func)) {run} {more})")).unwrap()
    }

    #[test]
    fn the_section_of_the_outermost_module_or_component_is_the_request() {
        let section = r#"(@custom "kwasm:policy" "a: b\n")"#;
        for (bytes, kind) in [(module(section), Kind::Core), (component(section), Kind::Component)] {
            let inspected = Inspected::read(&bytes).unwrap();
            assert_eq!((inspected.kind(), inspected.request()), (kind, Some("a: b\n")));
            assert_eq!(Facts::read(&bytes).unwrap().request, Some(Ok("a: b\n".to_owned())));
        }
        for bytes in [module(""), component(r#"(@custom "kwasm:policies" "a: b")"#)] {
            assert_eq!(Inspected::read(&bytes).unwrap().request(), None);
            assert_eq!(Facts::read(&bytes).unwrap().request, None);
        }
    }

    #[test]
    fn a_request_that_is_not_the_only_one_or_no_text_is_an_error_and_the_rest_is_still_described() {
        let section = |name: &str, content: &str| format!(r#"(@custom "{name}" "{content}")"#);
        let one = section(SECTION, "a: b");
        let inner = format!("(component (core module {one}))");
        let cases = [
            (module(&format!("{one} {one}")), RequestError::Second),
            (component(&format!("{one} {}", section(SECTION, ""))), RequestError::Second),
            (component(&format!("(core module {one})")), RequestError::Nested),
            (component(&format!("{one} (core module {one})")), RequestError::Nested),
            (component(&format!("{inner} {one}")), RequestError::Nested),
            (module(&section(SECTION, &"x".repeat(LONGEST + 1))), RequestError::TooLarge(LONGEST + 1)),
            (module(&section(SECTION, r"\ff")), RequestError::NotUtf8),
        ];
        for (bytes, expected) in cases {
            let error = Inspected::read(&bytes).unwrap_err();
            assert!(matches!(error, Error::Request(error) if error == expected), "{error}");
            let facts = Facts::read(&bytes).unwrap();
            assert_eq!(facts.request, Some(Err(expected)));
            assert!(facts.kind.is_some());
        }
        let longest = "x".repeat(LONGEST);
        assert_eq!(Inspected::read(&module(&section(SECTION, &longest))).unwrap().request(), Some(&*longest));
    }

    #[test]
    fn an_embedded_request_is_read_as_it_was_written_and_replaces_what_was_there() {
        let section = r#"(@custom "kwasm:policy" "old")"#;
        for plain in [module(""), component("")] {
            let once = embed(&plain, "a: \u{e9}\r\n\0").unwrap();
            assert_eq!(Inspected::read(&once).unwrap().request(), Some("a: \u{e9}\r\n\0"));
            assert!(once.starts_with(&plain), "nothing else has changed");
            assert_eq!(embed(&once, "a: \u{e9}\r\n\0").unwrap(), once, "twice is once");
            let again = embed(&once, "b").unwrap();
            assert_eq!(again, embed(&plain, "b").unwrap());
        }
        for old in [module(section), module(&format!("{section} {section}")), component(section)] {
            assert_eq!(Inspected::read(&embed(&old, "new").unwrap()).unwrap().request(), Some("new"));
        }
        let too_large = format!(r#"(@custom "kwasm:policy" "{}")"#, "x".repeat(LONGEST + 1));
        for unreadable in [module(&too_large), module(r#"(@custom "kwasm:policy" "\ff")"#)] {
            assert_eq!(Inspected::read(&embed(&unreadable, "new").unwrap()).unwrap().request(), Some("new"));
        }
        // Sizes whose length takes one, two and three bytes.
        for size in [0, 1, 114, 115, 127, 128, 16_370, 16_371, 16_384, LONGEST] {
            let text = "x".repeat(size);
            assert_eq!(Inspected::read(&embed(&module(""), &text).unwrap()).unwrap().request(), Some(&*text));
        }
    }

    #[test]
    fn a_request_is_not_embedded_where_it_would_not_be_the_only_one_or_could_not_be_read() {
        let inner = component(r#"(core module (@custom "kwasm:policy" "x"))"#);
        assert!(matches!(embed(&inner, "y"), Err(Error::Request(RequestError::Nested))));
        let too_large = embed(&module(""), &"x".repeat(LONGEST + 1));
        assert!(matches!(too_large, Err(Error::Request(RequestError::TooLarge(_)))));
        assert!(matches!(embed(b"<html>", "y"), Err(Error::Alien("a web page"))));
        let whole = module("");
        for cut in (4..whole.len()).map(|length| &whole[..length]) {
            assert_eq!(embed(cut, "y").is_err(), Facts::read(cut).is_err(), "{}", cut.len());
        }
    }

    #[test]
    fn a_core_module_that_becomes_a_component_keeps_its_request() {
        let text = r#"(@custom "kwasm:policy" "a: b") (memory (export "memory") 1)"#;
        let component = crate::inspect::adapt(&module(text)).unwrap();
        let inspected = Inspected::read(&component).unwrap();
        assert_eq!((inspected.kind(), inspected.request()), (Kind::Component, Some("a: b")));
    }

    #[test]
    fn what_was_found_before_there_were_requests_is_read_and_what_has_none_is_written_as_then() {
        let before = r#"{"kind":"component","imports":["wasi:cli/stdout@0.2.0"]}"#;
        let inspected: Inspected = serde_json::from_str(before).unwrap();
        assert_eq!(inspected.request(), None);
        assert_eq!(serde_json::to_string(&inspected).unwrap(), before);
        let asking = Inspected::read(&module(r#"(@custom "kwasm:policy" "a: b")"#)).unwrap();
        let text = serde_json::to_string(&asking).unwrap();
        assert_eq!(text, r#"{"kind":"core","imports":[],"request":"a: b"}"#);
        assert_eq!(serde_json::from_str::<Inspected>(&text).unwrap(), asking);
    }
}
