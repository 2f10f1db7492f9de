//! The order of the rooms in src/: each uses only those above it in `src/lib.rs`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use crate::places::Places;

/// Checks every file of every room.
pub(crate) fn check(places: &Places) -> Result<()> {
    let source = places.root.join("src");
    let rooms = rooms(&fs::read_to_string(source.join("lib.rs"))?);
    if rooms.is_empty() {
        bail!("src/lib.rs declares no rooms");
    }
    let mut violations = Vec::new();
    if listed(&fs::read_to_string(source.join("README.md"))?) != rooms {
        violations.push(
            "src/README.md: its table lists other rooms than src/lib.rs, or in another order".to_owned(),
        );
    }
    for (place, room) in rooms.iter().enumerate() {
        for file in files_of(&source, room)? {
            let text = fs::read_to_string(&file)?;
            let forbidden = &rooms[place + 1..];
            for used in used(&text).into_iter().filter(|used| forbidden.contains(used)) {
                let file = file.strip_prefix(&places.root).unwrap_or(&file).display();
                violations.push(format!("{file}: `{room}` uses `{used}`, which is below it"));
            }
        }
    }
    if !violations.is_empty() {
        bail!("violations: {}\n{}", violations.len(), violations.join("\n"));
    }
    Ok(())
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

/// Returns the modules of the crate's root that a file uses: `crate::room` and `crate::{room, …}`, ignoring
/// comments and tests.
fn used(text: &str) -> Vec<String> {
    let code: Vec<&str> = text
        .lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let mut names: Vec<String> = code.split("crate::").skip(1).flat_map(first_segments).collect();
    names.sort();
    names.dedup();
    names
}

/// Returns the first segments of the path, or group of paths, with which a text begins.
fn first_segments(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else { return identifier(path).into_iter().collect() };
    let mut segments: Vec<String> = identifier(group).into_iter().collect();
    let mut depth = 1;
    for (position, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => segments.extend(identifier(&group[position + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    segments
}

fn identifier(text: &str) -> Option<String> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
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
    fn groups_and_inline_paths_are_seen() {
        assert_eq!(used("use crate::{\n    cli::{Command, Flag},\n    gate,\n};"), ["cli", "gate"]);
        assert_eq!(used("fn f() -> crate::store::Receipt {}"), ["store"]);
        assert_eq!(used("pub(crate) fn f() {}"), Vec::<String>::new());
    }

    #[test]
    fn comments_and_tests_are_not() {
        assert_eq!(used("/// See [`crate::verbs`].\nfn f() {}"), Vec::<String>::new());
        assert_eq!(used("fn f() {}\n#[cfg(test)]\nmod tests { use crate::verbs; }"), Vec::<String>::new());
    }
}
