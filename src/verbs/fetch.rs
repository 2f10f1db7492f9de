//! From a source to bytes that are proven and, where trust.yaml asks for it, signed.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::env;
use std::path::Path;

use crate::environment::Environment;
use crate::inspect::{Facts, Inspected};
use crate::reference::{Digest, Image, Source};
use crate::registry::signature::Evidence;
use crate::registry::trust::{Demand, Lost, Predecessor, Succession, Trust};
use crate::registry::{self, Artifact, Found, Registries, Signature};
use crate::store::{Origin, Places, Receipt, Signer};

use super::claims::Claims;
use super::progress::Progress;
use super::{Error, Voice, chain};

/// Fetches, in whatever way a source asks for.
pub(super) struct Fetcher<'a> {
    environment: &'a Environment,
    places: &'a Places,
    voice: Voice,
    registries: OnceCell<Registries>,
    trust: OnceCell<Trust>,
    /// What was said already of logins that are not known.
    said: RefCell<BTreeSet<String>>,
}

/// What is known of the signatures of an artifact that is taken.
#[derive(Default)]
pub(super) struct Judged {
    /// Those that there are, be they of no one who is known.
    pub(super) signatures: Vec<Signature>,
    /// Whose signatures were verified.
    pub(super) signers: Vec<Signer>,
    /// Whether its registry does not say if it is signed.
    pub(super) unknown: bool,
}

/// What was fetched to become a plugin.
pub(super) struct Fetched {
    /// Where from, as a receipt keeps it.
    pub(super) source: String,
    pub(super) version: Option<String>,
    pub(super) description: Option<String>,
    /// The component or core module.
    pub(super) content: Artifact,
    /// The artifact that it was in, and all that this was made of but for the content.
    pub(super) origin: Option<Origin>,
    pub(super) parts: Vec<Artifact>,
}

impl<'a> Fetcher<'a> {
    pub(super) fn new(environment: &'a Environment, places: &'a Places, voice: Voice) -> Self {
        let (registries, trust, said) = (OnceCell::new(), OnceCell::new(), RefCell::default());
        Self { environment, places, voice, registries, trust, said }
    }

    pub(super) fn voice(&self) -> Voice {
        self.voice
    }

    /// The registries, whose configuration is read when the first is asked.
    pub(super) fn registries(&self) -> Result<&Registries, Error> {
        if let Some(registries) = self.registries.get() {
            return Ok(registries);
        }
        let opened = Registries::open(self.environment)?;
        Ok(self.registries.get_or_init(|| opened))
    }

    /// Finds what a source names.
    ///
    /// # Errors
    /// As [`Registries::find`].
    pub(super) fn find(&self, source: &Source) -> Result<Found, Error> {
        self.with_logins(|registries| registries.find(source))
    }

    /// Finds the newest artifact that can take the place of the one that a source names.
    ///
    /// # Errors
    /// As [`Registries::newest`].
    pub(super) fn newest(&self, source: &Source) -> Result<Option<Found>, Error> {
        self.with_logins(|registries| registries.newest(source))
    }

    /// Asks the registries, and reports what kept a login from being known that was not shown to one of them.
    fn with_logins<T>(
        &self,
        ask: impl FnOnce(&Registries) -> Result<T, registry::Error>,
    ) -> Result<T, Error> {
        let registries = self.registries()?;
        let answered = ask(registries);
        report_logins(self.voice, registries, &answered, &mut self.said.borrow_mut());
        Ok(answered?)
    }

    /// What trust.yaml says, read when it first matters.
    pub(super) fn trust(&self) -> Result<&Trust, Error> {
        if let Some(trust) = self.trust.get() {
            return Ok(trust);
        }
        let read = Trust::load(&self.places.trust()).map_err(Error::Trust)?;
        Ok(self.trust.get_or_init(|| read))
    }

    /// Fetches what is to be installed. `previous` is what it is to take the place of.
    ///
    /// # Errors
    /// When it cannot be had, is not what its registry says, or is not signed as it has to be.
    pub(super) fn fetch(&self, source: &Source, previous: Option<&Receipt>) -> Result<Fetched, Error> {
        match source {
            Source::Path(path) => from_file(path),
            Source::Installed(name) => Err(Error::NotFetched(name.clone())),
            Source::Image(_) | Source::Package(_) => {
                let found = self.find(source)?;
                self.download(source, &found, previous)
            }
        }
    }

    /// Downloads what was found, after its signatures were judged.
    pub(super) fn download(
        &self,
        source: &Source,
        found: &Found,
        previous: Option<&Receipt>,
    ) -> Result<Fetched, Error> {
        let registries = self.registries()?;
        let Judged { signatures, signers, unknown } = self.judge(source, found, previous)?;
        let name = name_of(source);
        let progress = Progress::download(self.voice, &name);
        let content = registries.fetch(found, &progress)?;
        drop(progress);
        let config = registries.config(found)?;
        // Whether it can run is told later, in its own words.
        let inspected = Inspected::read(content.bytes()).ok();
        let hidden =
            config.as_ref().and_then(Claims::read).zip(inspected).and_then(|(claims, it)| claims.hides(&it));
        if let Some(package) = hidden {
            return Err(Error::Hidden { reference: found.reference(), package });
        }
        let facts = Facts::read(content.bytes()).unwrap_or_default();
        let annotated = |name: &str| {
            let annotation = format!("org.opencontainers.image.{name}");
            let said =
                found.manifest().and_then(|manifest| manifest.annotation(&annotation)).or(facts.said(name));
            said.map(str::to_owned)
        };
        let (mut parts, mut origin) = (Vec::new(), None);
        if let (Some(manifest), Some(config)) = (found.manifest(), config) {
            origin = Some(Origin {
                reference: found.reference(),
                manifest: manifest.digest(),
                config: config.digest(),
                signatures: signatures.iter().map(|signature| signature.manifest().digest()).collect(),
                evidence: signatures.iter().flat_map(Signature::blobs).map(Artifact::digest).collect(),
                signers,
                unknown,
            });
            parts.extend([Artifact::from_bytes(manifest.bytes().clone()), config]);
            for signature in signatures {
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
        })
    }

    /// Whether trust.yaml wants an artifact to be signed.
    ///
    /// # Errors
    /// When trust.yaml cannot be read.
    pub(super) fn asks_for_signatures(&self, source: &Source, found: &Found) -> Result<bool, Error> {
        Ok(self.demand(source, &places(found))?.asks())
    }

    /// What trust.yaml asks of an artifact, by each of its places.
    fn demand(&self, source: &Source, places: &[String]) -> Result<Demand, Error> {
        let trust = self.trust()?;
        let demands = places.iter().map(|place| trust.demand(place, namespace(source)));
        Ok(demands.reduce(Demand::and).unwrap_or_default())
    }

    /// Looks up the signatures of an artifact, and whether they are those that it has to have. Those of its signatures that
    /// are of nobody who is known are among them.
    ///
    /// # Errors
    /// When they are not, when one that took its place before was signed and it is not, and when either cannot be found out.
    pub(super) fn judge(
        &self,
        source: &Source,
        found: &Found,
        previous: Option<&Receipt>,
    ) -> Result<Judged, Error> {
        let places = places(found);
        let demand = self.demand(source, &places)?;
        if demand.ignores() {
            return Ok(Judged::default());
        }
        let reference = found.reference();
        let Some(manifest) = found.manifest() else {
            let artifact = Claim { reference: &reference, places: &places, manifest: found.content() };
            return match self.signers(source, &artifact, &[], previous) {
                Err(Error::Untrusted { reference, source }) => Err(Error::InFolder { reference, source }),
                signers => Ok(Judged { signers: signers?, ..Judged::default() }),
            };
        };
        let mut signatures = match self.registries()?.signatures(found) {
            Ok(signatures) => signatures,
            Err(source) => {
                let error = Error::SignatureLookup { reference, source };
                return self.without_answer(error, &demand, &places, previous);
            }
        };
        let artifact = Claim { reference: &reference, places: &places, manifest: manifest.digest() };
        let signers = self.signers(source, &artifact, &signatures, previous)?;
        // What else refers to it, e.g. an attestation, was judged too, for what it tells; it is no signature.
        signatures.retain(|signature| signature.signs(manifest.digest()));
        Ok(Judged { signatures, signers, unknown: false })
    }

    /// What follows where it cannot be found out whether an artifact is signed: that is not a lack of a signature, and so it stops
    /// what has to have one, or had one before. Of anything else it is reported.
    ///
    /// # Errors
    /// The one given.
    fn without_answer(
        &self,
        error: Error,
        demand: &Demand,
        places: &[String],
        previous: Option<&Receipt>,
    ) -> Result<Judged, Error> {
        let before = previous.and_then(|receipt| receipt.artifact.as_ref());
        if demand.requires() || before.is_some_and(|before| predecessor(before).requires_signature()) {
            return Err(error);
        }
        self.voice.note(&format!("warning: {}", chain(&error)));
        if let Some(place) = places.first() {
            let file = self.places.trust();
            self.voice.hint(&format!(
                "if signatures do not matter there, a rule in {} says so: {{registry: {place}, signatures: ignore}}",
                file.display()
            ));
        }
        Ok(Judged { unknown: true, ..Judged::default() })
    }

    /// Those whose signatures an artifact has, of all that it came with.
    ///
    /// It is held to what it takes the place of: [`Predecessor`].
    ///
    /// # Errors
    /// When they are not those that trust.yaml asks for, and when what it takes the place of was signed and it is not, or by
    /// somebody whose signature of it is not verified.
    pub(super) fn signers(
        &self,
        source: &Source,
        artifact: &Claim<'_>,
        signatures: &[Signature],
        previous: Option<&Receipt>,
    ) -> Result<Vec<Signer>, Error> {
        let Claim { reference, places, manifest } = *artifact;
        let evidence: Vec<Evidence> = signatures.iter().flat_map(Signature::evidence).cloned().collect();
        let demand = self.demand(source, places)?;
        if demand.ignores() {
            return Ok(Vec::new());
        }
        let verdict = demand
            .judge(manifest, &evidence)
            .map_err(|source| Error::Untrusted { reference: reference.to_owned(), source })?;
        for warning in verdict.warnings() {
            self.voice.note(&format!("warning: {reference}: {warning}"));
        }
        let signers: Vec<Signer> = verdict.signers().iter().map(Signer::from).collect();
        let Some(before) = previous.and_then(|receipt| receipt.artifact.as_ref()) else { return Ok(signers) };
        let signed = signatures.iter().any(|signature| signature.signs(manifest));
        let (was, is) = (names(&before.signers), names(&signers));
        let lost = match predecessor(before).judge(signed, verdict.signers()) {
            Ok(Succession::Same) => return Ok(signers),
            Ok(Succession::Rotated) => {
                self.voice.note(&format!(
                    "{reference} is signed by {is}, whom trust.yaml names, and not by {was} as before"
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

/// Reports what kept logins from being known of which an answer says nothing itself: each only once.
pub(super) fn report_logins<T>(
    voice: Voice,
    registries: &Registries,
    answered: &Result<T, registry::Error>,
    said: &mut BTreeSet<String>,
) {
    let says_it = matches!(answered, Err(registry::Error::Denied { unknown: Some(_), .. }));
    for unknown in registries.take_unknown_logins() {
        let why = chain(&*unknown);
        if !says_it && !said.contains(&why) {
            voice.note(&format!("warning: {why}: the registry is asked without a login"));
            said.insert(why);
        }
    }
}

/// What an artifact that is installed asks of the one that takes its place.
fn predecessor(before: &Origin) -> Predecessor {
    Predecessor {
        signed: !before.signatures.is_empty(),
        signers: before.signers.iter().map(|signer| signer.fingerprint).collect(),
    }
}

fn names(signers: &[Signer]) -> String {
    signers.iter().map(|signer| signer.key.as_str()).collect::<Vec<_>>().join(", ")
}

/// An artifact by all its names.
#[derive(Clone, Copy)]
pub(super) struct Claim<'a> {
    /// With its tag.
    pub(super) reference: &'a str,
    /// Without: `HOST/REPOSITORY`, and where the configuration of package registries has it.
    pub(super) places: &'a [String],
    /// Its manifest's digest; that of the content, where there is no manifest.
    pub(super) manifest: Digest,
}

/// Where an artifact is, and where the user's configuration says that it is.
fn places(found: &Found) -> Vec<String> {
    found.image().map(Image::place).into_iter().chain(found.configured().map(str::to_owned)).collect()
}

/// The namespace of a package, for which trust.yaml may have a rule of its own.
fn namespace(source: &Source) -> Option<&str> {
    match source {
        Source::Package(package) => Some(package.namespace()),
        _ => None,
    }
}

fn from_file(path: &Path) -> Result<Fetched, Error> {
    let content = Artifact::from_file(path)?;
    // What it says of itself is read from what can be run only; whether it can is told later, in its own words.
    let facts =
        Inspected::read(content.bytes()).and_then(|_| Facts::read(content.bytes())).unwrap_or_default();
    let said = |name: &str| facts.said(name).map(str::to_owned);
    Ok(Fetched {
        source: env::current_dir().unwrap_or_default().join(path).display().to_string(),
        version: said("version"),
        description: said("description"),
        content,
        origin: None,
        parts: Vec::new(),
    })
}

/// The source as a receipt keeps it: what was asked for, at the version that came.
fn source_of(source: &Source, found: &Found) -> String {
    match (source, found.image(), found.version()) {
        (Source::Image(_), Some(image), _) => Source::Image(image.clone()).to_string(),
        (Source::Package(package), _, Some(version)) if package.is_exact() => {
            package.at(version.clone()).to_string()
        }
        _ => source.to_string(),
    }
}

/// What a source would have its plugin called.
pub(super) fn name_of(source: &Source) -> String {
    let name = match source {
        Source::Path(path) => return named_after(path),
        Source::Installed(name) => return name.to_string(),
        Source::Package(package) => package.name(),
        Source::Image(image) => image.repository().rsplit('/').next().unwrap_or_default(),
    };
    plain(name)
}

/// The name in a file's name: `my_plug.wasm` and `kubectl-my_plug.wasm` are `my-plug`.
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
