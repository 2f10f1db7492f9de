//! The cases, by what they are about.

#![expect(clippy::too_many_lines, reason = "a table is no function that does much")]

mod certificates;
mod exec;
mod files;
mod flags;
mod impersonation;
mod names;
mod servers;
mod tokens;
mod trust;
mod yaml;

use super::case::Case;

/// Returns all cases.
pub(super) fn all() -> Vec<Case> {
    [
        files::cases(),
        yaml::cases(),
        names::cases(),
        servers::cases(),
        trust::cases(),
        certificates::cases(),
        tokens::cases(),
        impersonation::cases(),
        exec::cases(),
        flags::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
