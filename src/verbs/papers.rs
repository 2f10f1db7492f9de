//! `kwasm completion SHELL` and `kwasm man`, generated from the same definitions as `--help`.

use std::path::Path;

use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli;
use crate::platform::disk;

use super::{Ending, Error, Reporter, print};

pub(super) fn completion(shell: Shell) -> Result<Ending, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli::definition(), "kwasm", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Ending::Done)
}

pub(super) fn man(reporter: Reporter, folder: Option<&Path>, command: Option<&str>) -> Result<Ending, Error> {
    let pages = pages();
    match (folder, command) {
        (Some(folder), _) => {
            let write_failed = |source| Error::Unwritten { path: folder.into(), source };
            // Where man looks for pages of the first section, below a folder of MANPATH.
            let section = folder.join("man1");
            disk::folders(&section).map_err(write_failed)?;
            for (name, page) in &pages {
                let path = section.join(format!("{name}.1"));
                disk::output(&path, page.as_bytes()).map_err(|source| Error::Unwritten { path, source })?;
            }
            reporter.note(&format!("wrote {} pages: man -M {} kwasm", pages.len(), folder.display()));
        }
        (None, command) => {
            let name = command.map_or_else(|| "kwasm".to_owned(), |command| format!("kwasm-{command}"));
            let page = pages.into_iter().find(|(page, _)| *page == name);
            let (_, page) = page.ok_or_else(|| Error::NoPage(command.unwrap_or_default().to_owned()))?;
            print(&page)?;
        }
    }
    Ok(Ending::Done)
}

/// Returns the manual pages: one for kwasm, and one for each of its commands, e.g. `kwasm-policy-check`.
fn pages() -> Vec<(String, String)> {
    let mut definition = cli::definition();
    definition.build();
    let mut commands = vec![("kwasm".to_owned(), definition)];
    let mut pages = Vec::new();
    while let Some((name, command)) = commands.pop() {
        let below =
            command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set());
        commands.extend(below.map(|below| (format!("{name}-{}", below.get_name()), below.clone())));
        let mut page = Vec::new();
        // Writing into memory cannot fail.
        drop(Man::new(command).render(&mut page));
        pages.push((name, String::from_utf8_lossy(&page).into_owned()));
    }
    pages.sort();
    pages
}
