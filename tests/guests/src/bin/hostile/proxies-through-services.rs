//! `proxies-through-services [PATH]`: gets a page of a service, to which the API server would carry it.
//! Defence: a subresource is not its resource.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] = Arguments::of("proxies-through-services [PATH]")
        .values(["/api/v1/namespaces/shop/services/web:80/proxy/"]);
    attempt::tell(Request::get(&path).reach())
}
