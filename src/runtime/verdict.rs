//! The reason why a content does not compile, kept so that it is found out once.
//!
//! ```text
//! <hex of the content>-<engine>.verdict  why that content does not compile
//! ```

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Error;
use crate::inspect::{self, Feature};
use crate::platform::{self, disk};
use crate::store::Plugin;

/// The largest size of a verdict in bytes.
const LONGEST: u64 = 64 << 10;

/// A verdict, and the rules by which it was found, which may differ in another kwasm.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Found {
    rules: String,
    verdict: Verdict,
}

/// The reason why a content does not compile, which stays true for the same content under the same rules.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
enum Verdict {
    /// The content is not valid WebAssembly.
    Broken(String),
    /// The content needs features that kwasm does not run.
    Features(Vec<Feature>),
    /// The content needs a feature that has no name here.
    UnnamedFeature(String),
    /// wasmtime does not compile the content.
    Uncompiled(String),
}

/// Does a part of compiling a plugin, unless the plugin is known not to compile by the verdict at this path; and keeps the
/// verdict if it fails for a reason that stays.
pub(super) fn judged<T>(
    plugin: &Plugin,
    path: Option<&Path>,
    compile: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    if let Some(verdict) = path.and_then(recall) {
        return Err(verdict.into_error(plugin));
    }
    let result = compile();
    let verdict = result.as_ref().err().and_then(Verdict::of);
    if let (Some(verdict), Some(path)) = (verdict, path)
        && let Ok(text) = serde_json::to_vec(&Found { rules: rules(), verdict })
    {
        // That it could not be remembered costs the next run the same time.
        drop(disk::replace_soon(path, &text));
    }
    result
}

impl Verdict {
    /// Returns the part of an error that depends only on the content and the engine.
    fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Unfit { source: inspect::Error::Features(features), .. } => {
                Some(Self::Features(features.clone()))
            }
            Error::Unfit { source: inspect::Error::UnnamedFeature(reason), .. } => {
                Some(Self::UnnamedFeature(reason.clone()))
            }
            Error::Unfit { source: inspect::Error::Broken(reason), .. } => Some(Self::Broken(reason.clone())),
            Error::Compile { reason, .. } => Some(Self::Uncompiled(reason.clone())),
            _ => None,
        }
    }

    fn into_error(self, plugin: &Plugin) -> Error {
        let plugin = plugin.name().to_owned();
        let source = match self {
            Self::Broken(reason) => inspect::Error::Broken(reason),
            Self::Features(features) => inspect::Error::Features(features),
            Self::UnnamedFeature(reason) => inspect::Error::UnnamedFeature(reason),
            Self::Uncompiled(reason) => return Error::Compile { plugin, reason },
        };
        Error::Unfit { plugin, source }
    }
}

/// Reads a verdict, if only this user could have written it.
fn recall(path: &Path) -> Option<Verdict> {
    let metadata = fs::symlink_metadata(path).ok()?;
    platform::check_private_file(&metadata).ok().filter(|()| metadata.len() <= LONGEST)?;
    let found: Found = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (found.rules == rules()).then_some(found.verdict)
}

/// Returns the versions of the rules on which a verdict depends, beside the content and the engine in its
/// file's name.
fn rules() -> String {
    format!("kwasm {}, features {:x}", env!("CARGO_PKG_VERSION"), inspect::rules())
}
