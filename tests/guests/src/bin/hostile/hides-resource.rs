//! `hides-resource [PATH]`: gets a secret whose resource is written `%73ecrets`, which the API server
//! decodes. Succeeds if the answer is a 200. Defence: a path is judged as it is decoded.

use guests::attempt::{self, Arguments, Request};
use serde_json::Value;

fn main() {
    let [path] = Arguments::of("hides-resource [PATH]").values(["/api/v1/namespaces/shop/%73ecrets/db"]);
    attempt::tell(Request::get(&path).send().and_then(|mut answer| {
        if answer.status() != 200 {
            return Err(answer.shown());
        }
        let object: Value = serde_json::from_str(&answer.text()).map_err(|error| error.to_string())?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(format!("status 200: {} {}", text(&object["kind"]), text(&object["metadata"]["name"])))
    }))
}
