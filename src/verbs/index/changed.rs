//! Differences between two editions of an index that its users are warned of.

use std::collections::BTreeMap;

use crate::catalogue::{Index, Listing};
use crate::message::{Message, cut};
use crate::reference::IndexName;
use crate::verbs::Reporter;

/// Reports the plugins that come from elsewhere now, and the versions that are other artifacts.
pub(super) fn report(reporter: Reporter, name: &IndexName, before: &Index, after: &Index) {
    let before: BTreeMap<&str, &Listing> =
        before.plugins.iter().map(|listing| (listing.name.as_str(), listing)).collect();
    let changes = after.plugins.iter().filter_map(|listing| {
        let was = before.get(listing.name.as_str())?;
        Some(changes(was, listing))
    });
    let changes = changes.flatten().map(|text| Message::plain(format!("warning: {name}: {text}")));
    for change in cut(changes) {
        reporter.note(&change.text);
    }
}

fn changes(before: &Listing, after: &Listing) -> Vec<String> {
    let name = &after.name;
    let mut found = Vec::new();
    if before.source != after.source {
        found.push(format!("{name} is in {} now, and was in {}", after.source, before.source));
    }
    for release in &after.versions {
        let was = before.versions.iter().find(|was| was.version == release.version);
        if let Some(was) = was.filter(|was| was.digest != release.digest) {
            let (version, is, was) = (&release.version, release.digest.short(), was.digest.short());
            found.push(format!("{name} {version} was {was}, and is {is} now"));
        }
    }
    found
}
