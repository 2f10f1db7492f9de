//! The Go modules of this repository.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
};

use anyhow::{Context, Result};

/// The files that a module's program is built of.
const SOURCES: [&str; 3] = ["go.mod", "go.sum", "main.go"];

/// Returns a name for what is built of a module in this way.
pub(crate) fn key(module: &Path, way: &impl std::hash::Hash) -> Result<String> {
    let mut hash = DefaultHasher::new();
    way.hash(&mut hash);
    for name in SOURCES {
        let path = module.join(name);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?.hash(&mut hash);
    }
    Ok(format!("{:016x}", hash.finish()))
}
