//! The modules of a crate, and where each name that a file uses is defined.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::tokens::{self, Token};

/// The largest number of re-exports of one name. More form a circle of `use` lines, which Rust reports.
const RE_EXPORTS: usize = 16;

/// A path of names, e.g. `["crate", "gate", "Gate"]`.
pub(super) type Names = Vec<String>;

/// All modules by their path; that of the crate's root is empty.
#[derive(Debug, Default)]
pub(super) struct Modules(BTreeMap<Names, Module>);

/// A module: a file, or a part of one.
#[derive(Debug, Default)]
struct Module {
    file: PathBuf,
    children: BTreeSet<String>,
    imports: BTreeMap<String, Import>,
    /// The paths in its code.
    used: BTreeSet<Names>,
}

#[derive(Debug)]
struct Import {
    path: Names,
    public: bool,
}

/// The target of a path.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Target {
    Module(Names),
    /// An item that is defined in a module.
    Item(Names),
}

/// The use by one file of what another defines.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Use {
    pub(super) user: PathBuf,
    pub(super) definer: PathBuf,
    /// The path by which it says so first.
    pub(super) path: String,
}

impl Modules {
    /// Adds a file, whose path is relative to the folder of the crate.
    pub(super) fn add(&mut self, file: &Path, text: &str) {
        self.read(&names_of(file), file, &tokens::read(text));
    }

    fn read(&mut self, name: &Names, file: &Path, code: &[Token]) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        let mut position = 0;
        while position < code.len() {
            let before = position.checked_sub(1).map(|before| &code[before]);
            if code[position].is("mod")
                && let Some(child) = code.get(position + 1).and_then(Token::word)
            {
                module.children.insert(child.to_owned());
                position += 2;
                if code.get(position) == Some(&Token::Sign('{')) {
                    let end = end_of_group(code, position);
                    let name = name.iter().cloned().chain([child.to_owned()]).collect();
                    self.read(&name, file, &code[position + 1..end]);
                    position = end;
                }
            } else if code[position].is("use") {
                let public = before.is_some_and(|token| token.is("pub") || *token == Token::Sign(')'));
                let mut imports = Vec::new();
                position = read_tree(code, position + 1, &Vec::new(), &mut imports);
                module
                    .imports
                    .extend(imports.into_iter().map(|(name, path)| (name, Import { path, public })));
            } else if code[position].word().is_some() {
                let (path, end) = read_path(code, position);
                if !is_no_name(&path, before, code.get(end)) {
                    module.used.insert(path);
                }
                position = end;
            } else {
                position += 1;
            }
        }
        self.0.insert(name.clone(), module);
    }

    /// Returns the modules of the crate's root that the files of one of them name, in code.
    pub(super) fn rooms_used(&self) -> BTreeSet<(PathBuf, String)> {
        let paths = |module: &Module| -> Vec<Names> {
            module.imports.values().map(|import| &import.path).chain(&module.used).cloned().collect()
        };
        let named = self.0.values().flat_map(|module| {
            paths(module)
                .into_iter()
                .filter(|path| path.len() > 1 && path[0] == "crate")
                .map(|path| (module.file.clone(), path[1].clone()))
        });
        named.collect()
    }

    /// Returns which file uses which other, within each room.
    ///
    /// A name is followed through re-exports to the file that defines it. That a parent declares its children, and
    /// hands on what they define, is no use of them.
    pub(super) fn uses(&self) -> Vec<Use> {
        let mut uses = BTreeMap::new();
        for (name, module) in &self.0 {
            let imported = module.imports.values().filter(|import| {
                !(import.public && self.follow(name, &import.path, 0).is_some_and(|it| is_below(&it, name)))
            });
            for path in imported.map(|import| &import.path).chain(&module.used) {
                let Some(Target::Item(definer)) = self.follow(name, path, 0) else { continue };
                let Some(file) = self.0.get(&definer).map(|definer| &definer.file) else { continue };
                if definer.first() == name.first() && *file != module.file {
                    uses.entry((module.file.clone(), file.clone())).or_insert_with(|| path.join("::"));
                }
            }
        }
        uses.into_iter().map(|((user, definer), path)| Use { user, definer, path }).collect()
    }

    fn follow(&self, within: &Names, path: &[String], depth: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let start = match first.as_str() {
            "crate" => Target::Module(Vec::new()),
            "self" => Target::Module(within.clone()),
            "super" => Target::Module(parent(within)?),
            name => self.named(within, name, rest.is_empty(), depth)?,
        };
        rest.iter().enumerate().try_fold(start, |target, (position, segment)| {
            let Target::Module(module) = &target else { return Some(target) };
            if segment == "super" {
                return parent(module).map(Target::Module);
            }
            let is_last = position + 1 == rest.len();
            let named = self.named(module, segment, is_last, depth);
            Some(named.unwrap_or_else(|| Target::Item(module.clone())))
        })
    }

    /// Returns what a module calls by a name that it did not define itself. Where it has a module and imports a function of one
    /// name, the last of a path is the function.
    fn named(&self, module: &Names, name: &str, is_last: bool, depth: usize) -> Option<Target> {
        let found = self.0.get(module)?;
        let is_child = found.children.contains(name);
        if let Some(import) = found.imports.get(name).filter(|_| is_last || !is_child) {
            return if depth < RE_EXPORTS { self.follow(module, &import.path, depth + 1) } else { None };
        }
        let child = module.iter().cloned().chain([name.to_owned()]).collect();
        is_child.then_some(Target::Module(child))
    }
}

fn is_below(target: &Target, module: &Names) -> bool {
    let (Target::Module(name) | Target::Item(name)) = target;
    name.len() > module.len() && name.starts_with(module)
}

fn parent(module: &Names) -> Option<Names> {
    Some(module.split_last()?.1.to_vec())
}

/// Returns the module that a file is: `gate/dial/mod.rs` and `gate/dial.rs` are both `gate::dial`.
fn names_of(file: &Path) -> Names {
    let mut names: Names =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let whole_folder = names.last().is_some_and(|last| last == "mod");
    if whole_folder || names == ["lib"] {
        names.pop();
    }
    names
}

/// Returns whether a path in code says nothing of where it is from: behind `.` or `$`, and of another crate behind `::`. Nor does a
/// field before its `:`.
fn is_no_name(path: &[String], before: Option<&Token>, behind: Option<&Token>) -> bool {
    match before {
        Some(Token::Sign('$')) => path[0] != "crate",
        Some(Token::Sign('.') | Token::PathSeparator) => true,
        _ => path.len() == 1 && behind == Some(&Token::Sign(':')),
    }
}

/// Returns the position of the sign that closes the group whose first sign is at `start`.
fn end_of_group(code: &[Token], start: usize) -> usize {
    let mut depth = 0_usize;
    for (position, token) in code.iter().enumerate().skip(start) {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') if depth == 1 => return position,
            Token::Sign('}') => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Reads `a::b::c`, and the position behind it.
fn read_path(code: &[Token], start: usize) -> (Names, usize) {
    let mut names = Vec::new();
    let mut position = start;
    while let Some(name) = code.get(position).and_then(Token::word) {
        names.push(name.to_owned());
        position += 1;
        if code.get(position) != Some(&Token::PathSeparator) {
            break;
        }
        position += 1;
    }
    (names, position)
}

/// Reads what follows `use`: each name that it brings, with its path. Returns the position behind.
fn read_tree(code: &[Token], start: usize, prefix: &Names, imports: &mut Vec<(String, Names)>) -> usize {
    let foreign = code.get(start) == Some(&Token::PathSeparator);
    let (names, mut position) = read_path(code, start + usize::from(foreign));
    // Of another crate: no module is called so.
    let foreign = foreign.then(|| "::".to_owned());
    let mut path: Names = prefix.iter().cloned().chain(foreign).chain(names).collect();
    match code.get(position) {
        Some(Token::Sign('{')) => {
            position += 1;
            while code.get(position).is_some_and(|token| *token != Token::Sign('}')) {
                position = read_tree(code, position, &path, imports);
                if code.get(position) == Some(&Token::Sign(',')) {
                    position += 1;
                }
            }
            return position + 1;
        }
        Some(Token::Sign('*')) => return position + 1,
        _ => {}
    }
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let mut name = path.last().cloned();
    if code.get(position).is_some_and(|token| token.is("as")) {
        name = code.get(position + 1).and_then(Token::word).map(str::to_owned);
        position += 2;
    }
    // Also where nothing was understood, so that each step goes on.
    let position = position.max(start + 1);
    imports.extend(name.map(|name| (name, path)));
    position
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(files: &[(&str, &str)]) -> Vec<String> {
        let mut modules = Modules::default();
        for (file, text) in files {
            modules.add(Path::new(file), text);
        }
        let shown = |it: Use| format!("{} -> {} by {}", it.user.display(), it.definer.display(), it.path);
        modules.uses().into_iter().map(shown).collect()
    }

    #[test]
    fn what_a_parent_hands_on_is_used_of_the_child_that_defines_it() {
        let files = [
            ("gate/mod.rs", "mod body; mod dial; pub use self::dial::Dialer; pub struct Gate;"),
            ("gate/body.rs", "use super::Dialer; use super::Gate;"),
            ("gate/dial.rs", "pub struct Dialer;"),
        ];
        assert_eq!(
            uses(&files),
            ["gate/body.rs -> gate/dial.rs by super::Dialer", "gate/body.rs -> gate/mod.rs by super::Gate"]
        );
    }

    #[test]
    fn to_declare_a_child_and_to_hand_it_on_is_no_use_but_the_parents_code_is() {
        let handed_on = "mod a; pub(crate) use a::{A, f as g};";
        assert_eq!(uses(&[("r.rs", handed_on), ("r/a.rs", "")]), Vec::<String>::new());
        for code in ["fn f(a: A) {}", "fn f() { self::a::B }", "fn f() { a::B::new() }", "use self::a::B;"] {
            assert_eq!(uses(&[("r.rs", &format!("{handed_on} {code}")), ("r/a.rs", "")]).len(), 1, "{code}");
        }
    }

    #[test]
    fn paths_groups_and_whole_modules_are_followed() {
        let inline = ("r/a.rs", "fn f() { crate::r::b::x() }");
        let grouped = ("r/a.rs", "use super::{b::{self, X as Y}, c};");
        let module = ("r/a.rs", "use super::b; fn f() { b::x() }");
        let nested = ("r/a.rs", "mod m { use super::super::b::X; }");
        let root = ("r/mod.rs", "mod a; mod b; mod c;");
        for file in [inline, grouped, module, nested] {
            let found = uses(&[("lib.rs", "mod r;"), root, file, ("r/b.rs", ""), ("r/c.rs", "")]);
            assert_eq!(found.len(), 1, "{file:?}: {found:?}");
            assert!(found[0].starts_with("r/a.rs -> r/b.rs"), "{found:?}");
        }
    }

    #[test]
    fn a_function_may_be_called_as_its_module_is() {
        let files = [("r.rs", "mod a; mod b; pub use b::b;"), ("r/a.rs", "use super::b::X;"), ("r/b.rs", "")];
        assert_eq!(uses(&files), ["r/a.rs -> r/b.rs by super::b::X"]);
        let files = [("r.rs", "mod a; mod b; pub use b::b;"), ("r/a.rs", "use super::b;"), ("r/b.rs", "")];
        assert_eq!(uses(&files), ["r/a.rs -> r/b.rs by super::b"]);
    }

    #[test]
    fn fields_other_rooms_and_tests_are_no_uses() {
        let root = ("r.rs", "mod a; mod b; pub use b::value; use ::b::X; struct S { value: ::b::Y }");
        let user = (
            "r/a.rs",
            "use crate::s::X; fn f() { self.value.b } #[cfg(test)] mod tests { use super::super::b::Y; }",
        );
        assert_eq!(uses(&[root, user, ("r/b.rs", ""), ("s.rs", "")]), Vec::<String>::new());
    }

    #[test]
    fn the_rooms_that_a_file_names_are_found_in_groups_and_in_code() {
        let mut modules = Modules::default();
        modules.add(
            Path::new("r.rs"),
            "use crate::{a::{X, Y}, b}; fn f() -> crate::c::Z {} /// crate::d\npub(crate) fn g() {}",
        );
        let rooms: Vec<_> = modules.rooms_used().into_iter().map(|(_, room)| room).collect();
        assert_eq!(rooms, ["a", "b", "c"]);
    }
}
