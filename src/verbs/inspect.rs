//! `kwasm inspect SOURCE|NAME`: describes a component. Runs nothing, and does not download a layer that its
//! configuration fully describes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cli::Output;
use crate::environment::{Connection, Environment};
use crate::inspect::{self, Facts, Feature, Inspected, Kind, Wasi};
use crate::message::chain;
use crate::reference::{Digest, Source};
use crate::registry::{Artifact, Found, Manifest, REQUEST};
use crate::store::{Receipt, Signer, Store};

use super::declared::{Declared, Interface, prove_request};
use super::fetch::{Fetcher, Judged, name_of};
use super::listed::located;
use super::progress::Progress;
use super::requested::Requested;
use super::{Ending, Error, Reporter, print, table};

/// The facts about a component that are known before it runs.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The list of manifests that the source leads to, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    /// The size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    /// The versions of WASI that a component speaks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wasi: Vec<Wasi>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    installed_at: Option<String>,
    /// Whether it is signed, by any signer; `None` if it cannot be signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<bool>,
    /// The keys of trust.yaml that verified it.
    signers: Vec<Signer>,
    /// Whether its registry did not report if it is signed.
    #[serde(skip)]
    unknown: bool,
    /// The reason why trust.yaml does not allow its installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    /// The reason why it cannot run here.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfit: Option<String>,
    /// The WebAssembly features that it needs; `None` if its layer was not downloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    features: Option<BTreeSet<Feature>>,
    /// Whether imports and exports are only its publisher's claims, because the layer was not downloaded.
    declared: bool,
    imports: Vec<String>,
    /// The names that a core module imports, by module.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    imported_names: BTreeMap<String, Vec<String>>,
    exports: Vec<String>,
    /// The policy that it asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Requested>,
    /// The annotations of its artifact or its metadata.
    annotations: BTreeMap<String, String>,
    /// The error because of which it cannot run here.
    #[serde(skip)]
    cause: Option<Error>,
}

pub(super) fn inspect(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    source: &Source,
    output: Output,
) -> Result<Ending, Error> {
    let mut subject = match source {
        Source::Installed(name) => installed(store, store.receipt(name)?)?,
        Source::Path(path) => local(source, &Artifact::from_file(path)?)?,
        Source::Object(object) => {
            let brought = super::object::fetch(environment, reporter, object, &Connection::default())?;
            local(source, &brought.content)?
        }
        Source::Image(_) | Source::Package(_) => {
            remote(&Fetcher::new(environment, store.places(), reporter), source)?
        }
        Source::Listed(listed) => {
            return inspect(store, environment, reporter, &located(store, listed)?, output);
        }
    };
    subject.wasi = Wasi::among(&[&subject.imports, &subject.exports]);
    print(&table::one(&subject, output, || page(&subject), || subject.source.clone()))?;
    subject.cause.take().map_or(Ok(Ending::Done), Err)
}

fn installed(store: &Store, receipt: Receipt) -> Result<Subject, Error> {
    let content = store.find(&receipt.name)?.content()?;
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
        signed: artifact.filter(|artifact| !artifact.unknown).map(|artifact| !artifact.signatures.is_empty()),
        unknown: artifact.is_some_and(|artifact| artifact.unknown),
        signers: artifact.map(|artifact| artifact.signers.clone()).unwrap_or_default(),
        source: receipt.source,
        ..inspect_content(receipt.name.as_str(), &content).unwrap_or_default()
    })
}

fn local(source: &Source, content: &Artifact) -> Result<Subject, Error> {
    let path = source.to_string();
    let subject = inspect_content(&path, content.bytes())
        .map_err(|cause| Error::Inspect { path: path.clone(), source: cause })?;
    Ok(Subject {
        source: path,
        digest: Some(content.digest()),
        size: Some(content.bytes().len() as u64),
        ..subject
    })
}

/// Inspects the content of `of`, as the user names it. If it cannot run here, the result contains the reason.
fn inspect_content(of: &str, content: &[u8]) -> Result<Subject, inspect::Error> {
    let facts = Facts::read(content)?;
    let features = inspect::needed(content)?;
    let missing: Vec<Feature> = features.iter().copied().filter(|feature| !feature.runs()).collect();
    let cause = match Inspected::read(content) {
        Ok(_) if missing.is_empty() => inspect::validate(content).err(),
        Ok(_) => Some(inspect::Error::Features(missing)),
        Err(cause) => Some(cause),
    };
    let unfit = cause.as_ref().map(chain);
    let cause = cause.map(|source| Error::Inspect { path: of.to_owned(), source });
    let version = facts.said("version").map(str::to_owned);
    let request = facts.request.map(|text| Requested::embedded(of, text));
    Ok(Subject {
        version,
        kind: facts.kind,
        unfit,
        cause: cause.or_else(|| request.as_ref()?.error()),
        request,
        features: Some(features),
        imports: facts.imports.keys().cloned().collect(),
        imported_names: facts.imports.into_iter().filter(|(_, names)| !names.is_empty()).collect(),
        exports: facts.exports,
        annotations: facts.annotations,
        ..Subject::default()
    })
}

fn remote(fetcher: &Fetcher<'_>, source: &Source) -> Result<Subject, Error> {
    let registries = fetcher.registries()?;
    let found = fetcher.find(source)?;
    let judged = match fetcher.judge(source, &found, None) {
        // Its problem is what the user wants to see.
        Err(error @ (Error::Untrusted { .. } | Error::SignatureLookup { .. })) => Err(chain(&error)),
        judged => Ok(judged?),
    };
    let config = registries.config(&found)?;
    let declared = config.as_ref().and_then(Declared::read);
    let mut subject = if let Some(subject) = declared.and_then(subject_of) {
        subject
    } else {
        // Its publisher made no claims, so the content is inspected.
        let progress = Progress::download(fetcher.reporter(), &name_of(source));
        let content = registries.fetch(&found, &progress)?;
        let mut subject = local(source, &content)?;
        if subject.cause.is_none() {
            subject.cause = Inspected::read(content.bytes())
                .ok()
                .and_then(|inspected| prove_request(&found.reference(), found.manifest(), &inspected).err());
        }
        subject
    };
    subject.source = found.reference();
    subject.version = found.version().map(ToString::to_string).or(subject.version);
    subject.digest = Some(found.content());
    match judged {
        Ok(Judged { signatures, signers, unknown }) => {
            subject.signed = found.manifest().filter(|_| !unknown).map(|_| !signatures.is_empty());
            subject.signers = signers;
            subject.unknown = unknown;
        }
        Err(why) => subject.refused = Some(why),
    }
    describe(&mut subject, &found);
    if subject.declared {
        let text = found.manifest().and_then(Manifest::request);
        subject.request = text.map(|text| Requested::declared(&source.to_string(), text));
        subject.cause = subject.request.as_ref().and_then(Requested::error);
    }
    Ok(subject)
}

/// Returns what a configuration claims about the content; `None` if that is not sufficient.
fn subject_of(declared: Declared) -> Option<Subject> {
    if declared.is_core() {
        return Some(Subject { kind: Some(Kind::Core), declared: true, ..Subject::default() });
    }
    let Interface { exports, imports } = declared.interface()?;
    Some(Subject { kind: Some(Kind::Component), imports, exports, declared: true, ..Subject::default() })
}

/// Adds the facts from the manifest.
fn describe(subject: &mut Subject, found: &Found) {
    let Some(manifest) = found.manifest() else { return };
    subject.index = found.list();
    subject.manifest = Some(manifest.digest());
    subject.size = Some(manifest.layer().size());
    // The request is shown as what it is.
    for (name, value) in manifest.annotations().iter().filter(|(name, _)| *name != REQUEST) {
        subject.annotations.insert(name.clone(), value.clone());
    }
}

/// Returns a page with one fact per line, and several values of a fact below each other.
fn page(subject: &Subject) -> String {
    let mut lines: Vec<(&str, String)> = vec![("source", subject.source.clone())];
    let mut line = |key: &'static str, value: Option<String>| lines.extend(value.map(|value| (key, value)));
    line("name", subject.name.clone());
    line("version", subject.version.clone());
    line("index", subject.index.map(|digest| digest.to_string()));
    line("manifest", subject.manifest.map(|digest| digest.to_string()));
    line("digest", subject.digest.map(|digest| digest.to_string()));
    line("size", subject.size.map(|size| indicatif::HumanBytes(size).to_string()));
    line(
        "kind",
        subject.kind.map(|kind| if kind == Kind::Core { "core module" } else { "component" }.to_owned()),
    );
    let versions: Vec<String> = subject.wasi.iter().map(ToString::to_string).collect();
    line("wasi", (!versions.is_empty()).then(|| versions.join(", ")));
    line("policy", subject.policy.clone());
    line("installed", subject.installed_at.clone());
    line("signatures", signatures(subject));
    for (name, key) in SHOWN {
        line(key, subject.annotations.get(&format!("org.opencontainers.image.{name}")).cloned());
    }
    if let Some(features) = &subject.features {
        let names: Vec<&str> = features.iter().map(|feature| feature.name()).collect();
        lines.extend((!names.is_empty()).then(|| ("features", names.join(", "))));
    }
    let imports = subject.imports.iter().map(|import| match subject.imported_names.get(import) {
        Some(names) => format!("{import}: {}", names.join(", ")),
        None => import.clone(),
    });
    let request = match &subject.request {
        Some(request) => request.lines(),
        None => vec![if subject.declared { "not reported" } else { "none" }.to_owned()],
    };
    for (key, list) in [("imports", &imports.collect()), ("exports", &subject.exports), ("request", &request)]
    {
        let mut keys = std::iter::once(key).chain(std::iter::repeat(""));
        lines.extend(list.iter().take(ROWS).filter_map(|item| Some((keys.next()?, item.clone()))));
        if list.len() > ROWS {
            lines.push(("", format!("and {} more: -o json shows all", list.len() - ROWS)));
        }
    }
    if subject.declared {
        lines.push(("", "(reported by its publisher; inspected at install)".to_owned()));
    }
    table::page(&lines)
}

/// The largest number of imports, of exports, and of a request's lines that a page shows. No real plugin has as
/// many.
const ROWS: usize = 100;

/// The annotations that a page shows, with their labels. Other labels of a publisher are not shown, so that
/// none can look like kwasm's own.
const SHOWN: [(&str, &str); 5] = [
    ("authors", "authors"),
    ("description", "description"),
    ("licenses", "licenses"),
    ("source", "repository"),
    ("url", "url"),
];

fn signatures(subject: &Subject) -> Option<String> {
    if let Some(why) = &subject.refused {
        return Some(format!("refused: {why}"));
    }
    if subject.unknown {
        return Some("unknown: its registry does not report them".to_owned());
    }
    let signers: Vec<String> = subject.signers.iter().map(|signer| signer.key.clone()).collect();
    Some(match (subject.signed?, signers.is_empty()) {
        (_, false) => format!("verified: {}", signers.join(", ")),
        (true, true) => "present, but trust.yaml has no key for them".to_owned(),
        (false, true) => "none".to_owned(),
    })
}
