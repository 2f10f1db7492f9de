//! `port-forward`: a port of a pod, spoken with through standard input and output.

use crate::error::Error;
use crate::{stdin, stdout};
use futures::FutureExt as _;
use futures::future::{self, Either};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};
use std::io;
use std::pin::pin;
use std::time::Duration;

/// Sends standard input to the port, and prints what comes back until the peer closes. The end of the input closes
/// nothing: the protocol that kube-rs speaks has no half-close, and kube-rs would drop what is still to come. A node that
/// waits for that end says nothing of its peer's: `linger` is how many seconds after it to go on listening.
pub(crate) async fn talk(client: Client, pod: &str, port: u16, linger: Option<u64>) -> Result<(), Error> {
    let pods: Api<Pod> = Api::default_namespaced(client);
    let mut forwarder = pods.portforward(pod, &[port]).await?;
    let none = || Error::Port(port, "not forwarded".to_owned());
    let stream = forwarder.take_stream(port).ok_or_else(none)?;
    let refused = forwarder.take_error(port).ok_or_else(none)?;
    let (reader, mut writer) = tokio::io::split(stream);

    let typed = pin!(async {
        stdin::copy(&mut writer).await?;
        match linger {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => future::pending().await,
        }
        Ok(())
    });
    let refused = pin!(async {
        match refused.await {
            Some(why) => Err(Error::Port(port, why)),
            // Nothing more can be refused: what came is still to be read.
            None => future::pending().await,
        }
    });
    let printed = pin!(stdout::copy(reader, io::stdout()));
    let ended = future::select(refused, typed).map(|first| first.factor_first().0);
    match future::select(printed, ended).await {
        Either::Left((printed, ended)) => {
            printed?;
            // A node that could not connect says why and closes at once: both may be here by now.
            ended.now_or_never().unwrap_or(Ok(()))?;
        }
        Either::Right((ended, _)) => return ended,
    }
    // A connection that broke ends the stream as a peer does that closes. But then kube-rs' task is over, with an error.
    let over = forwarder.join().now_or_never().unwrap_or(Ok(()));
    over.map_err(|error| Error::Broken(error.to_string()))
}
