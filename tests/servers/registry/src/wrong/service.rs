//! One request: written down, subjected to the faults, answered.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap, RANGE};
use hyper::{Method, Request, Response};
use serde_json::{Value, json};

use super::answer::Answer;
use super::body::{Manner, Sent};
use super::fault::Action;
use super::pages::{Page, Paging};
use super::received::{Received, Side};
use super::route::{Route, TOKEN};
use super::tokens::is_basic;
use super::wire::Wire;
use super::{Admission, Referrals, Shared, uploads};

/// The most that is read of a request's body.
const LONGEST: usize = 64 << 20;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const PAGE: &str = "<!doctype html><title>Sign in</title><h1>Sign in to this network</h1>\n";

/// The properties of a request on which answers depend.
pub(crate) struct Asked {
    side: Side,
    pub(crate) method: Method,
    path: String,
    pub(crate) query: Vec<(String, String)>,
    headers: HeaderMap,
    pub(crate) body: Bytes,
    route: Route,
}

impl Asked {
    fn header(&self, name: hyper::header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the action that its token has to allow.
    fn action(&self) -> &'static str {
        if [Method::GET, Method::HEAD].contains(&self.method) { "pull" } else { "push" }
    }
}

/// Answers a request; an error cuts the connection.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    side: Side,
    wire: Wire,
    request: Request<Incoming>,
) -> io::Result<Response<Sent>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LONGEST).collect().await.map_err(io::Error::other)?.to_bytes();
    let route = Route::of(head.uri.path());
    let kind = route.kind();
    let number = shared.log.begin(Received::new(side, kind, &head, &body));
    let asked = Asked {
        side,
        path: head.uri.path().to_owned(),
        query: pairs(head.uri.query().unwrap_or_default().as_bytes()),
        method: head.method,
        headers: head.headers,
        body,
        route,
    };
    let fault = shared.faults.take(side, kind, asked.method.as_str());
    let answer = match fault.as_ref().map(|fault| &fault.action) {
        Some(Action::Cut) => return Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Action::Page) => Answer::new(200, "text/html; charset=utf-8", PAGE),
        Some(Action::Status(code)) => Answer::error(*code, "UNAVAILABLE", "a fault answers"),
        Some(Action::Lose) => {
            natural(&shared, &asked);
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        _ => natural(&shared, &asked),
    };
    let (answer, manner) = match &fault {
        Some(fault) => answer.under(fault),
        None => (answer, Manner::Whole),
    };
    shared.log.answered(number, answer.status());
    answer.send(manner, &wire).map_err(io::Error::other)
}

/// Returns the answer of a correct registry.
fn natural(shared: &Shared, asked: &Asked) -> Answer {
    if asked.route == Route::Token {
        return token(shared, asked);
    }
    if asked.side == Side::Registry
        && let Err(refusal) = admit(shared, asked)
    {
        return refusal;
    }
    match &asked.route {
        Route::Upload { repository, name } => return uploads::upload(shared, asked, repository, name),
        Route::Manifest { repository, reference } if asked.method == Method::PUT => {
            return uploads::put_manifest(shared, asked, repository, reference);
        }
        _ => {}
    }
    if ![Method::GET, Method::HEAD].contains(&asked.method) {
        return Answer::error(405, "UNSUPPORTED", "this cannot be changed here");
    }
    match &asked.route {
        Route::Base => Answer::json(200, &json!({})),
        Route::Blob { digest, .. } => blob(shared, asked, digest),
        Route::Manifest { repository, reference } => manifest(shared, repository, reference),
        Route::Referrers { repository, digest } => match shared.options.referrers {
            Referrals::Absent => nothing(),
            Referrals::Listed => referrers(shared, asked, repository, digest),
            Referrals::Other { media_type, body } => Answer::new(200, media_type, body),
            Referrals::Refused => Answer::error(401, "UNAUTHORIZED", "unauthorized"),
        },
        Route::Tags { repository } => tags(shared, asked, repository),
        Route::WellKnown => match shared.content().well_known() {
            Some(said) => Answer::json(200, &said),
            None => nothing(),
        },
        Route::Other | Route::Token | Route::Upload { .. } => nothing(),
    }
}

fn nothing() -> Answer {
    Answer::new(404, "text/plain; charset=utf-8", "404 page not found\n")
}

fn admit(shared: &Shared, asked: &Asked) -> Result<(), Answer> {
    let authorization = asked.header(AUTHORIZATION);
    let challenge = match &shared.admission {
        Admission::Open => return Ok(()),
        Admission::Basic { user, password } if is_basic(authorization, user, password) => return Ok(()),
        Admission::Basic { .. } => "Basic realm=\"kwasm\"".to_owned(),
        Admission::Tokens(issuer) => {
            match issuer.admit(authorization, asked.route.repository(), asked.action()) {
                Ok(()) => return Ok(()),
                Err(error) => challenge(shared, asked, error),
            }
        }
    };
    let refusal = Answer::error(401, "UNAUTHORIZED", "authentication required");
    Err(refusal.header("www-authenticate", challenge))
}

fn challenge(shared: &Shared, asked: &Asked, error: Option<&str>) -> String {
    let actions = if asked.action() == "push" { "pull,push" } else { "pull" };
    let scope =
        asked.route.repository().map(|repository| format!(",scope=\"repository:{repository}:{actions}\""));
    let scope = scope.unwrap_or_default();
    let error = error.map(|error| format!(",error=\"{error}\"")).unwrap_or_default();
    format!("Bearer realm=\"{}{TOKEN}\",service=\"kwasm-test\"{scope}{error}", shared.base(Side::Registry))
}

fn token(shared: &Shared, asked: &Asked) -> Answer {
    let Admission::Tokens(issuer) = &shared.admission else {
        return Answer::error(404, "UNSUPPORTED", "there are no tokens here");
    };
    let is_form = asked.method == Method::POST;
    let fields = if is_form { &pairs(&asked.body) } else { &asked.query };
    issuer.issue(is_form, fields, asked.header(AUTHORIZATION))
}

fn blob(shared: &Shared, asked: &Asked, digest: &str) -> Answer {
    let Some(content) = shared.content().blob(digest) else {
        return Answer::error(404, "BLOB_UNKNOWN", "blob unknown to registry");
    };
    if asked.side == Side::Registry && shared.options.blobs == Side::Elsewhere {
        let location = format!("{}{}?signature=once", shared.base(Side::Elsewhere), asked.path);
        return Answer::new(307, "text/plain", "").header("location", location);
    }
    let answer =
        Answer::new(200, "application/octet-stream", content).header("docker-content-digest", digest);
    if !shared.options.ranges {
        return answer;
    }
    answer.header("accept-ranges", "bytes").ranged(asked.header(RANGE))
}

fn manifest(shared: &Shared, repository: &str, reference: &str) -> Answer {
    let named = reference.strip_prefix("sha256-").filter(|hex| hex.len() == 64);
    let spelled = named.filter(|_| shared.options.digests_as_tags).map(|hex| format!("sha256:{hex}"));
    let reference = spelled.as_deref().unwrap_or(reference);
    let Some((digest, manifest)) = shared.content().manifest(repository, reference) else {
        return Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    };
    Answer::new(200, &manifest.media_type, manifest.content).header("docker-content-digest", digest)
}

fn tags(shared: &Shared, asked: &Asked, repository: &str) -> Answer {
    let Some(tags) = shared.content().tags(repository) else {
        return Answer::error(404, "NAME_UNKNOWN", "repository name not known to registry");
    };
    let Page { range, next } = shared.options.tag_pages.page(&tags, &asked.query);
    let answer = Answer::json(200, &json!({"name": repository, "tags": tags[range]}));
    linked(answer, shared, asked, shared.options.tag_pages.paging, next)
}

fn referrers(shared: &Shared, asked: &Asked, repository: &str, digest: &str) -> Answer {
    let wanted = asked.query.iter().find(|(name, _)| name == "artifactType").map(|(_, value)| value.as_str());
    let manifests = shared.content().referrers(repository, digest, wanted);
    let digests: Vec<String> = manifests
        .iter()
        .map(|descriptor| descriptor["digest"].as_str().unwrap_or_default().to_owned())
        .collect();
    let Page { range, next } = shared.options.referrer_pages.page(&digests, &asked.query);
    let index: Value = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests[range]});
    let mut answer = Answer::new(200, INDEX, index.to_string());
    if wanted.is_some() {
        answer = answer.header("oci-filters-applied", "artifactType");
    }
    linked(answer, shared, asked, shared.options.referrer_pages.paging, next)
}

/// Adds the `Link` to the next page, if there is one.
fn linked(answer: Answer, shared: &Shared, asked: &Asked, paging: Paging, next: Option<String>) -> Answer {
    let Some(next) = next else { return answer };
    let base = match paging {
        Paging::Absolute => shared.base(Side::Registry),
        Paging::Elsewhere => shared.base(Side::Elsewhere),
        Paging::LastOnly | Paging::Loop | Paging::Relative => String::new(),
    };
    answer.header("link", format!("<{base}{}?{next}>; rel=\"next\"", asked.path))
}

fn pairs(form: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(form).into_owned().collect()
}
