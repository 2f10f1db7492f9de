//! Tests of kwasm's reports about a guest, which the guest must not influence. The verdict is based on
//! stderr.

use kwasm_apiserver::User;

use crate::support::{Kwasm, Run, kubeconfig, seed};

/// Runs by the ordinary program, by that for tests, and by it without a defence.
fn runs(defence: &str, run: impl Fn(Kwasm) -> Run) -> [Run; 3] {
    let kwasm = Kwasm::new;
    [kwasm().variable("KWASM_WITHOUT", defence), kwasm().faulty(), kwasm().without(defence)].map(run)
}

#[test]
fn flooding_the_users_terminal_with_lines() {
    let lines = |run: &Run| run.stderr.lines().filter(|line| line.starts_with("kwasm: ")).count();
    let flood = |count: &'static str| move |kwasm: Kwasm| kwasm.run("floods-the-journal", &[count]).success();
    let runs = runs("journal-limit", flood("100"));
    // Twenty, and one that says that there were more.
    assert_eq!(runs.each_ref().map(lines), [21, 21, 100]);
    assert!(runs[0].stderr.contains("kwasm: and more: these are the first 20"), "{}", runs[0].shown());
    let twin = flood("20")(Kwasm::new());
    assert_eq!(lines(&twin), 20);
    assert!(!twin.stderr.contains("and more"), "{}", twin.shown());
}

/// Returns whether a text controls a terminal, changes the direction of text, or has a line that no part of
/// kwasm wrote.
fn drives(text: &str) -> bool {
    let drives = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
    };
    text.contains(drives)
        || text.lines().any(|line| line.starts_with("kwasm:") && !line.starts_with("kwasm: "))
}

#[test]
fn forging_kwasms_own_lines() {
    let server = seed();
    let forge = |kwasm: Kwasm| {
        kwasm
            .policy("read-only")
            .kubeconfig(kubeconfig(&server, User::Certificate))
            .run("forges-lines", &[])
            .success()
    };
    let runs = runs("escapes", forge);
    for run in &runs[..2] {
        assert!(!drives(&run.stderr), "{:?}", run.stderr);
        // They were reported, and made harmless.
        assert!(
            run.stderr.contains("\\u{202e}") && run.stderr.contains("forged.invalid"),
            "{:?}",
            run.stderr
        );
    }
    assert!(drives(&runs[2].stderr), "{:?}", runs[2].stderr);
    assert!(server.requests().is_empty());
    // A text that controls nothing is reported unchanged.
    let harmless = "https://forged.invalid/[31mkwasm:";
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
    let run = kwasm.run("dials", &[harmless]).fails(1);
    assert!(run.stderr.contains(&format!("kwasm: refused: GET {harmless}: ")), "{}", run.shown());
}

/// A core module sends no requests, but it has names, which kwasm reports if it has no such function.
#[test]
fn forging_kwasms_own_lines_in_the_names_of_imports() {
    let forged = |place: &str| {
        let name = "\u{9b}2J\u{202e}lla\u{2028}\nkwasm: done\u{1b}[31m";
        let (module, function) = if place == "module" { (name, "f") } else { ("forged", name) };
        let text = format!(r#"(module (import {module:?} {function:?} (func)) (func (export "_start")))"#);
        // The text format knows \u{…} as Rust does.
        wat::parse_str(text).unwrap()
    };
    for place in ["module", "function"] {
        for verb in ["run", "inspect", "install"] {
            let runs = runs("escapes", |kwasm| {
                let file = kwasm.home().join("forged.wasm");
                std::fs::write(&file, forged(place)).unwrap();
                kwasm.call([verb, file.to_str().unwrap()])
            });
            for run in &runs[..2] {
                assert!(!drives(&run.stdout) && !drives(&run.stderr), "{verb}, {place}: {:?}", run.shown());
            }
            // Without the defence, a reported name controls the terminal.
            let told = format!("{}{}", runs[0].stdout, runs[0].stderr).contains("lla");
            let driven = drives(&runs[2].stdout) || drives(&runs[2].stderr);
            assert_eq!(told, driven, "{verb}, {place}: {:?}", runs[2].shown());
        }
    }
}
