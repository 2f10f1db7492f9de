//! The registry that does wrong: what it promises to the tests that are built on it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::time::{Duration, Instant};

use kwasm_registry::{Artifact, Fault, Kind, Paging, Side, Tokens, Wrong, WrongBuilder, digest};
use reqwest::header::HeaderMap;
use serde_json::Value;

const REPOSITORY: &str = "plugins/hello";

/// A minimal client without any behaviour of its own.
struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    base: String,
}

/// The result of a request, without the body if the connection ended too early.
struct Got {
    status: u16,
    headers: HeaderMap,
    body: Result<Vec<u8>, Vec<u8>>,
}

impl Client {
    fn of(wrong: &Wrong) -> Self {
        let mut builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        if let Some(pem) = wrong.access().authority() {
            builder = builder.tls_certs_only([reqwest::Certificate::from_pem(pem.as_bytes()).unwrap()]);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, http: builder.build().unwrap(), base: wrong.base(Side::Registry) }
    }

    fn get(&self, target: &str) -> Got {
        self.try_with(target, &[]).unwrap()
    }

    fn with(&self, target: &str, headers: &[(&str, &str)]) -> Got {
        self.try_with(target, headers).unwrap()
    }

    /// Sends a request, and returns an error if no answer came.
    fn try_with(&self, target: &str, headers: &[(&str, &str)]) -> reqwest::Result<Got> {
        let url =
            if target.starts_with("http") { target.to_owned() } else { format!("{}{target}", self.base) };
        let request =
            headers.iter().fold(self.http.get(url), |request, (name, value)| request.header(*name, *value));
        self.send(request)
    }

    fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Got> {
        self.runtime.block_on(async {
            let mut response = request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let mut read = Vec::new();
            let body = loop {
                match response.chunk().await {
                    Ok(Some(chunk)) => read.extend_from_slice(&chunk),
                    Ok(None) => break Ok(read),
                    Err(_) => break Err(read),
                }
            };
            Ok(Got { status, headers, body })
        })
    }
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).to_str().unwrap()
    }

    fn body(self) -> Vec<u8> {
        self.body.unwrap()
    }

    fn json(self) -> Value {
        serde_json::from_slice(&self.body()).unwrap()
    }
}

/// Returns a registry with an artifact whose layer has this content.
fn with_layer(builder: WrongBuilder, content: &[u8]) -> (Wrong, Client, String) {
    let wrong = builder.start().unwrap();
    wrong.push(REPOSITORY, "1.0.0", &Artifact::component(content.to_vec()));
    let client = Client::of(&wrong);
    (wrong, client, format!("/v2/{REPOSITORY}/blobs/{}", digest(content)))
}

#[test]
fn what_was_pushed_is_served_by_tag_and_by_digest() {
    let wrong = Wrong::start().unwrap();
    let artifact = Artifact::component(b"wasm".as_slice()).annotation("org.example", "yes");
    let pushed = wrong.push(REPOSITORY, "1.0.0", &artifact);
    let client = Client::of(&wrong);

    assert_eq!(client.get("/v2/").status, 200);
    let by_tag = client.get(&format!("/v2/{REPOSITORY}/manifests/1.0.0"));
    assert_eq!(by_tag.header("docker-content-digest"), pushed);
    assert_eq!(by_tag.header("content-type"), "application/vnd.oci.image.manifest.v1+json");
    let by_tag = by_tag.body();
    assert_eq!(by_tag, client.get(&format!("/v2/{REPOSITORY}/manifests/{pushed}")).body());
    assert_eq!((digest(&by_tag), by_tag), (pushed.clone(), artifact.manifest().into_bytes()));
    let manifest: Value = serde_json::from_str(&artifact.manifest()).unwrap();
    for part in [&manifest["config"], &manifest["layers"][0]] {
        let blob = client.get(&format!("/v2/{REPOSITORY}/blobs/{}", part["digest"].as_str().unwrap())).body();
        assert_eq!(blob.len(), usize::try_from(part["size"].as_u64().unwrap()).unwrap());
    }
    wrong.untag(REPOSITORY, "1.0.0");
    let gone = client.get(&format!("/v2/{REPOSITORY}/manifests/1.0.0"));
    assert_eq!((gone.status, gone.json()["errors"][0]["code"].clone()), (404, "MANIFEST_UNKNOWN".into()));
    let head =
        client.send(client.http.head(format!("{}/v2/{REPOSITORY}/manifests/{pushed}", client.base))).unwrap();
    assert_eq!(
        (head.header("content-length"), head.status),
        (artifact.manifest().len().to_string().as_str(), 200)
    );
}

#[test]
fn a_cut_comes_after_exactly_the_bytes_that_it_was_told() {
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let (wrong, client, path) = with_layer(Wrong::builder(), &content);
    for after in [0, 1, 1000, 2_999_999, 3_000_000, 5_000_000] {
        wrong.fault(Fault::cut_after(after).on(Kind::Blob));
        let got = client.get(&path);
        let length = usize::try_from(after).unwrap().min(content.len());
        match got.body {
            Err(part) => assert!(part == content[..length], "{after}: {} bytes came", part.len()),
            // All announced bytes have arrived: further ones do not matter.
            Ok(whole) => assert!(length == content.len() && whole == content, "{after}: no error"),
        }
        assert_eq!(wrong.faults_left(), 0);
    }
    wrong.fault(Fault::cut());
    assert!(client.try_with(&path, &[]).is_err());
    assert_eq!(client.get(&path).body(), content);
}

#[test]
fn a_range_is_honoured_or_ignored() {
    let range = [("range", "bytes=4-")];
    let (_wrong, client, path) = with_layer(Wrong::builder(), b"0123456789");
    let got = client.with(&path, &range);
    assert_eq!((got.status, got.header("content-range")), (206, "bytes 4-9/10"));
    assert_eq!(got.body(), b"456789");
    assert_eq!(client.with(&path, &[("range", "bytes=2-3")]).body(), b"23");
    assert_eq!(client.with(&path, &[("range", "bytes=10-")]).status, 416);

    let (_wrong, client, path) = with_layer(Wrong::builder().without_ranges(), b"0123456789");
    let got = client.with(&path, &range);
    assert_eq!((got.status, got.body()), (200, b"0123456789".to_vec()));
}

#[test]
fn a_range_can_be_cut_again() {
    let (wrong, client, path) = with_layer(Wrong::builder(), b"0123456789");
    wrong.fault(Fault::cut_after(2).on(Kind::Blob).times(2));
    assert_eq!(client.get(&path).body, Err(b"01".to_vec()));
    assert_eq!(client.with(&path, &[("range", "bytes=2-")]).body, Err(b"23".to_vec()));
    assert_eq!(client.with(&path, &[("range", "bytes=4-")]).body(), b"456789");
    let ranges: Vec<_> =
        wrong.requests().iter().map(|request| request.header("range").map(str::to_owned)).collect();
    assert_eq!(ranges, [None, Some("bytes=2-".to_owned()), Some("bytes=4-".to_owned())]);
}

#[test]
fn statuses_come_as_often_as_asked_for() {
    let (wrong, client, path) = with_layer(Wrong::builder(), b"wasm");
    wrong.fault(Fault::too_many(7).on(Kind::Blob));
    wrong.fault(Fault::status(503).on(Kind::Blob).times(2));
    let manifest = client.get(&format!("/v2/{REPOSITORY}/manifests/1.0.0"));
    let refused = client.get(&path);
    assert_eq!((manifest.status, refused.status, refused.header("retry-after")), (200, 429, "7"));
    assert_eq!([&path; 3].map(|path| client.get(path).status), [503, 503, 200]);
    let statuses: Vec<_> =
        wrong.requests_for(Kind::Blob).iter().map(|request| request.status.unwrap()).collect();
    assert_eq!(statuses, [429, 503, 503, 200]);
}

#[test]
fn an_answer_lies_in_each_way() {
    let (wrong, client, path) = with_layer(Wrong::builder(), b"0123456789");
    wrong.fault(Fault::corrupt());
    assert_eq!(client.get(&path).body(), b"0123456788");
    wrong.fault(Fault::body("other"));
    assert_eq!(client.get(&path).body(), b"other");
    wrong.fault(Fault::headers().header("docker-content-digest", "sha256:00"));
    assert_eq!(client.get(&path).header("docker-content-digest"), "sha256:00");
    wrong.fault(Fault::headers().without_header("docker-content-digest"));
    assert!(!client.get(&path).headers.contains_key("docker-content-digest"));
    wrong.fault(Fault::page().on(Kind::Blob));
    let page = client.get(&path);
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    wrong.fault(Fault::redirect("http://192.0.2.1/"));
    let redirect = client.get(&path);
    assert_eq!((redirect.status, redirect.header("location")), (307, "http://192.0.2.1/"));
}

#[test]
fn a_length_is_too_long_too_short_or_not_told() {
    let (wrong, client, path) = with_layer(Wrong::builder(), b"0123456789");
    wrong.fault(Fault::content_length(1000));
    assert_eq!(client.get(&path).body, Err(b"0123456789".to_vec()));
    wrong.fault(Fault::content_length(4));
    assert_eq!(client.get(&path).body(), b"0123");
    wrong.fault(Fault::chunked());
    let chunked = client.get(&path);
    assert!(!chunked.headers.contains_key("content-length"));
    assert_eq!(chunked.body(), b"0123456789");
}

#[test]
fn a_body_can_be_endless_slow_or_stand_still() {
    let (wrong, client, path) = with_layer(Wrong::builder().plain_http(), b"0123456789");
    let url = format!("{}{path}", client.base);
    wrong.fault(Fault::endless());
    let read = client.runtime.block_on(async {
        let mut response = client.http.get(&url).send().await.unwrap();
        let mut read = 0;
        while read < 10_000_000 {
            read += response.chunk().await.unwrap().unwrap().len();
        }
        read
    });
    assert!(read >= 10_000_000);

    wrong.fault(Fault::slow(1, Duration::from_millis(10)));
    let start = Instant::now();
    assert_eq!(client.get(&path).body(), b"0123456789");
    assert!(start.elapsed() >= Duration::from_millis(90));

    wrong.fault(Fault::stall_after(3));
    client.runtime.block_on(async {
        let mut response = client.http.get(&url).send().await.unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), "012");
        let more = tokio::time::timeout(Duration::from_millis(200), response.chunk()).await;
        assert!(more.is_err(), "{more:?}");
    });
}

#[test]
fn basic_authentication_is_asked_for() {
    let (_wrong, client, path) = with_layer(Wrong::builder().basic("jane", "a:b"), b"wasm");
    let refused = client.get(&path);
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Basic realm=\"kwasm\""));
    // jane:a:b
    assert_eq!(client.with(&path, &[("authorization", "Basic amFuZTphOmI=")]).body(), b"wasm");
}

#[test]
fn a_token_is_good_for_its_repository_and_for_its_time() {
    let (wrong, client, path) = with_layer(Wrong::builder().tokens(Tokens::anonymous().good_for(1)), b"wasm");
    let challenge = client.get(&path).header("www-authenticate").to_owned();
    let realm = format!("https://{}/token", wrong.host());
    assert_eq!(
        challenge,
        format!("Bearer realm=\"{realm}\",service=\"kwasm-test\",scope=\"repository:{REPOSITORY}:pull\"")
    );
    let token = |repository: &str| {
        let got = client.get(&format!("/token?service=kwasm-test&scope=repository:{repository}:pull"));
        format!("Bearer {}", got.json()["token"].as_str().unwrap())
    };
    let others = client.with(&path, &[("authorization", &token("plugins/other"))]);
    assert!(others.header("www-authenticate").ends_with(",error=\"insufficient_scope\""));
    let good = token(REPOSITORY);
    assert_eq!(client.with(&path, &[("authorization", &good)]).body(), b"wasm");
    let again = client.with(&path, &[("authorization", &good)]);
    assert!(again.status == 401 && again.header("www-authenticate").ends_with(",error=\"invalid_token\""));
}

#[test]
fn what_is_public_is_for_whoever_shows_no_login() {
    let wrong = Wrong::builder().tokens(Tokens::public()).start().unwrap();
    let client = Client::of(&wrong);
    let realm = "/token?scope=repository:plugins/hello:pull";
    assert_eq!(client.with(realm, &[("authorization", "Basic amFuZTpvcGVu")]).status, 401);
    assert_eq!(client.get(realm).status, 200);
}

#[test]
fn an_identity_token_is_exchanged_in_a_form_and_a_password_in_either_way() {
    let post = |client: &Client, form: &'static str| {
        let request = client.http.post(format!("{}/token", client.base));
        client.send(request.header("content-type", "application/x-www-form-urlencoded").body(form)).unwrap()
    };
    let (wrong, client, path) =
        with_layer(Wrong::builder().tokens(Tokens::for_identity("re/fresh")), b"wasm");
    assert_eq!(client.get("/token?scope=repository:plugins/hello:pull").status, 401);
    assert_eq!(post(&client, "grant_type=refresh_token&refresh_token=other").status, 401);
    let form = "grant_type=refresh_token&refresh_token=re%2Ffresh&scope=repository%3Aplugins%2Fhello%3Apull";
    let token = post(&client, form).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(client.with(&path, &[("authorization", &format!("Bearer {token}"))]).body(), b"wasm");
    let exchange = &wrong.requests_for(Kind::Token)[2];
    assert_eq!(exchange.form("refresh_token").as_deref(), Some("re/fresh"));
    assert_eq!((exchange.status, exchange.method.as_str()), (Some(200), "POST"));

    let (_wrong, client, _path) =
        with_layer(Wrong::builder().tokens(Tokens::for_user("jane", "a:b")), b"wasm");
    assert_eq!(client.get("/token").status, 401);
    assert_eq!(client.with("/token", &[("authorization", "Basic amFuZTphOmI=")]).status, 200);
    assert_eq!(post(&client, "grant_type=password&username=jane&password=a%3Ab").status, 200);
}

#[test]
fn blobs_may_be_elsewhere_and_it_is_seen_what_credentials_come_there() {
    let (wrong, client, path) = with_layer(Wrong::builder().basic("jane", "a:b").blobs_elsewhere(), b"wasm");
    let redirect = client.with(&path, &[("authorization", "Basic amFuZTphOmI=")]);
    let location = redirect.header("location").to_owned();
    assert_eq!((redirect.status, location.starts_with(&wrong.base(Side::Elsewhere))), (307, true));
    assert_eq!(client.get(&location).body(), b"wasm");
    assert_eq!(client.with(&location, &[("authorization", "Basic leaked")]).status, 200);
    let requests = wrong.requests();
    assert_eq!(
        requests.iter().map(|request| request.side).collect::<Vec<_>>(),
        [Side::Registry, Side::Elsewhere, Side::Elsewhere]
    );
    assert_eq!(requests[1].header("authorization"), None);
    assert_eq!(requests[2].header("authorization"), Some("Basic leaked"));
    assert_eq!(requests[1].query("signature").as_deref(), Some("once"));
}

/// Begins an upload and ends it with this body, and returns the answers to both.
fn push(client: &Client, content: &'static [u8], authorization: &str) -> (Got, Option<Got>) {
    let header = |request: reqwest::RequestBuilder| request.header("authorization", authorization);
    let begun = client
        .send(header(client.http.post(format!("{}/v2/{REPOSITORY}/blobs/uploads/", client.base))))
        .unwrap();
    if begun.status != 202 {
        return (begun, None);
    }
    let location = begun.header("location");
    let base = if location.starts_with('/') { client.base.as_str() } else { "" };
    let url = format!("{base}{location}&digest={}", digest(content));
    let ended = client.send(header(client.http.put(url).body(content))).unwrap();
    (begun, Some(ended))
}

#[test]
fn what_is_pushed_is_there_once_its_digest_is_right_and_its_parts_are_there() {
    let wrong = Wrong::start().unwrap();
    let client = Client::of(&wrong);
    let artifact = Artifact::component(b"wasm".as_slice());
    let put = |name: &str| {
        let url = format!("{}/v2/{REPOSITORY}/manifests/{name}", client.base);
        client.send(client.http.put(url).body(artifact.manifest())).unwrap().status
    };
    assert_eq!(put("1.0.0"), 404);
    wrong.push("plugins/other", "1", &artifact);
    assert_eq!(push(&client, b"pushed", "").1.unwrap().status, 201);
    let blob = format!("/v2/{REPOSITORY}/blobs/{}", digest(b"pushed"));
    assert_eq!(client.get(&blob).body(), b"pushed");
    assert_eq!((put("1.0.0"), put(&digest(b"other"))), (201, 400));
    assert_eq!(
        client.get(&format!("/v2/{REPOSITORY}/manifests/1.0.0")).body(),
        artifact.manifest().into_bytes()
    );

    let ended = format!("{}/v2/{REPOSITORY}/blobs/uploads/upload-1?digest=sha256:00", client.base);
    assert_eq!(client.send(client.http.put(ended).body("x")).unwrap().status, 404);
    wrong.fault(Fault::lost_answer().on(Kind::Upload).method("PUT"));
    let begun =
        client.send(client.http.post(format!("{}/v2/{REPOSITORY}/blobs/uploads", client.base))).unwrap();
    let url = format!("{}{}&digest={}", client.base, begun.header("location"), digest(b"lost"));
    assert!(client.send(client.http.put(url).body("lost")).is_err());
    assert_eq!(client.get(&format!("/v2/{REPOSITORY}/blobs/{}", digest(b"lost"))).body(), b"lost");
}

#[test]
fn uploads_may_be_elsewhere_and_want_a_token_for_pushing() {
    let (wrong, client, _path) =
        with_layer(Wrong::builder().tokens(Tokens::anonymous()).uploads_elsewhere(), b"wasm");
    let token = |actions: &str| {
        let got = client.get(&format!("/token?scope=repository:{REPOSITORY}:{actions}"));
        format!("Bearer {}", got.json()["token"].as_str().unwrap())
    };
    let (refused, _) = push(&client, b"pushed", &token("pull"));
    assert!(refused.header("www-authenticate").contains(":pull,push\""));
    let (begun, ended) = push(&client, b"pushed", &token("pull,push"));
    assert!(begun.header("location").starts_with(&wrong.base(Side::Elsewhere)));
    assert_eq!(ended.unwrap().status, 201);
    assert_eq!(wrong.requests_for(Kind::Upload).last().unwrap().side, Side::Elsewhere);
}

/// Follows links, relative and absolute, at most ten times.
fn all_pages(client: &Client, first: &str, list: &str) -> Vec<Vec<String>> {
    let (mut pages, mut next) = (Vec::new(), Some(first.to_owned()));
    while let Some(target) = next.take().filter(|_| pages.len() < 10) {
        let got = client.get(&target);
        next = got.headers.get("link").map(|link| {
            let link = link.to_str().unwrap();
            link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned()
        });
        let items = got.json()[list].as_array().unwrap().clone();
        let name = |item: &Value| item["digest"].as_str().or(item.as_str()).unwrap().to_owned();
        pages.push(items.iter().map(name).collect());
    }
    pages
}

fn tags(paging: Paging) -> (Wrong, Vec<Vec<String>>) {
    let wrong = Wrong::builder().tag_pages(2, paging).start().unwrap();
    let artifact = Artifact::component(b"wasm".as_slice());
    for tag in ["1.0.0", "1.1.0", "2.0.0", "latest", "next"] {
        wrong.push(REPOSITORY, tag, &artifact);
    }
    let pages = all_pages(&Client::of(&wrong), &format!("/v2/{REPOSITORY}/tags/list"), "tags");
    (wrong, pages)
}

#[test]
fn tags_come_in_pages_however_these_are_linked() {
    let all = [vec!["1.0.0", "1.1.0"], vec!["2.0.0", "latest"], vec!["next"]];
    for paging in [Paging::Relative, Paging::Absolute, Paging::Elsewhere] {
        let (wrong, pages) = tags(paging);
        assert_eq!(pages, all);
        let elsewhere = wrong.requests().iter().filter(|request| request.side == Side::Elsewhere).count();
        assert_eq!(elsewhere, if paging == Paging::Elsewhere { 2 } else { 0 });
    }
    let (_wrong, looping) = tags(Paging::Loop);
    assert!(looping.len() == 10 && looping[9] == all[0]);
    let (wrong, unlinked) = tags(Paging::LastOnly);
    assert_eq!(unlinked, all[..1]);
    let client = Client::of(&wrong);
    assert_eq!(all_pages(&client, "/v2/plugins/hello/tags/list?last=latest", "tags"), all[2..]);
}

#[test]
fn referrers_are_listed_in_pages_by_type_or_not_at_all() {
    let wrong = Wrong::builder().referrer_pages(2, Paging::Relative).start().unwrap();
    let artifact = Artifact::component(b"wasm".as_slice());
    let subject = wrong.push(REPOSITORY, "1.0.0", &artifact);
    let referrer = |kind: &str, number: u8| {
        let bundle =
            Artifact::with_config("application/vnd.oci.empty.v1+json", "{}").layer(kind, vec![number]);
        bundle.subject(&subject, artifact.manifest().len()).field("artifactType", kind)
    };
    let bundles: Vec<_> = (0..3)
        .map(|number| wrong.put_manifest(REPOSITORY, referrer("a/bundle", number).manifest()))
        .collect();
    let other = wrong.put_manifest(REPOSITORY, referrer("an/sbom", 9).manifest());
    let client = Client::of(&wrong);
    let path = format!("/v2/{REPOSITORY}/referrers/{subject}");
    let pages = all_pages(&client, &path, "manifests");
    assert_eq!(pages, [bundles[..2].to_vec(), vec![bundles[2].clone(), other]]);
    let filtered = format!("{path}?artifactType=a/bundle");
    assert_eq!(all_pages(&client, &filtered, "manifests").concat(), bundles);
    assert_eq!(client.get(&filtered).header("oci-filters-applied"), "artifactType");

    let (_wrong, client, _path) = with_layer(Wrong::builder(), b"wasm");
    assert_eq!(client.get(&path).status, 404);
}

#[test]
fn referrers_are_answered_as_some_registries_do_on_demand() {
    let asked = |builder: WrongBuilder| {
        let wrong = builder.start().unwrap();
        let subject = wrong.push(REPOSITORY, "1.0.0", &Artifact::component(b"wasm".as_slice()));
        let client = Client::of(&wrong);
        let referrers = client.get(&format!("/v2/{REPOSITORY}/referrers/{subject}"));
        let tag = client.get(&format!("/v2/{REPOSITORY}/manifests/{}", subject.replace(':', "-")));
        assert_eq!(client.get(&format!("/v2/{REPOSITORY}/manifests/{subject}")).status, 200);
        (referrers, tag.status)
    };
    let (refused, tag) = asked(Wrong::builder().referrers_refused());
    assert_eq!((refused.status, refused.headers.get("www-authenticate"), tag), (401, None, 404));
    let (page, tag) = asked(Wrong::builder().referrers_answered_by("text/html", "<html></html>"));
    assert_eq!((page.status, page.body, tag), (200, Ok(b"<html></html>".to_vec()), 404));
    let (absent, tag) = asked(Wrong::builder().digests_as_tags());
    assert_eq!((absent.status, tag), (404, 200));
}
