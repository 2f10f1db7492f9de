use super::*;
use crate::cluster::Kubeconfig;
use crate::inspect::Inspected;
use crate::policy::Policy;
use ::http::{HeaderValue, Uri};

pub(super) fn gate(server: &str, policy: Policy) -> Gate {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k");
    let text = format!(
        "{{current-context: a, clusters: [{{name: c, cluster: {{server: '{server}'}}}}], contexts: [{{name: a, context: {{cluster: c}}}}]}}"
    );
    std::fs::write(&path, text).unwrap();
    let variables = [("KUBECONFIG".into(), path.into())].into();
    let environment = crate::environment::Environment { variables, ..Default::default() };
    let flags = crate::cluster::Flags::default();
    let kubeconfig = Kubeconfig::load(&environment, &flags).unwrap();
    let inspected: Inspected =
        serde_json::from_str(r#"{"kind": "component", "imports": ["wasi:http/outgoing-handler@0.2.0"]}"#)
            .unwrap();
    let grant = policy.grant(&inspected);
    let contexts = Contexts::choose(&kubeconfig, &flags, |name, selected| grant.grants(name, selected));
    Gate::new(grant, contexts.unwrap(), Vec::new(), None)
}

pub(super) fn builtin(name: &str) -> Policy {
    Policy::builtin(name).unwrap().unwrap()
}

fn admit(gate: &Gate, uri: &str) -> Result<String, Refusal> {
    let request = Request::get(uri).body(()).unwrap();
    let attempt = gate.0.read(&request.into_parts().0).map_err(|unread| *unread.refusal)?;
    let permit = gate.0.grant.judge(attempt)?;
    Ok(permit.attempt().path().to_owned())
}

#[test]
fn the_endpoint_has_three_names_and_each_has_a_near_miss() {
    let gate = gate("https://127.0.0.1:6443", builtin("cluster"));
    for uri in [
        "http://192.0.2.1/api",
        "http://192.0.2.1:80/api",
        "https://kubernetes.default.svc/api",
        "https://KUBERNETES.default.svc:443/api",
        "https://127.0.0.1:6443/api",
    ] {
        assert_eq!(admit(&gate, uri).as_deref(), Ok("/api"), "{uri}");
    }
    for uri in [
        "https://192.0.2.1/api",
        "http://192.0.2.1:8080/api",
        "http://192.0.2.2/api",
        "http://kubernetes.default.svc/api",
        "https://kubernetes.default.svc.evil/api",
        "https://kubernetes.default.svc./api",
        "http://127.0.0.1:6443/api",
        "https://127.0.0.1/api",
        "https://127.0.0.1:6444/api",
        "https://localhost:6443/api",
        "https://127.1:6443/api",
        "https://x@127.0.0.1:6443/api",
        "https://127.0.0.1:6443@evil/api",
        "http://169.254.169.254/latest",
        "ftp://192.0.2.1/api",
        "https://[::ffff:127.0.0.1]:6443/api",
    ] {
        let refusal = admit(&gate, uri).unwrap_err();
        assert_eq!(refusal.reason(), &Reason::Destination, "{uri}");
    }
}

#[test]
fn no_request_climbs_out_of_the_servers_own_path() {
    let gate = gate("https://rancher/k8s/clusters/c-1", builtin("cluster"));
    assert_eq!(admit(&gate, "http://192.0.2.1/api/v1").as_deref(), Ok("/api/v1"));
    assert_eq!(admit(&gate, "https://rancher/k8s/clusters/c-1/api/v1").as_deref(), Ok("/api/v1"));
    for uri in [
        "https://rancher/v3/tokens",
        "https://rancher/k8s/clusters/c-10/api",
        "https://rancher/k8s/clusters/c-1/../c-2/api",
        "http://192.0.2.1/../../../v3/tokens",
        "http://192.0.2.1/%2e%2e/v3",
        "https://rancher/k8s/clusters/c-1%2f../x",
    ] {
        assert!(admit(&gate, uri).is_err(), "{uri}");
    }
}

#[tokio::test]
async fn a_refused_api_request_is_answered_as_the_api_server_would_and_remembered_once() {
    use http_body_util::{BodyExt, Empty};
    let gate = gate("https://127.0.0.1:6443", builtin("none"));
    for _ in 0..2 {
        let body = Empty::new().map_err(|never: std::convert::Infallible| match never {}).boxed_unsync();
        let mut request = Request::new(body);
        *request.uri_mut() = Uri::from_static("http://192.0.2.1/api/v1/pods");
        request.headers_mut().insert("accept", HeaderValue::from_static("application/json"));
        let Ok(response) = gate.pass(request, Timeouts::default(), &gate.lifetime()).await else { panic!() };
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let status: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&status["kind"], &status["code"]), (&"Status".into(), &403.into()));
    }
    let lines = gate.report();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].text, "refused: list pods: the policy `none` does not allow it");
}

#[tokio::test]
async fn upstream_still_ends_a_forgotten_body_as_if_it_were_whole() {
    use http_body_util::BodyExt;
    use wasmtime_wasi_http::p2::body::{HostOutgoingBody, StreamContext};
    let (host, sent) = HostOutgoingBody::new(StreamContext::Request, None, 1, 1024);
    // As it goes when the store goes, which neither finishes nor aborts it.
    drop(host);
    assert!(
        sent.collect().await.is_ok(),
        "wasmtime-wasi-http aborts it now: remove what `GuestBody` does when its guest has ended, and \
         `Defence::AbortedBodies`"
    );
}
