//! Pods, as far as their images are concerned.

use serde::Deserialize;
use std::collections::HashSet;

/// A container of a pod, with its image.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Image {
    pub(crate) namespace: String,
    pub(crate) pod: String,
    /// With `(init)` or `(ephemeral)` before it.
    pub(crate) container: String,
    /// The image, as the container names it.
    pub(crate) reference: String,
    pub(crate) pull_policy: String,
    /// As people write it; empty if no node says it.
    pub(crate) size: String,
}

/// `v1.Pod`.
#[derive(Debug, Deserialize)]
pub(crate) struct Pod {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    containers: Option<Vec<Container>>,
    init_containers: Option<Vec<Container>>,
    ephemeral_containers: Option<Vec<Container>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    #[serde(default)]
    name: String,
    #[serde(default)]
    image: String,
    #[serde(default)]
    image_pull_policy: String,
}

impl Pod {
    pub(crate) fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Adds its containers.
    pub(crate) fn add_to(self, images: &mut Vec<Image>) {
        let Spec { containers, init_containers, ephemeral_containers } = self.spec;
        for (kind, containers) in
            [("", containers), ("(init) ", init_containers), ("(ephemeral) ", ephemeral_containers)]
        {
            images.extend(containers.unwrap_or_default().into_iter().map(|container| Image {
                namespace: self.metadata.namespace.clone(),
                pod: self.metadata.name.clone(),
                container: format!("{kind}{}", container.name),
                reference: container.image,
                pull_policy: container.image_pull_policy,
                size: String::new(),
            }));
        }
    }
}

/// Keeps the first of those that are alike in all but the pod.
pub(crate) fn keep_different(images: &mut Vec<Image>) {
    let mut seen = HashSet::new();
    images.retain(|image| {
        let Image { namespace, container, reference, pull_policy, .. } = image;
        seen.insert([namespace, container, reference, pull_policy].map(String::clone))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(namespace: &str, pod: &str, reference: &str) -> Image {
        let [namespace, pod, reference] = [namespace, pod, reference].map(str::to_owned);
        Image { namespace, pod, reference, ..Image::default() }
    }

    #[test]
    fn init_and_ephemeral_containers_follow_the_others() {
        let mut images = Vec::new();
        for (text, found) in [
            ("{}", vec![]),
            (r#"{"metadata": {}, "spec": {"containers": null, "initContainers": []}}"#, vec![]),
            (
                r#"{"spec": {"initContainers": [{"name": "a"}], "ephemeralContainers": [{"name": "b", "image": "i:1"}],
                    "containers": [{"name": "c"}, {"image": "i"}]}}"#,
                vec!["c", "", "(init) a", "(ephemeral) b"],
            ),
        ] {
            images.clear();
            pod(text).add_to(&mut images);
            let names: Vec<&str> = images.iter().map(|image| image.container.as_str()).collect();
            assert_eq!(names, found, "{text}");
        }
        assert_eq!(images[3].reference, "i:1");
    }

    fn pod(text: &str) -> Pod {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn of_those_that_differ_in_the_pod_only_one_is_kept() {
        let mut images = vec![
            image("n", "a", "i:1"),
            image("n", "b", "i:1"),
            image("n", "b", "i:2"),
            image("m", "a", "i:1"),
        ];
        keep_different(&mut images);
        assert_eq!(images, [image("n", "a", "i:1"), image("n", "b", "i:2"), image("m", "a", "i:1")]);
    }
}
