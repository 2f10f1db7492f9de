//! Credential plugins, and the providers that were before them.

use super::super::case::{Case, case};

/// The output of a credential plugin.
const ANSWER: &str = r#"{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "$TOKEN"}}"#;

/// Returns a case with a credential plugin that prints this.
fn prints(name: &'static str, answer: &str) -> Case {
    case(name).file("answer", answer).user("{exec: {$NEVER}}")
}

/// Returns a case with a credential plugin that prints this credential.
fn gives(name: &'static str, credential: &str) -> Case {
    prints(name, &ANSWER.replace(r#""token": "$TOKEN""#, credential))
}

/// Returns a case with a credential plugin whose output is still to be set.
fn with(name: &'static str) -> Case {
    case(name).file("answer", ANSWER)
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        prints("a token of a plugin", ANSWER).asks("tls token=$TOKEN"),
        gives("a certificate of a plugin", r#""clientCertificateData": "$ALICE_JSON", "clientKeyData": "$ALICE_KEY_JSON""#)
            .asks("tls certificate=alice"),
        prints("a plugin's answer of another version", &ANSWER.replace("/v1", "/v1beta1"))
            .fails("plugin returned version client.authentication.k8s.io/v1beta1"),
        prints("a plugin's answer of another kind", &ANSWER.replace("ExecCredential", "Secret"))
            .fails("decoding stdout: no kind \"Secret\" is registered for version \"client.authentication.k8s.io/v1\""),
        prints("a plugin's answer without a status", "$V1\nkind: ExecCredential\n")
            .fails("exec plugin didn't return a status field"),
        gives("a plugin's answer without a credential", "")
            .fails("exec plugin didn't return a token or cert/key pair"),
        gives("a plugin's answer that is over", r#""expirationTimestamp": "2020-01-01T00:00:00Z", "token": "$TOKEN""#)
            .asks("tls token=$TOKEN"),
        gives("a plugin's answer with a date that is none", r#""expirationTimestamp": "soon", "token": "$TOKEN""#)
            .fails("decoding stdout: parsing time \"soon\" as \"2006-01-02T15:04:05Z07:00\""),
        gives("a plugin's answer with a date whose T is a blank", r#""expirationTimestamp": "2099-01-01 00:00:00Z", "token": "$TOKEN""#)
            .fails("decoding stdout: parsing time"),
        gives("a plugin's answer with a date in lower case", r#""expirationTimestamp": "2099-01-01t00:00:00z", "token": "$TOKEN""#)
            .fails("decoding stdout: parsing time"),
        gives("a plugin's answer with a leap second", r#""expirationTimestamp": "2016-12-31T23:59:60Z", "token": "$TOKEN""#)
            .fails("decoding stdout: parsing time"),
        gives("a plugin's answer with a fraction behind a comma", r#""expirationTimestamp": "2099-01-01T00:00:00,5Z", "token": "$TOKEN""#)
            .asks("tls token=$TOKEN"),
        prints("a plugin's answer in YAML", "$V1\nkind: ExecCredential\nstatus: {token: $TOKEN}\n")
            .asks("tls token=$TOKEN"),
        gives("a plugin's answer with a certificate without a key", r#""clientCertificateData": "x""#)
            .fails("exec plugin returned only certificate or key, not both"),
        prints("a plugin that says nothing", "")
            .fails("plugin returned version client.authentication.k8s.io/__internal"),
        prints("a plugin that says something else", "hello $TOKEN\n")
            .fails("decoding stdout: couldn't get version/kind"),
        prints("a plugin over plain HTTP", ANSWER).cluster("{server: '$PLAIN'}").asks("plain"),
        with("a plugin without an apiVersion")
            .user("{exec: {$CAT, interactiveMode: Never}}")
            .fails("apiVersion must be specified for main"),
        with("a plugin of v1 without an interactiveMode")
            .user("{exec: {$V1, $CAT}}")
            .fails("interactiveMode must be specified for main"),
        with("a plugin with another interactiveMode")
            .user("{exec: {$V1, $CAT, interactiveMode: Sometimes}}")
            .fails("invalid interactiveMode for main: \"Sometimes\""),
        with("a plugin that would talk")
            .user("{exec: {$V1, $CAT, interactiveMode: IfAvailable}}")
            .asks("tls token=$TOKEN"),
        with("a plugin that has to talk")
            .user("{exec: {$V1, $CAT, interactiveMode: Always}}")
            .fails("exec plugin cannot support interactive mode: standard input is not a terminal"),
        with("a plugin of v1alpha1")
            .user("{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, $CAT, interactiveMode: Never}}")
            .fails("exec plugin: invalid apiVersion \"client.authentication.k8s.io/v1alpha1\""),
        with("a plugin of another apiVersion")
            .user("{exec: {apiVersion: example.com/v1, $CAT, interactiveMode: Never}}")
            .fails("exec plugin: invalid apiVersion \"example.com/v1\""),
        with("a plugin without a command")
            .user("{exec: {$V1, args: [$DIR/answer], interactiveMode: Never}}")
            .fails("command must be specified for main"),
        with("a plugin that is missing")
            .user("{exec: {$V1, command: no-such-helper, interactiveMode: Never, installHint: 'install no-such-helper'}}")
            .fails("exec: executable no-such-helper not found"),
        with("a plugin that fails")
            .user("{exec: {$V1, command: 'false', interactiveMode: Never}}")
            .fails("exec: executable false failed with exit code 1"),
        with("a plugin with a variable")
            .user("{exec: {$V1, command: ./helper, env: [{name: WHICH, value: answer}], interactiveMode: Never}}")
            .file("helper", "#!/bin/sh\ncat $DIR/$WHICH\n")
            .asks("tls token=$TOKEN"),
        with("a plugin is told what is asked of it")
            .user("{exec: {$V1, command: ./helper, interactiveMode: Never}}")
            .file("helper", "#!/bin/sh\ntest -n \"$KUBERNETES_EXEC_INFO\" && cat $DIR/answer\n")
            .asks("tls token=$TOKEN"),
        with("a plugin is told of the cluster")
            .user("{exec: {$V1, command: ./helper, interactiveMode: Never, provideClusterInfo: true}}")
            .file("helper", "#!/bin/sh\necho \"$KUBERNETES_EXEC_INFO\" | grep -q certificate-authority-data && cat $DIR/answer\n")
            .asks("tls token=$TOKEN"),
        with("a plugin by a relative path")
            .user("{exec: {$V1, command: ./helper, interactiveMode: Never}}")
            .file("helper", "#!/bin/sh\ncat $DIR/answer\n")
            .asks("tls token=$TOKEN"),
        prints("a plugin of v1beta1", &ANSWER.replace("/v1", "/v1beta1"))
            .user("{exec: {apiVersion: client.authentication.k8s.io/v1beta1, $CAT}}")
            .asks("tls token=$TOKEN"),
        with("a token beside a plugin")
            .user("{token: $OTHER, exec: {$V1, command: 'false', interactiveMode: Never}}")
            .asks("tls token=$OTHER"),
        with("a token file beside a plugin")
            .user("{tokenFile: $DIR/token, exec: {$NEVER}}")
            .file("token", "$OTHER")
            .asks("tls token=$OTHER"),
        with("a password beside a plugin")
            .user("{$LOGIN, exec: {$NEVER}}")
            .asks("tls password=jane:$PASSWORD"),
        with("a certificate beside a plugin").user("{$PAIR, exec: {$NEVER}}").asks("tls certificate=alice"),
        prints("--token over a plugin", ANSWER).flags("--token=$OTHER").asks("tls token=$OTHER"),
        prints("--username and --password over a plugin", ANSWER)
            .flags("--username=jane --password=$PASSWORD")
            .asks("tls password=jane:$PASSWORD"),
        prints("--as beside a plugin", ANSWER).flags("--as=jane").asks("tls token=$TOKEN as-user=jane"),
        with("a plugin and a provider")
            .user("{exec: {$NEVER}, auth-provider: {name: oidc}}")
            .fails("authProvider cannot be provided in combination with an exec plugin for main"),
        with("null for a plugin").user("{exec: null, token: $TOKEN}").asks("tls token=$TOKEN"),
        with("a provider that is gone: gcp")
            .user("{auth-provider: {name: gcp}}")
            .fails("The gcp auth plugin has been removed."),
        with("a provider that is gone: azure")
            .user("{auth-provider: {name: azure}}")
            .fails("The azure auth plugin has been removed."),
        with("a provider that is gone: openstack")
            .user("{auth-provider: {name: openstack}}")
            .fails("no Auth Provider found for name \"openstack\""),
        with("a provider of nobody's")
            .user("{auth-provider: {name: mine}}")
            .fails("no Auth Provider found for name \"mine\""),
        with("a provider without a name")
            .user("{auth-provider: {}}")
            .fails("no Auth Provider found for name \"\""),
        with("oidc without anything")
            .user("{auth-provider: {name: oidc}}")
            .fails("Must provide idp-issuer-url"),
        with("oidc without a client")
            .user("{auth-provider: {name: oidc, config: {idp-issuer-url: 'https://127.0.0.1:1'}}}")
            .fails("Must provide client-id"),
        with("oidc without an issuer")
            .user("{auth-provider: {name: oidc, config: {client-id: a}}}")
            .fails("Must provide idp-issuer-url"),
        with("oidc without a token")
            .user("{auth-provider: {name: oidc, config: {$ISSUER}}}")
            .fails("No valid id-token, and cannot refresh without refresh-token"),
        with("oidc with a token that holds")
            .user("{auth-provider: {name: oidc, config: {$ISSUER, id-token: $JWT}}}")
            .asks("tls token=$JWT"),
        with("oidc with a token that is none")
            .user("{auth-provider: {name: oidc, config: {$ISSUER, id-token: no.jwt}}}")
            .fails("ID Token is not a valid JWT"),
        with("oidc beside a token")
            .user("{auth-provider: {name: oidc, config: {$ISSUER, id-token: $JWT}}, token: $TOKEN}")
            .asks("tls token=$TOKEN"),
        with("--token over oidc")
            .user("{auth-provider: {name: oidc, config: {$ISSUER, id-token: $JWT}}}")
            .flags("--token=$TOKEN")
            .asks("tls token=$TOKEN"),
    ]
}
