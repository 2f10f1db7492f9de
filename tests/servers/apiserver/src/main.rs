//! Starts the test API server with the objects of the demo, prints one line of JSON that says where it is, and ends
//! when its standard input does, or by Ctrl-C.

use std::io::{self, Write as _};
use std::process::ExitCode;

use kwasm_apiserver::{ApiServer, User, demo};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error is closed as well, there is no way to report it.
            drop(writeln!(io::stderr(), "kwasm-apiserver: {}", chain(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let server = ApiServer::builder().namespace(demo::NAMESPACE).start()?;
    demo::seed(&server)?;
    let place = json!({
        "url": server.url(),
        "dir": server.folder(),
        "kubeconfigs": {
            "certificate": server.kubeconfig(User::Certificate),
            "token": server.kubeconfig(User::Token),
        },
    });
    let mut output = io::stdout().lock();
    writeln!(output, "{place}")?;
    output.flush()?;
    wait()?;
    Ok(())
}

/// Waits until standard input ends, or a signal ends the process.
fn wait() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            ended = input_ended() => ended,
            asked = tokio::signal::ctrl_c() => asked,
            asked = terminated() => asked,
        }
    })?;
    // The thread that reads standard input can't be interrupted; the process ends without it.
    runtime.shutdown_background();
    Ok(())
}

async fn input_ended() -> io::Result<()> {
    let (mut input, mut ignored) = (tokio::io::stdin(), [0; 256]);
    while input.read(&mut ignored).await? > 0 {}
    Ok(())
}

#[cfg(unix)]
async fn terminated() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

#[cfg(not(unix))]
async fn terminated() -> io::Result<()> {
    std::future::pending().await
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
