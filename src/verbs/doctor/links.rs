//! Checks of the links by which kubectl finds the plugins.

use std::env;
use std::path::{Path, PathBuf};

use super::check::{Check, Patient, Problem, count, reinstall};
use crate::platform::{self, shell};
use crate::reference::PluginName;
use crate::verbs::install::{on_path, path_command};

/// Checks that the folder of links is on `PATH`.
pub(super) fn path(patient: &Patient<'_>) -> Check {
    let folder = patient.store.places().links();
    let mut problems = Vec::new();
    if !on_path(patient.environment, folder) {
        let why = "it is not on PATH, so kubectl finds no plugin there";
        problems.push(Problem::at(folder, why, path_command(patient.environment, folder)));
    }
    Check { name: "path", found: format!("{} is on it", folder.display()), problems }
}

/// Checks that each plugin has its links, that they lead here and no other program precedes them, and that
/// every link belongs to a plugin.
pub(super) fn links(patient: &Patient<'_>) -> Check {
    let places = patient.store.places();
    let names = patient.plugins.iter().map(|receipt| &receipt.name);
    let names: Vec<&PluginName> = names.chain(patient.broken.iter().map(|(name, _)| name)).collect();
    let mut problems: Vec<Problem> = Vec::new();
    for name in &names {
        for link in places.links_of(name) {
            problems.extend(wrong_with(patient, name, &link));
        }
    }
    for stray in orphaned_links(places.links(), places.program(), &names) {
        problems.push(Problem::at(
            &stray,
            "it points to kwasm, and no such plugin is installed",
            shell::remove(&stray),
        ));
    }
    Check {
        name: "links",
        found: format!("{} of {}", count(2 * names.len(), "link"), count(names.len(), "plugin")),
        problems,
    }
}

fn wrong_with(patient: &Patient<'_>, name: &PluginName, link: &Path) -> Option<Problem> {
    let program = patient.store.places().program();
    let make = if cfg!(windows) { again(patient, name) } else { shell::link(link, program) };
    let Some(ours) = platform::links::is_link_to(link, program) else {
        return Some(Problem::at(link, "it is missing", make));
    };
    if !ours {
        let cure = shell::both(&shell::set_aside(link), &make);
        return Some(Problem::at(link, "it is not a link to kwasm", cure));
    }
    if !link.exists() {
        return Some(Problem::at(link, "it points to a kwasm that no longer exists", make));
    }
    // Where a link is a copy, it stays as it is when another kwasm comes.
    if cfg!(windows) && !platform::links::leads_to(link, program) {
        return Some(Problem::at(link, "it is another release of kwasm than this", make));
    }
    let first = first_on_path(patient, link)?;
    let cure = path_command(patient.environment, patient.store.places().links());
    let why = format!("it comes before {} on PATH, and is run instead", link.display());
    Some(Problem::at(&first, why, cure))
}

/// Returns the command that makes a plugin's links anew, by kwasm itself.
fn again(patient: &Patient<'_>, name: &PluginName) -> String {
    let receipt = patient.plugins.iter().find(|receipt| receipt.name == *name);
    receipt.map_or_else(|| format!("kwasm uninstall {name}, and install it again"), reinstall)
}

/// Returns the file that a shell runs instead of a link, if there is one.
fn first_on_path(patient: &Patient<'_>, link: &Path) -> Option<PathBuf> {
    let folder = patient.store.places().links();
    let path = patient.environment.variable("PATH")?;
    let before = env::split_paths(path).take_while(|entry| !platform::is_same_path(entry, folder));
    if !on_path(patient.environment, folder) {
        return None;
    }
    before
        .map(|entry| entry.join(link.file_name().unwrap_or_default()))
        .find(|file| platform::links::is_program(file))
}

/// Returns the links to kwasm that do not belong to an installed plugin.
fn orphaned_links(folder: &Path, program: &Path, names: &[&PluginName]) -> Vec<PathBuf> {
    let entries = platform::disk::entries(folder).unwrap_or_default();
    let stray = |file_name: &str| {
        let name = PluginName::from_program(file_name).or_else(|| PluginName::from_completion(file_name));
        name.is_some_and(|name| !names.contains(&&name))
    };
    let paths = entries.iter().filter(|entry| entry.file_name().to_str().is_some_and(stray));
    let mut orphaned_links: Vec<PathBuf> = paths
        .map(std::fs::DirEntry::path)
        .filter(|path| platform::links::is_link_to(path, program) == Some(true))
        .collect();
    orphaned_links.sort();
    orphaned_links
}
