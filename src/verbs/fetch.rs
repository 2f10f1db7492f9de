//! From a source to bytes that are proven and, if trust.yaml requires it, signed.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::env;
use std::path::Path;

use crate::environment::{Connection, Environment};
use crate::inspect::{Facts, Inspected};
use crate::message::chain;
use crate::reference::{Digest, Image, Source};
use crate::registry::signature::Evidence;
use crate::registry::trust::{Demand, Lost, Predecessor, Succession, Trust};
use crate::registry::{self, Artifact, Found, Registries, Signature};
use crate::store::{Origin, Places, Receipt, Signer};

use super::declared::{self, Declared};
use super::object::{self, Brought};
use super::progress::Progress;
use super::{Error, Reporter};

/// Fetches plugins from every kind of source.
pub(super) struct Fetcher<'a> {
    environment: &'a Environment,
    places: &'a Places,
    reporter: Reporter,
    registries: OnceCell<Registries>,
    trust: OnceCell<Trust>,
    /// The problems with logins that were already reported.
    said: RefCell<BTreeSet<String>>,
}

/// The facts about the signatures of an accepted artifact.
#[derive(Default)]
pub(super) struct Judged {
    /// The signatures found, including those of unknown signers.
    pub(super) signatures: Vec<Signature>,
    /// The signers whose signatures were verified.
    pub(super) signers: Vec<Signer>,
    /// Whether its registry did not report if it is signed.
    pub(super) unknown: bool,
}

impl Judged {
    /// Returns what is recorded of an artifact in a registry.
    pub(super) fn origin(&self, found: &Found) -> Option<Origin> {
        let manifest = found.manifest()?;
        let signatures = &self.signatures;
        Some(Origin {
            reference: found.reference(),
            manifest: manifest.digest(),
            config: manifest.config().digest(),
            signatures: signatures.iter().map(|signature| signature.manifest().digest()).collect(),
            evidence: signatures.iter().flat_map(Signature::blobs).map(Artifact::digest).collect(),
            signers: self.signers.clone(),
            unknown: self.unknown,
        })
    }
}

/// Content that was fetched to become a plugin.
pub(super) struct Fetched {
    /// The source, as a receipt records it.
    pub(super) source: String,
    pub(super) version: Option<String>,
    pub(super) description: Option<String>,
    /// The component or core module.
    pub(super) content: Artifact,
    /// The artifact that it was in, and all parts of that but the content.
    pub(super) origin: Option<Origin>,
    pub(super) parts: Vec<Artifact>,
    /// The identifier of the object in a cluster that it was in.
    pub(super) object: Option<String>,
}

impl<'a> Fetcher<'a> {
    pub(super) fn new(environment: &'a Environment, places: &'a Places, reporter: Reporter) -> Self {
        let (registries, trust, said) = (OnceCell::new(), OnceCell::new(), RefCell::default());
        Self { environment, places, reporter, registries, trust, said }
    }

    pub(super) fn reporter(&self) -> Reporter {
        self.reporter
    }

    /// Returns the registries, whose configuration is read on first use.
    pub(super) fn registries(&self) -> Result<&Registries, Error> {
        if let Some(registries) = self.registries.get() {
            return Ok(registries);
        }
        let opened = Registries::open(self.environment)?;
        Ok(self.registries.get_or_init(|| opened))
    }

    /// Resolves a source.
    ///
    /// # Errors
    /// The same as [`Registries::find`].
    pub(super) fn find(&self, source: &Source) -> Result<Found, Error> {
        self.with_logins(|registries| registries.find(source))
    }

    /// Resolves the reference of an index of plugins.
    ///
    /// # Errors
    /// The same as [`Registries::find_index`].
    pub(super) fn find_index(&self, image: &Image) -> Result<Found, Error> {
        self.with_logins(|registries| registries.find_index(image))
    }

    /// Finds the newest artifact that can replace the one that a source names.
    ///
    /// # Errors
    /// The same as [`Registries::newest`].
    pub(super) fn newest(&self, source: &Source) -> Result<Option<Found>, Error> {
        self.with_logins(|registries| registries.newest(source))
    }

    /// Accesses the registries, and reports why a login was not available that one of them lacked.
    fn with_logins<T>(
        &self,
        ask: impl FnOnce(&Registries) -> Result<T, registry::Error>,
    ) -> Result<T, Error> {
        let registries = self.registries()?;
        let answered = ask(registries);
        report_logins(self.reporter, registries, &answered, &mut self.said.borrow_mut());
        Ok(answered?)
    }

    /// Returns trust.yaml, which is read on first use.
    pub(super) fn trust(&self) -> Result<&Trust, Error> {
        if let Some(trust) = self.trust.get() {
            return Ok(trust);
        }
        let read = Trust::load(&self.places.trust()).map_err(Error::Trust)?;
        Ok(self.trust.get_or_init(|| read))
    }

    /// Fetches a source to be installed. `previous` is the plugin that it replaces.
    ///
    /// # Errors
    /// If it cannot be fetched, does not match its digest, or lacks a required signature.
    pub(super) fn fetch(&self, source: &Source, previous: Option<&Receipt>) -> Result<Fetched, Error> {
        match source {
            Source::Path(path) => from_file(path),
            Source::Object(object) => {
                let Brought { content, uid } =
                    object::fetch(self.environment, self.reporter, object, &Connection::default())?;
                Ok(Fetched { object: Some(uid), ..brought(source.to_string(), content) })
            }
            Source::Installed(name) => Err(Error::NotFetched(name.clone())),
            // What its index says of it is known to `listed` alone.
            Source::Listed(_) => Err(registry::Error::NotFound(source.to_string()).into()),
            Source::Image(_) | Source::Package(_) => {
                let found = self.find(source)?;
                self.download(source, &found, previous)
            }
        }
    }

    /// Downloads an artifact after checking its signatures.
    pub(super) fn download(
        &self,
        source: &Source,
        found: &Found,
        previous: Option<&Receipt>,
    ) -> Result<Fetched, Error> {
        let registries = self.registries()?;
        let before = previous.and_then(|receipt| receipt.artifact.as_ref());
        let judged = self.judge(source, found, before)?;
        let name = name_of(source);
        let progress = Progress::download(self.reporter, &name);
        let content = registries.fetch(found, &progress)?;
        drop(progress);
        let config = registries.config(found)?;
        // Whether it can run is reported later.
        let inspected = Inspected::read(content.bytes()).ok();
        if let Some(inspected) = inspected {
            let claims = config.as_ref().and_then(Declared::read);
            if let Some(package) = claims.and_then(|claims| claims.hides(&inspected)) {
                return Err(Error::Hidden { reference: found.reference(), package });
            }
            declared::prove_request(&found.reference(), found.manifest(), &inspected)?;
        }
        let facts = Facts::read(content.bytes()).unwrap_or_default();
        let annotated = |name: &str| {
            let annotation = format!("org.opencontainers.image.{name}");
            let said =
                found.manifest().and_then(|manifest| manifest.annotation(&annotation)).or(facts.said(name));
            said.map(str::to_owned)
        };
        let origin = judged.origin(found);
        let mut parts = Vec::new();
        if let (Some(manifest), Some(config)) = (found.manifest(), config) {
            parts.extend([Artifact::from_bytes(manifest.bytes().clone()), config]);
            for signature in judged.signatures {
                parts.push(signature.manifest().clone());
                parts.extend_from_slice(signature.blobs());
            }
        }
        Ok(Fetched {
            source: source_of(source, found),
            version: found.version().map(ToString::to_string).or_else(|| annotated("version")),
            description: annotated("description"),
            content,
            origin,
            parts,
            object: None,
        })
    }

    /// Returns whether trust.yaml requires an artifact to be signed.
    ///
    /// # Errors
    /// If trust.yaml cannot be read.
    pub(super) fn asks_for_signatures(&self, source: &Source, found: &Found) -> Result<bool, Error> {
        Ok(self.demand(source, &repositories(found))?.asks())
    }

    /// Returns what trust.yaml requires of an artifact, by each of its repositories.
    fn demand(&self, source: &Source, repositories: &[String]) -> Result<Demand, Error> {
        let trust = self.trust()?;
        let demands = repositories.iter().map(|repository| trust.demand(repository, namespace(source)));
        Ok(demands.reduce(Demand::and).unwrap_or_default())
    }

    /// Looks up the signatures of an artifact and checks them. The result includes signatures of unknown
    /// signers. `before` is the artifact that it replaces.
    ///
    /// # Errors
    /// If a required signature is missing, if its predecessor was signed and it is not, or if either cannot
    /// be determined.
    pub(super) fn judge(
        &self,
        source: &Source,
        found: &Found,
        before: Option<&Origin>,
    ) -> Result<Judged, Error> {
        let repositories = repositories(found);
        let demand = self.demand(source, &repositories)?;
        if demand.ignores() {
            return Ok(Judged::default());
        }
        let reference = found.reference();
        let Some(manifest) = found.manifest() else {
            let artifact = Candidate {
                reference: &reference,
                repositories: &repositories,
                manifest: found.content(),
                list: None,
            };
            return match self.signers(source, &artifact, &[], before) {
                Err(Error::Untrusted { reference, source, .. }) => {
                    Err(Error::InFolder { reference, source: *source })
                }
                signers => Ok(Judged { signers: signers?, ..Judged::default() }),
            };
        };
        let mut signatures = match self.registries()?.signatures(found) {
            Ok(signatures) => signatures,
            Err(source) => {
                let error = Error::SignatureLookup { reference, source };
                return self.without_answer(error, &demand, &repositories, before);
            }
        };
        let artifact = Candidate {
            reference: &reference,
            repositories: &repositories,
            manifest: manifest.digest(),
            list: found.list(),
        };
        let signers = self.signers(source, &artifact, &signatures, before)?;
        // Other artifacts that refer to it, e.g. an attestation, were judged for their errors, but are not
        // signatures.
        signatures.retain(|signature| signature.signs(manifest.digest()));
        Ok(Judged { signatures, signers, unknown: false })
    }

    /// Decides what follows if a registry does not report whether an artifact is signed. That is not the same
    /// as a missing signature: it is an error if a signature is required or the predecessor had one, and is
    /// otherwise reported.
    ///
    /// # Errors
    /// The given error.
    fn without_answer(
        &self,
        error: Error,
        demand: &Demand,
        repositories: &[String],
        before: Option<&Origin>,
    ) -> Result<Judged, Error> {
        if demand.requires() || before.is_some_and(|before| predecessor(before).requires_signature()) {
            return Err(error);
        }
        self.reporter.note(&format!("warning: {}", chain(&error)));
        if let Some(repository) = repositories.first() {
            let file = self.places.trust();
            self.reporter.hint(&format!(
                "to ignore signatures there, add a rule to {}: {{registry: {repository}, signatures: ignore}}",
                file.display()
            ));
        }
        Ok(Judged { unknown: true, ..Judged::default() })
    }

    /// Returns the verified signers of an artifact, from all signatures that came with it.
    ///
    /// An artifact must match its predecessor ([`Predecessor`]).
    ///
    /// # Errors
    /// If they are not those that trust.yaml requires, if the predecessor was signed and the artifact is not,
    /// or if the predecessor's signer has no verified signature of it.
    pub(super) fn signers(
        &self,
        source: &Source,
        artifact: &Candidate<'_>,
        signatures: &[Signature],
        before: Option<&Origin>,
    ) -> Result<Vec<Signer>, Error> {
        let Candidate { reference, repositories, manifest, list } = *artifact;
        let evidence: Vec<Evidence> = signatures.iter().flat_map(Signature::evidence).cloned().collect();
        let demand = self.demand(source, repositories)?;
        if demand.ignores() {
            return Ok(Vec::new());
        }
        let verdict = demand.judge(manifest, &evidence).map_err(|source| Error::Untrusted {
            reference: reference.to_owned(),
            list,
            source: Box::new(source),
        })?;
        for warning in verdict.warnings() {
            self.reporter.note(&format!("warning: {reference}: {warning}"));
        }
        let signers: Vec<Signer> = verdict.signers().iter().map(Signer::from).collect();
        let Some(before) = before else { return Ok(signers) };
        let signed = signatures.iter().any(|signature| signature.signs(manifest));
        let (was, is) = (names(&before.signers), names(&signers));
        let lost = match predecessor(before).judge(signed, verdict.signers()) {
            Ok(Succession::Same) => return Ok(signers),
            Ok(Succession::Rotated) => {
                self.reporter.note(&format!(
                    "{reference} is signed by {is}, which trust.yaml names, and no longer by {was} as before"
                ));
                return Ok(signers);
            }
            Err(lost) => lost,
        };
        let (reference, before) = (reference.to_owned(), before.reference.clone());
        Err(match lost {
            Lost::Signature => Error::SignatureLost { reference, before },
            Lost::Signer => Error::SignerLost { reference, before, signers: was },
        })
    }
}

/// Reports once why logins were not available, if the answer does not say so itself.
pub(super) fn report_logins<T>(
    reporter: Reporter,
    registries: &Registries,
    answered: &Result<T, registry::Error>,
    said: &mut BTreeSet<String>,
) {
    let says_it = matches!(answered, Err(registry::Error::Denied { unknown: Some(_), .. }));
    for unknown in registries.take_unknown_logins() {
        let why = chain(&*unknown);
        if !says_it && !said.contains(&why) {
            reporter.note(&format!("warning: {why}: continuing without a login"));
            said.insert(why);
        }
    }
}

/// Returns what an installed artifact requires of its successor.
fn predecessor(before: &Origin) -> Predecessor {
    Predecessor {
        signed: !before.signatures.is_empty(),
        signers: before.signers.iter().map(|signer| signer.fingerprint).collect(),
    }
}

fn names(signers: &[Signer]) -> String {
    signers.iter().map(|signer| signer.key.as_str()).collect::<Vec<_>>().join(", ")
}

/// An artifact with all its names.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    /// The reference with its tag.
    pub(super) reference: &'a str,
    /// The references without tags: `HOST/REPOSITORY`, and the place in the configuration of package
    /// registries.
    pub(super) repositories: &'a [String],
    /// The digest of the manifest, or of the content if there is no manifest.
    pub(super) manifest: Digest,
    /// The digest of the list of manifests in which it was found, if any. Signatures of that are none of the artifact.
    pub(super) list: Option<Digest>,
}

/// Returns the repositories of an artifact: its own, and the one in the user's configuration.
fn repositories(found: &Found) -> Vec<String> {
    found.image().map(Image::full_name).into_iter().chain(found.configured().map(str::to_owned)).collect()
}

/// Returns the namespace of a package, for which trust.yaml may have a rule of its own.
fn namespace(source: &Source) -> Option<&str> {
    match source {
        Source::Package(package) => Some(package.namespace()),
        _ => None,
    }
}

pub(super) fn from_file(path: &Path) -> Result<Fetched, Error> {
    let source = env::current_dir().unwrap_or_default().join(path).display().to_string();
    Ok(brought(source, Artifact::from_file(path)?))
}

/// Returns content that came without an artifact, with what it says of itself.
fn brought(source: String, content: Artifact) -> Fetched {
    // Metadata is only read from content that can run; whether it can is reported later.
    let facts =
        Inspected::read(content.bytes()).and_then(|_| Facts::read(content.bytes())).unwrap_or_default();
    let said = |name: &str| facts.said(name).map(str::to_owned);
    Fetched {
        source,
        version: said("version"),
        description: said("description"),
        content,
        origin: None,
        parts: Vec::new(),
        object: None,
    }
}

/// Returns the source as a receipt records it: the requested one, at the version found.
fn source_of(source: &Source, found: &Found) -> String {
    match (source, found.image(), found.version()) {
        (Source::Image(_), Some(image), _) => Source::Image(image.clone()).to_string(),
        (Source::Package(package), _, Some(version)) if package.is_exact() => {
            package.at(version.clone()).to_string()
        }
        _ => source.to_string(),
    }
}

/// Returns the name that a source suggests for its plugin.
pub(super) fn name_of(source: &Source) -> String {
    let name = match source {
        Source::Path(path) => return named_after(path),
        // `plugin.wasm` of one object is another plugin than that of another.
        Source::Object(object) => &object.name,
        Source::Installed(name) => return name.to_string(),
        Source::Listed(listed) => return listed.name.to_string(),
        Source::Package(package) => package.name(),
        Source::Image(image) => image.repository().rsplit('/').next().unwrap_or_default(),
    };
    plain(name)
}

/// Returns the name in a file's name: `my_plug.wasm` and `kubectl-my_plug.wasm` are `my-plug`.
fn named_after(path: &Path) -> String {
    plain(&path.file_stem().unwrap_or_default().to_string_lossy())
}

fn plain(name: &str) -> String {
    name.strip_prefix("kubectl-").unwrap_or(name).replace(['_', '.'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::PluginName;

    #[test]
    fn a_plugin_is_named_after_its_file_its_repository_or_its_package() {
        for (source, name) in [
            ("decoder.wasm", "decoder"),
            ("/a/my_plug.wasm", "my-plug"),
            ("kubectl-x_y.wasm", "x-y"),
            ("registry.example.com/team/kubectl-my_plug:1", "my-plug"),
            ("acme:decoder@1.0.0", "decoder"),
        ] {
            assert_eq!(name_of(&source.parse().unwrap()), name, "{source}");
        }
        assert!(named_after(Path::new("Über.wasm")).parse::<PluginName>().is_err());
    }
}
