//! `writes [METHOD] [PATH]`: creates the config map `written`, or does another thing with it. Defence: a rule
//! covers its own verbs only.

use guests::attempt::{self, Arguments, Request};

const OBJECT: &str =
    r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"written"},"data":{"by":"writes"}}"#;

fn main() {
    let usage = "writes [METHOD] [PATH]";
    let [method, path] = Arguments::of(usage).values(["POST", "/api/v1/namespaces/shop/configmaps"]);
    let request = Request::to(&method, &path);
    let request = match method.as_str() {
        "GET" | "HEAD" | "DELETE" => request,
        "PATCH" => request.header("content-type", "application/merge-patch+json").body(OBJECT),
        _ => request.header("content-type", "application/json").body(OBJECT),
    };
    attempt::tell(request.reach())
}
