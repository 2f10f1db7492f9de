//! Servers of before Kubernetes 1.30 describe each group in a document of its own, and plugins find their resources there too.

use kwasm_apiserver::User;

use crate::support::{Kwasm, kubeconfig, seed};

#[test]
fn the_requests_of_plugins_allow_the_documents_of_older_servers() {
    let server = seed();
    for (plugin, arguments, printed) in [
        ("get-all", ["-n", "shop", "-o", "name"].as_slice(), "secret/web-tls\n"),
        ("neat", &["get", "secret/db", "-n", "shop"], "name: db\n"),
        (
            "tree",
            &["secret", "db", "-n", "shop"],
            "No resources are owned by this object through ownerReferences.\n",
        ),
    ] {
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
        let run = kwasm.policy(plugin).run(plugin, arguments).success();
        assert!(run.stdout.contains(printed), "{}", run.shown());
        assert_eq!(run.stderr, "");
    }
}
