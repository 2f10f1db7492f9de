//! `proxies-through-nodes [PATH]`: gets a page of a kubelet, which can do anything to the pods of its node.
//! Defence: a subresource is not its resource.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] = Arguments::of("proxies-through-nodes [PATH]").values(["/api/v1/nodes/node-1/proxy/metrics"]);
    attempt::tell(Request::get(&path).reach())
}
