//! `watches-in-disguise [PATH]…`: requests a watch in each spelling that the API server accepts. One answer
//! is enough, and it is not read, since a watch may be silent. Defence: `?watch` is read as the API server
//! reads it.

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
