//! The numbers in the format of [OpenMetrics][1].
//!
//! [1]: https://prometheus.io/docs/specs/om/open_metrics_spec/

use std::fmt;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::collect::{Collected, RESOURCES};

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Phase {
    namespace: String,
    phase: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Deployment {
    namespace: String,
    deployment: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Ready {
    ready: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Listed {
    resource: &'static str,
}

/// Returns all numbers as text.
pub(crate) fn text(collected: &Collected) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("cluster");
    let pods = family(&mut registry, "pods", "Pods by namespace and phase");
    for ((namespace, phase), count) in &collected.pods {
        set(&pods, &Phase { namespace: namespace.clone(), phase: phase.clone() }, *count);
    }
    let wanted = family(&mut registry, "deployment_replicas", "Replicas that a deployment is to have");
    let unavailable = family(
        &mut registry,
        "deployment_unavailable_replicas",
        "Replicas of a deployment that are not available",
    );
    for ((namespace, deployment), replicas) in &collected.deployments {
        let labels = Deployment { namespace: namespace.clone(), deployment: deployment.clone() };
        set(&wanted, &labels, replicas.wanted);
        set(&unavailable, &labels, replicas.unavailable);
    }
    let nodes = family(&mut registry, "nodes", "Nodes by whether they are ready: True, False or Unknown");
    for (ready, count) in &collected.nodes {
        set(&nodes, &Ready { ready: ready.clone() }, *count);
    }
    let listed = family(&mut registry, "listed", "Whether a resource could be listed: 1, or 0");
    for (resource, failed) in RESOURCES.iter().zip(&collected.failed) {
        set(&listed, &Listed { resource: resource.name() }, failed.is_none().into());
    }
    let mut written = String::new();
    text::encode(&mut written, &registry)?;
    Ok(written)
}

/// Returns a family of numbers that can go up and down, which the registry has now. The full stop after its help is the library's.
fn family<L>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Gauge>
where
    L: Clone + fmt::Debug + EncodeLabelSet + Eq + std::hash::Hash + Send + Sync + 'static,
{
    let family = Family::default();
    registry.register(name, help, Family::clone(&family));
    family
}

fn set<L: Clone + Eq + std::hash::Hash>(family: &Family<L, Gauge>, labels: &L, number: i64) {
    family.get_or_create(labels).set(number);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::Replicas;

    #[test]
    fn the_text_has_each_number_and_escapes_what_a_cluster_says() {
        let mut collected = Collected::default();
        collected.pods.insert(("shop".to_owned(), "Run\"ning\n".to_owned()), 2);
        let replicas = Replicas { wanted: 3, unavailable: 1 };
        collected.deployments.insert(("shop".to_owned(), "web".to_owned()), replicas);
        collected.nodes.insert("True".to_owned(), 4);
        collected.failed[2] = Some("forbidden".to_owned());
        let text = text(&collected).unwrap();
        for line in [
            "# TYPE cluster_pods gauge",
            r#"cluster_pods{namespace="shop",phase="Run\"ning\n"} 2"#,
            r#"cluster_deployment_replicas{namespace="shop",deployment="web"} 3"#,
            r#"cluster_deployment_unavailable_replicas{namespace="shop",deployment="web"} 1"#,
            r#"cluster_nodes{ready="True"} 4"#,
            r#"cluster_listed{resource="pods"} 1"#,
            r#"cluster_listed{resource="nodes"} 0"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(text.ends_with("\n# EOF\n"));
        let series = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(series, collected.series());
    }
}
