//! `reads-secrets [PATH]`: gets a secret. Defence: what a rule excepts is not covered by it.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] = Arguments::of("reads-secrets [PATH]").values(["/api/v1/namespaces/shop/secrets/db"]);
    attempt::tell(Request::get(&path).reach())
}
