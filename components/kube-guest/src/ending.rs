//! The ending of a plugin.

use std::io::{self, Write};

/// Flushes standard output and ends the plugin with `code`, in a component through `wasi:cli/exit`'s
/// `exit-with-code`, since Rust's own `std::process::exit` only supports 0 and 1 there.
pub fn exit(code: u8) -> ! {
    // Errors are ignored: if the last bytes find no reader, there is no one left to report to.
    drop(io::stdout().flush());
    leave(code)
}

/// Ends a plugin whose last step was writing to standard output: with 0 if that worked or the reader had
/// closed it (`kubectl timeline | head`), otherwise with the reason on standard error and 1.
pub fn finish(plugin: &str, written: io::Result<()>) -> ! {
    match written.and_then(|()| io::stdout().flush()) {
        Ok(()) => exit(0),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit(0),
        Err(error) => {
            eprintln!("{plugin}: standard output: {error}");
            exit(1)
        }
    }
}

#[cfg(all(target_os = "wasi", not(target_env = "p1")))]
fn leave(code: u8) -> ! {
    wasip2::cli::exit::exit_with_code(code);
    // The host never comes back from the call.
    std::process::abort()
}

#[cfg(any(not(target_os = "wasi"), target_env = "p1"))]
#[expect(clippy::exit, reason = "this is the one place where a plugin ends")]
fn leave(code: u8) -> ! {
    std::process::exit(i32::from(code))
}
