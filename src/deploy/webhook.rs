//! The configuration by which the API server asks a webhook.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::certificate::{Certificate, Issued};
use super::plan::Plan;
use super::review::{FailurePolicy, Resource, Review};

/// The namespace of the cluster itself, which a webhook that fails must not stop.
const SYSTEM: &str = "kube-system";

/// Returns the objects of a server's certificate.
pub(super) fn certificate(plan: &Plan, certificate: &Certificate) -> Vec<Value> {
    let name = format!("{}-certificate", plan.object_name());
    match certificate {
        Certificate::Own(Issued { chain, key, .. }) => {
            let encode = |text: &str| BASE64_STANDARD.encode(text);
            let data = json!({"tls.crt": encode(chain), "tls.key": encode(key)});
            let content = json!({"type": "kubernetes.io/tls", "data": data});
            vec![plan.entitled("v1", "Secret", &name, content)]
        }
        Certificate::CertManager => {
            let spec = json!({
                "secretName": name, "dnsNames": plan.service_names(),
                "issuerRef": {"kind": "Issuer", "name": plan.object_name()},
            });
            vec![
                plan.object("cert-manager.io/v1", "Issuer", json!({"spec": {"selfSigned": {}}})),
                plan.entitled("cert-manager.io/v1", "Certificate", &name, json!({"spec": spec})),
            ]
        }
    }
}

pub(super) fn configuration(plan: &Plan, review: &Review) -> Value {
    let name = plan.object_name();
    let operations: Vec<&str> = review.operations.iter().map(|operation| operation.name()).collect();
    let rules: Vec<Value> = review
        .resources
        .iter()
        .map(|Resource { group, resource }| {
            json!({"apiGroups": [group], "apiVersions": ["*"], "operations": operations, "resources": [resource]})
        })
        .collect();
    let account = format!("system:serviceaccount:{}:{}", plan.namespace, plan.object_name());
    let mut client =
        json!({"service": {"name": name, "namespace": plan.namespace, "path": "/", "port": 443}});
    if let Certificate::Own(Issued { authority, .. }) = &review.certificate {
        client["caBundle"] = BASE64_STANDARD.encode(authority).into();
    }
    let others = json!({
        "key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [SYSTEM, plan.namespace],
    });
    let mut webhook = json!({
        "name": format!("{}.kwasm.dev", plan.name),
        "admissionReviewVersions": ["v1"],
        "clientConfig": client,
        "failurePolicy": if review.failure_policy == FailurePolicy::Fail { "Fail" } else { "Ignore" },
        "matchPolicy": "Equivalent",
        // What it does itself must not wait for it; nor what brings it up again.
        "matchConditions": [{"name": "not-its-own", "expression": format!("request.userInfo.username != '{account}'")}],
        "namespaceSelector": {"matchExpressions": [others]},
        "rules": rules,
        "sideEffects": "None",
        "timeoutSeconds": review.timeout,
    });
    if review.mutates {
        webhook["reinvocationPolicy"] = "IfNeeded".into();
    }
    let kind = if review.mutates { "MutatingWebhookConfiguration" } else { "ValidatingWebhookConfiguration" };
    // It is in no namespace, and may be one of several.
    let mut metadata = json!({"name": format!("{name}.{}", plan.namespace), "labels": plan.labels()});
    if matches!(review.certificate, Certificate::CertManager) {
        metadata["annotations"] =
            json!({"cert-manager.io/inject-ca-from": format!("{}/{name}-certificate", plan.namespace)});
    }
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": metadata, "webhooks": [webhook],
    })
}
