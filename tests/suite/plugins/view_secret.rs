//! view-secret, on the real control plane.

use kwasm_cluster::User;

use crate::support::{Kwasm, Real, real};

const SECRETS: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "vault"}},
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "vault", "name": "login"},
     "stringData": {"user": "admin", "password": "correct horse", "escape": "\u001b[2J"}},
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "vault", "name": "one"}, "stringData": {"only": "value"}},
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "vault", "name": "binary"}, "data": {"blob": "/wD+"}},
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "vault", "name": "none"}},
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "vault", "name": "sh.helm.release.v1.web.v1"},
     "type": "helm.sh/release.v1", "stringData": {"release": "HELM"}}]}"#;

/// `{"name":"web"}`, as Helm keeps it: gzip in base64, of which the secret is base64 again.
const RELEASE: &str = "H4sIAAAAAAACA6tWykvMTVWyUipPTVKqBQAf5mG9DgAAAA==";

fn prepared(real: &Real) -> Kwasm {
    real.apply(&SECRETS.replace("HELM", RELEASE));
    Kwasm::new().kubeconfig(real.kubeconfig(User::Alice)).policy("view-secret")
}

fn shown(kwasm: &Kwasm, arguments: &[&str]) -> String {
    kwasm.run("view-secret", &[arguments, &["-n", "vault"]].concat()).success().stdout
}

#[test]
fn view_secret_decodes_one_key_or_all() {
    let Some(real) = real("view_secret_decodes_one_key_or_all") else { return };
    let kwasm = prepared(real);
    assert_eq!(shown(&kwasm, &["login", "password"]), "correct horse\n");
    assert_eq!(
        shown(&kwasm, &["login", "--all"]),
        "escape='\u{1b}[2J'\npassword='correct horse'\nuser='admin'\n",
        "a pipe gets each byte"
    );
    let only = kwasm.run("view-secret", &["one", "-n", "vault"]).success();
    assert_eq!(
        (only.stdout.as_str(), only.stderr.as_str()),
        ("value\n", "Viewing only available key: only\n")
    );
    assert_eq!(kwasm.run("view-secret", &["one", "-q", "-n", "vault"]).success().stderr, "");
    assert_eq!(shown(&kwasm, &["sh.helm.release.v1.web.v1", "release"]), "{\"name\":\"web\"}\n");
    let document: serde_json::Value =
        serde_json::from_str(&shown(&kwasm, &["binary", "-a", "-o", "json"])).unwrap();
    assert_eq!(document["data"][0], serde_json::json!({"key": "blob", "base64": "/wD+"}));
}

#[test]
fn view_secret_lists_keys_and_names_where_nobody_can_be_asked() {
    let Some(real) = real("view_secret_lists_keys_and_names_where_nobody_can_be_asked") else { return };
    let kwasm = prepared(real);
    assert_eq!(shown(&kwasm, &["login"]), "escape\npassword\nuser\n");
    assert!(shown(&kwasm, &[]).lines().any(|name| name == "login"));
    let none = kwasm.run("view-secret", &["none", "-n", "vault"]).fails(1);
    assert!(none.stderr.contains("secret `none` in namespace `vault`: it is empty"), "{}", none.shown());
    let key = kwasm.run("view-secret", &["login", "pin", "-n", "vault"]).fails(1);
    assert!(
        key.stderr.contains("it has no key `pin`\nhint: it has escape, password, user"),
        "{}",
        key.shown()
    );
}

#[test]
fn view_secret_needs_to_list_only_if_no_secret_is_named() {
    let Some(real) = real("view_secret_needs_to_list_only_if_no_secret_is_named") else { return };
    let kwasm = prepared(real);
    let get = "{kubernetes: {rules: [{apiGroups: [''], resources: [secrets], verbs: [get], namespaces: [current]}]}}";
    let kwasm = kwasm.spec(get);
    assert_eq!(shown(&kwasm, &["login", "user"]), "admin\n");
    let run = kwasm.run("view-secret", &["-n", "vault"]).fails(1);
    assert!(run.stderr.contains("view-secret: secrets: refused by kwasm"), "{}", run.shown());
    let run = kwasm.run("view-secret", &["login", "-n", "vault", "--as", "somebody-without-roles"]).fails(1);
    assert!(
        run.stderr.contains("secret `login` in namespace `vault`: secrets \"login\" is forbidden"),
        "{}",
        run.shown()
    );
    assert!(!run.stdout.contains("horse"), "{}", run.shown());
}

#[cfg(unix)]
#[test]
fn view_secret_escapes_values_on_a_terminal() {
    let Some(real) = real("view_secret_escapes_values_on_a_terminal") else { return };
    let kwasm = prepared(real).variable("CLICOLOR_FORCE", "1");
    assert_eq!(shown(&kwasm, &["login", "escape"]), "\\x1b[2J\n");
}
