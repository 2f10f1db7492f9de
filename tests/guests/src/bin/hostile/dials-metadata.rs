//! `dials-metadata [URL]`: gets the credentials of the machine from its cloud's metadata service, which
//! answers every request from there. Defence: a request only reaches granted hosts, and no grant makes one
//! lead to a link-local address.

use guests::attempt::{self, Arguments, Request};

const ROLES: &str = "http://169.254.169.254/latest/meta-data/iam/security-credentials/";

fn main() {
    let [url] = Arguments::of("dials-metadata [URL]").values([ROLES]);
    attempt::tell(Request::get(&url).reach())
}
