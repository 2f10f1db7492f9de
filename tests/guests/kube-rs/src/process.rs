//! `exec` and `attach`: a process in a pod, with its output and its exit code.

use crate::error::Error;
use crate::{stdin, stdout};
use futures::future::{self, Either};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{AttachParams, AttachedProcess};
use kube::{Api, Client};
use std::io;
use std::pin::pin;
use tokio::io::AsyncWriteExt as _;

/// The buffer for each stream in kube-rs, in bytes. With its default of 1024, each message would take a
/// hundred steps.
const BUFFER: usize = 64 * 1024;

/// Runs a command.
pub(crate) async fn exec(client: Client, pod: &str, line: &[String], stdin: bool) -> Result<(), Error> {
    let pods: Api<Pod> = Api::default_namespaced(client);
    converse(pods.exec(pod, line, &streams(stdin)).await?).await
}

/// Joins the process that the pod runs already.
pub(crate) async fn attach(client: Client, pod: &str, stdin: bool) -> Result<(), Error> {
    let pods: Api<Pod> = Api::default_namespaced(client);
    converse(pods.attach(pod, &streams(stdin)).await?).await
}

fn streams(stdin: bool) -> AttachParams {
    let streams = AttachParams::default().stdin(stdin).stdout(true).stderr(true).tty(false);
    streams.max_stdin_buf_size(BUFFER).max_stdout_buf_size(BUFFER).max_stderr_buf_size(BUFFER)
}

/// Copies the streams until the process has ended. Its end ends the input too, of which there may be more.
async fn converse(mut process: AttachedProcess) -> Result<(), Error> {
    let input = process.stdin();
    let typed = pin!(async {
        if let Some(mut input) = input {
            stdin::copy(&mut input).await?;
            // A process that has ended cannot be informed of an end.
            drop(input.shutdown().await);
        }
        future::pending::<Result<(), Error>>().await
    });
    let status = match future::select(typed, pin!(output(&mut process))).await {
        Either::Left((failed, _)) => return failed,
        Either::Right((status, _)) => status?,
    };
    match status {
        Some(status) => ending(&status),
        // It broke before the process could say how it ended; kube-rs' task knows more.
        None => Err(Error::Broken(match process.join().await {
            Ok(()) => "it ended before the process did".to_owned(),
            Err(error) => error.to_string(),
        })),
    }
}

/// Copies all output, and returns the node's report at the end. If the connection breaks, there is none, and
/// kube-rs leaves the output streams open, so they are not waited for.
async fn output(process: &mut AttachedProcess) -> Result<Option<Status>, Error> {
    let (out, err) = (process.stdout(), process.stderr());
    let Some(status) = process.take_status() else { return Ok(None) };
    let copied = pin!(future::try_join(
        async move { if let Some(out) = out { stdout::copy(out, io::stdout()).await } else { Ok(()) } },
        async move { if let Some(err) = err { stdout::copy(err, io::stderr()).await } else { Ok(()) } },
    ));
    match future::select(pin!(status), copied).await {
        Either::Left((None, _)) => Ok(None),
        Either::Left((status, copied)) => copied.await.map(|_| status),
        Either::Right((copied, status)) => {
            copied?;
            Ok(status.await)
        }
    }
}

fn ending(status: &Status) -> Result<(), Error> {
    if status.status.as_deref() == Some("Success") {
        return Ok(());
    }
    let causes = status.details.as_ref().and_then(|details| details.causes.as_deref()).unwrap_or_default();
    let code = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"));
    match code.and_then(|cause| cause.message.as_deref()?.parse().ok()) {
        Some(code) => Err(Error::Exited(code)),
        None => Err(Error::Process(status.message.clone().unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: &str) -> Result<(), String> {
        ending(&serde_json::from_str(status).unwrap()).map_err(|error| error.shown())
    }

    #[test]
    fn a_process_ends_the_guest_with_its_own_code() {
        assert_eq!(ended(r#"{"status":"Success"}"#), Ok(()));
        let seven = r#"{"status":"Failure","reason":"NonZeroExitCode","message":"command terminated",
            "details":{"causes":[{"reason":"ExitCode","message":"7"}]}}"#;
        assert_eq!(ended(seven), Err("exit code 7".to_owned()));
    }

    #[test]
    fn what_has_no_code_is_told_in_the_words_of_the_node() {
        let missing = r#"{"status":"Failure","reason":"InternalError","message":"no such program"}"#;
        assert_eq!(ended(missing), Err("no such program".to_owned()));
    }
}
