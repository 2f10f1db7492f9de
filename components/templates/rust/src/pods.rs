//! Lists pods, and watches them.

use std::io::Write;
use std::pin::pin;

use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Client, Error, ResourceExt as _};

/// Prints the pods of the client's namespace, and with `watch` each change, until the user ends it.
pub(crate) async fn run(client: Client, watch: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let pods: Api<Pod> = Api::default_namespaced(client);
    loop {
        let list = pods.list(&ListParams::default()).await?;
        for pod in &list {
            print(pod, phase(pod), out)?;
        }
        if !watch {
            return Ok(());
        }
        follow(&pods, list.metadata.resource_version.unwrap_or_default(), out).await?;
    }
}

/// Prints each change since `version`. Ends if the server remembers no changes as old as that: then list again.
async fn follow(pods: &Api<Pod>, mut version: String, out: &mut impl Write) -> anyhow::Result<()> {
    loop {
        // The server ends a watch after some minutes, and the next one begins where it ended.
        let events = match pods.watch(&WatchParams::default(), &version).await {
            Err(Error::Api(status)) if status.code == GONE => return Ok(()),
            events => events?,
        };
        let mut events = pin!(events);
        while let Some(event) = events.try_next().await? {
            match event {
                WatchEvent::Added(pod) | WatchEvent::Modified(pod) => {
                    print(&pod, phase(&pod), out)?;
                    version = pod.resource_version().unwrap_or(version);
                }
                WatchEvent::Deleted(pod) => {
                    print(&pod, "Deleted", out)?;
                    version = pod.resource_version().unwrap_or(version);
                }
                WatchEvent::Bookmark(bookmark) => version = bookmark.metadata.resource_version,
                WatchEvent::Error(status) if status.code == GONE => return Ok(()),
                WatchEvent::Error(status) => return Err(Error::Api(status).into()),
            }
        }
    }
}

/// The status code for a version that is too old.
const GONE: u16 = 410;

fn print(pod: &Pod, phase: &str, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{} {phase}", pod.name_any())?;
    // A change is seen when it happens, behind a pipe too.
    out.flush()
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Unknown")
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};
    use tower::service_fn;

    use super::*;

    fn pod(name: &str, phase: &str) -> Value {
        let metadata = json!({"name": name, "namespace": "shop", "resourceVersion": "8"});
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": {"phase": phase}})
    }

    /// Returns a client of an API server that answers each path from a list, and then with a 404.
    fn client(answers: &'static [(&'static str, fn() -> String)]) -> Client {
        let server = service_fn(move |request: Request<Body>| async move {
            let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
            let found = answers.iter().find(|(begins, _)| path.starts_with(begins));
            let (status, body) = found.map_or((404, String::new()), |(_, answer)| (200, answer()));
            Response::builder().status(status).body(Body::from(body.into_bytes()))
        });
        Client::new(server, "shop")
    }

    fn output(client: impl FnOnce() -> Client, watch: bool) -> (anyhow::Result<()>, String) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut out = Vec::new();
        let result = runtime.block_on(async { run(client(), watch, &mut out).await });
        (result, String::from_utf8(out).unwrap())
    }

    fn list() -> String {
        let items = [pod("web-0", "Running"), pod("web-1", "Pending")];
        json!({"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": items})
            .to_string()
    }

    fn changes() -> String {
        let changed = json!({"type": "MODIFIED", "object": pod("web-1", "Running")});
        let deleted = json!({"type": "DELETED", "object": pod("web-0", "Running")});
        let failed =
            json!({"kind": "Status", "status": "Failure", "message": "enough", "reason": "x", "code": 500});
        format!("{changed}\n{deleted}\n{}\n", json!({"type": "ERROR", "object": failed}))
    }

    #[test]
    fn a_pod_is_a_line() {
        let (result, output) = output(|| client(&[("/api/v1/namespaces/shop/pods", list)]), false);
        result.unwrap();
        assert_eq!(output, "web-0 Running\nweb-1 Pending\n");
    }

    #[test]
    fn a_watch_goes_on_from_the_list() {
        let answers: &'static [(&str, fn() -> String)] =
            &[("/api/v1/namespaces/shop/pods?&watch=true", changes), ("/api/v1/namespaces/shop/pods", list)];
        let (result, output) = output(|| client(answers), true);
        assert!(result.unwrap_err().to_string().contains("enough"));
        assert_eq!(output, "web-0 Running\nweb-1 Pending\nweb-1 Running\nweb-0 Deleted\n");
    }
}
