use super::*;

fn select(text: &str, flags: &Flags) -> Result<Selection, Error> {
    let document = serde_saphyr::from_str(text).unwrap();
    Cluster::select(&Kubeconfig { looked_at: vec!["/k".into()], found: true, document }, flags)
}

fn cluster(text: &str, flags: &Flags) -> Cluster {
    match select(text, flags) {
        Ok(Selection::Cluster(cluster)) => *cluster,
        Ok(Selection::Nothing(why)) => panic!("{why}"),
        Err(error) => panic!("{error}"),
    }
}

const TWO: &str = "
current-context: a
clusters: [{name: c, cluster: {server: 'https://c:6443'}}, {name: d, cluster: {server: 'https://d'}}]
contexts:
- {name: a, context: {cluster: c, user: u, namespace: shop}}
- {name: b, context: {cluster: d}}
users: [{name: u, user: {token: t}}]
";

#[test]
fn the_current_context_is_taken_unless_another_is_named() {
    assert_eq!(cluster(TWO, &Flags::default()).endpoint().to_string(), "https://c:6443");
    let flags = Flags { context: Some("b".to_owned()), ..Flags::default() };
    assert_eq!(cluster(TWO, &flags).endpoint().to_string(), "https://d");
}

#[test]
fn the_namespace_is_the_flags_else_the_contexts_else_default() {
    let flags = Flags { namespace: Some("x".to_owned()), ..Flags::default() };
    assert_eq!(cluster(TWO, &flags).namespace(), "x");
    assert_eq!(cluster(TWO, &Flags::default()).namespace(), "shop");
    let flags = Flags { context: Some("b".to_owned()), ..Flags::default() };
    assert_eq!(cluster(TWO, &flags).namespace(), "default");
}

#[test]
fn a_name_that_leads_nowhere_is_told_with_those_that_do() {
    let flags = Flags { context: Some("x".to_owned()), ..Flags::default() };
    let Err(Error::Unknown { kind, known, .. }) = select(TWO, &flags) else { panic!() };
    assert_eq!((kind, known), ("context", vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn without_a_current_context_nothing_is_selected() {
    assert!(matches!(select("clusters: []", &Flags::default()), Ok(Selection::Nothing(_))));
    assert!(matches!(select("current-context: ''", &Flags::default()), Ok(Selection::Nothing(_))));
}

#[test]
fn what_is_not_served_is_refused_and_never_passed_over() {
    for (cluster, user) in [
        ("insecure-skip-tls-verify: true", ""),
        ("tls-server-name: x", ""),
        ("proxy-url: 'http://p'", ""),
        ("", "username: x"),
        ("", "exec: {command: x}"),
        ("", "auth-provider: {name: x}"),
        ("", "as: x"),
        ("", "as-groups: [x]"),
    ] {
        let text = format!(
            "{{current-context: a, clusters: [{{name: c, cluster: {{server: 'https://c', {cluster}}}}}], \
             contexts: [{{name: a, context: {{cluster: c, user: u}}}}], users: [{{name: u, user: {{{user}}}}}]}}"
        );
        assert!(matches!(select(&text, &Flags::default()), Err(Error::Unserved(_))), "{cluster}{user}");
    }
}

#[test]
fn a_guest_is_told_a_name_and_a_namespace_and_no_more() {
    let guest = GuestConfig::of(&cluster(TWO, &Flags::default()));
    assert!(guest.text().contains("http://192.0.2.1") && guest.text().contains("shop"));
    for told in ["https://c", "token", "6443"] {
        assert!(!guest.text().contains(told), "{told}");
    }
}
