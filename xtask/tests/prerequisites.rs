//! Tests that missing prerequisites are reported before anything is compiled.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the bans are for the host; this makes what a test needs")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A machine with Rust, but neither rustup nor a target for WebAssembly.
struct Machine {
    folder: PathBuf,
}

impl Machine {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        let machine = Self { folder };
        machine.program(
            "cargo",
            &format!(
                "echo \"$1\" >> {}\n[ \"$1\" = metadata ] && exec {} \"$@\"\nexit 1",
                machine.log().display(),
                env!("CARGO")
            ),
        );
        let rustc = Path::new(env!("CARGO")).with_file_name("rustc");
        machine.program(
            "rustc",
            &format!(
                "case \"$*\" in *target-libdir*) echo /none ;; *) exec {} \"$@\" ;; esac",
                rustc.display()
            ),
        );
        machine
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn xtask(&self, command: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg(command)
            .env("PATH", &self.folder)
            .env("CARGO", self.folder.join("cargo"))
            .env("HOME", &self.folder)
            .env_remove("CI")
            .output()
            .unwrap()
    }
}

#[track_caller]
fn is_refused_at_once(command: &str, targets: &str) {
    let machine = Machine::new(command);
    let output = machine.xtask(command);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains(&format!("no toolchain for WebAssembly: {targets}")), "{said}");
    assert!(said.contains(&format!("hint: rustup update && rustup target add {targets}")), "{said}");
    let called = fs::read_to_string(machine.log()).unwrap();
    assert!(called.lines().all(|called| called == "metadata"), "nothing is compiled: {called}");
}

#[test]
fn without_a_target_for_webassembly_the_demo_says_the_cure_before_it_compiles_anything() {
    is_refused_at_once("demo", "wasm32-wasip2");
}

#[test]
fn without_a_target_for_webassembly_the_tests_say_the_cure_before_they_compile_anything() {
    is_refused_at_once("test", "wasm32-wasip2 wasm32-wasip1");
}
