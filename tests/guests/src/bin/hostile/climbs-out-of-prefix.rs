//! `climbs-out-of-prefix [PATH]`: gets a path whose dot segments leave the prefix of the kubeconfig's server,
//! outside of which a proxy such as Rancher has other clusters and its own API. Defence: a path has no dot
//! segments, encoded or not.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] = Arguments::of("climbs-out-of-prefix [PATH]").values(["/../../../v3/tokens"]);
    attempt::tell(Request::get(&path).reach())
}
