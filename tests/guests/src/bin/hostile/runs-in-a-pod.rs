//! `runs-in-a-pod [PATH] [--method M]`: posts to the subresource `exec` of a pod. Defence: a subresource is
//! not its resource.

use guests::attempt::{self, Arguments, Request};

const EXEC: &str = "/api/v1/namespaces/shop/pods/web-0/exec?command=id&stdout=1";

fn main() {
    let mut arguments = Arguments::of("runs-in-a-pod [PATH] [--method M]");
    let method = arguments.option("--method").unwrap_or_else(|| "POST".to_owned());
    let [path] = arguments.values([EXEC]);
    attempt::tell(Request::to(&method, &path).reach())
}
