//! Tests of which files are read, and how several are merged.

use super::super::case::{Case, asks, case, config, fails};
use super::super::differences::PROMPT;

const CLUSTER: &str = "{$TRUSTED}";
const MAIN: &str = "{cluster: main, user: main}";

/// Returns a file that has one of the three parts of a kubeconfig, called `main`.
fn part(list: &str, key: &str, fields: &str) -> String {
    format!("{list}: [{{name: main, {key}: {fields}}}]\n")
}

/// Returns a kubeconfig whose token is another one, and whose current context has another namespace.
fn other() -> String {
    config(CLUSTER, "{cluster: main, user: main, namespace: other}", "{token: $OTHER}")
}

fn whole() -> String {
    config(CLUSTER, MAIN, "{token: $TOKEN}")
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("one file").asks("tls token=$TOKEN"),
        case("the file in the home directory")
            .no_kubeconfig()
            .file("home/.kube/config", whole())
            .asks("tls token=$TOKEN"),
        case("an empty variable is none")
            .variable("KUBECONFIG", "")
            .file("home/.kube/config", whole())
            .asks("tls token=$TOKEN"),
        case("a list of nothing is a list")
            .variable("KUBECONFIG", ":")
            .file("home/.kube/config", whole())
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("the file of the variable hides that in the home directory")
            .file("home/.kube/config", other())
            .asks("tls token=$TOKEN"),
        case("no file at all").no_kubeconfig().fails("The connection to the server 127.0.0.1:1 was refused"),
        case("of two files the first wins")
            .variable("KUBECONFIG", "$DIR/a:$DIR/b")
            .file("a", whole())
            .file("b", other())
            .asks("tls token=$TOKEN"),
        case("of two files the first wins, in the other order")
            .variable("KUBECONFIG", "$DIR/b:$DIR/a")
            .file("a", whole())
            .file("b", other())
            .asks("tls token=$OTHER namespace=other"),
        case("three files have a part each")
            .variable("KUBECONFIG", "$DIR/a:$DIR/b:$DIR/c")
            .file("a", part("users", "user", "{token: $TOKEN}"))
            .file("b", part("clusters", "cluster", CLUSTER))
            .file("c", part("contexts", "context", MAIN) + "current-context: main\n")
            .asks("tls token=$TOKEN"),
        case("an entry is taken whole, not field by field")
            .variable("KUBECONFIG", "$DIR/a:$DIR/b")
            .file("a", part("users", "user", "{as: jane}"))
            .file("b", whole())
            .differs(PROMPT, fails("EOF"), asks("tls as-user=jane")),
        case("an entry without a field hides a later one with it")
            .variable("KUBECONFIG", "$DIR/a:$DIR/b")
            .file("a", part("users", "user", "{}"))
            .file("b", whole())
            .differs(PROMPT, fails("EOF"), asks("tls")),
        case("an entry that is null hides a later one")
            .variable("KUBECONFIG", "$DIR/a:$DIR/b")
            .file("a", "users: [{name: main}]\n")
            .file("b", whole())
            .differs(PROMPT, fails("EOF"), asks("tls")),
        case("a context of the first file, a current context of the second")
            .variable("KUBECONFIG", "$DIR/a:$DIR/b")
            .file("a", whole().replace("current-context: main\n", ""))
            .file("b", "current-context: main\n")
            .asks("tls token=$TOKEN"),
        case("an empty current context is none")
            .variable("KUBECONFIG", "$DIR/a:$DIR/b")
            .file("a", "current-context: ''\n")
            .file("b", whole())
            .asks("tls token=$TOKEN"),
        case("a current context of the first file that only the second has")
            .variable("KUBECONFIG", "$DIR/a:$DIR/b")
            .file("a", "current-context: main\n")
            .file("b", whole().replace("current-context: main\n", "current-context: nothing\n"))
            .asks("tls token=$TOKEN"),
        case("files that are missing from a list are passed over")
            .variable("KUBECONFIG", "$DIR/absent:$DIR/config:$DIR/absent-too")
            .file("config", whole())
            .asks("tls token=$TOKEN"),
        case("a list of missing files")
            .variable("KUBECONFIG", "$DIR/absent:$DIR/absent-too")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("a missing file in a missing folder")
            .variable("KUBECONFIG", "$DIR/no/absent")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("a file below a file")
            .variable("KUBECONFIG", "$DIR/a/b")
            .file("a", whole())
            .fails("error loading config file \"$DIR/a/b\": open $DIR/a/b: not a directory"),
        case("an entry of a list may be empty")
            .variable("KUBECONFIG", ":$DIR/config::")
            .file("config", whole())
            .asks("tls token=$TOKEN"),
        case("a file that is named twice is read once")
            .variable("KUBECONFIG", "$DIR/config:$DIR/config")
            .file("config", whole())
            .asks("tls token=$TOKEN"),
        case("a directory")
            .variable("KUBECONFIG", "$DIR/home")
            .fails("error loading config file \"$DIR/home\": read $DIR/home: is a directory"),
        case("a directory beside a file")
            .variable("KUBECONFIG", "$DIR/home:$DIR/config")
            .file("config", whole())
            .fails("error loading config file \"$DIR/home\": read $DIR/home: is a directory"),
        case("a broken file beside a good one")
            .variable("KUBECONFIG", "$DIR/config:$DIR/b")
            .file("config", whole())
            .file("b", "users: {")
            .fails("error loading config file \"$DIR/b\": yaml: line 1: did not find expected node content"),
        case("a relative file of the list belongs to the current folder")
            .variable("KUBECONFIG", "config")
            .file("config", whole())
            .asks("tls token=$TOKEN"),
        case("no home directory is found in a tilde")
            .variable("KUBECONFIG", "~/.kube/config")
            .file("home/.kube/config", whole())
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("a relative path belongs to the file that it stands in")
            .variable("KUBECONFIG", "$DIR/a/config:$DIR/b/config")
            .file("a/config", part("users", "user", "{tokenFile: token}"))
            .file("a/token", "$TOKEN")
            .file("b/token", "$OTHER")
            .file(
                "b/config",
                config(
                    "{server: '$TLS', certificate-authority: ../trust/ca.crt}",
                    MAIN,
                    "{tokenFile: token}",
                ),
            )
            .file("trust/ca.crt", "$CA_PEM")
            .asks("tls token=$TOKEN"),
        case("a relative path of a relative file")
            .variable("KUBECONFIG", "a/config")
            .file(
                "a/config",
                config("{server: '$TLS', certificate-authority: ca.crt}", MAIN, "{tokenFile: ./token}"),
            )
            .file("a/token", "$TOKEN")
            .file("a/ca.crt", "$CA_PEM")
            .asks("tls token=$TOKEN"),
        case("an absolute path stays as it is")
            .file(
                "config",
                config(
                    "{server: '$TLS', certificate-authority: $DIR/ca.crt}",
                    MAIN,
                    "{tokenFile: $DIR/t/token}",
                ),
            )
            .file("ca.crt", "$CA_PEM")
            .file("t/token", "$TOKEN")
            .asks("tls token=$TOKEN"),
        case("a tilde in a path is a folder's name")
            .user("{tokenFile: ~/token}")
            .file("home/token", "$TOKEN")
            .fails("open $DIR/~/token: no such file or directory"),
        case("--kubeconfig over the variable")
            .flags("--kubeconfig $DIR/b")
            .file("config", whole())
            .file("b", other())
            .asks("tls token=$OTHER namespace=other"),
        case("--kubeconfig over the variable, in one word")
            .flags("--kubeconfig=$DIR/b")
            .file("config", whole())
            .file("b", other())
            .asks("tls token=$OTHER namespace=other"),
        case("--kubeconfig takes no list")
            .flags("--kubeconfig=$DIR/b:$DIR/config")
            .file("config", whole())
            .file("b", other())
            .fails("stat $DIR/b:$DIR/config: no such file or directory"),
        case("--kubeconfig names a missing file")
            .flags("--kubeconfig $DIR/absent")
            .fails("stat $DIR/absent: no such file or directory"),
        case("an empty --kubeconfig is none").flag("--kubeconfig=").asks("tls token=$TOKEN"),
        case("--kubeconfig names a relative file")
            .flags("--kubeconfig b/config")
            .file("b/config", config(CLUSTER, MAIN, "{tokenFile: token}"))
            .file("b/token", "$OTHER")
            .file("token", "$TOKEN")
            .asks("tls token=$OTHER"),
        case("--kubeconfig twice")
            .flags("--kubeconfig $DIR/config --kubeconfig $DIR/b")
            .file("config", whole())
            .file("b", other())
            .asks("tls token=$OTHER namespace=other"),
    ]
}
