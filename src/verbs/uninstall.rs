//! `kwasm uninstall NAME…`.

use crate::reference::PluginName;
use crate::store::Store;

use super::{Ending, Error, Reporter};

pub(super) fn uninstall(store: &Store, reporter: Reporter, names: &[PluginName]) -> Result<Ending, Error> {
    // All of them or none: a misspelt name is found before anything is removed.
    let installed = store.names()?;
    if let Some(unknown) = names.iter().find(|name| !installed.contains(name)) {
        return Err(crate::store::Error::Unknown(unknown.clone()).into());
    }
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            continue;
        }
        store.remove(name)?;
        reporter.note(&format!("uninstalled {name}"));
    }
    Ok(Ending::Done)
}
