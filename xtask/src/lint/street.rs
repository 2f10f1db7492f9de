//! The order of the rooms in src/: each uses only those above it in `src/lib.rs`. Inside a room there is no order but that
//! no files use each other in a circle.

mod circles;
mod modules;
mod tokens;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use self::modules::Modules;
use crate::places::Places;

/// Checks every file of every room.
pub(crate) fn check(places: &Places) -> Result<()> {
    let source = places.root.join("src");
    let lib = fs::read_to_string(source.join("lib.rs"))?;
    let rooms = rooms(&lib);
    if rooms.is_empty() {
        bail!("src/lib.rs declares no rooms");
    }
    let mut violations = Vec::new();
    if listed(&fs::read_to_string(source.join("README.md"))?) != rooms {
        violations.push(
            "src/README.md: its table lists other rooms than src/lib.rs, or in another order".to_owned(),
        );
    }
    let mut modules = Modules::default();
    modules.add(Path::new("lib.rs"), &lib);
    for file in rooms.iter().map(|room| files_of(&source, room)).collect::<Result<Vec<_>>>()?.concat() {
        let text = fs::read_to_string(&file)?;
        modules.add(file.strip_prefix(&source)?, &text);
    }
    violations.extend(against_the_order(&modules, &rooms));
    violations.extend(circles::describe(&modules.uses()));
    if !violations.is_empty() {
        bail!("violations: {}\n{}", violations.len(), violations.join("\n"));
    }
    Ok(())
}

/// Describes each use of a room that is below the user's own.
fn against_the_order(modules: &Modules, rooms: &[String]) -> Vec<String> {
    let position_of = |name: &str| rooms.iter().position(|room| room == name);
    let is_below = |used: &str, room: &str| {
        position_of(used).zip(position_of(room)).is_some_and(|(used, room)| used > room)
    };
    let mut violations = Vec::new();
    for (file, used) in modules.rooms_used() {
        let room = file.iter().next().map(Path::new).and_then(Path::file_stem).unwrap_or_default();
        let room = room.to_string_lossy();
        if is_below(&used, &room) {
            violations.push(format!("src/{}: `{room}` uses `{used}`, which is below it", file.display()));
        }
    }
    violations
}

/// Returns the modules that `lib.rs` declares, in order.
fn rooms(lib: &str) -> Vec<String> {
    let declared = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    };
    lib.lines().filter_map(declared).collect()
}

/// Returns the rooms in the first column of a table.
fn listed(readme: &str) -> Vec<String> {
    let room = |line: &str| Some(line.strip_prefix("| `")?.split_once("` |")?.0.to_owned());
    readme.lines().filter_map(room).collect()
}

fn files_of(source: &Path, room: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![source.join(room)];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_host_code(&path) {
                files.push(path);
            }
        }
    }
    let alone = source.join(format!("{room}.rs"));
    if alone.is_file() {
        files.push(alone);
    }
    files.sort();
    Ok(files)
}

/// Returns whether the rule applies to a file: a room's tests may use any room.
fn is_host_code(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "rs") && !file.ends_with("tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_come_in_the_order_of_their_declaration() {
        assert_eq!(
            rooms("//! Doc\npub mod cli;\nmod gate;\npub(crate) mod exit;\nuse cli::X;"),
            ["cli", "gate", "exit"]
        );
    }

    #[test]
    fn the_readme_lists_rooms_in_its_first_column() {
        let table = "| room | purpose |\n|---|---|\n| `cli` | argv |\n| `gate` | uses `cli` |\n";
        assert_eq!(listed(table), ["cli", "gate"]);
    }

    #[test]
    fn a_room_uses_only_those_above_it() {
        let rooms = ["cli", "gate"].map(str::to_owned);
        let mut modules = Modules::default();
        modules.add(Path::new("cli/line.rs"), "use crate::{gate::Gate, cli::Line};");
        modules.add(Path::new("gate.rs"), "use crate::cli; fn f() { std::mem::take(x) }");
        assert_eq!(
            against_the_order(&modules, &rooms),
            ["src/cli/line.rs: `cli` uses `gate`, which is below it"]
        );
    }
}
