//! The output of a credential plugin: an `ExecCredential` (client-go, pkg/apis/clientauthentication).

use std::sync::Arc;
use std::time::SystemTime;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::super::secret::Secret;
use super::certificate::Certificate;
use super::error::Fault;
use super::material::AuthMaterial;
use super::token;

/// The credential and its expiry.
pub(super) struct Answer {
    pub(super) material: Arc<AuthMaterial>,
    expires: Option<SystemTime>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    api_version: Option<String>,
    kind: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<Secret>,
    client_certificate_data: Option<String>,
    client_key_data: Option<Secret>,
}

impl Answer {
    /// Parses the output of `user`'s plugin for a request in `version`. A certificate equal to the `last` one
    /// keeps its address.
    pub(super) fn read(
        user: &str,
        version: &str,
        printed: &str,
        last: Option<&Arc<Certificate>>,
    ) -> Result<Self, Fault> {
        let answer = |why: &str| Fault::Answer(why.to_owned());
        // Nothing of it is shown, not even in part: it may be a token.
        let json = || json(printed);
        // JSON is YAML, and read by a quicker reader.
        let credential: Option<ExecCredential> = json().or_else(|| serde_saphyr::from_str(printed).ok());
        let credential = credential.ok_or_else(|| answer("its output is not an ExecCredential"))?;
        if credential.kind.as_deref() != Some("ExecCredential") {
            return Err(answer("its output is not an ExecCredential"));
        }
        if credential.api_version.as_deref() != Some(version) {
            return Err(Fault::Answer(format!(
                "it did not answer in {version}, which the kubeconfig requires"
            )));
        }
        let status = credential.status.ok_or_else(|| answer("its answer has no status"))?;
        let expires = match status.expiration_timestamp.as_deref() {
            Some(text) => {
                Some(time(text).ok_or_else(|| answer("its expirationTimestamp is not a time of RFC 3339"))?)
            }
            None => None,
        };
        let token = status.token.filter(|token| !token.is_empty());
        let chain = status.client_certificate_data.filter(|text| !text.is_empty());
        let key = status.client_key_data.filter(|key| !key.is_empty());
        let certificate = match (chain, key) {
            (Some(chain), Some(key)) => Some(
                Certificate::read(user, chain.as_bytes(), key.reveal().as_bytes(), last)
                    .map_err(|flaw| Fault::Certificate { what: flaw.what, why: flaw.why })?,
            ),
            (None, None) if token.is_none() => {
                return Err(answer("its answer has neither a token nor a certificate"));
            }
            (None, None) => None,
            _ => return Err(answer("its answer has only one of clientCertificateData and clientKeyData")),
        };
        let authorization = token.map(|token| token::header("Bearer", token.reveal()).ok_or(token::UNFIT));
        let authorization =
            authorization.transpose().map_err(|why| Fault::Answer(format!("its token: {why}")))?;
        Ok(Self {
            material: Arc::new(AuthMaterial { authorization, certificate }),
            expires: expires.map(Into::into),
        })
    }

    /// Returns whether it is still valid.
    pub(super) fn holds(&self) -> bool {
        self.expires.is_none_or(|expires| SystemTime::now() <= expires)
    }
}

/// Parses JSON. Of duplicate keys the last one counts, as in client-go.
fn json(printed: &str) -> Option<ExecCredential> {
    serde_json::from_value(serde_json::from_str(printed).ok()?).ok()
}

/// Parses a time like Go's `time.Parse(time.RFC3339, …)`: stricter than RFC 3339 (a capital `T` and `Z`, and
/// no leap second), except for a fraction after a comma.
fn time(text: &str) -> Option<OffsetDateTime> {
    let bytes = text.as_bytes();
    let strict = bytes.get(10) == Some(&b'T') && !bytes.ends_with(b"z") && bytes.get(17..19) != Some(b"60");
    let text = match bytes.get(19) {
        Some(b',') => text.replacen(',', ".", 1),
        _ => text.to_owned(),
    };
    OffsetDateTime::parse(&text, &Rfc3339).ok().filter(|_| strict)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "client.authentication.k8s.io/v1";

    fn read(status: &str) -> Result<Answer, Fault> {
        let text = format!("{{kind: ExecCredential, apiVersion: {V1}, status: {status}}}");
        Answer::read("u", V1, &text, None)
    }

    #[test]
    fn a_token_is_taken_from_json_and_from_yaml() {
        let json = format!(r#"{{"kind":"ExecCredential","apiVersion":"{V1}","status":{{"token":"t"}}}}"#);
        for answer in [read("{token: t}"), Answer::read("u", V1, &json, None)] {
            assert_eq!(answer.ok().unwrap().material.authorization.as_ref().unwrap(), "Bearer t");
        }
    }

    #[test]
    fn what_is_no_whole_credential_is_refused_and_not_shown() {
        for status in [
            "null",
            "{}",
            "{token: ''}",
            "{token: 7}",
            "{token: \"hunter2\\n\"}",
            "{token: t, clientKeyData: hunter2}",
            "{clientCertificateData: hunter2}",
            "{clientCertificateData: hunter2, clientKeyData: hunter2}",
            "{token: hunter2, expirationTimestamp: tomorrow}",
            "{token: hunter2, expirationTimestamp: ''}",
            "{token: hunter2, expirationTimestamp: '2099-01-01 00:00:00Z'}",
            "{token: hunter2, expirationTimestamp: '2099-01-01t00:00:00Z'}",
            "{token: hunter2, expirationTimestamp: '2099-01-01T00:00:00z'}",
            "{token: hunter2, expirationTimestamp: '2016-12-31T23:59:60Z'}",
        ] {
            let fault = read(status).err().unwrap().to_string();
            assert!(!fault.contains("hunter2"), "{fault}");
        }
        for text in ["", "hunter2", "{}", "[", "{kind: Secret, status: {token: hunter2}}"] {
            assert!(Answer::read("u", V1, text, None).is_err(), "{text}");
        }
        let other =
            "{kind: ExecCredential, apiVersion: client.authentication.k8s.io/v1beta1, status: {token: t}}";
        assert!(Answer::read("u", V1, other, None).is_err());
    }

    #[test]
    fn a_credential_holds_until_it_expires() {
        for (time, holds) in [
            ("2001-02-03T04:05:06Z", false),
            ("2001-02-03T04:05:06.7+01:00", false),
            ("9999-02-03T04:05:06Z", true),
            ("9999-02-03T04:05:06-07:00", true),
            ("9999-02-03T04:05:06,5Z", true),
        ] {
            let answer = read(&format!("{{token: t, expirationTimestamp: '{time}'}}")).ok().unwrap();
            assert_eq!(answer.holds(), holds, "{time}");
        }
        assert!(read("{token: t, expirationTimestamp: null}").ok().unwrap().holds());
    }
}
