//! Tests of the limits: of this machine, of the API server, of the user's time.

use kwasm_apiserver::{ApiServer, Upload, User};

use super::Attempt;
use crate::support::{Kwasm, kubeconfig, seed};

#[test]
fn exhausting_memory() {
    // Small, so that this machine is not exhausted by what follows.
    let policy = "{limits: {memory: 64Mi}}";
    for guest in ["fills-memory", "fills-memory-core"] {
        Attempt::of(guest)
            .spec(policy)
            .with(&["--trusting", "128"])
            .ends("it needed more than 64 MiB of memory")
            .succeeds_without("memory-limit", "took 128 MiB")
            .twin(&["--trusting", "48"]);
    }
}

#[test]
fn exceeding_a_limit_that_the_plugin_itself_requests() {
    Attempt::of("fills-memory")
        .spec("{limits: {memory: 256Mi}}")
        .requesting("{limits: {memory: 64Mi}}")
        .with(&["--trusting", "128"])
        .ends("it needed more than 64 MiB of memory")
        .succeeds_without("requested-limits", "took 128 MiB")
        .twin(&["--trusting", "48"]);
}

/// No build is without this limit and the next: they are wasmtime's own, and what would be left is a process that crashes.
#[test]
fn calling_without_end() {
    for guest in ["recurses", "recurses-core"] {
        Attempt::of(guest).ends("its calls are nested deeper than the ").twin(&["5000"]);
        Attempt::of(guest)
            .spec("{limits: {stack: 128Ki}}")
            .with(&["5000"])
            .ends("its calls are nested deeper than the 128 KiB of stack that it has")
            .spec("{limits: {stack: 1Mi}}")
            .twin(&["5000"]);
    }
}

/// The largest stack that a policy can give lies on a stack of its own, whatever the process's is.
#[test]
fn calling_without_end_on_the_largest_stack() {
    for guest in ["recurses", "recurses-core"] {
        Attempt::of(guest)
            .spec("{limits: {stack: 64Mi}}")
            .with(&["100000000"])
            .ends("its calls are nested deeper than the 64 MiB of stack that it has\n")
            .twin(&["500000"]);
    }
}

#[test]
fn filling_tables() {
    // All together, whatever their number.
    for (tables, elements, code) in [(1, 2_000_000, 125), (3, 400_000, 125), (1, 900_000, 0), (3, 300_000, 0)]
    {
        let kwasm = Kwasm::new();
        let module = kwasm.home().join("fills-tables.wasm");
        std::fs::write(&module, fills_tables(tables, elements)).unwrap();
        let run = kwasm.call(["run", module.to_str().unwrap()]).fails(code);
        assert_eq!(run.stderr.contains("it needed more or larger tables"), code == 125, "{}", run.shown());
    }
}

/// Returns a core module that grows tables, and traps if one cannot grow.
fn fills_tables(tables: usize, elements: usize) -> Vec<u8> {
    let grow = |table: usize| {
        format!(
            "(if (i32.eq (table.grow {table} (ref.null func) (i32.const {elements})) (i32.const -1)) (then unreachable))"
        )
    };
    let (declared, grown): (String, String) =
        (0..tables).map(|table| ("(table 0 funcref)", grow(table))).unzip();
    let text =
        format!(r#"(module {declared} (memory (export "memory") 1) (func (export "_start") {grown}))"#);
    wat::parse_str(text).unwrap()
}

#[test]
fn hoarding_handles() {
    Attempt::of("hoards-handles")
        .ends("it needed more than 4096 handles at a time")
        .succeeds_without("handle-limit", "200000 handles")
        .twin(&["4000"]);
}

#[test]
fn flooding_the_server_with_requests() {
    let server = seed();
    Attempt::of("floods-requests")
        .asking(&server, User::Certificate)
        .with(&["65"])
        .fails("64 of 65 answered; the first of the others: status 429")
        .succeeds_without("request-limit", "65 of 65 answered")
        .twin(&["64"]);
}

#[test]
fn asking_for_random_bytes_without_end() {
    for guest in ["asks-for-random", "asks-for-random-core"] {
        Attempt::of(guest)
            .ends("it requested more than 1 MiB of random bytes in one call")
            .succeeds_without("random-limit", "8388608 bytes")
            .twin(&["1048576"]);
    }
}

#[test]
fn outlasting_its_time() {
    for guest in ["outlasts-its-time", "outlasts-its-time-core"] {
        for how in [&["2"][..], &["2", "--busy"]] {
            Attempt::of(guest)
                .spec("{limits: {timeout: 1s}}")
                .with(how)
                .ends("it ran for longer than 1s")
                .succeeds_without("timeout", "outlasted")
                .twin(&["0"]);
        }
    }
}

/// Here the ordinary program also lets the guest succeed: upstream forgets to free what each request leaves
/// behind, until no further one can be made.
#[test]
fn leaking_the_options_of_requests() {
    let server = seed();
    let leaks = |kwasm: Kwasm, count: &str| {
        kwasm.kubeconfig(kubeconfig(&server, User::Certificate)).run("leaks-options", &[count, "/metrics/.."])
    };
    for kwasm in [Kwasm::new().variable("KWASM_WITHOUT", "options-leak"), Kwasm::new().faulty()] {
        assert!(leaks(kwasm, "5000").success().stdout.contains("5000 answered"));
    }
    let run = leaks(Kwasm::new().without("options-leak"), "5000").fails(125);
    assert!(run.stderr.contains("it needed more than 4096 handles at a time"), "{}", run.shown());
    assert!(leaks(Kwasm::new().without("options-leak"), "1000").success().stdout.contains("1000 answered"));
}

/// Returns the progress of an upload.
pub(super) fn upload(server: &ApiServer) -> Upload {
    let start = std::time::Instant::now();
    loop {
        let upload = server.requests().last().map_or(Upload::Open, |request| request.upload);
        if upload != Upload::Open || start.elapsed() > std::time::Duration::from_secs(30) {
            return upload;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn making_half_a_body_look_whole() {
    for (kwasm, arguments, came, kept) in [
        (
            Kwasm::new().variable("KWASM_WITHOUT", "aborted-bodies"),
            &["--die-after", "500000"][..],
            Upload::Aborted,
            None,
        ),
        (Kwasm::new().faulty(), &["--die-after", "500000"], Upload::Aborted, None),
        (Kwasm::new().without("aborted-bodies"), &["--die-after", "500000"], Upload::Complete, Some(500_000)),
        (Kwasm::new(), &[], Upload::Complete, Some(1_000_000)),
    ] {
        let server = seed();
        let arguments = [&["/sink", "1000000"], arguments].concat();
        kwasm.kubeconfig(kubeconfig(&server, User::Token)).run("uploads", &arguments);
        assert_eq!(upload(&server), came, "{arguments:?}");
        assert_eq!(server.uploads().first().map(|upload| upload.bytes), kept, "{arguments:?}");
    }
}
