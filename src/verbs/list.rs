//! `kwasm list`.

use serde::Serialize;

use crate::cli::Output;
use crate::inspect::Kind;
use crate::reference::{Digest, PluginName};
use crate::store::{Receipt, Store};

use super::table::{Table, shown};
use super::{Ending, Error, Reporter, print};

/// An installed plugin in `-o json`. All keys are always present.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: PluginName,
    version: Option<String>,
    policy: String,
    /// The digest of the content that runs.
    digest: Digest,
    /// The digest of its artifact's manifest, if it came from a registry.
    manifest: Option<Digest>,
    source: String,
    signed: bool,
    /// The keys by which signatures were verified.
    signers: Vec<String>,
    kind: Kind,
    /// Whether its requests are recorded.
    audit: bool,
    /// Whether the user is asked about what its policy does not allow.
    ask: bool,
    installed_at: String,
    description: Option<String>,
}

impl From<Receipt> for Row {
    fn from(receipt: Receipt) -> Self {
        let Receipt {
            name,
            version,
            policy,
            digest,
            artifact,
            source,
            kind,
            audit,
            ask,
            installed_at,
            description,
            ..
        } = receipt;
        let manifest = artifact.as_ref().map(|artifact| artifact.manifest);
        let (signed, signers) = artifact.map_or((false, Vec::new()), |artifact| {
            (!artifact.signatures.is_empty(), artifact.signers.into_iter().map(|signer| signer.key).collect())
        });
        Self {
            name,
            version,
            policy,
            digest,
            manifest,
            source,
            signed,
            signers,
            kind,
            audit,
            ask,
            installed_at,
            description,
        }
    }
}

impl Row {
    /// Returns the signers, or nothing if it is not signed.
    fn signature(&self) -> String {
        match (self.signed, self.signers.is_empty()) {
            (true, true) => "unverified".to_owned(),
            (_, _) => self.signers.join(","),
        }
    }
}

pub(super) fn list(store: &Store, reporter: Reporter, output: Output) -> Result<Ending, Error> {
    let mut rows = Vec::new();
    let mut troubles = Vec::new();
    for name in store.names()? {
        match store.receipt(&name) {
            Ok(receipt) => rows.push(Row::from(receipt)),
            // Uninstalled since its name was read.
            Err(crate::store::Error::Unknown(_)) => {}
            // One broken receipt does not hide the others.
            Err(error) => troubles.push((name.to_string(), Error::from(error))),
        }
    }
    if rows.is_empty() && matches!(output, Output::Table | Output::Wide) {
        if troubles.is_empty() {
            reporter.note("no plugins are installed: kwasm install ./x.wasm");
        }
        return Error::of_several(troubles).map(|()| Ending::Done);
    }
    print(&shown(&rows, output, |wide| table(&rows, wide), |row| row.name.to_string()))?;
    Error::of_several(troubles).map(|()| Ending::Done)
}

fn table(rows: &[Row], wide: bool) -> Table {
    let mut heads = vec!["NAME", "VERSION", "POLICY", "DIGEST", "SOURCE"];
    if wide {
        heads.extend(["SIGNED", "KIND", "AUDIT", "ASK", "INSTALLED", "DESCRIPTION"]);
    }
    let mut table = Table::new(&heads);
    for row in rows {
        // On eighty columns there is room for as much as distinguishes it from others.
        let digest = if wide { row.digest.to_string() } else { row.digest.hex().chars().take(12).collect() };
        let known = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut cells =
            vec![row.name.to_string(), known(&row.version), row.policy.clone(), digest, row.source.clone()];
        if wide {
            let kind = if row.kind == Kind::Core { "core" } else { "component" };
            cells.extend([
                row.signature(),
                kind.to_owned(),
                switch(row.audit),
                switch(row.ask),
                row.installed_at.clone(),
                known(&row.description),
            ]);
        }
        table.row(cells);
    }
    table
}

/// Returns the word for a setting that is on, and nothing for one that is off.
fn switch(is_on: bool) -> String {
    if is_on { "on".to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> Row {
        Row {
            name: name.parse().unwrap(),
            version: None,
            policy: "cluster".to_owned(),
            digest: Digest::of(b""),
            manifest: None,
            source: "/x.wasm".to_owned(),
            signed: false,
            signers: Vec::new(),
            kind: Kind::Component,
            audit: false,
            ask: false,
            installed_at: "2026-01-01T00:00:00Z".to_owned(),
            description: None,
        }
    }

    #[test]
    fn what_is_not_known_of_a_plugin_is_a_dash() {
        let known = Row { version: Some("1.2.3".to_owned()), ..row("decoder") };
        insta::assert_snapshot!(table(&[row("a"), known], false).text(), @r"
        NAME     VERSION  POLICY   DIGEST        SOURCE
        a        -        cluster  e3b0c44298fc  /x.wasm
        decoder  1.2.3    cluster  e3b0c44298fc  /x.wasm
        ");
    }

    #[test]
    fn a_signature_that_nobody_verified_is_told_from_one_that_somebody_did() {
        assert_eq!(row("a").signature(), "");
        assert_eq!(Row { signed: true, ..row("a") }.signature(), "unverified");
        let signers = vec!["release".to_owned(), "team".to_owned()];
        assert_eq!(Row { signed: true, signers, ..row("a") }.signature(), "release,team");
    }
}
