//! The judging of a request: its images, the rules, and what a registry says.

use admission::{Request, Verdict};
use kube_guest::for_terminal_line;
use plugin_kit::Image;

use crate::images;
use crate::rules::{Rule, Rules, Tags};
use crate::signature;

/// The most images that are judged for one object: each takes requests to its registry, and the API server waits.
const MOST: usize = 32;

/// What a registry is asked for.
pub(crate) trait Lookup {
    /// Returns the digest of the manifest that a tag means now.
    fn digest(&mut self, image: &Image, tag: &str) -> Result<String, String>;

    /// Returns the manifest of this tag, or `None` if there is none.
    fn manifest(&mut self, image: &Image, tag: &str) -> Result<Option<Vec<u8>>, String>;

    /// Returns the blob of this digest, which it is proven to have.
    fn blob(&mut self, image: &Image, digest: &str) -> Result<Vec<u8>, String>;
}

/// Denies an object with an image that may not run. An update that brings no new image is admitted without a look: what runs
/// can be labelled, finished and deleted, even while a registry is away.
pub(crate) fn admit(request: &Request, rules: &Rules, registry: &mut impl Lookup) -> Verdict {
    if rules.is_exempt(&request.namespace) || request.object.is_null() {
        return Verdict::allow();
    }
    let (group, kind) = (&*request.kind.group, &*request.kind.kind);
    let Some(mut images) = images::of(group, kind, &request.object) else {
        let why = format!("where {kind} has images is not known: leave it out of the webhook's rules");
        return Verdict::deny(why).with_code(500);
    };
    for old in images::of(group, kind, &request.old_object).unwrap_or_default() {
        images.remove(&old);
    }
    if images.len() > MOST {
        return Verdict::deny(format!("it has {} images, and more than {MOST} are not judged", images.len()));
    }
    let (mut denials, mut warnings) = (Vec::new(), Vec::new());
    for name in &images {
        match judge(name, rules, registry) {
            Ok(None) => {}
            Ok(Some(warning)) => warnings.push(format!("image {name}: {warning}")),
            Err(why) => denials.push(format!("image {}: {why}", for_terminal_line(name))),
        }
    }
    let verdict = if denials.is_empty() { Verdict::allow() } else { Verdict::deny(denials.join("; ")) };
    warnings.into_iter().fold(verdict, Verdict::warn)
}

/// Returns what is to be said of an image that may run.
///
/// # Errors
/// Why it may not.
fn judge(name: &str, rules: &Rules, registry: &mut impl Lookup) -> Result<Option<String>, String> {
    let image = Image::parse(name).ok_or("it is not the name of an image")?;
    let rule = rules.of(&image).ok_or("no rule allows images of this repository")?;
    let Some(digest) = &image.digest else { return by_tag(&image, rule, registry) };
    signed(&image, digest, rule, registry)?;
    Ok(None)
}

fn by_tag(image: &Image, rule: &Rule, registry: &mut impl Lookup) -> Result<Option<String>, String> {
    let tag = image.tag.as_deref().unwrap_or("latest");
    if rule.tags == Tags::Deny {
        return Err(format!("it is named by the tag `{tag}`, and has to be by its digest, NAME@sha256:…"));
    }
    if !rule.keys.is_empty() {
        let digest = registry.digest(image, tag)?;
        signed(image, &digest, rule, registry)?;
    }
    Ok(Some(format!("the tag `{tag}` may mean another image when a node pulls it")))
}

fn signed(image: &Image, digest: &str, rule: &Rule, registry: &mut impl Lookup) -> Result<(), String> {
    if rule.keys.is_empty() {
        return Ok(());
    }
    // Nothing is signed by cosign that has another digest.
    let hex = digest.strip_prefix("sha256:").ok_or("signatures are looked up by SHA-256 alone")?;
    let Some(manifest) = registry.manifest(image, &format!("sha256-{hex}.sig"))? else {
        return Err(
            "it is not signed (cosign sign --new-bundle-format=false writes what is looked for)".to_owned()
        );
    };
    signature::verify(&manifest, digest, &rule.keys, |digest| registry.blob(image, digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A registry in which `signed` has the fixture's signature, and that is away for `away`.
    #[derive(Default)]
    struct Fake {
        asked: usize,
    }

    impl Lookup for Fake {
        fn digest(&mut self, _: &Image, _: &str) -> Result<String, String> {
            self.asked += 1;
            Ok(signature::tests::DIGEST.to_owned())
        }

        fn manifest(&mut self, image: &Image, tag: &str) -> Result<Option<Vec<u8>>, String> {
            self.asked += 1;
            match &*image.repository {
                "away" => Err("the server is not available".to_owned()),
                _ if tag == signature::tests::DIGEST.replace(':', "-") + ".sig" => {
                    Ok(Some(signature::tests::MANIFEST.as_bytes().to_vec()))
                }
                _ => Ok(None),
            }
        }

        fn blob(&mut self, _: &Image, _: &str) -> Result<Vec<u8>, String> {
            Ok(signature::tests::PAYLOAD.as_bytes().to_vec())
        }
    }

    const OTHER: &str = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    fn rules() -> Rules {
        let key = signature::tests::KEY.replace('\n', "\\n");
        Rules::read(&format!(
            "images:\n- {{match: r.example/tagged, tags: warn, keys: [\"{key}\"]}}\n\
             - {{match: r.example/open, keys: []}}\n- {{match: r.example/*, keys: [\"{key}\"]}}\n\
             exempt: {{namespaces: [kube-system]}}"
        ))
        .unwrap()
    }

    fn response(namespace: &str, new: &[&str], old: &[&str]) -> (Value, usize) {
        let pod = |images: &[&str]| {
            let containers: Vec<_> = images.iter().map(|image| json!({"image": image})).collect();
            json!({"spec": {"containers": containers}})
        };
        let request = Request {
            namespace: namespace.to_owned(),
            kind: admission::Kind { version: "v1".to_owned(), kind: "Pod".to_owned(), ..Default::default() },
            object: pod(new),
            old_object: pod(old),
            ..Request::default()
        };
        let mut fake = Fake::default();
        let review = admit(&request, &rules(), &mut fake).review("1");
        (review["response"].clone(), fake.asked)
    }

    fn denied(image: &str) -> String {
        let (response, _) = response("shop", &[image], &[]);
        assert_eq!(response["allowed"], false, "{image}");
        response["status"]["message"].as_str().unwrap().to_owned()
    }

    #[test]
    fn what_is_signed_is_admitted_and_its_nearest_neighbours_are_denied() {
        let signed = format!("r.example/signed@{}", signature::tests::DIGEST);
        assert_eq!(response("shop", &[&signed], &[]).0["allowed"], true);
        assert!(denied(&format!("r.example/signed@{OTHER}")).contains("it is not signed"));
        assert!(denied("r.example/signed:1").contains("it is named by the tag `1`"));
        assert!(
            denied(&format!("evil.example/signed@{}", signature::tests::DIGEST)).contains("no rule allows")
        );
        assert!(denied("r.example/a b").contains("it is not the name of an image"));
        let away = denied(&format!("r.example/away@{}", signature::tests::DIGEST));
        assert!(away.ends_with("the server is not available"), "{away}");
    }

    #[test]
    fn a_tag_is_verified_with_a_warning_where_the_rules_say_so() {
        let (response, _) = response("shop", &["r.example/tagged"], &[]);
        assert_eq!(response["allowed"], true);
        assert!(response["warnings"][0].as_str().unwrap().contains("the tag `latest` may mean another"));
    }

    #[test]
    fn nothing_is_looked_up_for_what_runs_already_is_exempt_or_need_not_be_signed() {
        let running = "r.example/away:1";
        assert_eq!(response("shop", &[running], &[running]), (json!({"uid": "1", "allowed": true}), 0));
        assert_eq!(response("shop", &[running], &["r.example/away:2"]).0["allowed"], false);
        assert_eq!(response("kube-system", &[running], &[]), (json!({"uid": "1", "allowed": true}), 0));
        let open = format!("r.example/open@{OTHER}");
        assert_eq!(response("shop", &[&open], &[]), (json!({"uid": "1", "allowed": true}), 0));
    }

    #[test]
    fn an_object_of_an_unknown_kind_or_with_too_many_images_is_denied() {
        let request = Request { object: json!({}), ..Request::default() };
        assert_eq!(admit(&request, &rules(), &mut Fake::default()).review("1")["response"]["allowed"], false);
        let many: Vec<String> = (0..=MOST).map(|number| format!("r.example/{number}:1")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let (response, asked) = response("shop", &many, &[]);
        assert!(response["status"]["message"].as_str().unwrap().starts_with("it has 33 images"));
        assert_eq!(asked, 0);
    }
}
