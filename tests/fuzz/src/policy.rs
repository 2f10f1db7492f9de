//! The reader of policies, fed with a file's text.

use kwasm::document::Fault;
use kwasm::policy::{Policy, ResourceRule, Rule, UrlRule};

/// Checks that a text is a policy whose rules mean what they say, or that each fault can be found and cured.
pub(crate) fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Policy::read("policy.yaml", text) {
        Ok(policy) => {
            policy.rules().iter().for_each(is_sound);
            policy.rules().iter().for_each(is_written_as_it_is_read);
            assert!(is_label(policy.name()));
            for host in policy.hosts() {
                assert!(host.port > 0 && !host.name.is_empty() && host.name == host.name.to_lowercase());
                assert!(!host.name.contains(['/', '@', '*', '%', '?', '#', ' ']), "{host}");
                let uri: Result<http::Uri, _> = format!("https://{host}/").parse();
                assert_eq!(uri.ok().as_ref().and_then(http::Uri::port_u16), Some(host.port), "{host}");
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in &faults {
                can_be_found_and_cured(fault, text);
            }
        }
    }
}

fn can_be_found_and_cured(fault: &Fault, text: &str) {
    // YAML's lines end with either character, or with both.
    let lines = 1 + text.matches(['\n', '\r']).count() as u64;
    let Some(line) = fault.line else { panic!("{fault}: without a line") };
    assert!((1..=lines).contains(&line), "{fault}: of {lines} lines");
    assert!(!fault.what.is_empty() && !fault.hint.is_empty() && fault.file == "policy.yaml", "{fault:?}");
    assert!(fault.to_string().starts_with(&format!("policy.yaml:{line}: ")), "{fault}");
}

/// Checks that a rule covers something, by names that the API server knows.
fn is_sound(rule: &Rule) {
    match rule {
        Rule::Resources(ResourceRule { verbs, api_groups, resources, except, .. }) => {
            assert!(!verbs.is_empty() && !api_groups.is_empty() && !resources.is_empty());
            assert!(
                api_groups
                    .iter()
                    .all(|group| ["", "*"].contains(&&**group) || group.split('.').all(is_label))
            );
            assert!(resources.iter().chain(except).all(|name| is_resource(name)), "{rule}");
            assert!(!except.contains(&"*".to_owned()), "{rule}");
        }
        Rule::Urls(UrlRule { verbs, urls }) => {
            assert!(!verbs.is_empty() && !urls.is_empty());
            let fixed = |url: &String| url.trim_end_matches('*').to_owned();
            assert!(urls.iter().all(|url| url == "*" || fixed(url).starts_with('/')), "{rule}");
            assert!(
                urls.iter().all(|url| !fixed(url).contains('*') && url.len() - fixed(url).len() < 2),
                "{rule}"
            );
        }
    }
}

/// Checks that a rule that is shown to the user can be put into a policy, with the same meaning.
fn is_written_as_it_is_read(rule: &Rule) {
    let shown = rule.to_string();
    assert!(!shown.contains(char::is_control), "{shown:?}");
    let text = format!(
        "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: test}}\nspec: {{kubernetes: {{rules: [{shown}]}}}}\n"
    );
    match Policy::read("again.yaml", &text) {
        Ok(policy) => assert_eq!(policy.rules(), std::slice::from_ref(rule), "{shown}"),
        Err(faults) => panic!("{shown}: {faults:?}"),
    }
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_resource(text: &str) -> bool {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [of] => *of == "*" || is_label(of),
        [of, subresource] => (*of == "*" || is_label(of)) && is_label(subresource),
        _ => false,
    }
}
