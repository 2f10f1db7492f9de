//! The auth-provider `oidc`: an identity token is refreshed, and kept where the old one was.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kwasm_apiserver::ApiServer;
use serde_json::{Value, json};

use super::program::ask;
use crate::support::{Kwasm, Run, seed};

/// An identity provider on this machine. It ends with the process.
struct Issuer {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// One request: its first line, its `authorization`, its body.
#[derive(Clone)]
struct Asked {
    line: String,
    authorization: Option<String>,
    body: String,
}

impl Issuer {
    /// One that answers what is asked of its token endpoint by `answer`.
    fn answering(answer: impl Fn(&Asked) -> (u16, Value) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/realm", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, own) = (Arc::clone(&asked), url.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(request) = request(&stream) else { continue };
                log.lock().unwrap().push(request.clone());
                let (code, body) = match request.line.as_str() {
                    "GET /realm/.well-known/openid-configuration" => {
                        (200, json!({"issuer": own, "token_endpoint": format!("{own}/token")}))
                    }
                    "POST /realm/token" => answer(&request),
                    _ => (404, json!({})),
                };
                let body = body.to_string();
                let head =
                    format!("HTTP/1.1 {code} X\r\ncontent-type: application/json\r\nconnection: close");
                write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
            }
        });
        Self { url, asked }
    }

    /// What its token endpoint was asked.
    fn refreshed(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.line.starts_with("POST")).cloned().collect()
    }
}

fn request(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut authorization, mut length) = (String::new(), None, 0);
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    for header in reader.by_ref().lines().map_while(Result::ok).take_while(|header| !header.is_empty()) {
        let (name, value) = header.split_once(": ").unwrap();
        match name.to_ascii_lowercase().as_str() {
            "authorization" => authorization = Some(value.to_owned()),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Asked { line, authorization, body: String::from_utf8(body).unwrap() })
}

/// An identity token of this name, which is old or is not.
fn jwt(name: &str, expires: u64) -> String {
    let claims = json!({"sub": name, "exp": expires}).to_string();
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

const OLD: u64 = 1_000_000_000;
const NEW: u64 = 9_000_000_000;

/// A kubeconfig by hand, with this in the user's configuration.
fn kubeconfig(server: &ApiServer, issuer: &Issuer, config: &str) -> PathBuf {
    let path = server.folder().join("by-hand");
    let authority = STANDARD.encode(server.authority().unwrap());
    let text = format!(
        "# written by hand\napiVersion: v1\nkind: Config\ncurrent-context: c\n\
         clusters: [{{name: c, cluster: {{server: '{}', certificate-authority-data: {authority}}}}}]\n\
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
         users:\n- name: u # me\n  user:\n    auth-provider:\n      name: oidc\n      config:\n        \
         idp-issuer-url: {}\n        client-id: kube:shop\n        client-secret: sec/ret\n{config}\n# the end\n",
        server.url(),
        issuer.url
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// What the API server was shown.
fn shown(server: &ApiServer) -> Vec<String> {
    let shown =
        |request: &kwasm_apiserver::Received| request.header("authorization").unwrap_or("nothing").to_owned();
    server.requests().iter().map(shown).collect()
}

fn tokens(id: &str, refresh: &str) -> String {
    format!("        id-token: {id}\n        refresh-token: \"{refresh}\" # do not lose")
}

/// One that gives `fresh` and another refresh token.
fn rotating() -> Issuer {
    Issuer::answering(|asked| {
        if !asked.body.contains("refresh_token=first-refresh") {
            return (400, json!({"error": "invalid_grant", "error_description": "hunter2"}));
        }
        (200, json!({"access_token": "a", "id_token": jwt("fresh", NEW), "refresh_token": "second-refresh"}))
    })
}

fn run(path: &PathBuf, times: usize) -> Run {
    ask(&Kwasm::new().kubeconfig(path), times)
}

#[test]
fn a_token_that_has_not_expired_is_sent_and_nobody_is_asked() {
    let (server, issuer) = (seed(), rotating());
    run(&kubeconfig(&server, &issuer, &tokens(&jwt("mine", NEW), "first-refresh")), 2).success();
    assert_eq!(shown(&server), vec![format!("Bearer {}", jwt("mine", NEW)); 2]);
    assert!(issuer.asked.lock().unwrap().is_empty());
}

#[test]
fn an_expired_token_is_refreshed_once_and_kept_with_all_that_was_beside_it() {
    let (server, issuer) = (seed(), rotating());
    let (old, new) = (jwt("mine", OLD), jwt("fresh", NEW));
    let path = kubeconfig(&server, &issuer, &tokens(&old, "first-refresh"));
    let before = std::fs::read_to_string(&path).unwrap();
    run(&path, 3).success();
    assert_eq!(shown(&server), vec![format!("Bearer {new}"); 3]);
    let asked = issuer.refreshed();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body, "grant_type=refresh_token&refresh_token=first-refresh");
    // As Go's oauth2 has it: each part is escaped first.
    let basic = format!("Basic {}", STANDARD.encode("kube%3Ashop:sec%2Fret"));
    assert_eq!(asked[0].authorization.as_deref(), Some(basic.as_str()));
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(kept, before.replace(&old, &new).replace("first-refresh", "second-refresh"));
    assert!(!path.with_file_name("by-hand.lock").exists());
    // What was kept is what the next run finds.
    run(&path, 1).success();
    assert_eq!(issuer.refreshed().len(), 1);
}

#[test]
fn a_provider_that_wants_its_client_in_the_form_gets_it_there() {
    let server = seed();
    let issuer = Issuer::answering(|asked| match &asked.authorization {
        Some(_) => (401, json!({"error": "invalid_client"})),
        None => (200, json!({"access_token": "a", "id_token": jwt("fresh", NEW)})),
    });
    run(&kubeconfig(&server, &issuer, &tokens(&jwt("mine", OLD), "first-refresh")), 1).success();
    assert_eq!(shown(&server), [format!("Bearer {}", jwt("fresh", NEW))]);
    let form =
        "grant_type=refresh_token&refresh_token=first-refresh&client_id=kube%3Ashop&client_secret=sec%2Fret";
    assert_eq!(issuer.refreshed()[1].body, form);
}

#[test]
fn a_first_identity_token_is_kept_too() {
    let (server, issuer) = (seed(), rotating());
    let path = kubeconfig(&server, &issuer, "        refresh-token: first-refresh");
    run(&path, 1).success();
    let kept = std::fs::read_to_string(&path).unwrap();
    let lines =
        format!("        id-token: {}\n        refresh-token: second-refresh\n# the end", jwt("fresh", NEW));
    assert!(kept.contains(&lines), "{kept}");
}

#[cfg(unix)]
#[test]
fn a_kubeconfig_keeps_its_mode_and_a_link_to_it_stays_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let (server, issuer) = (seed(), rotating());
    let path = kubeconfig(&server, &issuer, &tokens(&jwt("mine", OLD), "first-refresh"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let link = path.with_file_name("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    run(&link, 1).success();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert!(std::fs::read_to_string(&path).unwrap().contains("second-refresh"));
}

#[test]
fn a_refusal_is_told_by_its_code_and_changes_nothing() {
    let (server, issuer) = (seed(), rotating());
    let path = kubeconfig(&server, &issuer, &tokens(&jwt("mine", OLD), "gone-refresh"));
    let before = std::fs::read_to_string(&path).unwrap();
    let run = run(&path, 1);
    assert!(
        run.stderr.contains("does not refresh the token: it answered 400 Bad Request (invalid_grant)"),
        "{}",
        run.shown()
    );
    assert!(run.stderr.contains("hint: log in again by what made this kubeconfig"), "{}", run.shown());
    assert!(!run.stderr.contains("gone-refresh") && !run.stderr.contains("hunter2"), "{}", run.shown());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
    assert!(server.requests().is_empty());
}

#[test]
fn nothing_is_refreshed_while_another_program_changes_the_kubeconfig() {
    let (server, issuer) = (seed(), rotating());
    let path = kubeconfig(&server, &issuer, &tokens(&jwt("mine", OLD), "first-refresh"));
    let lock = path.with_file_name("by-hand.lock");
    std::fs::write(&lock, "").unwrap();
    let run = run(&path, 1);
    assert!(
        run.stderr.contains("by-hand.lock is there: another program is changing the kubeconfig"),
        "{}",
        run.shown()
    );
    assert!(issuer.asked.lock().unwrap().is_empty());
    assert!(lock.exists(), "it is the other one's");
}

#[cfg(unix)]
#[test]
fn a_run_that_is_ended_while_it_refreshes_leaves_no_lock() {
    let server = seed();
    let silent = Issuer::answering(|_| {
        thread::sleep(Duration::from_mins(1));
        (500, json!({}))
    });
    let path = kubeconfig(&server, &silent, &tokens(&jwt("mine", OLD), "first-refresh"));
    let running = Kwasm::new().kubeconfig(&path).start("downloads", &["/version"]);
    let start = Instant::now();
    while silent.refreshed().is_empty() {
        assert!(start.elapsed() < Duration::from_mins(1), "it was never asked");
        thread::sleep(Duration::from_millis(10));
    }
    assert!(path.with_file_name("by-hand.lock").exists());
    running.signal("INT");
    running.end().fails(130);
    assert!(!path.with_file_name("by-hand.lock").exists());
}

#[test]
fn a_refresh_token_that_cannot_be_kept_is_told() {
    let (server, issuer) = (seed(), rotating());
    let path = kubeconfig(&server, &issuer, &tokens(&jwt("mine", OLD), "first\\x2drefresh"));
    let before = std::fs::read_to_string(&path).unwrap();
    let run = run(&path, 1);
    assert!(run.stderr.contains("gave another refresh-token, which cannot be kept in "), "{}", run.shown());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
}

#[test]
fn what_is_missing_is_told() {
    for (config, why) in [
        (tokens("no-jwt", "first-refresh"), "its id-token is no JWT"),
        (format!("        id-token: {}", jwt("mine", OLD)), "and there is no refresh-token"),
        (
            "        idp-certificate-authority-data: '*'".to_owned(),
            "its idp-certificate-authority-data is no base64",
        ),
        ("        client-id: ''".to_owned(), "its client-id is missing"),
    ] {
        let (server, issuer) = (seed(), rotating());
        let run = run(&kubeconfig(&server, &issuer, &config), 1);
        assert!(run.stderr.contains(why), "{why}: {}", run.shown());
    }
}
