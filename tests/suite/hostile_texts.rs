//! Texts from outside drive no terminal, in whichever form they are printed: every verb that prints data, in each of its forms,
//! given a hostile text wherever it can come in. That the text is there, in its escaped form, shows that it was printed at all.

use std::fs;
use std::path::PathBuf;

use kwasm::inspect::embed;
use kwasm_apiserver::{ApiServer, Fault as Answer, User};
use kwasm_registry::{Artifact, Fault, Wrong};
use serde_json::{Value, json};

use crate::core_modules::wat;
use crate::registries::{at, bytes};
use crate::support::{Kwasm, Run, component};

/// Escapes, characters that turn the direction of writing or are not shown, a line that looks like one of kwasm's own, and
/// wide characters.
const HOSTILE: &str =
    "\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{200f}\u{61c}\u{feff}\r\nkwasm: forged\u{2028}\u{e0041}表表";

/// The part of it that is valid in a path.
const IN_A_PATH: &str = "%E2%80%AE%D8%9C";

const FORMS: [&str; 5] = ["table", "wide", "json", "yaml", "name"];

/// The forms of a verb that has none.
const PLAIN: &[&str] = &[""];

/// Some command that is given the text.
struct Case {
    name: &'static str,
    kwasm: Kwasm,
    arguments: Vec<String>,
    forms: &'static [&'static str],
    /// The forms in which the text is shown, on stdout or beside it.
    shown: &'static [&'static str],
}

fn case(name: &'static str, kwasm: Kwasm, arguments: &[&str], shown: &'static [&'static str]) -> Case {
    let arguments = arguments.iter().map(ToString::to_string).collect();
    let forms = if shown == PLAIN { PLAIN } else { &FORMS };
    Case { name, kwasm, arguments, forms, shown }
}

/// Returns whether a terminal could take a character for anything but a letter: the same set as the program's, spelt out
/// once more.
fn is_forbidden(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[track_caller]
fn assert_harmless(name: &str, form: &str, run: &Run) {
    for said in [&run.stdout, &run.stderr] {
        let found = said.chars().find(|c| is_forbidden(*c));
        assert_eq!(found, None, "{name} -o {form}: {}", run.shown().escape_debug());
        let forged = said.lines().any(|line| line.starts_with("kwasm: forged"));
        assert!(!forged, "{name} -o {form}: {}", run.shown());
    }
}

fn assert_case(Case { name, kwasm, arguments, forms, shown }: &Case) {
    for form in *forms {
        let form_arguments: &[&str] = if form.is_empty() { &[] } else { &["-o", form] };
        let run = kwasm.call(arguments.iter().map(String::as_str).chain(form_arguments.iter().copied()));
        assert_harmless(name, form, &run);
        let escaped = ["\\u{1b}[2J", "\\u001b[2J", "\\u{202e}", "\\u202e"];
        let is_there = escaped.iter().any(|text| run.stdout.contains(text) || run.stderr.contains(text));
        assert!(is_there || !shown.contains(form), "{name} -o {form}: {}", run.shown());
        if ["json", "yaml"].contains(form) && !run.stdout.is_empty() {
            let read: Result<Value, _> = serde_saphyr::from_str(&run.stdout);
            assert!(read.is_ok(), "{name} -o {form}: {}", run.shown());
        }
    }
}

const IMAGE: &str = "org.opencontainers.image";

/// A registry whose one artifact says hostile things of itself.
fn hostile_artifact() -> Wrong {
    let registry = Wrong::start().unwrap();
    let mut artifact = Artifact::component(bytes("hello"));
    for name in ["authors", "description", "licenses", "source", "url", "title", "version"] {
        artifact = artifact.annotation(&format!("{IMAGE}.{name}"), HOSTILE);
    }
    artifact = artifact.annotation(HOSTILE, HOSTILE).layer_annotation(&format!("{IMAGE}.title"), HOSTILE);
    registry.push("acme/hello", "1.0.0", &artifact);
    registry
}

#[test]
fn what_an_artifact_says_of_itself() {
    let registry = hostile_artifact();
    let reference = format!("{}/acme/hello:1.0.0", registry.host());
    assert_case(&case(
        "inspect",
        at(&registry),
        &["inspect", &reference],
        &["table", "wide", "json", "yaml"],
    ));
    let kwasm = at(&registry);
    let run = kwasm.call(["install", &reference]).success();
    assert_harmless("install", "", &run);
    assert_case(&case("list", kwasm, &["list"], &["wide", "json", "yaml"]));
    // Whatever is written there as a version is none.
    let kwasm = at(&registry);
    kwasm.call(["install", &reference]).success();
    assert_case(&case("inspect", kwasm, &["inspect", "hello"], &[]));
}

#[test]
fn the_names_in_a_component() {
    let kwasm = Kwasm::new();
    let text = r#"(module (import "NAME" "NAME" (func)) (func (export "NAME")))"#;
    let name: Vec<String> = HOSTILE.chars().map(|c| format!("\\u{{{:x}}}", u32::from(c))).collect();
    let name = name.concat();
    wat(&kwasm, "names", &text.replace("NAME", &name));
    assert_case(&case("inspect", kwasm, &["inspect", "./names.wasm"], &FORMS));
}

#[test]
fn the_names_of_functions_that_trap() {
    let kwasm = Kwasm::new();
    let name: Vec<String> = HOSTILE.chars().map(|c| format!("\\u{{{:x}}}", u32::from(c))).collect();
    let name = name.concat();
    let text = format!(r#"(module (func $"{name}" (unreachable)) (func (export "_start") (call 0)))"#);
    wat(&kwasm, "traps", &text);
    assert_case(&case("run", kwasm, &["run", "./traps.wasm"], PLAIN));
    let kwasm = Kwasm::new();
    wat(&kwasm, "traps", &text);
    assert_case(&case("run -v", kwasm, &["run", "-v", "./traps.wasm"], PLAIN));
}

#[test]
fn what_a_request_says() {
    let yaml = yaml(&HOSTILE.into());
    let rule = format!("{{nonResourceURLs: [/version], verbs: [get], reason: {yaml}}}");
    let spec = format!("{{description: {yaml}, kubernetes: {{contexts: [{yaml}], rules: [{rule}]}}}}");
    let valid = format!("apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: x}}\nspec: {spec}\n");
    let data: &[&str] = &["table", "wide", "json", "yaml"];
    for (request, shown) in [(valid.as_str(), data), (HOSTILE, &["json", "yaml"])] {
        let asking = embed(&bytes("hello"), request).unwrap();
        let kwasm = Kwasm::new();
        fs::write(kwasm.home().join("x.wasm"), &asking).unwrap();
        assert_case(&case("inspect", kwasm, &["inspect", "./x.wasm"], shown));
        // As its publisher's word, where the component is not downloaded.
        let registry = Wrong::start().unwrap();
        let component = json!({"imports": [], "exports": ["wasi:cli/run@0.2.0"]});
        let config = json!({"architecture": "wasm", "os": "wasip2", "component": component});
        let stated = Artifact::with_config("application/vnd.wasm.config.v0+json", config.to_string())
            .layer("application/wasm", asking)
            .annotation("dev.kwasm.policy", request);
        registry.push("acme/x", "1.0.0", &stated);
        let reference = format!("{}/acme/x:1.0.0", registry.host());
        assert_case(&case("inspect", at(&registry), &["inspect", &reference], shown));
        for policy in [&[][..], &["--policy", "request"]] {
            let run = at(&registry).call([&["install", &reference], policy].concat());
            assert_harmless("install", "", &run);
        }
    }
}

/// A plugin whose receipt has the text in it.
fn with_receipt(registry: &Wrong, change: impl FnOnce(&mut Value)) -> Kwasm {
    let kwasm = at(registry);
    kwasm.call(["install", &format!("{}/acme/hello:1.0.0", registry.host())]).success();
    let path = kwasm.home().join("data/plugins/hello/receipt.json");
    let mut receipt: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut receipt);
    fs::write(path, receipt.to_string()).unwrap();
    kwasm
}

#[test]
fn what_a_receipt_has() {
    let registry = Wrong::start().unwrap();
    crate::registries::with_hello(&registry);
    let hostile = || {
        with_receipt(&registry, |receipt| {
            for key in ["version", "description", "policy", "installedAt"] {
                receipt[key] = HOSTILE.into();
            }
            receipt["artifact"]["signers"] = json!([{"key": HOSTILE, "fingerprint": receipt["digest"]}]);
        })
    };
    let data = &["table", "wide", "json", "yaml"];
    assert_case(&case("list", hostile(), &["list"], data));
    assert_case(&case("inspect", hostile(), &["inspect", "hello"], data));
    let stray = with_receipt(&registry, |receipt| receipt["source"] = HOSTILE.into());
    fs::remove_dir_all(stray.home().join("data/blobs")).unwrap();
    assert_case(&case("list", with_source(&registry), &["list"], data));
    assert_case(&case("doctor", stray, &["doctor"], data));
    registry.push("acme/hello", "1.1.0", &Artifact::component(bytes("exits")));
    assert_case(&case("outdated", hostile(), &["outdated"], data));
    assert_case(&case("upgrade", hostile(), &["upgrade"], PLAIN));
}

fn with_source(registry: &Wrong) -> Kwasm {
    with_receipt(registry, |receipt| receipt["source"] = HOSTILE.into())
}

/// JSON that YAML takes too: some characters stand there in no other form than escaped.
fn yaml(value: &Value) -> String {
    let escaped = |c: char| match u32::from(c) {
        0..=0x7f => c.to_string(),
        code @ 0x80..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    };
    value.to_string().chars().map(escaped).collect()
}

/// A kubeconfig all of whose names are the text.
fn kubeconfig(kwasm: Kwasm, server: &str, user: &Value) -> Kwasm {
    let config = json!({
        "current-context": HOSTILE,
        "clusters": [{"name": HOSTILE, "cluster": {"server": server, "tls-server-name": HOSTILE}}],
        "users": [{"name": HOSTILE, "user": user}],
        "contexts": [
            {"name": HOSTILE, "context": {"cluster": HOSTILE, "user": HOSTILE}},
            {"name": format!("2{HOSTILE}"), "context": {"cluster": format!("2{HOSTILE}")}},
        ],
    });
    let path = kwasm.home().join("kubeconfig");
    fs::write(&path, yaml(&config)).unwrap();
    kwasm.kubeconfig(path)
}

#[test]
fn the_names_in_a_kubeconfig() {
    let data = &["table", "wide", "json", "yaml"];
    let server = "http://127.0.0.1:1";
    let user = json!({"token": "t", "as": HOSTILE});
    assert_case(&case("cluster", kubeconfig(Kwasm::new(), server, &user), &["cluster"], &FORMS));
    let absent = json!({"tokenFile": HOSTILE.replace('\n', "")});
    let kwasm = kubeconfig(Kwasm::new(), "https://127.0.0.1:1", &absent);
    assert_case(&case("doctor", kwasm, &["doctor"], data));
    let exec = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
        "command": HOSTILE, "installHint": HOSTILE}});
    let kwasm = kubeconfig(Kwasm::new(), "https://127.0.0.1:1", &exec);
    assert_case(&case("cluster --check", kwasm, &["cluster", "--check"], &FORMS));
    let kwasm = Kwasm::new();
    fs::write(kwasm.home().join("broken"), format!("clusters: {HOSTILE}")).unwrap();
    let broken = kwasm.home().join("broken");
    assert_case(&case("cluster", kwasm.kubeconfig(broken), &["cluster"], &[]));
}

#[test]
fn what_a_server_answers() {
    const REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let data = &["table", "wide", "json", "yaml"];
    let at = |server: &ApiServer| Kwasm::new().kubeconfig(server.kubeconfig(User::Token));
    let server = ApiServer::start().unwrap();
    let info = json!({"status": {"userInfo": {"username": HOSTILE, "groups": [HOSTILE]}}});
    server.fault(Answer::status(200, Some(json!({"gitVersion": HOSTILE}))).on("GET", "/version").standing());
    server.fault(Answer::status(201, Some(info)).on("POST", REVIEWS).standing());
    assert_case(&case("cluster --check", at(&server), &["cluster", "--check"], data));
    let server = ApiServer::start().unwrap();
    let status = json!({"kind": "Status", "message": HOSTILE});
    server.fault(Answer::status(403, Some(status)).on("POST", REVIEWS).standing());
    assert_case(&case("cluster --check", at(&server), &["cluster", "--check"], &FORMS));
}

#[test]
fn what_a_registry_answers() {
    let registry = Wrong::builder().basic("u", "p").start().unwrap();
    let said = json!({"errors": [{"code": "DENIED", "message": HOSTILE}]}).to_string();
    registry.fault(Fault::body(said).standing());
    let reference = format!("{}/acme/hello:1.0.0", registry.host());
    let kwasm = || at(&registry).variable("DOCKER_CONFIG", "/nowhere");
    for verb in ["install", "run"] {
        assert_case(&case(verb, kwasm(), &[verb, &reference], PLAIN));
    }
    assert_case(&case("inspect", kwasm(), &["inspect", &reference], &FORMS));
    let key = key_pair(&kwasm()).1;
    let arguments = ["verify", &reference, "--key", key.to_str().unwrap()];
    assert_case(&case("verify", kwasm(), &arguments, &FORMS));
}

/// A private key, and the public one, whose name is the text.
fn key_pair(kwasm: &Kwasm) -> (PathBuf, PathBuf) {
    let pair = rcgen::KeyPair::generate().unwrap();
    let (private, public) = (kwasm.home().join("key.pem"), kwasm.home().join(HOSTILE));
    fs::write(&private, pair.serialize_pem()).unwrap();
    fs::write(&public, pair.public_key_pem()).unwrap();
    (private, public)
}

#[test]
fn the_names_of_keys() {
    let registry = Wrong::start().unwrap();
    let kwasm = at(&registry);
    let (private, public) = key_pair(&kwasm);
    let reference = format!("{}/acme/signed:1.0.0", registry.host());
    let hello = component("hello");
    kwasm
        .call(["publish", hello.to_str().unwrap(), &reference, "--sign", private.to_str().unwrap()])
        .success();
    let arguments = ["verify", &reference, "--key", public.to_str().unwrap()];
    assert_case(&case("verify", kwasm, &arguments, &FORMS));
    let kwasm = at(&registry);
    let (_, other) = key_pair(&kwasm);
    let arguments = ["verify", &reference, "--key", other.to_str().unwrap()];
    assert_case(&case("verify", kwasm, &arguments, &FORMS));
}

#[test]
fn what_is_in_policies_and_in_trust_yaml() {
    let yaml = yaml(&HOSTILE.into());
    let kwasm = Kwasm::new();
    let text = format!(
        "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: {yaml}}}\nspec: {{{yaml}: {yaml}}}\n"
    );
    fs::write(kwasm.home().join("bad.yaml"), text).unwrap();
    assert_case(&case("policy check", kwasm, &["policy", "check", "bad.yaml"], PLAIN));
    let path = format!("/api/v1/namespaces/x/pods/{IN_A_PATH}");
    for policy in ["none", "view"] {
        let arguments = ["policy", "explain", "GET", &path, "--policy", policy];
        assert_case(&case("policy explain", Kwasm::new(), &arguments, &FORMS));
    }
    let registry = Wrong::start().unwrap();
    crate::registries::with_hello(&registry);
    // Without anything newer, nobody reads trust.yaml.
    registry.push("acme/hello", "1.1.0", &Artifact::component(bytes("exits")));
    let trusting = || {
        let kwasm = with_receipt(&registry, |_| {});
        let trust = kwasm.home().join("config/kwasm/trust.yaml");
        fs::create_dir_all(trust.parent().unwrap()).unwrap();
        let rules =
            format!("- {{registry: {yaml}, signatures: {yaml}, keys: {{anyOf: [{yaml}]}}, {yaml}: 1}}");
        fs::write(trust, format!("apiVersion: kwasm.dev/v1\nkind: Trust\nrules:\n{rules}\n")).unwrap();
        kwasm
    };
    assert_case(&case("doctor", trusting(), &["doctor"], &["table", "wide", "json", "yaml"]));
    assert_case(&case("upgrade", trusting(), &["upgrade"], PLAIN));
}

/// Here outside texts only come from argv, and are escaped nevertheless.
#[test]
fn what_the_user_typed() {
    // Where clap lays its message out, the lines of an argument are lines of that.
    let typed = HOSTILE.replace('\n', "");
    let typed = typed.as_str();
    for arguments in [&[typed][..], &["run", typed], &["list", "-o", typed], &["uninstall", typed]] {
        assert_case(&case("argv", Kwasm::new(), arguments, PLAIN));
    }
    let role = ["policy", "role", "decoder", "-n", HOSTILE];
    assert_case(&case("policy role", Kwasm::new(), &role, PLAIN));
}
