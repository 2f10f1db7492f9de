//! Tests that bodies stream in both directions: memory does not grow with them, and a body that is cut short
//! never counts as complete.

use std::time::{Duration, Instant};

use kwasm_apiserver::{Fault, Upload, User};
use kwasm_cluster::User as RealUser;
use serde_json::json;

use crate::support::{Kwasm, kubeconfig, real, seed};

const MIB: u64 = 1 << 20;

/// The largest memory beyond that of an idle run for a streaming run.
const ROOM: u64 = 64 * MIB;

/// The ways to the cluster, each with the arguments by which a guest takes it.
const DOORS: [&[&str]; 2] = [&[], &["--sockets"]];

/// Returns the memory of a run that does nothing.
fn idle(kwasm: &Kwasm) -> u64 {
    let mut running = kwasm.start("sleeps-forever", &[]);
    running.line();
    running.peak_memory().unwrap_or(0)
}

#[test]
fn a_hundred_megabytes_up_take_no_memory_and_arrive_whole() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
    let bytes = 100 * MIB;
    let mut running = kwasm.start("uploads", &["/sink", &bytes.to_string()]);
    let peak = running.peak_until_end();
    let run = running.end().success();
    assert!(run.stdout.contains("status 200"), "{}", run.shown());
    assert_eq!(server.uploads()[0].bytes, bytes);
    assert!(peak < idle(&kwasm) + ROOM, "{} MiB", peak / MIB);
}

#[test]
fn a_hundred_megabytes_down_from_the_embedded_server_take_no_memory() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let bytes = 100 * MIB;
    for door in DOORS {
        let path = format!("/source?bytes={bytes}");
        let mut running = kwasm.start("downloads", &[&[path.as_str()], door].concat());
        let peak = running.peak_until_end();
        let run = running.end().success();
        assert!(run.stdout.contains(&bytes.to_string()), "{}", run.shown());
        assert!(peak < idle(&kwasm) + ROOM, "{} MiB", peak / MIB);
    }
}

#[test]
fn a_hundred_megabytes_down_from_the_real_server_take_no_memory() {
    let Some(real) = real("a_hundred_megabytes_down_from_the_real_server_take_no_memory") else { return };
    real.feed(&["create", "namespace", "large"], "");
    let value = "0123456789abcdef".repeat(61 * 1024);
    for part in 0..5 {
        // etcd takes 1.5 MiB an object; kubectl reads a list whole.
        let items: Vec<_> = (0..21)
            .map(|index| {
                let metadata = json!({"name": format!("large-{part}-{index}"), "namespace": "large"});
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": value}})
            })
            .collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        real.feed(&["create", "--validate=false", "-f", "-"], &list.to_string());
    }
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice));
    for door in DOORS {
        let path = "/api/v1/namespaces/large/configmaps";
        let mut running = kwasm.start("downloads", &[&[path], door].concat());
        let peak = running.peak_until_end();
        let run = running.end().success();
        let bytes = run.stdout.split_once(" bytes").and_then(|(bytes, _)| bytes.parse().ok());
        assert!(bytes.unwrap_or(0_u64) > 100_000_000, "{}", run.shown());
        assert!(peak < idle(&kwasm) + ROOM, "{} MiB", peak / MIB);
    }
}

#[test]
fn a_reader_that_stops_stops_the_sender() {
    for door in DOORS {
        let server = seed();
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
        let arguments = ["/source?bytes=1000000000", "--stall-after", "1000000"];
        let mut running = kwasm.start("downloads", &[&arguments, door].concat());
        running.error_with("stalling after");
        let mut sent = 0;
        // It stops once the buffers on the way are full, far below the size of the body.
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let now = server.requests()[0].sent;
            if now == sent {
                break;
            }
            sent = now;
        }
        assert!(sent < 64 * MIB, "{sent}");
        assert!(running.peak_memory().unwrap_or(0) < idle(&kwasm) + ROOM);
    }
}

/// Waits until an upload came to its end on the server's side.
fn upload(server: &kwasm_apiserver::ApiServer) -> Upload {
    let start = Instant::now();
    loop {
        let upload = server.requests().first().map_or(Upload::Open, |request| request.upload);
        if upload != Upload::Open || start.elapsed() > Duration::from_secs(30) {
            return upload;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(unix)]
#[test]
fn an_upload_whose_guest_is_ended_is_aborted_and_leaves_nothing() {
    for (ending, framing) in [("KILL", None), ("INT", None), ("TERM", Some("--length"))] {
        let server = seed();
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
        let mut arguments = vec!["/sink", "1000000", "--stall-after", "500000"];
        arguments.extend(framing);
        let mut running = kwasm.start("uploads", &arguments);
        running.error_with("stalling after 500000 bytes");
        running.signal(ending);
        running.end();
        assert_eq!(upload(&server), Upload::Aborted, "{ending}");
        assert!(server.uploads().is_empty(), "{ending}");
    }
}

#[test]
fn an_upload_whose_guest_ends_itself_in_the_middle_is_aborted_and_leaves_nothing() {
    for how in ["--die-after", "--exit-after"] {
        let server = seed();
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
        let run = kwasm.run("uploads", &["/sink", "1000000", how, "500000"]);
        assert_ne!(run.code, Some(2), "{}", run.shown());
        assert_eq!(upload(&server), Upload::Aborted, "{how}");
        assert!(server.uploads().is_empty(), "{how}");
    }
}

#[test]
fn an_answer_that_is_cut_short_is_an_error_to_the_guest() {
    for (door, error) in DOORS.into_iter().zip(["incomplete", "the connection ended"]) {
        let server = seed();
        server.fault(Fault::cut_after(50_000, kwasm_apiserver::Cut::Close).on("GET", "/source"));
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
        let run = kwasm.run("downloads", &[&["/source?bytes=100000"], door].concat()).fails(1);
        assert!(run.stderr.contains(error), "{}", run.shown());
    }
}
