//! `selects-another-name [PATH]`: lists the secrets of one name, which is to get a secret by another word.
//! Defence: a rule with resource names covers those names only, the one in a field selector too.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] = Arguments::of("selects-another-name [PATH]")
        .values(["/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Dweb-tls"]);
    attempt::tell(Request::get(&path).reach())
}
