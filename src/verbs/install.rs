//! `kwasm install SOURCE… [--as NAME] [--policy NAME|FILE] [--ask]`.

use std::env;
use std::mem;
use std::path::Path;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::catalogue::Offer;
use crate::defence::Defence;
use crate::environment::Environment;
use crate::inspect::Inspected;
use crate::platform;
use crate::platform::shell::Shell;
use crate::policy::Layers;
use crate::reference::{PluginName, Source};
use crate::runtime::{Compiler, Unwatched};
use crate::store::{Origin, Plugin, Receipt, StagedPlugin, Store};

use super::ceiling::ceiling;
use super::consent::{Candidate, Choice, Consent};
use super::fetch::{Fetched, Fetcher};
use super::listed;
use super::optimize;
use super::policy::Chosen;
use super::progress::Compiling;
use super::unstable;
use super::{Ending, Error, Reporter};

/// Installs all of them or none: each is fetched, proven and compiled before the first is put in place. An error of one does
/// not stop the others from being checked, so that all errors are reported at once.
pub(super) fn install(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    sources: &[Source],
    name: Option<&PluginName>,
    policy: Option<&str>,
    ask: bool,
) -> Result<Ending, Error> {
    let fetcher = Fetcher::new(environment, store.places(), reporter);
    let choice = policy.map(Choice::read).transpose()?;
    let consent = Consent { environment, reporter, choice, only_growth: false };
    let mut wishes: Vec<Wish> = Vec::new();
    let mut troubles = Vec::new();
    for source in sources {
        match Wish::find(store, source, name) {
            Ok(wish) if wishes.iter().any(|other| other.name == wish.name) => {
                troubles.push((source.to_string(), Error::Twice(wish.name)));
            }
            Ok(wish) => wishes.push(wish),
            Err(error) => troubles.push((source.to_string(), error)),
        }
    }
    // Nothing is downloaded for names under which nothing can be installed.
    Error::of_several(mem::take(&mut troubles))?;
    let mut staged_plugins: Vec<StagedPlugin> = Vec::new();
    for Wish { source, offer, name, previous } in wishes {
        let brought = match &offer {
            Some(offer) => listed::fetch(&fetcher, &source, offer, previous.as_ref()),
            None => fetcher.fetch(&source, previous.as_ref()),
        };
        match brought.and_then(|content| prepare(store, &consent, name, content, previous.as_ref())) {
            Ok(mut staged) => {
                staged.receipt.ask = ask;
                staged_plugins.push(staged);
            }
            Err(error) => troubles.push((source.to_string(), error)),
        }
    }
    Error::of_several(troubles)?;
    put(store, environment, reporter, &staged_plugins)?;
    Ok(Ending::Done)
}

/// A plugin's source and name, decided before anything is fetched.
struct Wish {
    source: Source,
    /// What the source's index says of it, if it is of one.
    offer: Option<Offer>,
    name: PluginName,
    /// The plugin that it replaces, if that came from the same place: its grant is kept, and it has to stay
    /// signed. Another source of the same name inherits nothing.
    previous: Option<Receipt>,
}

impl Wish {
    fn find(store: &Store, source: &Source, name: Option<&PluginName>) -> Result<Self, Error> {
        let offer = listed::offer(store, source)?;
        let source = offer.as_ref().map_or_else(|| source.clone(), |offer| listed::named(source, offer));
        let name = match name {
            Some(name) => name.clone(),
            None => super::fetch::name_of(&source).parse()?,
        };
        let same = |receipt: &Receipt| Defence::Identity.passes(is_same_origin(&receipt.source, &source));
        let previous = store.receipt(&name).ok().filter(same);
        store.check_links(&name)?;
        Ok(Self { source, offer, name, previous })
    }
}

/// Returns whether a receipt's source and another one differ only in their versions. An object may be one of another cluster.
pub(super) fn is_same_origin(kept: &str, source: &Source) -> bool {
    match (kept.parse(), source) {
        (Ok(Source::Image(kept)), Source::Image(image)) => kept.full_name() == image.full_name(),
        (Ok(Source::Listed(kept)), Source::Listed(listed)) => {
            (kept.index, kept.name) == (listed.index.clone(), listed.name.clone())
        }
        (Ok(Source::Package(kept)), Source::Package(package)) => {
            (kept.namespace(), kept.name()) == (package.namespace(), package.name())
        }
        (Ok(Source::Path(kept)), Source::Path(path)) => {
            kept == env::current_dir().unwrap_or_default().join(path)
        }
        _ => false,
    }
}

/// Turns fetched content into a plugin whose permissions are decided and which is known to run: compiled and
/// linked. `previous` is the plugin of the same source that it replaces.
///
/// # Errors
/// If it is not granted anything, or cannot run here.
pub(super) fn prepare(
    store: &Store,
    consent: &Consent<'_>,
    name: PluginName,
    fetched: Fetched,
    previous: Option<&Receipt>,
) -> Result<StagedPlugin, Error> {
    let (environment, reporter) = (consent.environment, consent.reporter);
    let Fetched { source, content, origin, parts, version, description, object } = fetched;
    let inspected = Inspected::read(content.bytes())
        .map_err(|cause| Error::Inspect { path: source.clone(), source: cause })?;
    let candidate = Candidate { name: &name, inspected: &inspected, origin: origin.as_ref(), previous };
    let Chosen { policy, text } = consent.decide(&candidate)?;
    let policy_name = policy.name().to_owned();
    // As a run will be: what no run would pass is not installed.
    let layers = Layers { ceiling: ceiling()?, ..Layers::of(policy) };
    let is_told = previous.is_some_and(|receipt| receipt.inspected.is_unstable());
    unstable::check(reporter, &layers, name.as_str(), &inspected, is_told)?;
    let plugin = Plugin::new(&name, &content, inspected.clone());
    let progress = Compiling::new(reporter, name.as_str());
    // What does not compile, or cannot be linked, is never installed.
    Compiler::new(store.places(), environment, &progress)?.prepare(&plugin)?;
    drop(progress);
    let receipt = Receipt {
        name,
        source,
        version,
        description,
        artifact: origin,
        object,
        fetched: content.digest(),
        digest: content.digest(),
        size: content.bytes().len() as u64,
        kind: inspected.kind(),
        inspected,
        policy: policy_name,
        policy_text: text,
        audit: false,
        ask: false,
        installed_at: now(),
        kwasm: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let blobs = [content].into_iter().chain(parts).collect();
    Ok(StagedPlugin { blobs, receipt })
}

/// Puts plugins in place and reports them.
///
/// # Errors
/// If one of them could not be put in place; then none was.
pub(super) fn put(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    staged_plugins: &[StagedPlugin],
) -> Result<(), Error> {
    let previous: Vec<Option<Receipt>> =
        staged_plugins.iter().map(|staged| store.receipt(&staged.receipt.name).ok()).collect();
    store.put_all(staged_plugins)?;
    for (StagedPlugin { receipt, .. }, previous) in staged_plugins.iter().zip(previous) {
        let name = &receipt.name;
        let version = receipt.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
        reporter.note(&format!(
            "installed {name}{version} ({}) with the policy `{}`: kubectl {name}",
            receipt.digest.short(),
            receipt.policy
        ));
        if let Some(artifact) = &receipt.artifact {
            reporter.note(&signed(artifact));
        }
        if let Some(moved) = previous.as_ref().and_then(|previous| moved(previous, receipt)) {
            reporter.note(&moved);
        }
        // An upgrade has reported before which plugin replaces which.
        if let Some(previous) = previous.filter(|previous| !is_same_plugin(previous, receipt)) {
            let Receipt { digest, source, policy, .. } = previous;
            let digest = digest.short();
            reporter.note(&format!("it replaces {digest} from {source}, which had the policy `{policy}`"));
        }
    }
    let compiler = Compiler::new(store.places(), environment, &Unwatched)?;
    for StagedPlugin { receipt, .. } in staged_plugins {
        optimize::begin(environment, &compiler, &store.find(&receipt.name)?);
    }
    let links = store.places().links();
    if !on_path(environment, links) {
        let command = path_command(environment, links);
        reporter.hint(&format!("kubectl finds it once its folder is on PATH: {command}"));
    }
    Ok(())
}

/// Returns a note if the tag led to another artifact before.
fn moved(previous: &Receipt, receipt: &Receipt) -> Option<String> {
    let (before, now) = (previous.artifact.as_ref()?, receipt.artifact.as_ref()?);
    (before.reference == now.reference && before.manifest != now.manifest).then(|| {
        let (was, is) = (before.manifest.short(), now.manifest.short());
        format!("{} was {was} and is {is} now: the tag was moved", now.reference)
    })
}

/// Returns whether a plugin is unchanged, or is another version of it from the same registry.
fn is_same_plugin(previous: &Receipt, receipt: &Receipt) -> bool {
    let source = receipt.source.parse();
    let upgraded = matches!(&source, Ok(source @ (Source::Image(_) | Source::Listed(_) | Source::Package(_))) if is_same_origin(&previous.source, source));
    previous.digest == receipt.digest || upgraded
}

/// Describes the signatures of an artifact.
pub(super) fn signed(artifact: &Origin) -> String {
    if artifact.unknown {
        return format!("it is not known whether {} is signed", artifact.reference);
    }
    let signers: Vec<&str> = artifact.signers.iter().map(|signer| signer.key.as_str()).collect();
    let reference = &artifact.reference;
    match (signers.is_empty(), artifact.signatures.is_empty()) {
        (false, _) => format!("{reference} is signed by {}", signers.join(", ")),
        (true, false) => format!("{reference} is signed, but by an unknown key: trust.yaml has none for it"),
        (true, true) => format!("{reference} is not signed"),
    }
}

/// Returns the time in RFC 3339, UTC, in whole seconds.
pub(super) fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let seconds = now.replace_nanosecond(0).unwrap_or(now);
    seconds.format(&Rfc3339).unwrap_or_default()
}

/// Returns whether a shell looks for programs in a folder.
pub(super) fn on_path(environment: &Environment, folder: &Path) -> bool {
    let path = environment.variable("PATH").unwrap_or_default();
    env::split_paths(path).any(|entry| platform::is_same_path(&entry, folder))
}

/// Returns the command that puts this folder first on the `PATH` of the user's shell.
pub(super) fn path_command(environment: &Environment, folder: &Path) -> String {
    let variable = |name| environment.variable(name).unwrap_or_default().to_string_lossy();
    // Who has it was started by PowerShell; but Windows gives it to every program, and PowerShell adds the user's folder there.
    let modules = variable("PSModulePath").to_lowercase();
    let profile = variable("USERPROFILE").to_lowercase();
    let is_powershell =
        if cfg!(windows) { !profile.is_empty() && modules.contains(&profile) } else { !modules.is_empty() };
    let shell = match () {
        () if is_powershell => Shell::Pwsh,
        () if cfg!(windows) => Shell::Cmd,
        () if variable("SHELL").ends_with("fish") => Shell::Fish,
        () => Shell::Posix,
    };
    shell.put_first_on_path(folder)
}
