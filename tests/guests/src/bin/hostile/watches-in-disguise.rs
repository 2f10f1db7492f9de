//! `watches-in-disguise [PATH]…`: asks for a watch in each way that the API server takes for one. One that is answered
//! is enough, and nothing of it is read: a watch may be silent. `?watch` is read as the API server reads it: that is the
//! defence.

use guests::attempt::{self, Arguments, Request};

const WATCHES: [&str; 4] = [
    "/api/v1/namespaces/shop/configmaps?watch=1",
    "/api/v1/namespaces/shop/configmaps?w%61tch=yes",
    "/api/v1/namespaces/shop/configmaps?watch",
    "/api/v1/watch/namespaces/shop/configmaps",
];

fn main() {
    let mut paths = Arguments::of("watches-in-disguise [PATH]...").all();
    if paths.is_empty() {
        paths = WATCHES.map(str::to_owned).into();
    }
    attempt::tell_each(paths.into_iter().map(|path| {
        let reached = Request::get(&path).reach();
        (path, reached)
    }))
}
