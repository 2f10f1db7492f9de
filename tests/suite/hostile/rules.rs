//! Tests of requests that a policy's rules do not cover. That the judge reads requests like the API server is
//! tested elsewhere (tests/suite/judge).

use kwasm_apiserver::{ApiServer, User, demo};

use super::Attempt;

/// Returns an API server whose contexts are in the namespace `shop`.
fn shop() -> ApiServer {
    let server = ApiServer::builder().namespace(demo::NAMESPACE).start().unwrap();
    demo::seed(&server).unwrap();
    server
}

/// Returns the `spec` of a policy with one rule.
fn rule(rule: &str) -> String {
    format!("{{kubernetes: {{rules: [{{{rule}}}]}}}}")
}

#[test]
fn reading_a_secret() {
    let server = shop();
    Attempt::of("reads-secrets")
        .at(&server, User::Certificate)
        .policy("read-only")
        .fails("get secrets \"db\" in namespace shop: the policy `read-only` does not allow it")
        .succeeds_without("except", "status 200")
        .policy("decoder")
        .twin(&[]);
}

#[test]
fn reading_a_secret_of_another_name() {
    let server = shop();
    Attempt::of("reads-secrets")
        .at(&server, User::Certificate)
        .spec(&rule("apiGroups: [''], resources: [secrets], resourceNames: [web-tls], verbs: [get]"))
        .fails("get secrets \"db\" in namespace shop")
        .succeeds_without("names", "status 200")
        .twin(&["/api/v1/namespaces/shop/secrets/web-tls"]);
}

#[test]
fn reading_a_secret_of_another_name_by_listing_it() {
    let server = shop();
    Attempt::of("selects-another-name")
        .at(&server, User::Certificate)
        .spec(&rule("apiGroups: [''], resources: [secrets], resourceNames: [db], verbs: [list]"))
        .fails("list secrets \"web-tls\" in namespace shop")
        .succeeds_without("names", "status 200")
        .twin(&["/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Ddb"]);
}

#[test]
fn reaching_a_service_through_the_api_server() {
    let server = shop();
    Attempt::of("proxies-through-services")
        .at(&server, User::Certificate)
        .policy("read-only")
        .fails("get services/proxy \"web:80\" in namespace shop")
        .succeeds_without("subresources", "status ")
        .twin(&["/api/v1/namespaces/shop/services/web:80"]);
}

#[test]
fn reaching_a_kubelet_through_the_api_server() {
    let server = shop();
    Attempt::of("proxies-through-nodes")
        .at(&server, User::Certificate)
        .policy("read-only")
        .fails("get nodes/proxy \"node-1\"")
        .succeeds_without("subresources", "status ")
        .twin(&["/api/v1/nodes/node-1"]);
}

#[test]
fn running_a_program_in_a_pod() {
    let server = shop();
    let pods = rule("apiGroups: [''], resources: [pods], verbs: [create, get]");
    // The API server takes a GET for it too.
    for method in ["POST", "GET"] {
        let path = "/api/v1/namespaces/shop/pods/web-0/exec?command=id";
        Attempt::of("runs-in-a-pod")
            .at(&server, User::Certificate)
            .spec(&pods)
            .with(&["--method", method, path])
            .fails("pods/exec \"web-0\" in namespace shop")
            .succeeds_without("subresources", "status ")
            .twin(&["--method", "GET", "/api/v1/namespaces/shop/pods/web-0"]);
    }
}

#[test]
fn watching_in_disguise() {
    let server = shop();
    Attempt::of("watches-in-disguise")
        .at(&server, User::Certificate)
        .spec(&rule("apiGroups: [''], resources: [configmaps], verbs: [get, list]"))
        .fails("watch configmaps in namespace shop")
        .succeeds_without("list-options", "?w%61tch=yes: status 200")
        .twin(&["/api/v1/namespaces/shop/configmaps?watch=0"]);
}

#[test]
fn deleting_all_at_once() {
    let server = shop();
    Attempt::of("deletes-a-collection")
        .at(&server, User::Certificate)
        .spec(&rule("apiGroups: [''], resources: [configmaps], verbs: [delete]"))
        .fails("deletecollection configmaps in namespace shop")
        .succeeds_without("collections", "status ")
        .twin(&["/api/v1/namespaces/shop/configmaps/settings"]);
}

#[test]
fn reading_another_namespace() {
    let server = shop();
    Attempt::of("reads-another-namespace")
        .at(&server, User::Certificate)
        .spec(&rule("apiGroups: [''], resources: [configmaps], verbs: [list], namespaces: [current]"))
        .fails("list configmaps in namespace kube-system")
        .succeeds_without("namespaces", "status 200")
        .twin(&["/api/v1/namespaces/shop/configmaps"]);
}

#[test]
fn reading_another_api_group() {
    let server = shop();
    Attempt::of("reads-another-group")
        .at(&server, User::Certificate)
        .spec(&rule("apiGroups: [''], resources: ['*'], verbs: [list]"))
        .fails("list deployments.apps in namespace shop")
        .succeeds_without("groups", "status ")
        .twin(&["/api/v1/namespaces/shop/configmaps"]);
}

#[test]
fn writing_where_only_reading_is_allowed() {
    let server = shop();
    let path = "/api/v1/namespaces/shop/configmaps/written";
    Attempt::of("writes")
        .at(&server, User::Certificate)
        .policy("read-only")
        .fails("create configmaps in namespace shop")
        .succeeds_without("verbs", "status 201")
        .twin(&["GET", path]);
    assert!(server.get(path).is_some());
}

#[test]
fn reading_what_is_no_resource() {
    let server = shop();
    Attempt::of("reads-other-urls")
        .at(&server, User::Certificate)
        .policy("read-only")
        .fails("get /metrics: the policy `read-only` does not allow it")
        .succeeds_without("urls", "status ")
        .twin(&["/healthz"]);
}

#[test]
fn doing_more_than_the_plugin_requests() {
    let server = shop();
    let requested = "apiGroups: [''], resources: [secrets], resourceNames: [web-tls], verbs: [get]";
    Attempt::of("reads-secrets")
        .at(&server, User::Certificate)
        .requesting(&rule(requested))
        .fails("the plugin's own request `requested` does not include it")
        .succeeds_without("requested-rules", "status 200")
        .twin(&["/api/v1/namespaces/shop/secrets/web-tls"]);
}

#[test]
fn requesting_more_than_is_granted() {
    let server = shop();
    Attempt::of("reads-secrets")
        .at(&server, User::Certificate)
        .policy("read-only")
        .requesting(&rule("apiGroups: [''], resources: [secrets], verbs: [get]"))
        .fails("the policy `read-only` does not allow it")
        .succeeds_without("granted-rules", "status 200")
        .policy("decoder")
        .twin(&[]);
}

/// Only a test build reads another ceiling than the machine's, so that the ordinary program has no part in this.
#[cfg(unix)]
#[test]
fn doing_more_than_the_administrator_allows() {
    use crate::support::{Kwasm, kubeconfig, skip};
    use std::{fs, os::unix::fs::MetadataExt};
    let server = shop();
    let run = |defence: &str, path: &str| {
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
        let ceiling = kwasm.home().join("ceiling.yaml");
        let spec = rule("apiGroups: [''], resources: [secrets], resourceNames: [web-tls], verbs: [get]");
        let head = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: ceiling}\nspec:";
        fs::write(&ceiling, format!("{head} {spec}\n")).unwrap();
        let is_roots = fs::metadata(&ceiling).unwrap().uid() == 0;
        let kwasm = kwasm.without(&format!("ceiling={}{defence}", ceiling.display()));
        is_roots.then(|| kwasm.run("reads-secrets", &[path]))
    };
    let secret = "/api/v1/namespaces/shop/secrets/db";
    let Some(refused) = run("", secret) else {
        skip(
            "hostile::doing_more_than_the_administrator_allows",
            "only root makes a file that belongs to root",
        );
        return;
    };
    assert!(
        refused.code == Some(1) && refused.stderr.contains("the administrator's ceiling"),
        "{}",
        refused.shown()
    );
    assert!(server.requests().is_empty());
    let allowed = |run: Option<crate::support::Run>| run.unwrap().success().stdout.contains("status 200");
    assert!(allowed(run(&format!(",{}", "ceiling-rules"), secret)));
    assert!(allowed(run("", "/api/v1/namespaces/shop/secrets/web-tls")));
}
