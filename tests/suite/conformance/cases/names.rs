//! Names, and where they lead.

use super::super::case::{Case, asks, case, fails};
use super::super::differences::PROMPT;

const TWO: &str = "
current-context: one
clusters:
- {name: c1, cluster: {$TRUSTED}}
- {name: c2, cluster: {server: '$PLAIN'}}
- {name: c3, cluster: {server: '$BELOW', certificate-authority-data: $CA}}
contexts:
- {name: one, context: {cluster: c1, user: u1, namespace: n1}}
- {name: two, context: {cluster: c3, user: u2, namespace: n2}}
- {name: no-cluster, context: {user: u1}}
- {name: no-user, context: {cluster: c1}}
- {name: lost-cluster, context: {cluster: nothing, user: u1}}
- {name: lost-user, context: {cluster: c1, user: nothing}}
- {name: empty-namespace, context: {cluster: c1, user: u1, namespace: ''}}
- {name: a.b/c@d:e, context: {cluster: c1, user: u1, namespace: odd}}
- {name: Größe 1, context: {cluster: c1, user: u1, namespace: unicode}}
users:
- {name: u1, user: {token: $TOKEN}}
- {name: u2, user: {$PAIR}}
";

fn two(name: &'static str) -> Case {
    case(name).file("config", TWO)
}

/// Returns the same case with another current context.
fn current(name: &'static str, current: &str) -> Case {
    case(name).file("config", TWO.replace("current-context: one", current))
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        two("the current context").asks("tls token=$TOKEN namespace=n1"),
        two("--context")
            .flags("--context two")
            .asks("below prefix=/k8s/clusters/c-1 certificate=alice namespace=n2"),
        two("--context in one word")
            .flags("--context=two")
            .asks("below prefix=/k8s/clusters/c-1 certificate=alice namespace=n2"),
        two("the last --context wins")
            .flags("--context nothing --context two")
            .asks("below prefix=/k8s/clusters/c-1 certificate=alice namespace=n2"),
        two("an empty --context is none").flag("--context=").asks("tls token=$TOKEN namespace=n1"),
        two("--context of nothing")
            .flags("--context nothing")
            .fails("Error in configuration: context was not found for specified context: nothing"),
        two("--context without a value").flags("--context").fails("flag needs an argument: --context"),
        two("a context without a cluster")
            .flags("--context no-cluster")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        two("a context without a user").flags("--context no-user").differs(PROMPT, fails("EOF"), asks("tls")),
        two("a context of an unknown cluster")
            .flags("--context lost-cluster")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        two("a context of an unknown user").flags("--context lost-user").fails("EOF"),
        two("a context without a namespace").flags("--context empty-namespace").asks("tls token=$TOKEN"),
        two("a context with dots and slashes")
            .flags("--context a.b/c@d:e")
            .asks("tls token=$TOKEN namespace=odd"),
        two("a context with other letters")
            .flags("--context")
            .flag("Größe 1")
            .asks("tls token=$TOKEN namespace=unicode"),
        two("names are told apart by case")
            .flags("--context ONE")
            .fails("Error in configuration: context was not found for specified context: ONE"),
        current("no current context", "").fails("The connection to the server 127.0.0.1:1 was refused"),
        current("no current context, and a cluster by flag", "").flags("--cluster c1").differs(
            PROMPT,
            fails("EOF"),
            asks("tls"),
        ),
        current("no current context, and a cluster and a user by flag", "")
            .flags("--cluster c1 --user u1")
            .asks("tls token=$TOKEN"),
        current("no current context, and --context", "")
            .flags("--context two")
            .asks("below prefix=/k8s/clusters/c-1 certificate=alice namespace=n2"),
        current("an empty current context", "current-context: ''")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        current("null for the current context", "current-context: null")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        current("a current context of nothing", "current-context: nothing")
            .fails("Error in configuration: context was not found for specified context: nothing"),
        current("a current context of nothing, and --context", "current-context: nothing")
            .flags("--context two")
            .asks("below prefix=/k8s/clusters/c-1 certificate=alice namespace=n2"),
        two("--cluster").flags("--cluster c2").asks("plain namespace=n1"),
        two("--cluster with credentials over plain HTTP")
            .flags("--context two --cluster c2")
            .asks("plain namespace=n2"),
        two("--cluster of nothing")
            .flags("--cluster nothing")
            .fails("no server found for cluster \"nothing\""),
        two("--cluster for a context that has none")
            .flags("--context no-cluster --cluster c1")
            .asks("tls token=$TOKEN"),
        two("--cluster for a context that has an unknown one")
            .flags("--context lost-cluster --cluster c1")
            .asks("tls token=$TOKEN"),
        two("--user").flags("--user u2").asks("tls certificate=alice namespace=n1"),
        two("--user of nothing").flags("--user nothing").fails("auth info \"nothing\" does not exist"),
        two("--user for a context that has none")
            .flags("--context no-user --user u2")
            .asks("tls certificate=alice"),
        two("--user for a context that has an unknown one")
            .flags("--context lost-user --user u2")
            .asks("tls certificate=alice"),
        two("-n").flags("-n x").asks("tls token=$TOKEN namespace=x"),
        two("-n in one word").flags("-nx").asks("tls token=$TOKEN namespace=x"),
        two("-n with an equals sign").flags("-n=x").asks("tls token=$TOKEN namespace=x"),
        two("-n with nothing but an equals sign").flags("-n=").asks("tls token=$TOKEN namespace=="),
        two("--namespace").flags("--namespace x").asks("tls token=$TOKEN namespace=x"),
        two("--namespace in one word").flags("--namespace=x").asks("tls token=$TOKEN namespace=x"),
        two("the last -n wins").flags("-n x --namespace=y").asks("tls token=$TOKEN namespace=y"),
        two("an empty -n is none").flags("-n").flag("").asks("tls token=$TOKEN namespace=n1"),
        two("an empty --namespace is none").flag("--namespace=").asks("tls token=$TOKEN namespace=n1"),
        two("--namespace without a value").flags("--namespace").fails("flag needs an argument: --namespace"),
        two("-n without a value").flags("-n").fails("flag needs an argument: 'n' in -n"),
        two("-n with a slash").flags("-n x/y").fails("invalid namespace \"x/y\": [may not contain '/']"),
        two("-n with upper case").flags("-n X").asks("tls token=$TOKEN namespace=X"),
        two("-n with dots").flags("-n ..").fails("invalid namespace \"..\": [may not be '..']"),
        two("the namespace of a variable is nobody's")
            .variable("POD_NAMESPACE", "pod")
            .asks("tls token=$TOKEN namespace=n1"),
        case("no current context, and a context without a name")
            .file(
                "config",
                "clusters: [{name: m, cluster: {$TRUSTED}}]\n\
                contexts: [{name: '', context: {cluster: m, user: m, namespace: nameless}}]\n\
                users: [{name: m, user: {token: $TOKEN}}]\n",
            )
            .asks("tls token=$TOKEN namespace=nameless"),
        case("a user without a name")
            .file(
                "config",
                "current-context: m\n\
                clusters: [{name: m, cluster: {$TRUSTED}}]\n\
                contexts: [{name: m, context: {cluster: m, user: ''}}]\n\
                users: [{name: '', user: {token: $TOKEN}}]\n",
            )
            .asks("tls token=$TOKEN"),
        case("a cluster without a name")
            .file(
                "config",
                "current-context: m\n\
                clusters: [{cluster: {$TRUSTED}}]\n\
                contexts: [{name: m, context: {cluster: '', user: u}}]\n\
                users: [{name: u, user: {token: $TOKEN}}]\n",
            )
            .asks("tls token=$TOKEN"),
        case("a context, cluster and user that nobody uses may be wrong")
            .file(
                "config",
                format!("{TWO}- {{name: u3, user: {{token: $TOKEN, username: a, client-key: absent}}}}\n"),
            )
            .asks("tls token=$TOKEN namespace=n1"),
    ]
}
