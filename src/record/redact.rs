//! What a record leaves out of bodies. A body that is not understood may contain a secret anywhere, and is left out
//! whole.

use super::content::Content;
use super::protobuf;
use super::sensitivity::Sensitivity;
use super::tree::Tree;

/// Returns the content of a body without secrets.
pub(super) fn content(sensitivity: Sensitivity, body: &[u8]) -> Content {
    if sensitivity == Sensitivity::Plain || body.is_empty() {
        return Content::of(body);
    }
    if body.starts_with(protobuf::MAGIC) {
        let is_known = sensitivity == Sensitivity::Secrets;
        return understood(if is_known { protobuf::object(body) } else { None });
    }
    let (text, ends_line) = match body.strip_suffix(b"\n") {
        Some(text) => (text, true),
        None => (body, false),
    };
    match Tree::read(text).filter(|tree| matches!(tree, Tree::Map(_) | Tree::List(_))) {
        Some(mut tree) => {
            sensitivity.strip(&mut tree);
            if ends_line { Content::JsonLine(tree) } else { Content::Json(tree) }
        }
        None => understood(None),
    }
}

/// Returns the content of one frame of a watch in protobuf, with its length before it.
pub(super) fn frame(sensitivity: Sensitivity, frame: &[u8]) -> Content {
    match sensitivity {
        Sensitivity::Plain => Content::of(frame),
        Sensitivity::Secrets => understood(protobuf::frame(frame)),
        Sensitivity::Tokens => understood(None),
    }
}

/// Returns the content of bytes without secrets, or none of it if they are not understood.
fn understood(redacted: Option<Vec<u8>>) -> Content {
    match redacted {
        Some(redacted) => Content::of(&redacted),
        None => Content::LeftOut("it may contain secrets, in a form that is not understood".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sensitivity: Sensitivity, body: &str) -> String {
        serde_json::to_string(&content(sensitivity, body.as_bytes())).unwrap()
    }

    fn secrets(body: &str) -> String {
        written(Sensitivity::Secrets, body)
    }

    #[test]
    fn the_values_of_a_secret_are_left_out_wherever_they_are() {
        for (body, expected) in [
            (
                r#"{"kind":"Secret","metadata":{"name":"db"},"data":{"a":"c2VjcmV0","b":null},"type":"Opaque"}"#,
                r#"{"json":{"kind":"Secret","metadata":{"name":"db"},"data":{"a":"bGVmdCBvdXQ=","b":null},"type":"Opaque"}}"#,
            ),
            (
                "{\"type\":\"ADDED\",\"object\":{\"data\":{\"a\":\"c2VjcmV0\"}}}\n",
                r#"{"jsonLine":{"type":"ADDED","object":{"data":{"a":"bGVmdCBvdXQ="}}}}"#,
            ),
            (
                r#"{"items":[{"stringData":{"a":"secret"}},{"Data":{"a":"c2VjcmV0"}}]}"#,
                r#"{"json":{"items":[{"stringData":{"a":"left out"}},{"Data":{"a":"bGVmdCBvdXQ="}}]}}"#,
            ),
            (
                r#"[{"op":"add","path":"/data/a","value":"c2VjcmV0"}]"#,
                r#"{"json":[{"op":"add","path":"/data/a","value":"left out"}]}"#,
            ),
            (
                r#"{"kind":"Table","rows":[{"cells":["db",1],"object":{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"a\":\"c2VjcmV0\"}}\n"}}}}]}"#,
                r#"{"json":{"kind":"Table","rows":[{"cells":["db",1],"object":{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"a\":\"bGVmdCBvdXQ=\"}}\n"}}}}]}}"#,
            ),
            (
                r#"{"metadata":{"annotations":{"a":"short","kapp.k14s.io/original":"{\"data\":{\"a\":\"c2VjcmV0\"}}"}}}"#,
                r#"{"json":{"metadata":{"annotations":{"a":"short","kapp.k14s.io/original":"{\"data\":{\"a\":\"bGVmdCBvdXQ=\"}}"}}}}"#,
            ),
            (
                &format!(r#"{{"metadata":{{"annotations":{{"packed":"{}"}}}}}}"#, "c2VjcmV0".repeat(17)),
                r#"{"json":{"metadata":{"annotations":{"packed":"left out"}}}}"#,
            ),
            (
                r#"{"kind":"Status","reason":"Forbidden","message":"secrets \"db\" is forbidden: User \"bob\" cannot get it"}"#,
                r#"{"json":{"kind":"Status","reason":"Forbidden","message":"secrets \"db\" is forbidden: User \"bob\" cannot get it"}}"#,
            ),
            (
                r#"{"kind":"Status","reason":"Forbidden","message":"admission denied: the value hunter2 is weak"}"#,
                r#"{"json":{"kind":"Status","reason":"Forbidden","message":"left out"}}"#,
            ),
            (
                r#"{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"data: c2VjcmV0"}}}"#,
                r#"{"json":{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"left out"}}}}"#,
            ),
        ] {
            assert_eq!(secrets(body), expected);
        }
    }

    #[test]
    fn what_is_not_understood_is_left_out_whole() {
        for body in
            ["data:\n  a: c2VjcmV0\n", "{\"data\":{\"a\":\"c2Vj", "\"c2VjcmV0\"", "k8s\0c2VjcmV0", "{}{}"]
        {
            assert!(secrets(body).starts_with("{\"leftOut\":"), "{body}");
        }
        assert_eq!(secrets(""), r#"{"text":""}"#);
    }

    #[test]
    fn a_failure_keeps_its_message_only_if_that_quotes_nothing() {
        let status = |reason: &str| {
            format!(
                r#"{{"kind":"Status","status":"Failure","message":"secret","reason":"{reason}","code":400}}"#
            )
        };
        assert!(secrets(&status("NotFound")).contains("\"message\":\"secret\""));
        for reason in ["BadRequest", "Invalid", "InternalError", ""] {
            assert!(secrets(&status(reason)).contains("\"message\":\"left out\""), "{reason}");
        }
    }

    #[test]
    fn tokens_are_left_out_and_other_objects_stay_as_they_are() {
        let body = r#"{"kind":"TokenRequest","status":{"token":"ey.a.b","expirationTimestamp":"x"}}"#;
        assert!(
            written(Sensitivity::Tokens, body).contains(r#"{"token":"left out","expirationTimestamp":"x"}"#)
        );
        assert_eq!(written(Sensitivity::Plain, body), format!("{{\"json\":{body}}}"));
    }
}
