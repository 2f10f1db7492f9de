//! The real registries: that they answer, know their user, and end.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says what it could not do, where its environment tells it to"
)]

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use kwasm_registry::{Access, Builder, Error, Login, Registry};

#[test]
fn both_registries_know_their_user_and_nobody_else() {
    for builder in [Registry::distribution(), Registry::go_containerregistry()] {
        let Some(registry) = start(builder) else { return };
        let access = registry.access();
        let Some(Login::Password { user, password }) = access.login() else { panic!("no user") };
        assert_eq!(status(access, Some((user, password))), 200);
        assert_eq!(status(access, Some((user, "other"))), 401);
        assert_eq!(status(access, None), 401);
    }
}

#[test]
fn an_open_registry_asks_nobody() {
    for builder in [Registry::distribution(), Registry::go_containerregistry()] {
        let Some(registry) = start(builder.open()) else { return };
        assert_eq!((status(registry.access(), None), registry.access().login()), (200, None));
    }
}

#[test]
fn registries_stand_side_by_side_and_one_that_is_dropped_is_gone() {
    let (Some(one), Some(other)) = (start(Registry::distribution()), start(Registry::distribution())) else {
        return;
    };
    let (port, folder) = (port(&one), one.folder().to_owned());
    assert!(!is_free(port));
    drop(one);
    assert!(is_free(port) && !folder.exists());
    assert_eq!(status(other.access(), None), 401);
}

#[cfg(unix)]
#[test]
fn registries_end_with_a_test_that_is_killed() {
    for builder in [Registry::distribution(), Registry::go_containerregistry()] {
        if start(builder).is_none() {
            return;
        }
    }
    let mut held = Command::new(env!("CARGO_BIN_EXE_kwasm-registry-holder"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(held.stdout.take().unwrap()).lines().map(Result::unwrap);
    let registries = lines.map(|line| {
        let (host, folder) = line.split_once(' ').unwrap();
        (port_of(host), PathBuf::from(folder))
    });
    let registries: Vec<(u16, PathBuf)> = registries.take(2).collect();
    assert_eq!(registries.len(), 2);
    assert!(registries.iter().all(|(port, folder)| !is_free(*port) && folder.is_dir()));
    held.kill().unwrap();
    held.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !registries.iter().all(|(port, folder)| is_free(*port) && !folder.exists()) {
        assert!(Instant::now() < deadline, "one of {registries:?} is left");
        thread::sleep(Duration::from_millis(10));
    }
}

fn start(builder: Builder) -> Option<Registry> {
    match builder.start() {
        Ok(registry) => Some(registry),
        Err(reason @ (Error::NoDistribution | Error::NoGo)) => {
            skip(&format!("the tests of the registries: {reason}"));
            None
        }
        Err(e) => panic!("{e}"),
    }
}

fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{reason}");
    match std::env::var_os("KWASM_SKIPS") {
        Some(path) => writeln!(OpenOptions::new().append(true).open(path).unwrap(), "{reason}").unwrap(),
        None => eprintln!("skipped: {reason}"),
    }
}

/// Returns the status that `/v2/` answers with.
fn status(access: &Access, login: Option<(&str, &str)>) -> u16 {
    let authority = reqwest::Certificate::from_pem(access.authority().unwrap().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([authority]).no_proxy().build().unwrap();
    let mut request = client.get(format!("https://{}/v2/", access.host()));
    if let Some((user, password)) = login {
        request = request.basic_auth(user, Some(password));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(request.send()).unwrap().status().as_u16()
}

fn port(registry: &Registry) -> u16 {
    port_of(registry.host())
}

fn port_of(host: &str) -> u16 {
    host.rsplit_once(':').unwrap().1.parse().unwrap()
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
