//! `kwasm inspect SOURCE|NAME`: what a component is. Runs nothing, and downloads no layer whose configuration says it all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cli::{Environment, Output};
use crate::inspect::{Facts, Inspected, Kind};
use crate::reference::{Digest, Source};
use crate::registry::{Artifact, Found};
use crate::store::{Receipt, Signer, Store};

use super::fetch::Fetcher;
use super::{Ending, Error, Voice, one_line, print, table};

/// What there is to know of a component before it runs.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    installed_at: Option<String>,
    /// Whether it is signed, by whomever; `None` where nobody could.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<bool>,
    /// Those keys of trust.yaml that did.
    signers: Vec<Signer>,
    imports: Vec<String>,
    exports: Vec<String>,
    /// What it says of itself.
    annotations: BTreeMap<String, String>,
}

/// The configuration of a Wasm OCI artifact, as far as it tells what is in its layer.
#[derive(Deserialize)]
struct Config {
    os: Option<String>,
    component: Option<Interface>,
}

#[derive(Deserialize)]
struct Interface {
    exports: Vec<String>,
    imports: Vec<String>,
}

pub(super) fn inspect(
    store: &Store,
    environment: &Environment,
    voice: Voice,
    source: &Source,
    output: Output,
) -> Result<Ending, Error> {
    let subject = match source {
        Source::Installed(name) => installed(store, store.receipt(name)?)?,
        Source::Path(path) => local(source, &Artifact::from_file(path)?)?,
        Source::Image(_) | Source::Package(_) => {
            remote(&Fetcher::new(environment, store.places(), voice), source)?
        }
    };
    print(&match output {
        Output::Json => table::json(&subject),
        Output::Yaml => serde_saphyr::to_string(&subject).unwrap_or_default(),
        Output::Name => format!("{}\n", one_line(&subject.source)),
        Output::Table | Output::Wide => page(&subject),
    })?;
    Ok(Ending::Done)
}

fn installed(store: &Store, receipt: Receipt) -> Result<Subject, Error> {
    let content = store.find(&receipt.name)?.content()?;
    let facts = Facts::read(&content).unwrap_or_default();
    let artifact = receipt.artifact.as_ref();
    Ok(Subject {
        name: Some(receipt.name.to_string()),
        version: receipt.version,
        manifest: artifact.map(|artifact| artifact.manifest),
        digest: Some(receipt.digest),
        size: Some(receipt.size),
        kind: Some(receipt.kind),
        policy: Some(receipt.policy),
        installed_at: Some(receipt.installed_at),
        signed: artifact.map(|artifact| !artifact.signatures.is_empty()),
        signers: artifact.map(|artifact| artifact.signers.clone()).unwrap_or_default(),
        imports: receipt.inspected.imports().to_vec(),
        exports: facts.exports,
        annotations: facts.annotations,
        source: receipt.source,
    })
}

fn local(source: &Source, content: &Artifact) -> Result<Subject, Error> {
    let unfit = |cause| Error::Inspect { path: source.to_string(), source: cause };
    let inspected = Inspected::read(content.bytes()).map_err(unfit)?;
    let facts = Facts::read(content.bytes()).map_err(unfit)?;
    Ok(Subject {
        source: source.to_string(),
        version: facts.said("version").map(str::to_owned),
        digest: Some(content.digest()),
        size: Some(content.bytes().len() as u64),
        kind: Some(inspected.kind()),
        imports: inspected.imports().to_vec(),
        exports: facts.exports,
        annotations: facts.annotations,
        ..Subject::default()
    })
}

fn remote(fetcher: &Fetcher<'_>, source: &Source) -> Result<Subject, Error> {
    let registries = fetcher.registries()?;
    let found = registries.find(source)?;
    let (signatures, signers) = fetcher.judge(source, &found, None)?;
    let config = registries.config(&found)?;
    let told = config.and_then(|config| serde_json::from_slice::<Config>(config.bytes()).ok());
    let mut subject = match told {
        Some(Config { component: Some(Interface { exports, imports }), .. }) => {
            Subject { kind: Some(Kind::Component), imports, exports, ..Subject::default() }
        }
        Some(Config { os: Some(os), .. }) if os == "wasip1" => {
            Subject { kind: Some(Kind::Core), ..Subject::default() }
        }
        // Whoever pushed it did not say: it is looked into.
        _ => local(
            source,
            &registries.fetch(&found, &super::progress::Progress::download(fetcher.voice(), "inspect"))?,
        )?,
    };
    subject.source = found.reference();
    subject.version = found.version().map(ToString::to_string).or(subject.version);
    subject.digest = Some(found.content());
    subject.signed = found.manifest().map(|_| !signatures.is_empty());
    subject.signers = signers;
    describe(&mut subject, &found);
    Ok(subject)
}

/// Adds what the manifest says.
fn describe(subject: &mut Subject, found: &Found) {
    let Some(manifest) = found.manifest() else { return };
    subject.manifest = Some(manifest.digest());
    subject.size = Some(manifest.layer().size());
    for (name, value) in manifest.annotations() {
        subject.annotations.insert(name.clone(), value.clone());
    }
}

/// A line a fact, and what there are several of below each other.
fn page(subject: &Subject) -> String {
    let mut lines: Vec<(&str, String)> = vec![("source", subject.source.clone())];
    let mut line = |key: &'static str, value: Option<String>| lines.extend(value.map(|value| (key, value)));
    line("name", subject.name.clone());
    line("version", subject.version.clone());
    line("manifest", subject.manifest.map(|digest| digest.to_string()));
    line("digest", subject.digest.map(|digest| digest.to_string()));
    line("size", subject.size.map(|size| indicatif::HumanBytes(size).to_string()));
    line(
        "kind",
        subject.kind.map(|kind| if kind == Kind::Core { "core module" } else { "component" }.to_owned()),
    );
    line("policy", subject.policy.clone());
    line("installed", subject.installed_at.clone());
    line("signatures", signatures(subject));
    for (name, value) in &subject.annotations {
        if let Some(name) =
            SHOWN.iter().find(|shown| name.strip_prefix("org.opencontainers.image.") == Some(**shown))
        {
            line(name, Some(value.clone()));
        }
    }
    let listed = [("imports", &subject.imports), ("exports", &subject.exports)];
    for (key, list) in listed {
        let mut keys = std::iter::once(key).chain(std::iter::repeat(""));
        lines.extend(list.iter().filter_map(|item| Some((keys.next()?, item.clone()))));
    }
    let width = lines.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let lines = lines.iter().map(|(key, value)| format!("{key:<width$}  {}", one_line(value)));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// The annotations that a page has a line for.
const SHOWN: [&str; 5] = ["authors", "description", "licenses", "source", "url"];

fn signatures(subject: &Subject) -> Option<String> {
    let signers: Vec<String> = subject.signers.iter().map(|signer| signer.key.clone()).collect();
    Some(match (subject.signed?, signers.is_empty()) {
        (_, false) => format!("verified: {}", signers.join(", ")),
        (true, true) => "there are some, which trust.yaml has no key for".to_owned(),
        (false, true) => "none".to_owned(),
    })
}
