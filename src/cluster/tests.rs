use super::*;

fn kubeconfig(text: &str) -> Kubeconfig {
    let document = serde_saphyr::from_str(text).unwrap();
    Kubeconfig { looked_at: vec!["/k".into()], files: vec!["/k".into()], document, ..Kubeconfig::default() }
}

fn select(text: &str, flags: &Flags) -> Result<Selection, Error> {
    Cluster::select(&kubeconfig(text), flags)
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

/// Returns the addresses of the contexts, with their names.
fn numbered(text: &str, granted: impl Fn(&str, &str) -> bool) -> Vec<(String, String)> {
    let contexts = Contexts::choose(&kubeconfig(text), &Flags::default(), granted).unwrap();
    let shown = |context: Numbered<'_>| (context.server(), context.name.unwrap_or("none").to_owned());
    contexts.numbered().map(shown).collect()
}

fn shown(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(server, name)| ((*server).to_owned(), (*name).to_owned())).collect()
}

const THREE: &str = "
current-context: b
clusters: [{name: c, cluster: {server: 'https://c'}}]
contexts:
- {name: a, context: {cluster: c}}
- {name: b, context: {cluster: c}}
- {name: broken, context: {cluster: nowhere}}
- {name: a, context: {cluster: c, namespace: hidden}}
";

#[test]
fn the_selected_context_is_the_first_and_the_granted_ones_follow_in_their_order() {
    assert_eq!(numbered(THREE, |name, selected| name == selected), shown(&[("http://192.0.2.1", "b")]));
    let all = [("http://192.0.2.1", "b"), ("http://192.0.2.2", "a"), ("http://192.0.2.3", "broken")];
    assert_eq!(numbered(THREE, |_, _| true), shown(&all));
}

#[test]
fn what_was_not_selected_is_there_for_a_guest_that_is_granted_it() {
    let none = THREE.replace("current-context: b", "current-context: ''");
    let one = [("http://192.0.2.1", "none"), ("http://192.0.2.2", "a")];
    assert_eq!(numbered(&none, |name, _| name == "a"), shown(&one));
}

#[test]
fn a_context_that_leads_nowhere_is_no_error_before_it_is_asked() {
    let contexts = Contexts::choose(&kubeconfig(THREE), &Flags::default(), |_, _| true).unwrap();
    let broken = contexts.numbered().last().unwrap();
    let Selection::Nothing(why) = broken.selection else { panic!("it leads somewhere") };
    assert_eq!(why, "the kubeconfig has no cluster `nowhere`");
}

#[test]
fn there_are_no_more_contexts_than_addresses() {
    use std::fmt::Write as _;
    let mut text = THREE.to_owned();
    for number in 0..300 {
        writeln!(text, "- {{name: x{number}, context: {{cluster: c}}}}").unwrap();
    }
    let numbered = numbered(&text, |_, _| true);
    assert_eq!(numbered.len(), MOST_CONTEXTS);
    assert_eq!(numbered.last().unwrap().0, "http://192.0.2.254");
    let contexts = Contexts::choose(&kubeconfig(&text), &Flags::default(), |_, _| true).unwrap();
    // `b`, `a` and `broken` are before those three hundred.
    assert_eq!(contexts.left_out(), 303 - MOST_CONTEXTS);
}

#[test]
fn a_guest_is_told_names_and_namespaces_and_no_more() {
    let contexts = Contexts::choose(&kubeconfig(TWO), &Flags::default(), |_, _| true).unwrap();
    let guest = GuestConfig::of(&contexts);
    for told in ["http://192.0.2.1", "http://192.0.2.2", "shop"] {
        assert!(guest.text().contains(told), "{told}");
    }
    for told in ["https://c", "https://d", "token", "6443"] {
        assert!(!guest.text().contains(told), "{told}");
    }
}
