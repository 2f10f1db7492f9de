//! Tests of the choice of context and user: several contexts of one server, impersonation, and a pod's own
//! service account, at the real control plane, which itself reports the user.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

use insta::assert_snapshot;
use kwasm_apiserver::{ApiServer, User as EmbeddedUser};
use kwasm_cluster::User;
use serde_json::{Value, json};

use crate::support::{Kwasm, Real, Run, kubeconfig, real, seed, skip};

const REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const REVIEW: &str = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#;

/// Returns the kubeconfig of a user, as data.
fn config(real: &Real, user: User) -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(real.kubeconfig(user)).unwrap()).unwrap()
}

/// Returns one kubeconfig with a context for each of these users, named after them, all at one server.
fn contexts_of(real: &Real, users: &[User]) -> Value {
    let mut merged = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": users[0].name(),
        "clusters": config(real, users[0])["clusters"], "users": [], "contexts": [],
    });
    for user in users {
        let name = user.name();
        let push = |list: &mut Value, value| list.as_array_mut().unwrap().push(value);
        push(&mut merged["users"], config(real, *user)["users"][0].clone());
        push(&mut merged["contexts"], json!({"name": name, "context": {"cluster": "test", "user": name}}));
    }
    merged
}

/// Returns a kwasm that has this kubeconfig.
fn kwasm_with(config: &Value) -> Kwasm {
    let kwasm = Kwasm::new();
    let path = kwasm.home().join("kubeconfig");
    std::fs::write(&path, config.to_string()).unwrap();
    kwasm.kubeconfig(path)
}

/// Sends a request to a virtual endpoint, through the http door, and returns the run, in which the server
/// reports the user.
fn asked(kwasm: &Kwasm, endpoint: &str, headers: &[&str]) -> Run {
    let url = format!("http://{endpoint}{REVIEWS}");
    let mut arguments = vec![url.as_str(), "--method", "POST", "--body", REVIEW];
    arguments.extend(["--header", "content-type: application/json"]);
    arguments.extend(headers.iter().flat_map(|header| ["--header", header]));
    kwasm.run("dials", &arguments)
}

/// Sends the same request through a socket.
fn asked_by_hand(kwasm: &Kwasm, endpoint: &str) -> Run {
    let request = format!(
        "POST {REVIEWS} HTTP/1.1\\r\\nhost: {endpoint}\\r\\ncontent-type: application/json\\r\\ncontent-length: {}\\r\\n\
         connection: close\\r\\n\\r\\n{REVIEW}",
        REVIEW.len()
    );
    kwasm.run("dials-by-hand", &[&format!("{endpoint}:80"), "--request", &request])
}

/// Returns the server's report of the user.
#[track_caller]
fn user_info(run: &Run) -> Value {
    let body = run.stdout.find('{').map(|start| &run.stdout[start..]).unwrap_or_default();
    let mut values = serde_json::Deserializer::from_str(body).into_iter::<Value>();
    let Some(Ok(review)) = values.next() else { panic!("{}", run.shown()) };
    review["status"]["userInfo"].clone()
}

#[test]
fn each_virtual_endpoint_carries_its_own_identity() {
    let Some(real) = real("each_virtual_endpoint_carries_its_own_identity") else { return };
    let users = [User::Alice, User::Bob, User::Carol];
    let spec = "{kubernetes: {contexts: '*', rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]}}";
    let kwasm = kwasm_with(&contexts_of(real, &users)).spec(spec);
    for (endpoint, user) in ["192.0.2.1", "192.0.2.2", "192.0.2.3"].into_iter().zip(users) {
        for run in [asked(&kwasm, endpoint, &[]), asked_by_hand(&kwasm, endpoint)] {
            assert_eq!(user_info(&run)["username"], user.name(), "{endpoint}: {}", run.shown());
        }
    }
    let run = asked(&kwasm, "192.0.2.4", &[]).fails(1);
    assert!(run.stderr.contains("the policy does not grant this host"), "{}", run.shown());
}

#[test]
fn a_user_who_impersonates_another_is_that_other_and_no_plugin_is_a_third() {
    let Some(real) = real("a_user_who_impersonates_another_is_that_other_and_no_plugin_is_a_third") else {
        return;
    };
    let mut config = contexts_of(real, &[User::Admin]);
    let user = &mut config["users"][0]["user"];
    user["as"] = "bob".into();
    user["as-groups"] = json!(["dev", "ops"]);
    user["as-user-extra"] = json!({"example.com/scopes": ["a", "b"]});
    let spec =
        "{kubernetes: {impersonate: true, rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]}}";
    let same = [
        "impersonate-user: bob",
        "impersonate-group: ops",
        "impersonate-group: dev",
        "impersonate-extra-example.com%2fscopes: b",
        "impersonate-extra-example.com%2fscopes: a",
    ];
    // A plugin that reads the same flags says the same, and needs no grant for that.
    for kwasm in [kwasm_with(&config), kwasm_with(&config).spec(spec)] {
        for headers in [&[][..], &same] {
            let info = user_info(&asked(&kwasm, "192.0.2.1", headers));
            assert_eq!(info["username"], "bob");
            assert_eq!(info["groups"], json!(["dev", "ops", "system:authenticated"]));
            assert_eq!(info["extra"]["example.com/scopes"], json!(["a", "b"]));
        }
        for headers in [&["impersonate-user: admin"][..], &["impersonate-group: system:masters"], &same[..4]]
        {
            let run = asked(&kwasm, "192.0.2.1", headers);
            assert!(run.stdout.starts_with("status 403"), "{}", run.shown());
            let why = "you impersonate `bob`, and the plugin would impersonate someone else";
            assert!(run.stderr.contains(why), "{}", run.shown());
        }
    }
}

/// Returns the credentials that servers `one` and `two` are shown by a plugin with these flags that sends
/// requests to both, where both contexts are granted and `one` is selected.
fn shown_to_both(flags: &[String], servers: &[ApiServer; 2]) -> [Vec<String>; 2] {
    let entry = |server: &ApiServer| {
        let text = std::fs::read_to_string(kubeconfig(server, EmbeddedUser::Token)).unwrap();
        serde_saphyr::from_str::<Value>(&text).unwrap()["clusters"][0]["cluster"].clone()
    };
    let config = json!({
        "current-context": "one",
        "clusters": [{"name": "one", "cluster": entry(&servers[0])}, {"name": "two", "cluster": entry(&servers[1])}],
        "users": [{"name": "one", "user": {"token": "token-one"}}, {"name": "two", "user": {"token": "token-two"}}],
        "contexts": [
            {"name": "one", "context": {"cluster": "one", "user": "one"}},
            {"name": "two", "context": {"cluster": "two", "user": "two"}},
        ],
    });
    let spec = "{kubernetes: {contexts: '*', rules: [{nonResourceURLs: ['*'], verbs: [get]}]}}";
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let kwasm = kwasm_with(&config).spec(spec);
    let mut command = kwasm.guest("sends-many", &flags);
    let asked = [1, 2].map(|number| format!("[\"GET\", \"http://192.0.2.{number}/version\", [], null]\n"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(asked.concat().as_bytes()).unwrap();
    drop(child.wait_with_output().unwrap());
    let shown = |server: &ApiServer| {
        let authorization = |request: kwasm_apiserver::Received| {
            request.header("authorization").unwrap_or("nobody").to_owned()
        };
        server.requests().into_iter().map(authorization).collect()
    };
    [shown(&servers[0]), shown(&servers[1])]
}

#[test]
fn flags_say_who_asks_the_selected_context_and_no_other() {
    let two = "Bearer token-two".to_owned();
    for (flags, one) in [
        (vec![], "Bearer token-one"),
        (vec!["--token=given"], "Bearer given"),
        (vec!["--user=two"], "Bearer token-two"),
        (vec!["--cluster=one", "--context=one"], "Bearer token-one"),
    ] {
        let flags: Vec<String> = flags.into_iter().map(str::to_owned).collect();
        let shown = shown_to_both(&flags, &[seed(), seed()]);
        assert_eq!(shown, [vec![one.to_owned()], vec![two.clone()]], "{flags:?}");
    }
    // A server that is named is that of the selected context: another's credential does not go there.
    let servers = [seed(), seed()];
    let flags = [
        format!("--server={}", format_args!("https://{}", servers[0].address())),
        "--insecure-skip-tls-verify".to_owned(),
    ];
    assert_eq!(shown_to_both(&flags, &servers), [vec!["Bearer token-one".to_owned()], vec![two]]);
}

/// Runs `kwasm cluster --check -o json` with flags.
fn checked(kwasm: &Kwasm, flags: &[&str]) -> Value {
    let run = kwasm.call(["cluster", "--check", "-o", "json"].iter().chain(flags)).success();
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn the_server_says_whom_flags_make_of_the_user() {
    let Some(real) = real("the_server_says_whom_flags_make_of_the_user") else { return };
    let kwasm = kwasm_with(&contexts_of(real, &[User::Admin, User::Bob]));
    let admin = checked(&kwasm, &[]);
    assert_eq!(admin["username"], "admin");
    assert_eq!(admin["groups"], json!(["system:masters", "system:authenticated"]));
    assert!(admin["version"].as_str().unwrap().starts_with("v1.36."), "{admin}");
    for flags in [&["--context", "bob"][..], &["--user=bob"], &["--as", "bob"]] {
        assert_eq!(checked(&kwasm, flags)["username"], "bob", "{flags:?}");
    }
    let run = kwasm.call(["cluster", "--check", "--context", "bob", "--as", "carol"]).fails(125);
    assert_eq!(run.stdout, "", "{}", run.shown());
    for told in [
        "(context `bob`): it does not report the user: ",
        "User \"bob\" cannot impersonate",
        "hint: impersonation",
    ] {
        assert!(run.stderr.contains(told), "{told}: {}", run.shown());
    }
}

/// Returns a shell in which this machine is a pod: with a service account's folder that holds these files.
fn in_a_pod(kwasm: &Kwasm, files: &[(&str, String)], server: &str, script: &str) -> Run {
    let account = kwasm.home().join("account");
    std::fs::create_dir_all(&account).unwrap();
    for (name, text) in files {
        std::fs::write(account.join(name), text).unwrap();
    }
    let (host, port) = server.trim_start_matches("https://").rsplit_once(':').unwrap();
    let mount = "set -e; mount -t tmpfs tmpfs /run; mkdir -p /var/run/secrets/kubernetes.io; \
                 cp -r account /var/run/secrets/kubernetes.io/serviceaccount; set +e";
    let mut command = kwasm.program("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &format!("{mount}\n{script}")]);
    command.env("KUBERNETES_SERVICE_HOST", host).env("KUBERNETES_SERVICE_PORT", port);
    Run::of(&mut command)
}

#[test]
fn in_a_pod_a_plugin_asks_as_its_service_account() {
    const TEST: &str = "in_a_pod_a_plugin_asks_as_its_service_account";
    let Some(real) = real(TEST) else { return };
    let kwasm = Kwasm::new();
    let probe = in_a_pod(&kwasm, &[], "https://127.0.0.1:1", "true");
    if probe.code != Some(0) {
        return skip(
            TEST,
            &format!("this machine cannot be made to look like a pod: {}", probe.stderr.trim()),
        );
    }
    let made = Run::of(real.kubectl().args(["create", "serviceaccount", "plugin", "-n", "shop"])).success();
    assert!(made.stdout.contains("created"));
    let token = Run::of(real.kubectl().args(["create", "token", "plugin", "-n", "shop"])).success().stdout;
    let admin = config(real, User::Admin);
    let server = admin["clusters"][0]["cluster"]["server"].as_str().unwrap();
    let authority: PathBuf =
        admin["clusters"][0]["cluster"]["certificate-authority"].as_str().unwrap().into();
    let authority = std::fs::read_to_string(authority).unwrap();
    let files = [("token", format!("{token}\n")), ("ca.crt", authority), ("namespace", "shop\n".to_owned())];
    let program = env!("CARGO_BIN_EXE_kwasm");
    let script = format!(
        "{program} cluster --check -o json\n\
         POD_NAMESPACE=other {program} cluster -o json\n\
         {kubectl} auth whoami -o json\n\
         {program} cluster --token \"$GIVEN\" --check -o json\n\
         {program} cluster -n ../../x -o json; echo $?\n\
         KUBERNETES_SERVICE_PORT= {program} cluster -o json; echo $?",
        kubectl = real.kubectl_program().display()
    );
    let bob = config(real, User::Bob)["users"][0]["user"]["token"].as_str().unwrap().to_owned();
    let run = in_a_pod(&kwasm, &files, server, &format!("GIVEN={bob}\n{script}"));
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(&run.stdout).into_iter().collect();
    let Ok([own, other, whoami, given, astray, code]) = <[Value; 6]>::try_from(values.unwrap()) else {
        panic!("{}", run.shown())
    };
    assert_eq!(own["username"], "system:serviceaccount:shop:plugin", "{}", run.shown());
    assert_eq!(own["username"], whoami["status"]["userInfo"]["username"]);
    assert_eq!((&own["namespace"], &other["namespace"]), (&json!("shop"), &json!("other")));
    assert_eq!((&own["context"], &own["authentication"]), (&json!("in-cluster"), &json!("tokenFile")));
    // A token that is given takes the place of the service account's.
    assert_eq!(given["username"], "bob", "{}", run.shown());
    assert_eq!(astray, 125, "{}", run.shown());
    // Without its address, it does not count as a pod.
    assert_eq!(code, 125, "{}", run.shown());
    assert!(run.stderr.contains("there is no kubeconfig"), "{}", run.shown());
}

#[test]
fn a_plugin_may_have_a_flag_of_kubectls_for_itself() {
    let Some(real) = real("a_plugin_may_have_a_flag_of_kubectls_for_itself") else { return };
    let config = contexts_of(real, &[User::Alice, User::Bob]);
    let line = ["/version", "--context", "nowhere", "--token", "mine"];
    let run = kwasm_with(&config).run("dumps", &line).fails(125);
    assert!(run.stderr.contains("the kubeconfig has no context `nowhere`"), "{}", run.shown());
    let rules = "rules: [{nonResourceURLs: ['*'], verbs: [get]}]";
    let spec = format!("{{flags: {{own: [--context, --token]}}, kubernetes: {{{rules}}}}}");
    let run = kwasm_with(&config).spec(&spec).run("dumps", &line).success();
    for argument in line {
        assert!(run.stdout.contains(&format!("argument {argument}\n")), "{argument}: {}", run.shown());
    }
}

#[test]
fn compressed_answers_are_asked_for_unless_the_kubeconfig_says_no() {
    let server = seed();
    let text = std::fs::read_to_string(kubeconfig(&server, EmbeddedUser::Token)).unwrap();
    let mut config: Value = serde_saphyr::from_str(&text).unwrap();
    for disabled in [false, true] {
        config["clusters"][0]["cluster"]["disable-compression"] = disabled.into();
        let header = ["--header", "accept-encoding: gzip"];
        kwasm_with(&config).run("dials", &["http://192.0.2.1/version", header[0], header[1]]).success();
        let asked = server.requests().pop().unwrap();
        assert_eq!(asked.header("accept-encoding").is_none(), disabled, "{asked:?}");
    }
}

#[test]
fn a_request_takes_no_longer_than_the_user_allows() {
    let Some(real) = real("a_request_takes_no_longer_than_the_user_allows") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice));
    let run = kwasm.run("dumps", &["/api/v1/pods?watch=1", "--request-timeout=2s"]).success();
    // It began, and was cut off.
    assert!(run.stdout.contains("connection read timeout"), "{}", run.shown());
    assert!(run.stderr.contains("no complete response within 2s"), "{}", run.shown());
    assert!(run.stderr.contains("hint: --request-timeout gives it more time"), "{}", run.shown());
    let run = kwasm.run("dumps", &["/api/v1/pods", "--request-timeout=1h"]).success();
    assert!(run.stdout.contains("PodList"), "{}", run.shown());
}

#[test]
fn what_is_made_of_a_kubeconfig_is_told_in_a_line_a_fact() {
    let server = ApiServer::builder().start().unwrap();
    let path = kubeconfig(&server, EmbeddedUser::ExpiredCertificate);
    let kwasm = Kwasm::new().kubeconfig(&path);
    let run =
        kwasm.call(["cluster", "--as", "bob", "--as-group", "a", "--as-group", "b", "-n", "x"]).success();
    let shown = run.stdout.replace(&server.address().to_string(), "SERVER");
    let shown = shown.replace(path.to_str().unwrap(), "KUBECONFIG");
    // Its authority and its times are new each time.
    let (varying, rest): (Vec<&str>, Vec<&str>) =
        shown.lines().partition(|line| line.contains("issued by") || line.contains("valid from"));
    assert!(varying[1].contains(": it expired on "), "{}", run.shown());
    assert_snapshot!(rest.join("\n"), @r"
    context         expired-certificate
    cluster         expired-certificate
    server          https://SERVER
    namespace       x
    user            expired-certificate
    authentication  clientCertificate
    certificate     O=developers, O=shop-owners, CN=jane
    impersonates    bob
                    group a
                    group b
    authority       data
    files           KUBECONFIG
    ");
    let name = kwasm.call(["cluster", "-o", "name"]).success().stdout;
    assert_eq!(name, "expired-certificate\n");
    let told = kwasm.call(["cluster", "--check", "-v", "--user", "nowhere"]).fails(125);
    assert!(told.stderr.contains("hint: its users are expired-certificate\n"), "{}", told.shown());
    let checked = Kwasm::new().kubeconfig(kubeconfig(&server, EmbeddedUser::Token));
    let checked = checked.call(["cluster", "--check", "-v"]).success();
    assert!(checked.stderr.contains("allowed: get /version: 200"), "{}", checked.shown());
}

#[test]
fn what_answers_in_the_place_of_an_api_server_is_told() {
    let answer = |head: &str, body: &str| {
        format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    };
    for (answer, told) in [
        (answer("200 OK", "<html>"), "the server there is not an API server"),
        (
            answer("302 Found\r\nlocation: https://login.example/", ""),
            "it redirects elsewhere (302 Found): https://login.example/",
        ),
        (answer("503 Service Unavailable", "later\n\u{1b}[2J"), "it answered 503 Service Unavailable: later"),
        (
            answer("400 Bad Request", "Client sent an HTTP request to an HTTPS server.\n"),
            "it speaks TLS, and the request was in plain HTTP\nhint: did you mean https:// ?",
        ),
        ("nonsense\r\n\r\n".to_owned(), "its response is not HTTP"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let answering = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let run = Kwasm::new().call(["cluster", "--check", "--server", &server]).fails(125);
        answering.join().unwrap();
        assert!(run.stderr.contains(&format!("kwasm: {server}: {told}")), "{told}: {}", run.shown());
    }
}
