//! `selects-another-name [PATH]`: lists the secrets of one name, which is to get a secret by another word. A field
//! selector is read as the API server reads it: that is the defence.

use attempt::{Arguments, Request};

fn main() {
    let [path] = Arguments::of("selects-another-name [PATH]")
        .values(["/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Dweb-tls"]);
    attempt::tell(Request::get(&path).reach())
}
