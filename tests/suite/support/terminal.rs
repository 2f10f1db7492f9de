//! A program whose stderr, or whose stdin, is a terminal.

use std::fs::File;
use std::io::{Read, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use super::Run;

/// Runs a program whose stderr is a terminal with this many columns, and returns its code and what the
/// terminal shows.
pub(crate) fn on_terminal(command: &mut Command, columns: u16) -> (Option<i32>, String) {
    shown(command.stdout(Stdio::null()), columns, false)
}

/// Runs a program whose stdout and stderr are both one terminal, and returns its code and what the terminal shows.
pub(crate) fn on_terminal_whole(command: &mut Command, columns: u16) -> (Option<i32>, String) {
    shown(command, columns, true)
}

fn shown(command: &mut Command, columns: u16, whole: bool) -> (Option<i32>, String) {
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let OpenptyResult { master: terminal, slave: stderr } = openpty(&size, None).unwrap();
    if whole {
        command.stdout(stderr.try_clone().unwrap());
    }
    let mut child = command.stderr(stderr).spawn().unwrap();
    // The output ends when the last holder of the other side ends.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let reader = thread::spawn(move || {
        let (mut shown, mut terminal) = (Vec::new(), File::from(terminal));
        // When no one holds the other side any more, reading fails.
        drop(terminal.read_to_end(&mut shown));
        String::from_utf8_lossy(&shown).replace("\r\n", "\n")
    });
    let code = child.wait().unwrap().code();
    (code, reader.join().unwrap())
}

/// Runs a program whose stdin and stderr are a terminal of 80 columns, at which this was typed, and returns its code
/// and what the program showed there.
pub(crate) fn asked_on_terminal(command: &mut Command, typed: &str) -> (Option<i32>, String) {
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    let OpenptyResult { master: terminal, slave } = openpty(&size, None).unwrap();
    // What is typed would be shown before it is asked for.
    let mut settings = tcgetattr(&slave).unwrap();
    settings.local_flags.remove(LocalFlags::ECHO);
    tcsetattr(&slave, SetArg::TCSANOW, &settings).unwrap();
    let mut typing = File::from(terminal.try_clone().unwrap());
    typing.write_all(typed.as_bytes()).unwrap();
    command.stdin(slave.try_clone().unwrap()).stdout(Stdio::null());
    let mut child = command.stderr(slave).spawn().unwrap();
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let reader = thread::spawn(move || {
        let (mut shown, mut terminal) = (Vec::new(), File::from(terminal));
        drop(terminal.read_to_end(&mut shown));
        String::from_utf8_lossy(&shown).replace("\r\n", "\n")
    });
    let code = child.wait().unwrap().code();
    drop(typing);
    (code, reader.join().unwrap())
}

/// Runs a program whose stdin is a terminal, at which this was typed.
pub(crate) fn at_terminal(command: &mut Command, typed: &str) -> Run {
    let OpenptyResult { master: terminal, slave: stdin } = openpty(None, None).unwrap();
    // Who reads there next finds it, whenever that is.
    File::from(terminal.try_clone().unwrap()).write_all(typed.as_bytes()).unwrap();
    let run = Run::of(command.stdin(stdin));
    drop(terminal);
    run
}
