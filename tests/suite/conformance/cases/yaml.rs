//! Tests of the notations in a file.

use super::super::case::{Case, asks, case, config, fails};
use super::super::differences::{EMPTY, PROMPT};

const CLUSTER: &str = "{$TRUSTED}";
const MAIN: &str = "{cluster: main, user: main}";

fn whole() -> String {
    config(CLUSTER, MAIN, "{token: $TOKEN}")
}

/// Returns the valid kubeconfig with one line replaced.
fn with(line: &str, other: &str) -> String {
    let text = whole();
    assert!(text.contains(line), "{line}");
    text.replace(line, other)
}

const JSON: &str = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "main",
    "clusters": [{"name": "main", "cluster": {"server": "$TLS", "certificate-authority-data": "$CA"}}],
    "contexts": [{"name": "main", "context": {"cluster": "main", "user": "main"}}],
    "users": [{"name": "main", "user": {"token": "$TOKEN"}}]}"#;

/// The list of users, as the good kubeconfig has it.
const USERS: &str = "users:\n- name: main\n  user: {token: $TOKEN}\n";

const TABS: &str = "current-context: main\nclusters:\n\t- name: main\n";

const ANCHORS: &str = "
current-context: main
defaults: &defaults {certificate-authority-data: $CA, server: 'https://127.0.0.1:1'}
clusters: [{name: main, cluster: {<<: *defaults, server: '$TLS'}}]
contexts: [{name: main, context: {cluster: main, user: main}}]
users: [{name: main, user: &user {token: $TOKEN}}, {name: other, user: *user}]
";

const BLOCK: &str = "
current-context: main
clusters:
- cluster:
    certificate-authority-data: >-
      $CA
    server: \"$TLS\"
  name: main
contexts:
- context:
    cluster: main
    user: main
  name: main
users:
- name: main
  user:
    token: >-
      $TOKEN
";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("an empty file")
            .file("config", "")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("an empty file beside a good one")
            .variable("KUBECONFIG", "$DIR/a:$DIR/config")
            .file("a", "")
            .file("config", whole())
            .asks("tls token=$TOKEN"),
        case("nothing but white space")
            .file("config", " \n\n  \n")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("nothing but a comment")
            .file("config", "# to be written\n")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("null").file("config", "null\n").fails("The connection to the server 127.0.0.1:1 was refused"),
        case("an empty map")
            .file("config", "{}")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("a text").file("config", "hello\n").fails("couldn't get version/kind"),
        case("a list").file("config", "- a\n").fails("couldn't get version/kind"),
        case("a byte order mark").file("config", format!("\u{feff}{}", whole())).asks("tls token=$TOKEN"),
        case("lines that end with CR LF")
            .file("config", whole().replace('\n', "\r\n"))
            .asks("tls token=$TOKEN"),
        case("a document that begins with dashes")
            .file("config", format!("---\n{}", whole()))
            .asks("tls token=$TOKEN"),
        case("a document that ends with dots")
            .file("config", format!("{}...\n", whole()))
            .asks("tls token=$TOKEN"),
        case("two documents: the second is passed over")
            .file("config", format!("{}---\n{}", whole(), with("$TOKEN", "$OTHER")))
            .asks("tls token=$TOKEN"),
        case("two documents, the second of them broken")
            .file("config", format!("{}---\nusers: {{\n", whole()))
            .asks("tls token=$TOKEN"),
        case("two documents, the first of them empty")
            .file("config", format!("---\n---\n{}", whole()))
            .differs(
                EMPTY,
                fails("The connection to the server 127.0.0.1:1 was refused"),
                asks("tls token=$TOKEN"),
            ),
        case("a block scalar that ends with a line's end")
            .file("config", BLOCK.replace("token: >-", "token: |"))
            .fails("net/http: invalid header field value for \"Authorization\""),
        case("JSON").file("config", JSON).asks("tls token=$TOKEN"),
        case("block scalars").file("config", BLOCK).asks("tls token=$TOKEN"),
        case("anchors, aliases and merge keys").file("config", ANCHORS).asks("tls token=$TOKEN"),
        case("tabs for indentation")
            .file("config", TABS)
            .fails("yaml: line 3: found character that cannot start any token"),
        case("a bracket that is not closed")
            .file("config", with("{token: $TOKEN}", "{token: $TOKEN"))
            .fails("yaml: line 12: did not find expected ',' or '}'"),
        case("a quote that is not closed")
            .user("{token: '$TOKEN}")
            .fails("yaml: line 13: found unexpected end of stream"),
        case("a token for a key").user("{$TOKEN: a}").differs(PROMPT, fails("EOF"), asks("tls")),
        case("a token for a key, twice")
            .user("{token: $TOKEN, $OTHER: a, $OTHER: b}")
            .asks("tls token=$TOKEN"),
        case("a token for an alias").user("{token: *$TOKEN}").fails("yaml: unknown anchor"),
        case("a token for a kind")
            .file("config", with("kind: Config", "kind: $TOKEN"))
            .fails("is registered for version \"v1\""),
        case("a token for a truth")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: $TOKEN}")
            .fails("json: cannot unmarshal string"),
        case("a token for a list")
            .user("{token: $TOKEN, as-groups: $TOKEN}")
            .fails("json: cannot unmarshal string"),
        case("another kind")
            .file("config", with("kind: Config", "kind: Pod"))
            .fails("no kind \"Pod\" is registered for version \"v1\""),
        case("another apiVersion")
            .file("config", with("apiVersion: v1", "apiVersion: v2"))
            .fails("no kind \"Config\" is registered for version \"v2\""),
        case("an apiVersion with a group")
            .file("config", with("apiVersion: v1", "apiVersion: example.com/v1"))
            .fails("no kind \"Config\" is registered for version \"example.com/v1\""),
        case("no kind and no apiVersion")
            .file("config", with("apiVersion: v1\nkind: Config\n", ""))
            .asks("tls token=$TOKEN"),
        case("a kind without an apiVersion")
            .file("config", with("apiVersion: v1\n", ""))
            .asks("tls token=$TOKEN"),
        case("an apiVersion without a kind")
            .file("config", with("kind: Config\n", ""))
            .asks("tls token=$TOKEN"),
        case("a kind in lower case")
            .file("config", with("kind: Config", "kind: config"))
            .fails("no kind \"config\" is registered for version \"v1\""),
        case("unknown keys are passed over")
            .file(
                "config",
                with("kind: Config", "kind: Config\nfuture: {a: [1, true]}\npreferences: {colors: true}"),
            )
            .asks("tls token=$TOKEN"),
        case("unknown keys of an entry are passed over")
            .user("{token: $TOKEN, future: {a: 1}}")
            .asks("tls token=$TOKEN"),
        case("extensions are passed over")
            .cluster("{$TRUSTED, extensions: [{name: x, extension: {a: 1}}]}")
            .asks("tls token=$TOKEN"),
        case("a key in another case: clusters")
            .file("config", with("clusters:", "Clusters:"))
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("a key in another case: token").user("{TOKEN: $TOKEN}").differs(
            PROMPT,
            fails("EOF"),
            asks("tls"),
        ),
        case("a key in another case: tokenFile").user("{tokenfile: token}").file("token", "$TOKEN").differs(
            PROMPT,
            fails("EOF"),
            asks("tls"),
        ),
        case("a key of another spelling: token-file")
            .user("{token-file: token}")
            .file("token", "$TOKEN")
            .differs(PROMPT, fails("EOF"), asks("tls")),
        case("a number for a token")
            .user("{token: 12345}")
            .fails("cannot unmarshal number into Go struct field AuthInfo.users.user.token"),
        case("a number in quotes for a token").user("{token: '12345'}").asks("tls token=12345"),
        case("a number for a name")
            .file("config", with("- name: main", "- name: 5"))
            .fails("cannot unmarshal number into Go struct field NamedCluster.clusters.name"),
        case("a text for a truth")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: 'true'}")
            .fails("cannot unmarshal string into Go struct field"),
        case("yes for a truth")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: yes}")
            .asks("tls token=$TOKEN"),
        case("on for a truth")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: on}")
            .asks("tls token=$TOKEN"),
        case("True for a truth")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: True}")
            .asks("tls token=$TOKEN"),
        case("a number for a truth")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: 1}")
            .fails("cannot unmarshal number into Go struct field"),
        case("null for a truth")
            .cluster("{$TRUSTED, insecure-skip-tls-verify: null}")
            .asks("tls token=$TOKEN"),
        case("a truth of YAML 1.1 for a namespace")
            .context("{cluster: main, user: main, namespace: on}")
            .fails("cannot unmarshal bool into Go struct field Context.contexts.context.namespace"),
        case("y for a namespace")
            .context("{cluster: main, user: main, namespace: y}")
            .fails("cannot unmarshal bool into Go struct field Context.contexts.context.namespace"),
        case("an octal number for a namespace")
            .context("{cluster: main, user: main, namespace: 0777}")
            .fails("cannot unmarshal number into Go struct field Context.contexts.context.namespace"),
        case("an octal number of YAML 1.2 for a namespace")
            .context("{cluster: main, user: main, namespace: 0o777}")
            .fails("cannot unmarshal number into Go struct field Context.contexts.context.namespace"),
        case("a sexagesimal number for a namespace")
            .context("{cluster: main, user: main, namespace: 1:30}")
            .asks("tls token=$TOKEN namespace=1:30"),
        case("a number with underscores for a namespace")
            .context("{cluster: main, user: main, namespace: 1_000}")
            .fails("cannot unmarshal number into Go struct field Context.contexts.context.namespace"),
        case("a number with an exponent for a token")
            .user("{token: 1e3}")
            .fails("cannot unmarshal number into Go struct field AuthInfo.users.user.token"),
        case("infinity for a token").user("{token: .inf}").fails("json: unsupported value: +Inf"),
        case("a date for a namespace")
            .context("{cluster: main, user: main, namespace: 2026-01-01}")
            .asks("tls token=$TOKEN namespace=2026-01-01"),
        case("null for a namespace")
            .context("{cluster: main, user: main, namespace: null}")
            .asks("tls token=$TOKEN"),
        case("a tilde for a namespace")
            .context("{cluster: main, user: main, namespace: ~}")
            .asks("tls token=$TOKEN"),
        case("a text by its tag")
            .context("{cluster: main, user: main, namespace: !!str 5}")
            .asks("tls token=$TOKEN namespace=5"),
        case("a tag of nobody's")
            .context("{cluster: main, user: main, namespace: !mine shop}")
            .asks("tls token=$TOKEN namespace=shop"),
        case("a list for a token")
            .user("{token: [$TOKEN]}")
            .fails("cannot unmarshal array into Go struct field AuthInfo.users.user.token"),
        case("a text for a user")
            .user("$TOKEN")
            .fails("cannot unmarshal string into Go struct field NamedAuthInfo.users.user"),
        case("null for a user").user("null").differs(PROMPT, fails("EOF"), asks("tls")),
        case("null for a cluster")
            .cluster("null")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("null for a context")
            .context("null")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("null for a list")
            .file("config", format!("{}extensions: null\n", with(USERS, "users: null\n")))
            .fails("EOF"),
        case("null for an entry of a list")
            .file("config", with("users:\n", "users:\n- null\n"))
            .asks("tls token=$TOKEN"),
        case("a map for a list")
            .file("config", with(USERS, "users: {main: {token: $TOKEN}}\n"))
            .fails("cannot unmarshal object into Go struct field Config.users"),
        case("one key twice in a user").user("{token: $OTHER, token: $TOKEN}").asks("tls token=$TOKEN"),
        case("one key twice at the top")
            .file("config", format!("{}current-context: nothing\n", whole()))
            .fails("Error in configuration: context was not found for specified context: nothing"),
        case("two users of one name in a file")
            .file("config", format!("{}- {{name: main, user: {{token: $OTHER}}}}\n", whole()))
            .fails("duplicate name \"main\""),
        case("two clusters of one name in a file")
            .file(
                "config",
                with("contexts:\n", "- name: main\n  cluster: {server: 'https://127.0.0.1:1'}\ncontexts:\n"),
            )
            .fails("duplicate name \"main\""),
        case("two contexts of one name in a file")
            .file(
                "config",
                with(
                    "users:\n",
                    "- name: main\n  context: {cluster: main, user: main, namespace: second}\nusers:\n",
                ),
            )
            .fails("duplicate name \"main\""),
        case("base64 in several lines")
            .file("config", BLOCK.replace(">-\n      $CA", "|\n      $WRAPPED_CA"))
            .asks("tls token=$TOKEN"),
    ]
}
