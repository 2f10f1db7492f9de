//! The proxy on the way to a cluster: what goes through one, what does not, and what is said of one that leads nowhere.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use kwasm_apiserver::{ApiServer, CERTIFICATE_USER, Kubeconfig, User};
use kwasm_cluster::User as RealUser;
use serde_json::json;

use crate::support::proxy::{BEHIND, Carried, Kind, Proxy};
use crate::support::tls::{Authority, Keyed, Spoken, TlsServer, VERSIONS, server};
use crate::support::{Kwasm, Run, real, seed};

const VERSION: &str = "http://192.0.2.1/version";
const LOGIN: &str = "jo:hunter2-of-the-proxy";

/// The proxies' authority and certificates.
struct Certified {
    root: Authority,
    keyed: Keyed,
}

impl Certified {
    fn new() -> Self {
        let root = Authority::new("the proxies");
        let keyed = root.sign(&server("proxy", &["127.0.0.1"]));
        Self { root, keyed }
    }

    fn kinds(&self) -> [Kind<'_>; 3] {
        [Kind::Http, Kind::Https(&self.keyed), Kind::Socks5]
    }
}

/// Returns a kubeconfig of `api` at `url`, with these fields of its cluster too.
fn kubeconfig(api: &ApiServer, url: &str, fields: serde_json::Value) -> Kwasm {
    let mut context = api.context(User::Certificate);
    context.cluster.insert("server".to_owned(), json!(url));
    if url.starts_with("https:") {
        context.cluster.insert("tls-server-name".to_owned(), json!("localhost"));
    }
    let serde_json::Value::Object(fields) = fields else { panic!("fields are an object") };
    context.cluster.extend(fields);
    Kwasm::new().kubeconfig(api.write_kubeconfig("proxied", &Kubeconfig::new().with(context)).unwrap())
}

/// Returns a kwasm on a machine whose authorities are the proxies' own.
fn on_a_machine(certified: &Certified, kwasm: Kwasm) -> Kwasm {
    let path = kwasm.home().join("machine.pem");
    std::fs::write(&path, certified.root.pem()).unwrap();
    kwasm.variable("SSL_CERT_FILE", path)
}

fn carried(login: Option<&str>) -> Vec<Carried> {
    vec![Carried { to: BEHIND.to_owned(), login: login.map(str::to_owned) }]
}

/// Returns the messages, without the parts that differ from run to run.
fn said(run: &Run, proxy: &str) -> String {
    run.stderr.replace(proxy.rsplit('@').next().unwrap().rsplit('/').next().unwrap(), "PROXY")
}

#[test]
fn a_kubeconfigs_proxy_of_each_kind_carries_what_is_asked() {
    let (certified, api) = (Certified::new(), seed());
    for kind in certified.kinds() {
        for login in [None, Some(LOGIN)] {
            let proxy = Proxy::start(kind, api.address(), login);
            let url = login.map_or_else(|| proxy.url(), |login| proxy.url_for(login));
            let kwasm = kubeconfig(&api, &format!("https://{BEHIND}"), json!({ "proxy-url": url }));
            // What the environment says is of no account then.
            let kwasm = on_a_machine(&certified, kwasm).variable("NO_PROXY", "*");
            let run = kwasm.run("dials", &[VERSION]).success();
            assert!(run.stdout.starts_with("status 200"), "{}", run.shown());
            assert_eq!(proxy.carried(), carried(login), "{url}");
        }
    }
    assert!(api.requests().iter().all(|request| request.user.as_deref() == Some(CERTIFICATE_USER)));
    assert!(api.requests().iter().all(|request| request.header("proxy-authorization").is_none()));
}

#[test]
fn a_plain_http_server_is_asked_through_a_proxy_of_each_kind() {
    let (certified, api) = (Certified::new(), ApiServer::builder().plain_http().start().unwrap());
    for kind in certified.kinds() {
        for login in [None, Some(LOGIN)] {
            let proxy = Proxy::start(kind, api.address(), login);
            let url = login.map_or_else(|| proxy.url(), |login| proxy.url_for(login));
            let kwasm = kubeconfig(&api, &format!("http://{BEHIND}"), json!({ "proxy-url": url }));
            let run = on_a_machine(&certified, kwasm).run("dials", &[VERSION]);
            // No credential goes over plain HTTP.
            assert!(run.stdout.starts_with("status 401"), "{}", run.shown());
            assert_eq!(proxy.carried(), carried(login), "{url}");
        }
    }
    let last = api.requests().pop().unwrap();
    assert_eq!((last.target.as_str(), last.header("host")), ("/version", Some(BEHIND)));
}

#[test]
fn the_environments_proxy_carries_what_its_variable_is_for() {
    let (certified, api) = (Certified::new(), seed());
    let secure = Proxy::start(Kind::Http, api.address(), None);
    let other = Proxy::start(Kind::Socks5, api.address(), None);
    let kwasm = || on_a_machine(&certified, kubeconfig(&api, &format!("https://{BEHIND}"), json!({})));
    kwasm()
        .variable("HTTPS_PROXY", secure.url())
        .variable("HTTP_PROXY", other.url())
        .run("dials", &[VERSION])
        .success();
    kwasm().variable("https_proxy", secure.url().replace("http://", "")).run("dials", &[VERSION]).success();
    assert_eq!((secure.carried().len(), other.carried().len()), (2, 0));
    // Another host's exception does not apply to this one.
    let no_proxy = "xample, .cluster.example, cluster.example:443,";
    let kwasm = kwasm().variable("HTTPS_PROXY", other.url()).variable("NO_PROXY", no_proxy);
    kwasm.run("dials", &[VERSION]).success();
    assert_eq!(other.carried(), carried(None));
}

#[test]
fn what_no_proxy_covers_is_asked_without_one() {
    let api = seed();
    let proxy = Proxy::start(Kind::Http, api.address(), None);
    // Loopback never needs to be named there.
    for host in ["127.0.0.1", "localhost"] {
        let kwasm = kubeconfig(&api, &format!("https://{host}:{}", api.port()), json!({}));
        kwasm.variable("HTTPS_PROXY", proxy.url()).run("dials", &[VERSION]).success();
    }
    assert_eq!(proxy.carried(), []);
    if cfg!(target_os = "linux") {
        // Linux takes this address for itself too; Go's rules do not.
        let here = format!("https://0.0.0.0:{}", api.port());
        let kwasm = || kubeconfig(&api, &here, json!({})).variable("HTTPS_PROXY", proxy.url());
        for no_proxy in ["0.0.0.0", "10.0.0.0/8, 0.0.0.0/8", &here["https://".len()..], "*"] {
            kwasm().variable("NO_PROXY", no_proxy).run("dials", &[VERSION]).success();
        }
        assert_eq!(proxy.carried(), []);
        kwasm().variable("NO_PROXY", "0.0.0.0:1, 10.0.0.0/8").run("dials", &[VERSION]).success();
        assert_eq!(proxy.carried().len(), 1);
    }
}

#[test]
fn a_watch_goes_through_a_proxy_of_each_kind_and_lives_on() {
    let (certified, api) = (Certified::new(), seed());
    for (number, kind) in certified.kinds().into_iter().enumerate() {
        let proxy = Proxy::start(kind, api.address(), None);
        let fields = json!({ "proxy-url": proxy.url() });
        let kwasm = on_a_machine(&certified, kubeconfig(&api, &format!("https://{BEHIND}"), fields));
        let path = "/api/v1/namespaces/proxied/configmaps?watch=true";
        for arguments in [vec![path], vec![path, "--sockets"]] {
            let mut watcher = kwasm.start("follows", &arguments);
            for event in 0..3 {
                let name = format!("seen-{number}-{}-{event}", arguments.len());
                api.put(&format!("namespaces/proxied/configmaps/{name}"), json!({})).unwrap();
                watcher.line_with(&name);
            }
        }
        assert_eq!(proxy.carried().len(), 2);
    }
}

#[test]
fn a_shell_goes_through_a_proxy_of_each_kind() {
    let Some(real) = real("a_shell_goes_through_a_proxy_of_each_kind") else { return };
    real.feed(&["create", "namespace", "proxied"], "");
    real.feed(&["run", "web", "--image=none", "--namespace", "proxied"], "");
    real.feed(&["wait", "--for=condition=Ready", "pod/web", "--namespace", "proxied", "--timeout=60s"], "");
    let certified = Certified::new();
    let text = std::fs::read_to_string(real.kubeconfig(RealUser::Alice)).unwrap();
    let at = text.find("https://").unwrap() + "https://".len();
    let address: String =
        text[at..].chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
    for kind in certified.kinds() {
        let proxy = Proxy::start(kind, address.parse().unwrap(), None);
        let kwasm = on_a_machine(&certified, Kwasm::new());
        let path = kwasm.home().join("config");
        let line = format!("proxy-url: {}\n    tls-server-name: localhost\n    server: ", proxy.url());
        std::fs::write(&path, text.replacen("server: ", &line, 1).replace(&address, BEHIND)).unwrap();
        let kwasm = kwasm.kubeconfig(path);
        let run =
            kwasm.run("kube-client", &["-n", "proxied", "exec", "web", "--", "echo", "hello"]).success();
        assert_eq!(run.stdout, "hello\n");
        assert!(proxy.carried().iter().all(|carried| carried.to == BEHIND));
        assert!(!proxy.carried().is_empty());
    }
}

/// Returns the messages when this proxy is on the way.
fn refused(api: &ApiServer, proxy: &str) -> String {
    let kwasm = kubeconfig(api, &format!("https://{BEHIND}"), json!({ "proxy-url": proxy }));
    said(&kwasm.run("dials", &[VERSION]).fails(1), proxy)
}

#[test]
fn a_proxy_that_is_not_there_is_told_with_who_chose_it() {
    let api = seed();
    let gone = Proxy::start(Kind::Http, api.address(), None).url();
    assert_snapshot!(refused(&api, &gone), @r"
    dials: destination-unavailable (the server is not available)
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy http://PROXY cannot be reached: connection refused
    hint: check proxy-url of this cluster in the kubeconfig
    ");
    let kwasm = kubeconfig(&api, &format!("https://{BEHIND}"), json!({}));
    let run = kwasm.variable("HTTPS_PROXY", &gone).run("dials", &[VERSION]).fails(1);
    assert_snapshot!(said(&run, &gone), @r"
    dials: destination-unavailable (the server is not available)
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy http://PROXY of HTTPS_PROXY cannot be reached: connection refused
    hint: check HTTPS_PROXY, or name the server in NO_PROXY if it is reached without a proxy
    ");
}

#[test]
fn a_proxy_that_wants_to_know_who_asks_is_told() {
    let (certified, api) = (Certified::new(), seed());
    let mut sentences = BTreeSet::new();
    for kind in [Kind::Http, Kind::Socks5] {
        let proxy = Proxy::start(kind, api.address(), Some(LOGIN));
        for url in [proxy.url(), proxy.url_for("jo:hunter3")] {
            let text = refused(&api, &url);
            assert!(!text.contains("hunter"), "{text}");
            sentences.insert(text);
        }
        assert_eq!(proxy.carried(), []);
    }
    assert_snapshot!(sentences.into_iter().collect::<String>(), @r"
    dials: destination-unavailable (the server is not available)
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy http://PROXY does not accept the user and password in its address
    hint: check proxy-url of this cluster in the kubeconfig
    dials: destination-unavailable (the server is not available)
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy http://PROXY requires a user and a password
    hint: write the kubeconfig's proxy-url as http://USER:PASSWORD@HOST:PORT
    dials: destination-unavailable (the server is not available)
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy socks5://PROXY does not accept the user and password in its address
    hint: check proxy-url of this cluster in the kubeconfig
    dials: destination-unavailable (the server is not available)
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy socks5://PROXY requires a user and a password
    hint: write the kubeconfig's proxy-url as socks5://USER:PASSWORD@HOST:PORT
    ");
    // One that reads requests says so itself, and its guest gets that answer.
    let plain = ApiServer::builder().plain_http().start().unwrap();
    let proxy = Proxy::start(Kind::Https(&certified.keyed), plain.address(), Some(LOGIN));
    let kwasm = kubeconfig(&plain, &format!("http://{BEHIND}"), json!({ "proxy-url": proxy.url() }));
    let run = on_a_machine(&certified, kwasm).run("dials", &[VERSION]);
    assert!(
        run.stdout.starts_with("status 407") && !run.stdout.contains("proxy-authenticate"),
        "{}",
        run.shown()
    );
    assert_snapshot!(said(&run, &proxy.url()), @r"
    kwasm: http://cluster.example:6443 (context `certificate`): the proxy https://PROXY requires a user and a password
    hint: write the kubeconfig's proxy-url as https://USER:PASSWORD@HOST:PORT
    ");
    assert!(plain.requests().is_empty());
}

#[test]
fn a_proxy_that_does_not_lead_on_is_told_with_what_it_answers() {
    let api = seed();
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut sentences = String::new();
    for kind in [Kind::Http, Kind::Socks5] {
        let proxy = Proxy::start(kind, nowhere, None);
        let kwasm = kubeconfig(&api, "https://elsewhere.example", json!({ "proxy-url": proxy.url() }));
        sentences += &said(&kwasm.run("dials", &[VERSION]).fails(1), &proxy.url());
    }
    let endless = format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(10_000)).leak();
    for answer in [
        "HTTP/1.1 503 Service Unavailable\r\n\r\n",
        "SSH-2.0-OpenSSH_10\r\n",
        "",
        "HTTP/1.1 200 OK\r\nunfinished",
        "HTTP/1.1 2000 OK\r\n\r\n",
        endless,
    ] {
        let proxy = TlsServer::saying(answer.as_bytes());
        sentences += &refused(&api, &format!("http://{}", proxy.address()));
    }
    for answer in ["\x05\x01", "\x04\0", "HTTP/1.1 400 Bad Request\r\n\r\n"] {
        let proxy = TlsServer::saying(answer.as_bytes());
        sentences += &refused(&api, &format!("socks5://{}", proxy.address()));
    }
    assert_snapshot!(sentences.replace("dials: destination-unavailable (the server is not available)\n", ""), @r"
    kwasm: https://elsewhere.example (context `certificate`): the proxy http://PROXY does not connect to elsewhere.example:443: 403 Forbidden
    hint: ask the proxy's administrator to allow this address
    kwasm: https://elsewhere.example (context `certificate`): the proxy socks5://PROXY does not connect to elsewhere.example:443: its rules do not allow it
    hint: ask the proxy's administrator to allow this address
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy http://PROXY does not connect to cluster.example:6443: 503 Service Unavailable
    hint: is the API server up, and does the proxy reach it?
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy http://PROXY does not answer as HTTP proxies do
    hint: check proxy-url of this cluster in the kubeconfig
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy http://PROXY closed the connection instead of connecting to cluster.example:6443
    hint: check proxy-url of this cluster in the kubeconfig
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy http://PROXY closed the connection instead of connecting to cluster.example:6443
    hint: check proxy-url of this cluster in the kubeconfig
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy http://PROXY does not answer as HTTP proxies do
    hint: check proxy-url of this cluster in the kubeconfig
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy http://PROXY answers CONNECT with more than 8 KiB
    hint: check proxy-url of this cluster in the kubeconfig
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy socks5://PROXY does not answer as SOCKS 5 proxies do
    hint: check proxy-url of this cluster in the kubeconfig
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy socks5://PROXY does not answer as SOCKS 5 proxies do
    hint: check proxy-url of this cluster in the kubeconfig
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy socks5://PROXY does not answer as SOCKS 5 proxies do
    hint: check proxy-url of this cluster in the kubeconfig
    ");
}

#[test]
fn a_proxys_certificate_is_known_to_the_machine_or_to_the_cluster() {
    let (certified, api) = (Certified::new(), seed());
    let proxy = Proxy::start(Kind::Https(&certified.keyed), api.address(), None);
    assert_snapshot!(refused(&api, &proxy.url()), @r"
    dials: destination-unavailable (the server is not available)
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy https://PROXY cannot be used: its certificate is signed by `CN=the proxies`, which neither this machine nor the kubeconfig's certificate-authority trusts
    hint: its certificate has to be for its host, and trusted by this machine or by the kubeconfig's certificate-authority
    ");
    assert_eq!(proxy.carried(), []);
    let both = format!("{}{}", api.authority().unwrap(), certified.root.pem());
    std::fs::write(api.folder().join("both.crt"), both).unwrap();
    let mut context = api.context(User::Certificate);
    context.cluster.remove("certificate-authority-data");
    let fields = [
        ("server", format!("https://{BEHIND}")),
        ("tls-server-name", "localhost".to_owned()),
        ("proxy-url", proxy.url()),
        ("certificate-authority", "both.crt".to_owned()),
    ];
    context.cluster.extend(fields.map(|(name, value)| (name.to_owned(), json!(value))));
    let path = api.write_kubeconfig("both", &Kubeconfig::new().with(context)).unwrap();
    Kwasm::new().kubeconfig(path).run("dials", &[VERSION]).success();
    assert_eq!(proxy.carried(), carried(None));
    let plain = TlsServer::saying(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    assert_snapshot!(refused(&api, &format!("https://{}", plain.address())), @r"
    dials: destination-unavailable (the server is not available)
    kwasm: https://cluster.example:6443 (context `certificate`): the proxy https://PROXY cannot be used: it answers in plain HTTP, not in TLS
    hint: did you mean http:// ?
    ");
}

#[test]
fn a_proxy_is_shown_no_client_certificate() {
    let (certified, api) = (Certified::new(), seed());
    for versions in VERSIONS {
        let asking = Spoken { versions, ..certified.root.asked_of_clients() };
        let proxy = Proxy::start(Kind::HttpsAs(&certified.keyed, &asking), api.address(), None);
        let kwasm = kubeconfig(&api, &format!("https://{BEHIND}"), json!({ "proxy-url": proxy.url() }));
        let run = on_a_machine(&certified, kwasm).run("dials", &[VERSION]).fails(1);
        let what = "cannot be used: it requires a client certificate, and got none (CertificateRequired)";
        assert!(run.stderr.contains(what), "{}", run.shown());
        assert!(
            run.stderr.contains("hint: kwasm sends client certificates to API servers only"),
            "{}",
            run.shown()
        );
        assert_eq!(proxy.carried(), []);
    }
}

#[test]
fn a_proxy_that_there_is_no_way_through_is_refused_without_its_address() {
    let api = seed();
    for url in ["ftp://jo:hunter2@p", "http://jo:hunter2@", "jo:hunter2@p:3128"] {
        let kwasm = kubeconfig(&api, &format!("https://{BEHIND}"), json!({ "proxy-url": url }));
        let run = kwasm.run("dials", &[VERSION]).fails(125);
        assert!(
            run.stderr.contains("kwasm: the kubeconfig's proxy-url: it") && !run.stderr.contains("hunter2"),
            "{}",
            run.shown()
        );
    }
}

#[test]
fn a_proxys_user_and_password_are_in_no_output() {
    let api = seed();
    let proxy = Proxy::start(Kind::Http, api.address(), Some(LOGIN));
    for login in [LOGIN, "jo:hunter2-of-another"] {
        let url = proxy.url_for(login);
        let kwasm = kubeconfig(&api, &format!("https://{BEHIND}"), json!({ "proxy-url": url }));
        let mut command = kwasm.command(["-v", "run", "--policy", "cluster"]);
        command.arg(crate::support::component("dumps")).args(["--", "/version"]);
        let shown = Run::of(&mut command).shown();
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
