//! A guest that prints all it can find finds no byte of a key, a token or a certificate.

use kwasm_apiserver::{Fault, User};
use kwasm_cluster::User as RealUser;

use crate::support::proxy::{BEHIND, Kind, Proxy};
use crate::support::{Kwasm, Run, component, kubeconfig, real, seed};

/// Returns the texts of a kubeconfig that no one else may see.
fn secrets_in(kubeconfig: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(kubeconfig).unwrap();
    let folder = kubeconfig.parent().unwrap();
    let mut secrets = Vec::new();
    // Long words are base64 data and tokens; words that name a file beside the kubeconfig are keys and certificates.
    for word in text.split(|c: char| c.is_whitespace() || "\"'{},".contains(c)).filter(|word| word.len() > 5)
    {
        if let Ok(pem) = std::fs::read_to_string(folder.join(word)) {
            secrets.extend(pem.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned));
        } else if word.len() > 60 {
            secrets.push(word.to_owned());
        }
    }
    secrets
}

#[track_caller]
fn leaks_nothing(run: &Run, secrets: &[String]) {
    assert!(!secrets.is_empty());
    let all = run.shown();
    for secret in secrets.iter().filter(|secret| secret.len() > 8) {
        assert!(!all.contains(secret.as_str()), "{secret} is in {all}");
    }
    assert!(!all.contains("BEGIN CERTIFICATE") && !all.contains("PRIVATE KEY"), "{all}");
}

#[test]
fn environment_files_headers_and_kubeconfig_hold_no_secret() {
    let server = seed();
    let headers = Fault::headers()
        .with_header("set-cookie", "session=c2Vzc2lvbg")
        .with_header("www-authenticate", "Negotiate b3BlbiBzZXNhbWU=")
        .with_header("x-plain", "kept");
    server.fault(headers.standing());
    for user in [User::Certificate, User::CertificateFiles, User::Token, User::TokenFile] {
        let path = kubeconfig(&server, user);
        let mut secrets = server.secrets();
        secrets.extend(secrets_in(&path));
        secrets.extend(["c2Vzc2lvbg".to_owned(), "b3BlbiBzZXNhbWU=".to_owned()]);
        let kwasm = Kwasm::new().kubeconfig(&path).variable("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI");
        secrets.push("wJalrXUtnFEMI".to_owned());
        let run = kwasm.run("dumps", &["/version"]).success();
        // It did look: it saw its kubeconfig, the answer, and what it may see of the headers.
        for seen in ["http://192.0.2.1", "x-plain", "status 200"] {
            assert!(run.stdout.contains(seen), "{seen}: {}", run.shown());
        }
        leaks_nothing(&run, &secrets);
        assert!(!run.stdout.contains(&server.port().to_string()), "not even the address: {}", run.shown());
    }
}

#[test]
fn the_real_api_servers_answers_hold_no_secret_either() {
    let Some(real) = real("the_real_api_servers_answers_hold_no_secret_either") else { return };
    for user in [RealUser::Alice, RealUser::Bob, RealUser::Carol] {
        let path = real.kubeconfig(user);
        let run = Kwasm::new().kubeconfig(&path).run("dumps", &["/version"]).success();
        assert!(run.stdout.contains("status 200"), "{}", run.shown());
        leaks_nothing(&run, &secrets_in(&path));
    }
}

#[test]
fn errors_hold_no_secret() {
    let server = seed();
    for user in [User::ExpiredCertificate, User::ForeignCertificate, User::WrongToken, User::TokenWithWrongCa]
    {
        let path = kubeconfig(&server, user);
        let run = Kwasm::new().kubeconfig(&path).run("dumps", &["/version"]);
        let mut secrets = server.secrets();
        secrets.extend(secrets_in(&path));
        leaks_nothing(&run, &secrets);
    }
}

/// Credentials that a guest sends by itself, in each place where a server looks for one.
const GUESTS_OWN: [&str; 8] = [
    "Authorization: Bearer the-guests-own",
    "Proxy-Authorization: Basic the-guests-own",
    "Cookie: session=the-guests-own",
    "Impersonate-User: the-guests-own",
    "X-Remote-User: the-guests-own",
    "X-Auth-Token: the-guests-own",
    "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.the-guests-own",
    "X-Forwarded-Client-Cert: the-guests-own",
];

fn with_headers(kwasm: &Kwasm, arguments: &[&str]) -> Run {
    let plugin = component("dials");
    let url = "http://192.0.2.1/api/v1/namespaces/shop/pods";
    kwasm.call(
        [&["-vv", "run", "--policy", "cluster", plugin.to_str().unwrap(), "--", url], arguments].concat(),
    )
}

#[test]
fn the_headers_of_vv_hold_no_secret() {
    let server = seed();
    let answer = Fault::headers()
        .with_header("set-cookie", "session=c2Vzc2lvbg")
        .with_header("www-authenticate", "Negotiate b3BlbiBzZXNhbWU=")
        .with_header("x-plain", "kept");
    server.fault(answer.standing());
    for user in [User::Certificate, User::CertificateFiles, User::Token, User::TokenFile, User::Basic] {
        let path = kubeconfig(&server, user);
        let mut secrets = server.secrets();
        secrets.extend(secrets_in(&path));
        secrets.extend(["c2Vzc2lvbg", "b3BlbiBzZXNhbWU=", "the-guests-own"].map(str::to_owned));
        let kwasm = Kwasm::new().kubeconfig(&path);
        let run = with_headers(&kwasm, &["--as", "jane-the-impersonated"]);
        assert!(!run.stderr.contains("jane-the"), "{}", run.shown());
        let run = with_headers(&kwasm, &["--header", "Accept: application/json"]).success();
        for line in ["  > accept: application/json\n", "  < 200 OK\n", "  < x-plain: (4 bytes)\n"] {
            assert!(run.stderr.contains(line), "{line}: {}", run.shown());
        }
        leaks_nothing(&run, &secrets);
        for header in GUESTS_OWN {
            let run = with_headers(&kwasm, &["--header", header]);
            // wasi:http itself refuses a guest some of them.
            let name = header.split(':').next().unwrap().to_ascii_lowercase();
            let is_sent = run.stderr.contains(&format!("  > {name}: ("));
            assert!(is_sent || name == "proxy-authorization", "{}", run.shown());
            leaks_nothing(&run, &secrets);
        }
    }
}

#[test]
fn the_headers_of_vv_hold_no_login_of_a_proxy_either() {
    const LOGIN: &str = "jo:hunter2-of-the-proxy";
    let server = kwasm_apiserver::ApiServer::builder().plain_http().start().unwrap();
    let proxy = Proxy::start(Kind::Http, server.address(), Some(LOGIN));
    let kwasm = Kwasm::new();
    let config = kwasm.home().join("proxied");
    let url = proxy.url_for(LOGIN);
    let text = format!(
        "current-context: c\nclusters: [{{name: c, cluster: {{server: 'http://{BEHIND}', proxy-url: '{url}'}}}}]\n\
         users: [{{name: c, user: {{}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: c, namespace: shop}}}}]\n"
    );
    std::fs::write(&config, text).unwrap();
    let run = with_headers(&kwasm.kubeconfig(config), &[]);
    assert!(run.stderr.contains("  > GET /api/v1/namespaces/shop/pods\n"), "{}", run.shown());
    assert!(!proxy.carried().is_empty(), "{}", run.shown());
    leaks_nothing(&run, &["hunter2-of-the-proxy".to_owned(), base64(LOGIN)]);
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Through a socket, with an upgrade.
#[test]
fn the_headers_of_a_shell_hold_no_secret() {
    let Some(real) = real("the_headers_of_a_shell_hold_no_secret") else { return };
    real.feed(&["run", "headed", "--image=none", "--namespace", "default"], "");
    real.feed(
        &["wait", "--for=condition=Ready", "pod/headed", "--namespace", "default", "--timeout=60s"],
        "",
    );
    let (path, plugin) = (real.kubeconfig(RealUser::Admin), component("carries"));
    let kwasm = Kwasm::new().kubeconfig(&path);
    let carried = ["exec", "headed", "--receive", "3", "--", "sh", "-c", "printf abc"];
    let head = ["-vv", "run", "--policy", "cluster", plugin.to_str().unwrap(), "--"];
    let run = kwasm.call([&head[..], &carried].concat());
    for line in [
        "  > upgrade: websocket\n",
        "  > sec-websocket-protocol: v5.channel.k8s.io",
        "  < 101 Switching Protocols\n",
    ] {
        assert!(run.stderr.contains(line), "{line}: {}", run.shown());
    }
    leaks_nothing(&run, &secrets_in(&path));
}

#[test]
fn a_guest_reads_no_file_of_this_machine() {
    let kwasm = Kwasm::new();
    std::fs::write(kwasm.home().join("diary"), "dear diary").unwrap();
    let server = seed();
    let kwasm = kwasm.kubeconfig(kubeconfig(&server, User::Certificate));
    // It ends well only if it read something.
    let run = kwasm.run("reads-home", &[]).fails(1);
    assert!(!run.stdout.contains("dear diary") && !run.stdout.contains("root:x:"), "{}", run.shown());
}

#[test]
fn the_path_of_a_kubeconfig_is_taken_out_of_argv() {
    let server = seed();
    let path = kubeconfig(&server, User::Token);
    let run = Kwasm::new()
        .run("dumps", &["/version", "--kubeconfig", path.to_str().unwrap(), "-n", "shop"])
        .success();
    assert!(run.stdout.contains("status 200"), "{}", run.shown());
    assert!(!run.stdout.contains(path.to_str().unwrap()), "{}", run.shown());
    assert!(run.stdout.contains("KWASM_NAMESPACE=shop"), "{}", run.shown());
}

#[test]
fn an_error_of_a_stream_shows_no_path_of_this_machine() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token)).variable("RUST_BACKTRACE", "1");
    let watch = "/api/v1/namespaces/shop/pods?watch=1";
    let run = kwasm.run("dumps", &[watch, "--request-timeout=1s"]).success();
    assert!(run.stdout.contains("connection read timeout"), "{}", run.shown());
    for told in ["/src/", ".rs:", "backtrace"] {
        assert!(!run.stdout.contains(told), "{told}: {}", run.shown());
    }
}
