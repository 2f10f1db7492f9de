//! Long lists: plugins read them in pages, and have the next one prepared while one is on its way.

use std::thread;
use std::time::{Duration, Instant};

use kwasm_apiserver::{Fault, User};
use serde_json::json;

use crate::support::{Kwasm, kubeconfig, seed};

#[test]
fn the_page_after_one_that_is_arriving_is_requested_and_the_order_stays() {
    let server = seed();
    let names: Vec<String> = (0..1100).map(|number| format!("numbered-{number:04}")).collect();
    for name in &names {
        let object =
            json!({"metadata": {"labels": {"numbered": "yes"}}, "data": {"filler": "x".repeat(200)}});
        server.put(&format!("namespaces/shop/configmaps/{name}"), object).unwrap();
    }
    let path = "/api/v1/namespaces/shop/configmaps";
    server.fault(Fault::stall_after(50_000).on("GET", path).times(1));
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token)).policy("get-all");
    let running = kwasm.start("get-all", &["-n", "shop", "-l", "numbered=yes", "-o", "name"]);
    let pages = || {
        let requests = server.requests();
        let targets = requests.iter().map(|request| request.target.as_str());
        targets
            .filter(|target| target.starts_with(path))
            .map(|target| target.contains("continue="))
            .collect::<Vec<_>>()
    };
    let deadline = Instant::now() + Duration::from_mins(1);
    while pages() != [false, true] {
        assert!(Instant::now() < deadline, "{:?}", pages());
        thread::sleep(Duration::from_millis(10));
    }
    // The second page has time to arrive before the first.
    thread::sleep(Duration::from_millis(300));
    assert_eq!(pages(), [false, true]);
    server.release();
    let run = running.end().success();
    let printed: Vec<&str> =
        run.stdout.lines().map(|line| line.strip_prefix("configmap/").unwrap()).collect();
    assert_eq!((printed, run.stderr.as_str()), (names.iter().map(String::as_str).collect(), ""));
    assert_eq!(pages(), [false, true, true]);
}
