//! `kubectl plugin-name [--watch]`: the pods of the namespace, a line `NAME PHASE` each, and with `--watch` a line for each
//! change.

mod cluster;
mod flags;
mod pods;
mod wasi_http;

use std::io::{self, Write as _};

const USAGE: &str = "usage: kubectl plugin-name [-n NAMESPACE] [-w|--watch]";

fn main() {
    // kubectl's own flags, such as -n, are obeyed by kwasm before the plugin starts.
    let arguments = flags::without_connection_flags(std::env::args().skip(1), &[]);
    let watch = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["-w" | "--watch"] => true,
        ["-h" | "--help"] => {
            println!("{USAGE}");
            exit(0)
        }
        _ => {
            eprintln!("{USAGE}");
            exit(2)
        }
    };
    match run(watch) {
        Ok(()) => exit(0),
        // The reader, such as `head`, has seen enough.
        Err(error) if is_closed_pipe(&error) => exit(0),
        Err(error) => {
            eprintln!("plugin-name: {}", shown(&error));
            exit(1)
        }
    }
}

fn run(watch: bool) -> anyhow::Result<()> {
    // One thread is all that a component has.
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let client = cluster::client().await?;
        pods::run(client, watch, &mut io::stdout()).await
    })
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Returns an error in one line, in which nothing that a server wrote drives the terminal.
fn shown(error: &anyhow::Error) -> String {
    let text = match error.downcast_ref() {
        // Its message is what people read; kube-rs shows its other fields too.
        Some(kube::Error::Api(status)) if !status.message.is_empty() => status.message.clone(),
        _ => format!("{error:#}"),
    };
    text.replace(|character: char| character.is_control(), " ")
}

/// Ends the plugin with any code. Of a component, `std::process::exit` makes every code but 0 a 1.
fn exit(code: u8) -> ! {
    // If that fails, no one is left to report it to.
    drop(io::stdout().flush());
    #[cfg(target_os = "wasi")]
    wasip2::cli::exit::exit_with_code(code);
    std::process::exit(code.into())
}
