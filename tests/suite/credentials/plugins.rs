//! Tests of credential plugins: they run as in client-go, and failures are reported.

use kwasm_apiserver::{ApiServer, CERTIFICATE_USER, Kubeconfig, TOKEN_USER, User};
use serde_json::{Value, json};

use super::program::{Helper, V1BETA1, ask, certificate, program, send, token};
use super::{known_by, users};
use crate::support::{Kwasm, Run, seed};

/// Runs a plugin that behaves as `prepare` configures, and returns the run and the number of its runs.
fn failed(prepare: impl FnOnce(&Helper), fields: &Value) -> (Run, usize) {
    let (server, helper) = (seed(), Helper::new());
    prepare(&helper);
    let run = ask(&known_by(&server, &helper.user_with(fields)), 1);
    assert_eq!(server.requests().len(), 0, "{}", run.shown());
    (run, helper.runs().len())
}

#[track_caller]
fn told(run: &Run, text: &str) {
    assert!(run.stderr.contains(text), "{}", run.shown());
}

#[test]
fn a_token_is_sent_that_the_plugin_says() {
    let server = seed();
    let helper = Helper::saying(&token(&server));
    let run = ask(&known_by(&server, &helper.user()), 1).success();
    assert_eq!(run.stdout, "status 200\n", "{}", run.shown());
    assert_eq!(users(&server), [TOKEN_USER]);
}

#[test]
fn a_certificate_is_shown_that_the_plugin_says() {
    let server = seed();
    let helper = Helper::saying(&certificate(&server.certificate_of("exec-user").unwrap()));
    ask(&known_by(&server, &helper.user()), 2).success();
    assert_eq!(users(&server), ["exec-user"; 2]);
}

#[test]
fn a_certificate_and_a_token_are_both_used() {
    let server = seed();
    let mut status = certificate(&server.certificate_of("exec-user").unwrap());
    status["token"] = json!("both-are-sent");
    ask(&known_by(&server, &Helper::saying(&status).user()), 1).success();
    let requests = server.requests();
    assert_eq!(requests[0].user.as_deref(), Some("exec-user"));
    assert_eq!(requests[0].header("authorization"), Some("Bearer both-are-sent"));
}

#[test]
fn a_plugin_is_run_once_for_fifty_requests_one_after_the_other() {
    let server = seed();
    let helper = Helper::saying(&token(&server));
    ask(&known_by(&server, &helper.user()), 50).success();
    assert_eq!((helper.runs().len(), server.requests().len()), (1, 50));
}

#[test]
fn a_plugin_is_run_once_for_fifty_requests_at_once() {
    let server = seed();
    let helper = Helper::saying(&token(&server));
    let kwasm = known_by(&server, &helper.user());
    let run = kwasm.run("floods-requests", &["50", "/api/v1/namespaces/shop/configmaps?watch=1"]).success();
    assert!(run.stdout.contains("50 of 50 answered"), "{}", run.shown());
    assert_eq!((helper.runs().len(), server.requests().len()), (1, 50));
}

#[test]
fn a_plugin_is_run_once_for_two_contexts_of_one_user() {
    let server = seed();
    let helper = Helper::saying(&token(&server));
    let spec = "{kubernetes: {contexts: '*', rules: [{nonResourceURLs: ['*'], verbs: [get]}]}}";
    let kwasm = Kwasm::new().kubeconfig(two_contexts(&server, &helper)).spec(spec);
    let asked = |number: u8| json!(["GET", format!("http://192.0.2.{number}/version"), [], null]);
    let run = send(&kwasm, &[asked(1), asked(2), asked(1)]).success();
    assert_eq!(run.stdout, "status 200\n".repeat(3), "{}", run.shown());
    assert_eq!((helper.runs().len(), server.requests().len()), (1, 3));
}

/// Returns a kubeconfig of two contexts that differ in their namespace alone.
fn two_contexts(server: &ApiServer, helper: &Helper) -> std::path::PathBuf {
    let mut one = server.context(User::Token);
    one.user = helper.user().as_object().cloned().unwrap();
    let text = std::fs::read_to_string(server.write_kubeconfig("two", &Kubeconfig::new().with(one)).unwrap());
    let mut config: Value = serde_saphyr::from_str(&text.unwrap()).unwrap();
    let mut second = config["contexts"][0].clone();
    second["name"] = json!("second");
    second["context"]["namespace"] = json!("other");
    config["contexts"].as_array_mut().unwrap().push(second);
    let path = helper.folder().join("two-contexts");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

#[test]
fn a_plugin_is_not_run_for_a_guest_that_asks_nothing() {
    let server = seed();
    let helper = Helper::saying(&token(&server));
    known_by(&server, &helper.user()).run("hello", &[]).success();
    ask(&known_by(&server, &helper.user()).policy("none"), 1);
    assert_eq!((helper.runs().len(), server.requests().len()), (0, 0));
}

#[test]
fn a_plugin_is_run_anew_once_what_it_said_has_expired() {
    for (expires, runs) in [("2001-02-03T04:05:06Z", 3), ("9999-02-03T04:05:06Z", 1)] {
        let server = seed();
        let mut status = token(&server);
        status["expirationTimestamp"] = json!(expires);
        let helper = Helper::saying(&status);
        ask(&known_by(&server, &helper.user()), 3).success();
        assert_eq!(
            (helper.runs().len(), users(&server)),
            (runs, vec![TOKEN_USER.to_owned(); 3]),
            "{expires}"
        );
    }
}

#[test]
fn a_plugin_gets_its_arguments_its_variables_and_what_is_asked_of_it() {
    let server = seed();
    let helper = Helper::saying(&token(&server));
    let fields = json!({
        "args": [helper.folder(), "--for", "shop 1"],
        "env": [{"name": "HELPER_VARIABLE", "value": "said"}],
    });
    let kwasm = known_by(&server, &helper.user_with(&fields));
    ask(&kwasm, 1).success();
    let given = &helper.runs()[0];
    assert_eq!(given["arguments"], json!(["--for", "shop 1"]));
    assert_eq!((given["variable"].as_str(), given["home"].as_str()), (Some("said"), kwasm.home().to_str()));
    let info: Value = serde_json::from_str(given["info"].as_str().unwrap()).unwrap();
    let asked = json!({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "spec": {"interactive": false}});
    assert_eq!(info, asked);
}

#[test]
fn a_plugin_is_told_of_the_cluster_where_it_asks_for_that() {
    let server = seed();
    let helper = Helper::saying(&token(&server));
    ask(&known_by(&server, &helper.user_with(&json!({"provideClusterInfo": true}))), 1).success();
    let info: Value = serde_json::from_str(helper.runs()[0]["info"].as_str().unwrap()).unwrap();
    let cluster = &info["spec"]["cluster"];
    assert_eq!(cluster["server"], server.url());
    let context = server.context(kwasm_apiserver::User::Token);
    assert_eq!(cluster["certificate-authority-data"], context.cluster["certificate-authority-data"]);
    assert_eq!(cluster["config"], Value::Null);
}

#[test]
fn a_plugin_is_told_what_the_cluster_keeps_for_it_and_the_content_of_its_files() {
    let server = seed();
    let helper = Helper::saying(&token(&server));
    let mut context = server.context(kwasm_apiserver::User::CertificateFiles);
    context.user = helper.user_with(&json!({"provideClusterInfo": true})).as_object().cloned().unwrap();
    context.cluster.insert(
        "extensions".to_owned(),
        json!([
            {"name": "other", "extension": {"audience": "wrong"}},
            {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "shop"}},
        ]),
    );
    let kubeconfig = kwasm_apiserver::Kubeconfig::new().with(context);
    let kwasm = Kwasm::new().kubeconfig(server.write_kubeconfig("extended", &kubeconfig).unwrap());
    ask(&kwasm, 1).success();
    let info: Value = serde_json::from_str(helper.runs()[0]["info"].as_str().unwrap()).unwrap();
    let cluster = &info["spec"]["cluster"];
    assert_eq!(cluster["config"], json!({"audience": "shop"}));
    let token = server.context(kwasm_apiserver::User::Token);
    assert_eq!(cluster["certificate-authority-data"], token.cluster["certificate-authority-data"]);
}

#[test]
fn a_plugin_of_v1beta1_is_asked_in_it_and_need_not_say_its_mode() {
    let server = seed();
    let helper = Helper::new();
    let answer = json!({"kind": "ExecCredential", "apiVersion": V1BETA1, "status": token(&server)});
    helper.set("answer-1", &answer.to_string());
    let mut exec = helper.exec();
    exec["apiVersion"] = json!(V1BETA1);
    exec.as_object_mut().unwrap().remove("interactiveMode");
    ask(&known_by(&server, &json!({ "exec": exec })), 1).success();
    assert_eq!(users(&server), [TOKEN_USER]);
}

#[test]
fn an_entry_that_client_go_refuses_is_refused() {
    for (fields, why) in [
        (
            json!({"apiVersion": "client.authentication.k8s.io/v1alpha1"}),
            "neither client.authentication.k8s.io/v1 nor",
        ),
        (json!({"apiVersion": ""}), "its apiVersion is missing"),
        (json!({"interactiveMode": ""}), "its interactiveMode is missing"),
        (
            json!({"interactiveMode": "Sometimes"}),
            "its interactiveMode is not one of Never, IfAvailable and Always",
        ),
        (json!({"command": ""}), "its command is missing"),
        (json!({"env": [{"value": "x"}]}), "a variable of its env has no name"),
    ] {
        let (run, runs) = failed(|_| {}, &fields);
        told(&run.fails(125), why);
        assert_eq!(runs, 0);
    }
}

#[test]
fn a_plugin_that_is_not_there_is_told_with_what_its_kubeconfig_says_of_getting_it() {
    let hint = "get it:\n  \u{1b}[1mbrew install shop-login\u{202e}\n";
    for command in ["shop-login", "/nowhere/shop-login"] {
        let (run, _) = failed(|_| {}, &json!({"command": command, "installHint": hint}));
        told(&run, &format!("the credential plugin `{command}` of user `token`: there is no such program"));
        told(&run, "hint: get it: [1mbrew install shop-login");
        assert!(!run.stderr.contains(['\u{1b}', '\u{202e}']), "{}", run.shown());
    }
}

#[test]
fn a_plugin_that_fails_is_told_by_its_code_and_says_the_rest_itself() {
    let (run, runs) = failed(|helper| helper.set("fails", "7"), &json!({}));
    told(&run, "it failed with exit code 7");
    told(&run, "the helper says why");
    assert_eq!(runs, 1);
}

#[test]
fn what_a_plugin_prints_is_never_shown() {
    for (answer, why) in [
        ("hunter2", "its output is not an ExecCredential"),
        ("", "its output is not an ExecCredential"),
        (
            r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"hunter2"}}"#,
            "it did not answer in client.authentication.k8s.io/v1",
        ),
        (
            r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"clientKeyData":"hunter2"}}"#,
            "only one of clientCertificateData and clientKeyData",
        ),
        (
            r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"hunter2\n"}}"#,
            "its token: it has characters that no header may have",
        ),
    ] {
        let (run, _) = failed(|helper| helper.set("answer-1", answer), &json!({}));
        told(&run, why);
        assert!(!run.shown().contains("hunter2"), "{}", run.shown());
    }
}

#[test]
fn a_plugin_that_prints_without_end_is_ended() {
    let (run, _) = failed(|helper| helper.set("floods", ""), &json!({}));
    told(&run, "it printed more than 1 MiB");
}

#[test]
fn a_bare_name_is_found_on_path_and_never_in_the_current_folder() {
    let (server, elsewhere) = (seed(), tempfile::tempdir().unwrap());
    let name = program().file_name().unwrap().to_owned();
    std::fs::copy(program(), elsewhere.path().join(&name)).unwrap();
    let helper = Helper::saying(&token(&server));
    let user = helper.user_with(&json!({"command": name.to_str().unwrap()}));
    let kwasm = known_by(&server, &user);
    std::fs::copy(program(), kwasm.home().join(&name)).unwrap();
    told(&ask(&kwasm.variable("PATH", "."), 1), "there is no such program");
    ask(&known_by(&server, &user).variable("PATH", elsewhere.path()), 1).success();
    assert_eq!(users(&server), [TOKEN_USER]);
}

#[test]
fn a_relative_path_belongs_to_its_kubeconfig() {
    let server = seed();
    let helper = Helper::saying(&token(&server));
    let name = program().file_name().unwrap().to_owned();
    std::fs::copy(program(), server.folder().join(&name)).unwrap();
    let command = format!("./{}", name.to_str().unwrap());
    ask(&known_by(&server, &helper.user_with(&json!({ "command": command }))), 1).success();
    assert_eq!(users(&server), [TOKEN_USER]);
}

#[test]
fn a_plugin_is_not_run_where_something_else_is_there_to_be_known_by() {
    let server = seed();
    let keyed = server.context(kwasm_apiserver::User::Certificate).user;
    let helper = Helper::saying(&json!({"token": "wrong"}));
    for (fields, user) in [(json!({"token": server.token()}), TOKEN_USER), (json!(keyed), CERTIFICATE_USER)] {
        let mut both = helper.user();
        both.as_object_mut().unwrap().extend(fields.as_object().cloned().unwrap());
        ask(&known_by(&server, &both), 1).success();
        assert_eq!(users(&server).last().unwrap(), user);
    }
    assert_eq!(helper.runs().len(), 0);
}

mod allowed {
    use super::*;

    /// Runs with this kuberc.
    fn under(kuberc: &str, name: &str) -> (Run, usize) {
        let server = seed();
        let helper = Helper::saying(&token(&server));
        let user = helper.user_with(&json!({"command": name}));
        let folder = program().parent().unwrap().to_owned();
        let kwasm = known_by(&server, &user).variable("PATH", folder);
        std::fs::create_dir(kwasm.home().join(".kube")).unwrap();
        std::fs::write(kwasm.home().join(".kube/kuberc"), kuberc).unwrap();
        (ask(&kwasm, 1), helper.runs().len())
    }

    fn preference(rest: &str) -> String {
        format!("apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n{rest}\n")
    }

    fn listed(entry: &str) -> String {
        preference(&format!(
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{{command: {entry}}}]"
        ))
    }

    #[test]
    fn a_plugin_is_run_that_the_users_list_has_and_no_other() {
        let path = program().to_str().unwrap().to_owned();
        let name = program().file_name().unwrap().to_str().unwrap().to_owned();
        for entry in [&path, &name] {
            for command in [&path, &name] {
                let (run, runs) = under(&listed(entry), command);
                assert_eq!((run.code, runs), (Some(0), 1), "{entry} {command}: {}", run.shown());
            }
        }
        let (run, runs) = under(&listed("other-helper"), &name);
        told(&run, "kuberc does not allow it: ");
        told(&run, "is not in the allowlist");
        told(&run, "hint: credentialPluginPolicy and credentialPluginAllowlist there say what may be run");
        assert_eq!(runs, 0);
    }

    #[test]
    fn a_program_of_a_listed_name_in_another_folder_is_another() {
        let server = seed();
        let helper = Helper::saying(&token(&server));
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = elsewhere.path().join(program().file_name().unwrap());
        std::fs::copy(program(), &copy).unwrap();
        let user = helper.user_with(&json!({"command": copy}));
        let kwasm = known_by(&server, &user).variable("PATH", program().parent().unwrap());
        let kuberc = elsewhere.path().join("kuberc");
        std::fs::write(&kuberc, listed(program().file_name().unwrap().to_str().unwrap())).unwrap();
        told(&ask(&kwasm.variable("KUBERC", &kuberc), 1), "is not in the allowlist");
        assert_eq!(helper.runs().len(), 0);
    }

    #[test]
    fn a_kubeconfigs_own_path_is_the_plugins_and_finds_none() {
        let server = seed();
        let helper = Helper::saying(&token(&server));
        let name = program().file_name().unwrap().to_str().unwrap().to_owned();
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::write(elsewhere.path().join(&name), "#!/bin/sh\nexit 7\n").unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(
            elsewhere.path().join(&name),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
        let env = json!([{"name": "PATH", "value": elsewhere.path()}]);
        let user = helper.user_with(&json!({"command": name, "env": env}));
        let kwasm = known_by(&server, &user).variable("PATH", program().parent().unwrap());
        let kuberc = elsewhere.path().join("kuberc");
        std::fs::write(&kuberc, listed(&name)).unwrap();
        ask(&kwasm.variable("KUBERC", &kuberc), 1).success();
        // It was the listed one that ran, with the entry's PATH.
        assert_eq!(helper.runs().len(), 1);
    }

    #[test]
    fn a_user_may_let_none_be_run_or_all() {
        let name = program().to_str().unwrap().to_owned();
        let (run, runs) = under(&preference("credentialPluginPolicy: DenyAll"), &name);
        told(&run, "credentialPluginPolicy is DenyAll");
        assert_eq!(runs, 0);
        assert_eq!(under(&preference("credentialPluginPolicy: AllowAll"), &name).1, 1);
    }

    #[test]
    fn preferences_that_cannot_be_understood_let_none_be_run() {
        let name = program().to_str().unwrap().to_owned();
        for kuberc in [
            "{",
            "a text",
            &preference("credentialPluginPolicy: denyall"),
            &listed("a").replace("v1beta1", "v1alpha1"),
        ] {
            let (run, runs) = under(kuberc, &name);
            told(&run, ".kube/kuberc may forbid it: ");
            assert_eq!(runs, 0, "{kuberc}");
        }
        assert_eq!(under("", &name).1, 1);
        assert_eq!(under(&preference("aliases: []").replace("v1beta1", "v1alpha1"), &name).1, 1);
    }
}
