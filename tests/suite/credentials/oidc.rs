//! The auth-provider `oidc`: an identity token is refreshed, and kept where the old one was.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::issuer::{Issuer, NEW, OLD, jwt, kubeconfig, shown, tokens};
use super::program::ask;
use crate::support::proxy::{BEHIND, Kind, Proxy};
use crate::support::{Kwasm, Run, seed};

/// The hint for a user whose refresh token is not valid.
const LOGIN: &str = "hint: log in again with the tool that created this kubeconfig";

fn run(path: &PathBuf, times: usize) -> Run {
    ask(&Kwasm::new().kubeconfig(path), times)
}

#[test]
fn a_token_that_has_not_expired_is_sent_and_nobody_is_asked() {
    let (server, issuer) = (seed(), Issuer::rotating());
    run(&kubeconfig(&server, &issuer, &tokens(&jwt("mine", NEW), "first-refresh")), 2).success();
    assert_eq!(shown(&server), vec![format!("Bearer {}", jwt("mine", NEW)); 2]);
    assert!(issuer.asked.lock().unwrap().is_empty());
}

#[test]
fn an_expired_token_is_refreshed_once_and_kept_with_all_that_was_beside_it() {
    let (server, issuer) = (seed(), Issuer::rotating());
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
    // The next run finds the stored tokens.
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
    let (server, issuer) = (seed(), Issuer::rotating());
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
    let (server, issuer) = (seed(), Issuer::rotating());
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
    let (server, issuer) = (seed(), Issuer::rotating());
    let path = kubeconfig(&server, &issuer, &tokens(&jwt("mine", OLD), "gone-refresh"));
    let before = std::fs::read_to_string(&path).unwrap();
    let run = run(&path, 1);
    assert!(
        run.stderr.contains("does not refresh the token: it answered 400 Bad Request (invalid_grant)"),
        "{}",
        run.shown()
    );
    assert!(run.stderr.contains(LOGIN), "{}", run.shown());
    assert!(!run.stderr.contains("gone-refresh") && !run.stderr.contains("hunter2"), "{}", run.shown());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
    assert!(server.requests().is_empty());
}

#[test]
fn what_is_missing_is_told() {
    for (config, why) in [
        (tokens("no-jwt", "first-refresh"), "its id-token is not a JWT"),
        (format!("        id-token: {}", jwt("mine", OLD)), "and there is no refresh-token"),
        (
            "        idp-certificate-authority-data: '*'".to_owned(),
            "its idp-certificate-authority-data is not valid base64",
        ),
        ("        client-id: ''".to_owned(), "its client-id is missing"),
    ] {
        let (server, issuer) = (seed(), Issuer::rotating());
        let run = run(&kubeconfig(&server, &issuer, &config), 1);
        assert!(run.stderr.contains(why), "{why}: {}", run.shown());
    }
}

#[test]
fn only_a_token_that_is_no_good_calls_for_another_login() {
    for (answer, login) in [
        (json!({"error": "invalid_grant"}), true),
        (json!({"error": "invalid_client"}), false),
        (json!({"error": "temporarily_unavailable"}), false),
    ] {
        let (server, issuer) = (seed(), Issuer::answering(move |_| (400, answer.clone())));
        let run = run(&kubeconfig(&server, &issuer, &tokens(&jwt("mine", OLD), "first-refresh")), 1);
        assert_eq!(run.stderr.contains(LOGIN), login, "{}", run.shown());
        assert!(run.stderr.contains("it answered 400"), "{}", run.shown());
    }
}

#[test]
fn a_token_is_shown_once_more_only_where_it_was_refused() {
    for (code, times) in [(Some(400), 2), (Some(401), 2), (Some(403), 1), (Some(500), 1), (None, 1)] {
        let server = seed();
        let issuer = Issuer::at(None, move |_| Some((code?, json!({}))));
        run(&kubeconfig(&server, &issuer, &tokens(&jwt("mine", OLD), "first-refresh")), 1);
        assert_eq!(issuer.refreshed().len(), times, "{code:?}");
    }
}

#[test]
fn an_identity_provider_is_asked_through_the_proxy_that_kubectl_takes() {
    for (kind, login) in [
        (Kind::Http, None),
        (Kind::Http, Some("jo:hunter2-of-the-proxy")),
        (Kind::Socks5, None),
        (Kind::Socks5, Some("jo:hunter2-of-the-proxy")),
    ] {
        let server = seed();
        let issuer = Issuer::at(Some(BEHIND), |_| {
            Some((200, json!({"access_token": "a", "id_token": jwt("fresh", NEW)})))
        });
        let proxy = Proxy::start(kind, issuer.address, login);
        let url = login.map_or_else(|| proxy.url(), |login| proxy.url_for(login));
        let path = kubeconfig(&server, &issuer, &tokens(&jwt("mine", OLD), "first-refresh"));
        ask(&Kwasm::new().kubeconfig(path).variable("HTTP_PROXY", url), 1).success();
        assert_eq!(shown(&server), [format!("Bearer {}", jwt("fresh", NEW))]);
        // Once for its configuration, and once for the token.
        let carried: Vec<_> =
            proxy.carried().into_iter().map(|carried| (carried.to, carried.login)).collect();
        assert_eq!(carried, vec![(BEHIND.to_owned(), login.map(str::to_owned)); 2]);
    }
}

#[test]
fn a_proxy_that_kubectl_does_not_take_is_not_taken() {
    let (server, issuer) = (seed(), Issuer::rotating());
    let proxy = Proxy::start(Kind::Http, issuer.address, None);
    let path = kubeconfig(&server, &issuer, &tokens(&jwt("mine", OLD), "first-refresh"));
    let kwasm = Kwasm::new().kubeconfig(path).variable("HTTP_PROXY", proxy.url());
    ask(&kwasm.variable("ALL_PROXY", proxy.url()), 1).success();
    assert_eq!((proxy.carried(), issuer.refreshed().len()), (Vec::new(), 1));
}
