//! Who asks, and whether they may: both are the API server's to say.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use kube_guest::{Cluster, Error};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Settings, memory};

/// How long an answer of the API server is good for, as with its own authenticators.
const FRESH: Duration = Duration::from_secs(10);

/// The most answers that are remembered.
const MOST: usize = 10_000;

/// The reason why a request is not passed on.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The token is nobody's.
    Unknown,
    /// Its user may not reach the service.
    Forbidden,
    /// The API server could not be asked.
    Unasked(Error),
}

/// The users of tokens, by the tokens' hashes and the verbs that they may use, until their answers are old.
#[derive(Default)]
pub(crate) struct Admitted {
    users: HashMap<([u8; 32], &'static str), (Duration, String)>,
}

impl Admitted {
    fn get(&self, token: [u8; 32], verb: &'static str, now: Duration) -> Option<&String> {
        self.users.get(&(token, verb)).filter(|(until, _)| *until > now).map(|(_, user)| user)
    }

    fn keep(&mut self, token: [u8; 32], verb: &'static str, now: Duration, user: &str) {
        if self.users.len() >= MOST {
            self.users.retain(|_, (until, _)| *until > now);
        }
        // With too many the API server is asked again.
        if self.users.len() < MOST {
            self.users.insert((token, verb), (now + FRESH, user.to_owned()));
        }
    }
}

#[derive(Deserialize)]
struct Review<T> {
    status: T,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Identified {
    authenticated: bool,
    audiences: Vec<String>,
    user: User,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User {
    username: String,
    uid: String,
    groups: Vec<String>,
    extra: BTreeMap<String, Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Allowed {
    allowed: bool,
}

/// Returns the user of a token, who may use a verb on the service.
pub(crate) fn admit(
    cluster: &Cluster,
    settings: &Settings,
    token: &str,
    verb: &'static str,
) -> Result<String, Refused> {
    let hash = <[u8; 32]>::from(Sha256::digest(token.as_bytes()));
    {
        let memory = memory();
        if let Some(user) = memory.admitted.get(hash, verb, memory.now()) {
            return Ok(user.clone());
        }
    }
    let user = identify(cluster, settings.audience.as_deref(), token)?;
    if !may(cluster, settings, &user, verb)? {
        return Err(Refused::Forbidden);
    }
    let mut memory = memory();
    let now = memory.now();
    memory.admitted.keep(hash, verb, now, &user.username);
    Ok(user.username)
}

fn identify(cluster: &Cluster, audience: Option<&str>, token: &str) -> Result<User, Refused> {
    let mut spec = json!({"token": token});
    if let Some(audience) = audience {
        spec["audiences"] = json!([audience]);
    }
    let path = "/apis/authentication.k8s.io/v1/tokenreviews";
    let found: Identified = review(cluster, path, "authentication.k8s.io/v1", "TokenReview", &spec)?;
    // An authenticator that knows nothing of audiences names none: then it is not known whom the token is for.
    let is_for_us = audience.is_none_or(|audience| found.audiences.iter().any(|found| found == audience));
    if found.authenticated && is_for_us && !found.user.username.is_empty() {
        Ok(found.user)
    } else {
        Err(Refused::Unknown)
    }
}

fn may(cluster: &Cluster, settings: &Settings, user: &User, verb: &str) -> Result<bool, Refused> {
    let route = &settings.route;
    let spec = json!({
        "user": user.username, "uid": user.uid, "groups": user.groups, "extra": user.extra,
        "resourceAttributes": {
            "namespace": route.namespace, "verb": verb, "group": "", "version": "v1",
            "resource": "services", "subresource": "proxy", "name": route.service,
        },
    });
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let found: Allowed = review(cluster, path, "authorization.k8s.io/v1", "SubjectAccessReview", &spec)?;
    Ok(found.allowed)
}

fn review<T: for<'de> Deserialize<'de>>(
    cluster: &Cluster,
    path: &str,
    version: &str,
    kind: &str,
    spec: &Value,
) -> Result<T, Refused> {
    let review = json!({"apiVersion": version, "kind": kind, "spec": spec}).to_string();
    let answer: Review<T> = cluster.post_json(path, review.as_bytes()).map_err(Refused::Unasked)?;
    Ok(answer.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_remembered_for_its_token_and_verb_until_it_is_old() {
        let mut admitted = Admitted::default();
        admitted.keep([1; 32], "get", Duration::ZERO, "carol");
        let get = |token, verb, seconds| admitted.get(token, verb, Duration::from_secs(seconds));
        assert_eq!(get([1; 32], "get", 9), Some(&"carol".to_owned()));
        assert_eq!(get([1; 32], "get", 10), None);
        assert_eq!(get([1; 32], "create", 0), None);
        assert_eq!(get([2; 32], "get", 0), None);
    }

    #[test]
    fn no_more_is_remembered_than_memory_is_for() {
        let mut admitted = Admitted::default();
        for number in 0..=MOST {
            let mut token = [0; 32];
            token[..8].copy_from_slice(&number.to_le_bytes());
            admitted.keep(token, "get", Duration::ZERO, "carol");
        }
        assert_eq!(admitted.users.len(), MOST);
        admitted.keep([9; 32], "get", FRESH, "dave");
        assert_eq!(admitted.users.len(), 1);
    }
}
