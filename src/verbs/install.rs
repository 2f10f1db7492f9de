//! `kwasm install FILE [--as NAME] [--policy NAME|FILE]`.

use std::env;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::Environment;
use crate::defence::{Defence, stands};
use crate::inspect::{self, Inspected, Kind};
use crate::reference::{PluginName, Source};
use crate::registry::Artifact;
use crate::runtime;
use crate::store::{Plugin, Receipt, Store};

use super::policy::{Chosen, choose, granted};
use super::{Ending, Error, Voice};

pub(super) fn install(
    store: &Store,
    environment: &Environment,
    voice: Voice,
    source: &Source,
    name: Option<PluginName>,
    policy: Option<&str>,
) -> Result<Ending, Error> {
    let Source::Path(path) = source else {
        return Err(Error::NotAFile(source.to_string()));
    };
    let name = name.map_or_else(|| named_after(path), Ok)?;
    let origin = env::current_dir().unwrap_or_default().join(path).display().to_string();
    let previous = store.receipt(&name).ok();
    // What was granted to a source stays granted to it; another one of the same name inherits nothing.
    let inherited = previous
        .as_ref()
        .filter(|receipt| policy.is_none() && (receipt.source == origin || !stands(Defence::Identity)));
    let Chosen { policy, text } = match inherited {
        Some(receipt) => granted(&receipt.granted())?,
        None => choose(policy)?,
    };
    store.claim(&name)?;
    let fetched = Artifact::from_file(path)?;
    let unfit = |source| Error::Inspect { path: path.display().to_string(), source };
    let inspected = Inspected::read(fetched.bytes()).map_err(unfit)?;
    // What is kept is what runs: the adapter's work is done once, and the receipt says what it was done to.
    let component = match inspected.kind() {
        Kind::Component => fetched.clone(),
        Kind::Core => {
            let adapted = inspect::component(fetched.bytes(), &inspected).map_err(unfit)?;
            Artifact::from_bytes(adapted.into_owned())
        }
    };
    let adapted = Inspected::read(component.bytes()).map_err(unfit)?;
    let plugin = Plugin::new(&name, &component, adapted.clone());
    // A component that does not compile, or cannot be linked, is never installed.
    runtime::prepare(&plugin, store.places())?;
    let link = store.put(
        &component,
        &Receipt {
            name: name.clone(),
            source: origin,
            fetched: fetched.digest(),
            digest: component.digest(),
            kind: inspected.kind(),
            inspected: adapted,
            policy: policy.name().to_owned(),
            policy_text: text,
            installed_at: now(),
            kwasm: env!("CARGO_PKG_VERSION").to_owned(),
        },
    )?;
    voice.note(&format!(
        "installed {name} ({}) with the policy `{}`: kubectl {name}",
        component.digest(),
        policy.name()
    ));
    if let Some(previous) = previous.filter(|previous| previous.digest != component.digest()) {
        let Receipt { digest, source, policy, .. } = previous;
        voice.note(&format!("it replaces {digest} from {source}, which had the policy `{policy}`"));
    }
    if !on_path(environment, store.places().links()) {
        voice.hint(&path_hint(environment, &link));
    }
    Ok(Ending::Done)
}

/// The name in a file's name: `my_plug.wasm` and `kubectl-my_plug.wasm` are `my-plug`.
fn named_after(path: &Path) -> Result<PluginName, Error> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.strip_prefix("kubectl-").unwrap_or(&stem);
    Ok(stem.replace('_', "-").parse()?)
}

fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let seconds = now.replace_nanosecond(0).unwrap_or(now);
    seconds.format(&Rfc3339).unwrap_or_default()
}

fn on_path(environment: &Environment, folder: &Path) -> bool {
    let path = environment.variable("PATH").unwrap_or_default();
    env::split_paths(path).any(|entry| entry == folder)
}

fn path_hint(environment: &Environment, link: &Path) -> String {
    let folder = link.parent().map(PathBuf::from).unwrap_or_default();
    let folder = folder.display();
    let shell = environment.variable("SHELL").unwrap_or_default().to_string_lossy().into_owned();
    let command = if cfg!(windows) {
        format!("setx PATH \"%PATH%;{folder}\"")
    } else if shell.ends_with("fish") {
        format!("fish_add_path {folder}")
    } else {
        format!("export PATH=\"{folder}:$PATH\"")
    };
    format!("kubectl finds it once its folder is on PATH: {command}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_named_after_its_file() {
        for (file, name) in
            [("decoder.wasm", "decoder"), ("/a/my_plug.wasm", "my-plug"), ("kubectl-x_y.wasm", "x-y")]
        {
            assert_eq!(named_after(Path::new(file)).unwrap().as_str(), name);
        }
        assert!(named_after(Path::new("get.wasm")).is_err());
        assert!(named_after(Path::new("Über.wasm")).is_err());
    }
}
