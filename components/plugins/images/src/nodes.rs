//! The sizes of images, as nodes report them.

use crate::image::Image;
use kube_guest::{Cluster, Error, Lists, Path};
use serde::Deserialize;
use std::collections::HashMap;

/// `v1.Node`.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    images: Option<Vec<Stored>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    names: Option<Vec<String>>,
    #[serde(default)]
    size_bytes: i64,
}

/// Asks for the nodes, and does not wait.
pub(crate) fn begin(cluster: &Cluster) -> Result<Lists<'_, Node>, Error> {
    Ok(cluster.begin_lists([Path::new(["api", "v1", "nodes"])?], "application/json"))
}

/// Sets the size of each image that a node has, by its name, with or without the registry and the tag `latest`.
pub(crate) fn set_sizes(images: &mut [Image], nodes: Vec<Node>) {
    let mut sizes: HashMap<String, i64> = HashMap::new();
    for stored in nodes.into_iter().flat_map(|node| node.status.images.unwrap_or_default()) {
        for name in stored.names.unwrap_or_default() {
            let untagged = name.strip_suffix(":latest");
            for known in [Some(name.as_str()), untagged].into_iter().flatten() {
                let base = known.rsplit('/').next().unwrap_or(known);
                sizes.insert(base.to_owned(), stored.size_bytes);
                sizes.insert(known.to_owned(), stored.size_bytes);
            }
        }
    }
    for image in images {
        if let Some(bytes) = sizes.get(&image.reference) {
            image.size = size(u64::try_from(*bytes).unwrap_or_default());
        }
    }
}

/// Returns a number of bytes with two digits, such as `1.5 MiB` or `23 MiB`.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut unit = 0;
    while unit + 1 < UNITS.len() && bytes >> (10 * (unit + 1)) > 0 {
        unit += 1;
    }
    let one = 1_u128 << (10 * unit);
    // Tenths, rounded.
    let tenths = (u128::from(bytes) * 10 + one / 2) / one;
    if unit == 0 {
        format!("{bytes} B")
    } else if tenths < 100 {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    } else {
        format!("{} {}", (tenths + 5) / 10, UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_two_digits() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (10 * 1024 * 1024, "10 MiB"),
            (23_456_789, "22 MiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(size(bytes), shown, "{bytes}");
        }
    }

    #[test]
    fn an_image_is_found_by_each_of_its_names() {
        let nodes: Vec<Node> = serde_json::from_str(
            r#"[{}, {"status": {"images": null}}, {"status": {"images": [{"names": null},
                {"names": ["registry.example/web@sha256:0", "registry.example/web:latest"], "sizeBytes": 2048}]}}]"#,
        )
        .unwrap();
        let named = |name: &str| Image { reference: name.to_owned(), ..Image::default() };
        let mut images: Vec<Image> =
            ["registry.example/web", "web:latest", "web", "web:1"].into_iter().map(named).collect();
        set_sizes(&mut images, nodes);
        let sizes: Vec<&str> = images.iter().map(|image| image.size.as_str()).collect();
        assert_eq!(sizes, ["2.0 KiB", "2.0 KiB", "2.0 KiB", ""]);
    }
}
