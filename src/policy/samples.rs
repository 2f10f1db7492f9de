//! Policies for unit tests, read as those of users are.

use super::judge::Policy;

/// Returns the policy `test` with this `spec`.
pub(crate) fn policy(spec: &str) -> Policy {
    let text = format!("apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: test}}\nspec: {spec}\n");
    Policy::read("test.yaml", &text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"))
}

/// Returns the policy `test` with these rules, separated by commas.
pub(crate) fn rules(rules: &str) -> Policy {
    policy(&format!("{{kubernetes: {{rules: [{rules}]}}}}"))
}
