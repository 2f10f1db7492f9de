//! `reads-another-namespace [PATH]`: lists the config maps of `kube-system`. Defence: a rule covers its own
//! namespaces only.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] =
        Arguments::of("reads-another-namespace [PATH]").values(["/api/v1/namespaces/kube-system/configmaps"]);
    attempt::tell(Request::get(&path).reach())
}
