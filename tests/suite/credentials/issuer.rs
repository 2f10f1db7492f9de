//! An identity provider, and kubeconfigs of its users.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kwasm_apiserver::ApiServer;
use serde_json::{Value, json};

/// An identity provider on this machine. It ends with the process.
pub(super) struct Issuer {
    pub(super) url: String,
    pub(super) address: SocketAddr,
    pub(super) asked: Arc<Mutex<Vec<Asked>>>,
}

/// One request: its first line, its `authorization`, its body.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) authorization: Option<String>,
    pub(super) body: String,
}

/// The answer of a token endpoint: a status and a body, or nothing, to close the connection.
type Answer = dyn Fn(&Asked) -> Option<(u16, Value)> + Send + Sync;

impl Issuer {
    /// Returns an issuer that answers requests to its token endpoint by `answer`.
    pub(super) fn answering(answer: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) -> Self {
        Self::at(None, move |asked| Some(answer(asked)))
    }

    /// Returns an issuer with this name, `HOST:PORT`, that may close the connection instead.
    pub(super) fn at(
        name: Option<&str>,
        answer: impl Fn(&Asked) -> Option<(u16, Value)> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{}/realm", name.map_or_else(|| address.to_string(), str::to_owned));
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, own, answer) =
            (Arc::clone(&asked), url.clone(), Arc::<Answer>::from(Box::new(answer) as Box<Answer>));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, log, own, answer) =
                    (stream.unwrap(), Arc::clone(&log), own.clone(), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &log, &own, &*answer));
            }
        });
        Self { url, address, asked }
    }

    /// Returns an issuer that gives a new token, and another refresh token, in exchange for the first one.
    pub(super) fn rotating() -> Self {
        Self::answering(rotated)
    }

    /// Returns an issuer that answers when it is released.
    pub(super) fn holding() -> (Self, Held) {
        let (let_go, held) = channel();
        let held = Mutex::new(held);
        let issuer = Self::answering(move |asked| {
            held.lock().unwrap().recv().unwrap_err();
            rotated(asked)
        });
        (issuer, Held(let_go))
    }

    /// Waits until its token endpoint is asked.
    pub(super) fn wait(&self) {
        let start = Instant::now();
        while self.refreshed().is_empty() {
            assert!(start.elapsed() < Duration::from_mins(1), "it was never asked");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns the requests to its token endpoint.
    pub(super) fn refreshed(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.line.starts_with("POST")).cloned().collect()
    }
}

/// The guard of an [`Issuer::holding`], which waits until it is dropped.
pub(super) struct Held(#[expect(dead_code, reason = "its end is what counts")] Sender<()>);

fn rotated(asked: &Asked) -> (u16, Value) {
    if !asked.body.contains("refresh_token=first-refresh") {
        return (400, json!({"error": "invalid_grant", "error_description": "hunter2"}));
    }
    (200, json!({"access_token": "a", "id_token": jwt("fresh", NEW), "refresh_token": "second-refresh"}))
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Asked>>, own: &str, answer: &Answer) {
    let Some(request) = request(&stream) else { return };
    log.lock().unwrap().push(request.clone());
    let answered = match request.line.as_str() {
        "GET /realm/.well-known/openid-configuration" => {
            Some((200, json!({"issuer": own, "token_endpoint": format!("{own}/token")})))
        }
        "POST /realm/token" => answer(&request),
        _ => Some((404, json!({}))),
    };
    let Some((code, body)) = answered else { return };
    let body = body.to_string();
    let head = format!("HTTP/1.1 {code} X\r\ncontent-type: application/json\r\nconnection: close");
    // Who asked may be gone.
    drop(write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
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

/// Returns an identity token of this name with this expiry.
pub(super) fn jwt(name: &str, expires: u64) -> String {
    let claims = json!({"sub": name, "exp": expires}).to_string();
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

pub(super) const OLD: u64 = 1_000_000_000;
pub(super) const NEW: u64 = 9_000_000_000;

/// Returns a kubeconfig by hand, with this in the user's configuration.
pub(super) fn kubeconfig(server: &ApiServer, issuer: &Issuer, config: &str) -> PathBuf {
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

/// Returns the credentials that the API server was shown.
pub(super) fn shown(server: &ApiServer) -> Vec<String> {
    let shown =
        |request: &kwasm_apiserver::Received| request.header("authorization").unwrap_or("nothing").to_owned();
    server.requests().iter().map(shown).collect()
}

pub(super) fn tokens(id: &str, refresh: &str) -> String {
    format!("        id-token: {id}\n        refresh-token: \"{refresh}\" # do not lose")
}
