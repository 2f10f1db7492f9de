//! `climbs-out-of-prefix [PATH]`: gets a path whose dot segments leave the prefix of the kubeconfig's server, behind
//! which a proxy such as Rancher keeps other clusters and its own API. A path has no dot segments, encoded or not: that
//! is the defence.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] = Arguments::of("climbs-out-of-prefix [PATH]").values(["/../../../v3/tokens"]);
    attempt::tell(Request::get(&path).reach())
}
