//! The same rules at admission: what is about to run is judged before it is stored.

use crate::judge;
use crate::rules::{Rules, Severity};
use crate::sources;
use crate::workload::{Object, form};
use ::admission::{Admit, Request, Verdict};

/// Judges what a request would make run.
pub(crate) struct Check;

impl Admit for Check {
    fn admit(request: &Request) -> Result<Verdict, String> {
        match sources::for_admission() {
            Ok(rules) => Ok(admit(request, &rules)),
            Err(why) => {
                eprintln!("policy-check: {why}");
                Err(why.to_string())
            }
        }
    }
}

/// Denies what has an error, and warns of the rest.
fn admit(request: &Request, rules: &Rules) -> Verdict {
    let kind = &request.kind;
    if rules.is_exempt(&request.namespace) || request.object.is_null() {
        return Verdict::allow();
    }
    // Those of a subresource, such as the containers of `pods/ephemeralcontainers`, come as the whole object.
    let Some(form) = form(&kind.api_version(), &kind.kind) else { return Verdict::allow() };
    let object: Object = match serde_json::from_value(request.object.clone()) {
        Ok(object) => object,
        Err(error) => return Verdict::deny(format!("policy-check cannot read it: {error}")).with_code(422),
    };
    let found = judge::pod(rules, &object.into_pod(form));
    let said = |severity: Severity| {
        let of_it = found.iter().filter(move |verdict| verdict.severity == severity);
        of_it.map(|verdict| {
            let container = match &*verdict.container {
                "" => String::new(),
                name => format!("container {name}: "),
            };
            format!("{}: {container}{}", verdict.rule.name(), verdict.message)
        })
    };
    let errors: Vec<String> = said(Severity::Error).collect();
    let verdict = if errors.is_empty() { Verdict::allow() } else { Verdict::deny(errors.join("; ")) };
    said(Severity::Warning).fold(verdict, Verdict::warn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn response(rules: &str, kind: &str, object: &Value) -> Value {
        let group = if kind == "Deployment" { "apps" } else { "" };
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {"uid": "1", "namespace": "shop", "operation": "CREATE", "object": object,
                "kind": {"group": group, "version": "v1", "kind": kind}},
        });
        let request = Request::read(review.to_string().as_bytes()).unwrap();
        admit(&request, &Rules::read(rules).unwrap()).review("1")["response"].clone()
    }

    #[test]
    fn an_error_denies_and_a_warning_warns() {
        let pod = json!({"containers": [{"name": "a", "image": "nginx:1", "securityContext": {"privileged": true}}]});
        let deployment = json!({"metadata": {"name": "web"}, "spec": {"template": {"spec": pod}}});
        let rules = "requests: {severity: off}\nlimits: {severity: off}";
        let denied = response(rules, "Deployment", &deployment);
        assert_eq!(denied["allowed"], false);
        assert_eq!(
            denied["status"],
            json!({"code": 403, "message": "privileged: container a: is privileged"})
        );
        assert_eq!(
            denied["warnings"],
            json!(["image-digest: container a: image docker.io/library/nginx:1 is not pinned by a digest"])
        );
        let warned =
            response(&format!("{rules}\nprivileged: {{severity: warning}}"), "Deployment", &deployment);
        assert_eq!((&warned["allowed"], warned["warnings"].as_array().unwrap().len()), (&json!(true), 2));
    }

    #[test]
    fn what_runs_nothing_and_what_is_exempt_is_admitted() {
        let bad = json!({"spec": {"hostNetwork": true}});
        assert_eq!(response("", "ConfigMap", &bad)["allowed"], true);
        assert_eq!(response("exempt: {namespaces: [shop]}", "Pod", &bad)["allowed"], true);
        assert_eq!(response("", "Pod", &bad)["allowed"], false);
        assert_eq!(response("", "Pod", &Value::Null)["allowed"], true, "it is being deleted");
    }
}
