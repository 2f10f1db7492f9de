//! Long lists: plugins read them in pages, and have the next one prepared while one is on its way.

use std::thread;
use std::time::{Duration, Instant};

use kwasm_apiserver::{Answer, ApiServer, Cut, Fault, User};
use serde_json::json;

use crate::support::{Kwasm, Running, kubeconfig, seed};

const PATH: &str = "/api/v1/namespaces/shop/configmaps";
const LIST: [&str; 6] = ["-n", "shop", "-l", "numbered=yes", "-o", "name"];

/// Returns a server with three pages of objects, and their names in its order, a line each.
fn numbered() -> (ApiServer, String) {
    let server = seed();
    let names: Vec<String> = (0..1100).map(|number| format!("configmap/numbered-{number:04}")).collect();
    for name in &names {
        let object =
            json!({"metadata": {"labels": {"numbered": "yes"}}, "data": {"filler": "x".repeat(200)}});
        server.put(&name.replace("configmap/", "namespaces/shop/configmaps/"), object).unwrap();
    }
    (server, names.join("\n") + "\n")
}

fn get_all(server: &ApiServer) -> Running {
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(server, User::Token)).policy("get-all");
    kwasm.start("get-all", &LIST)
}

/// Returns for each page that was requested whether it is a further one, and whether its answer was sent whole.
fn pages(server: &ApiServer) -> Vec<(bool, bool)> {
    let requests = server.requests();
    let lists = requests.iter().filter(|request| request.target.starts_with(PATH));
    lists.map(|page| (page.target.contains("continue="), page.answer == Answer::Complete)).collect()
}

fn wait_for(server: &ApiServer, expected: &[(bool, bool)]) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while pages(server) != expected {
        assert!(Instant::now() < deadline, "{:?}", pages(server));
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_page_after_one_that_is_arriving_is_requested_and_the_order_stays() {
    let (server, names) = numbered();
    server.fault(Fault::stall_after(50_000).on("GET", PATH));
    let running = get_all(&server);
    // The second page is there before the first, and no third is asked for meanwhile.
    wait_for(&server, &[(false, false), (true, true)]);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(pages(&server).len(), 2);
    server.release();
    let run = running.end().success();
    assert_eq!((run.stdout, run.stderr), (names, String::new()));
    assert_eq!(pages(&server), [(false, true), (true, true), (true, true)]);
}

#[test]
fn a_list_begins_again_if_the_page_that_was_asked_for_ahead_has_expired() {
    let (server, names) = numbered();
    server.fault(Fault::stall_after(50_000).on("GET", PATH));
    server.fault(Fault::gone().on("GET", PATH));
    let running = get_all(&server);
    wait_for(&server, &[(false, false), (true, true)]);
    server.release();
    let run = running.end().success();
    assert_eq!((run.stdout, run.stderr), (names, String::new()));
    let again: Vec<bool> = pages(&server).into_iter().map(|(is_further, _)| is_further).collect();
    assert_eq!(again, [false, true, false, true, true]);
}

#[test]
fn a_list_that_fails_does_not_wait_for_the_page_that_was_asked_for_ahead() {
    let (server, _) = numbered();
    server.fault(Fault::cut_after(50_000, Cut::Close).on("GET", PATH));
    server.fault(Fault::stall().on("GET", PATH));
    let run = get_all(&server).end().fails(1);
    assert!(run.stderr.contains("configmaps"), "{}", run.shown());
    assert_eq!(run.stdout, "");
}
