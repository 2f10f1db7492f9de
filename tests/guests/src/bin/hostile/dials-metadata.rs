//! `dials-metadata [URL]`: gets the credentials of the machine from its cloud's metadata service, which answers whoever
//! asks from there. A request goes to what was granted, and no grant makes a link-local address of it: that is the
//! defence.

use guests::attempt::{self, Arguments, Request};

const ROLES: &str = "http://169.254.169.254/latest/meta-data/iam/security-credentials/";

fn main() {
    let [url] = Arguments::of("dials-metadata [URL]").values([ROLES]);
    attempt::tell(Request::get(&url).reach())
}
