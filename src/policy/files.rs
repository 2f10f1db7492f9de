//! The folders of this machine that a policy grants, in the key `files`. Paths are compared as they are
//! written: what lies where on a disk is found out when a plugin starts (`runtime::folders`).

use std::fmt;

use super::flow::Quoted;
use super::format::FILES;
use crate::document::{Faults, Node, Place, Shape};

/// The largest number of entries. Each is a folder that is open as long as the plugin runs.
const MOST: usize = 64;

/// The longest path in bytes: `PATH_MAX` of macOS, a quarter of that of Linux.
const LONGEST: usize = 1024;

/// A folder that a plugin may use, with everything below it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileGrant {
    base: Base,
    /// The path from there, without `.` and `..`; empty for the base itself.
    below: String,
    access: Access,
}

/// The ways in which a folder may be used.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Access {
    /// Everything in it can be read, and nothing changed.
    ReadOnly,
    /// Everything in it can be read, changed and removed.
    ReadWrite,
}

/// The beginning of a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Base {
    /// The folder in which the plugin is started.
    WorkingDirectory,
    /// The user's home directory, `~`.
    Home,
    /// A folder of the XDG Base Directory Specification.
    Xdg(Xdg),
    /// The root, of an absolute path.
    Root,
}

/// The folders of the XDG Base Directory Specification.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Xdg {
    /// Configuration.
    Config,
    /// Data.
    Data,
    /// Data that can be recreated.
    Cache,
    /// Data that is kept from run to run, such as a history.
    State,
    /// Data that is kept while the user is logged in.
    Runtime,
}

/// The reason why a path cannot be granted, and a hint.
type Invalid = (String, &'static str);

impl Xdg {
    const ALL: [Self; 5] = [Self::Config, Self::Data, Self::Cache, Self::State, Self::Runtime];

    /// Returns the name of its variable.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Config => "XDG_CONFIG_HOME",
            Self::Data => "XDG_DATA_HOME",
            Self::Cache => "XDG_CACHE_HOME",
            Self::State => "XDG_STATE_HOME",
            Self::Runtime => "XDG_RUNTIME_DIR",
        }
    }

    /// Returns the folder below the home directory that it is if the variable is not set, or `None` if there is
    /// no such default.
    #[must_use]
    pub const fn default(self) -> Option<&'static str> {
        match self {
            Self::Config => Some(".config"),
            Self::Data => Some(".local/share"),
            Self::Cache => Some(".cache"),
            Self::State => Some(".local/state"),
            Self::Runtime => None,
        }
    }
}

impl FileGrant {
    /// Returns the grant of a folder, by its path as in a policy.
    ///
    /// # Errors
    /// The reason and a hint, if a policy cannot grant that path.
    pub fn new(path: &str, access: Access) -> Result<Self, (String, &'static str)> {
        let (base, rest) = base(path)?;
        let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.contains(&"..") {
            let why = "it climbs by `..`".to_owned();
            return Err((why, "write where it leads to, from there, from ~ or from /"));
        }
        // These would be another base in a shell.
        if base == Base::WorkingDirectory && parts.first().is_some_and(|part| part.starts_with(['~', '$'])) {
            let why = format!("`{}` has no meaning in a policy", parts[0]);
            return Err((why, "write the path from / or from ~"));
        }
        if matches!(base, Base::Xdg(_)) && parts.is_empty() {
            let why = "it is the folder of all programs".to_owned();
            return Err((why, "write a folder in it, e.g. $XDG_CONFIG_HOME/NAME"));
        }
        Ok(Self { base, below: parts.join("/"), access })
    }

    /// Returns the beginning of its path.
    #[must_use]
    pub fn base(&self) -> Base {
        self.base
    }

    /// Returns its path from its base, with slashes; empty for the base itself.
    #[must_use]
    pub fn below(&self) -> &str {
        &self.below
    }

    /// Returns its path, as in a policy.
    #[must_use]
    pub fn path(&self) -> String {
        match self.base {
            Base::WorkingDirectory if self.below.is_empty() => ".".to_owned(),
            Base::WorkingDirectory => self.below.clone(),
            Base::Home if self.below.is_empty() => "~".to_owned(),
            Base::Home => format!("~/{}", self.below),
            Base::Xdg(xdg) => format!("${}/{}", xdg.variable(), self.below),
            Base::Root => format!("/{}", self.below),
        }
    }

    /// Returns the ways in which it may be used.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    /// Returns whether the folder is outside the working directory.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.base != Base::WorkingDirectory
    }

    /// Returns the grant in words, e.g. `read files in the working directory`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let verb = match self.access {
            Access::ReadOnly => "read",
            Access::ReadWrite => "read, change and remove",
        };
        let folder = match (self.base, self.below.as_str()) {
            (Base::WorkingDirectory, "") => "the working directory".to_owned(),
            (Base::WorkingDirectory, below) => format!("{below} of the working directory"),
            _ => self.path(),
        };
        format!("{verb} files in {folder}")
    }

    /// Returns whether it grants all that `other` grants. Paths of different bases are not compared: where they
    /// lead depends on the machine.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.access >= other.access && self.contains(other)
    }

    /// Returns whether others grant all that it grants.
    #[must_use]
    pub fn is_within(&self, others: &[Self]) -> bool {
        others.iter().any(|other| other.covers(self))
    }

    /// Returns what both grant: the narrower path with the weaker access.
    fn and(&self, other: &Self) -> Option<Self> {
        let narrower = if self.contains(other) {
            other
        } else if other.contains(self) {
            self
        } else {
            return None;
        };
        Some(Self { access: self.access.min(other.access), ..narrower.clone() })
    }

    /// Returns whether the other path is the same or below this one.
    fn contains(&self, other: &Self) -> bool {
        let is_below = || match other.below.strip_prefix(self.below.as_str()) {
            Some(rest) => self.below.is_empty() || rest.is_empty() || rest.starts_with('/'),
            None => false,
        };
        self.base == other.base && is_below()
    }
}

/// Returns the base of a path and what follows.
fn base(path: &str) -> Result<(Base, &str), Invalid> {
    if path.is_empty() {
        return Err(("it is empty".to_owned(), "the working directory is `.`"));
    }
    if path.len() > LONGEST || path.contains('\0') {
        return Err(("no folder has such a path".to_owned(), "write a path such as . or ~/NAME"));
    }
    if let Some(rest) = path.strip_prefix('/') {
        return Ok((Base::Root, rest));
    }
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    if first == "~" {
        return Ok((Base::Home, rest));
    }
    let Some(variable) = first.strip_prefix('$') else { return Ok((Base::WorkingDirectory, path)) };
    let known =
        "use $XDG_CONFIG_HOME, $XDG_DATA_HOME, $XDG_CACHE_HOME, $XDG_STATE_HOME, $XDG_RUNTIME_DIR or ~";
    let xdg = Xdg::ALL.into_iter().find(|xdg| xdg.variable() == variable);
    let xdg = xdg.ok_or_else(|| (format!("`{first}` is not a variable that begins a path"), known))?;
    Ok((Base::Xdg(xdg), rest))
}

/// Returns what both lists grant.
pub(super) fn both(ones: &[FileGrant], others: &[FileGrant]) -> Vec<FileGrant> {
    let pairs = ones.iter().flat_map(|one| others.iter().filter_map(move |other| one.and(other)));
    distinct(pairs.collect())
}

/// Returns a list without the entries that another one covers.
///
/// It is more than tidy: below a folder that a plugin may change, it could make a link where a folder of
/// another entry is to be opened at the next start.
pub(super) fn distinct(grants: Vec<FileGrant>) -> Vec<FileGrant> {
    let mut kept: Vec<FileGrant> = Vec::new();
    for grant in grants {
        if !grant.is_within(&kept) {
            kept.retain(|other| !grant.covers(other));
            kept.push(grant);
        }
    }
    kept
}

/// Reads the list `files`.
pub(super) fn read(faults: &mut Faults<'_>, place: &Place, node: Node) -> Vec<FileGrant> {
    let items = faults.list(place, node, "each folder begins with a dash");
    if items.len() > MOST {
        faults.add(
            place,
            format!("it lists more than {MOST} folders"),
            "list a folder that contains several",
        );
        return Vec::new();
    }
    items.into_iter().filter_map(|(place, node)| entry(faults, place, node)).collect()
}

fn entry(faults: &mut Faults<'_>, place: Place, node: Node) -> Option<FileGrant> {
    const CURE: &str = "write a folder, e.g. `path: .` for the working directory";
    let mut entries = faults.map(place, node, &FILES.names());
    let access = entries.take("access").map(|(place, node)| access(faults, &place, node));
    let Some((place, node)) = entries.take("path") else {
        faults.missing(&entries, "path", CURE);
        return None;
    };
    if matches!(node.shape, Shape::Nothing) {
        faults.add(&place, "YAML reads it as nothing", "the home directory is \"~\", in quotes");
        return None;
    }
    let path = faults.text(&place, node, CURE)?;
    match FileGrant::new(&path, access.flatten().unwrap_or(Access::ReadOnly)) {
        Ok(grant) => Some(grant),
        Err((why, hint)) => {
            faults.add(&place, why, hint);
            None
        }
    }
}

fn access(faults: &mut Faults<'_>, place: &Place, node: Node) -> Option<Access> {
    const CURE: &str = "write read-only or read-write";
    match faults.text(place, node, CURE)?.as_str() {
        "read-only" => Some(Access::ReadOnly),
        "read-write" => Some(Access::ReadWrite),
        text => {
            faults.add(place, format!("there is no access `{text}`"), CURE);
            None
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadOnly => "read-only",
            Self::ReadWrite => "read-write",
        })
    }
}

/// Formats the grant as in a policy, on one line.
impl fmt::Display for FileGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        f.write_str("{path: ")?;
        if is_plain(&path) {
            f.write_str(&path)?;
        } else {
            write!(f, "{}", Quoted(&path))?;
        }
        write!(f, ", access: {}}}", self.access)
    }
}

/// Returns whether YAML reads a path as itself without quotes.
fn is_plain(path: &str) -> bool {
    // `~` is YAML's null, and a path may look like a number or a boolean.
    path.starts_with(|c: char| c.is_ascii_alphabetic() || "./~$".contains(c))
        && path.chars().all(|c| c.is_ascii_alphanumeric() || "-._/~$".contains(c))
        && path.parse::<f64>().is_err()
        && !["~", ".inf", ".nan", "true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&path.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::samples;

    fn grant(text: &str) -> FileGrant {
        let (access, path) = text.split_once(' ').unwrap();
        let access = if access == "ro" { Access::ReadOnly } else { Access::ReadWrite };
        FileGrant::new(path, access).unwrap()
    }

    fn grants(texts: &[&str]) -> Vec<FileGrant> {
        texts.iter().map(|text| grant(text)).collect()
    }

    #[test]
    fn a_path_has_one_spelling() {
        for (written, path) in [
            (".", "."),
            ("./", "."),
            ("./out//x/.", "out/x"),
            (" ", " "),
            ("~", "~"),
            ("~/.config/x/", "~/.config/x"),
            ("$XDG_CACHE_HOME/x", "$XDG_CACHE_HOME/x"),
            ("/", "/"),
            ("//srv/./x", "/srv/x"),
            ("...", "..."),
            ("a\nb", "a\nb"),
        ] {
            assert_eq!(FileGrant::new(written, Access::ReadOnly).unwrap().path(), path, "{written}");
        }
    }

    #[test]
    fn a_path_whose_meaning_is_not_certain_is_refused() {
        for written in [
            "",
            "..",
            "../x",
            "x/..",
            "~/..",
            "/srv/../etc",
            "$XDG_DATA_HOME/../x",
            "~other",
            "~other/x",
            "./~",
            "$HOME",
            "$HOME/x",
            "./$HOME",
            "$XDG_CONFIG_HOME",
            "$XDG_CONFIG_HOME/.",
            "${XDG_CONFIG_HOME}/x",
            "a\0b",
            &"x".repeat(2000),
        ] {
            assert!(FileGrant::new(written, Access::ReadOnly).is_err(), "{written:?}");
        }
    }

    #[test]
    fn a_folder_covers_what_is_below_it_with_no_more_access() {
        for (one, other) in [
            ("ro .", "ro out"),
            ("rw .", "ro ."),
            ("rw out", "rw out/x"),
            ("ro /", "ro /srv"),
            ("ro ~", "ro ~/x"),
            ("rw $XDG_STATE_HOME/x", "rw $XDG_STATE_HOME/x/y"),
        ] {
            assert!(grant(one).covers(&grant(other)), "{one} {other}");
        }
        for (one, other) in [
            ("ro .", "rw out"),
            ("ro out", "ro ."),
            ("ro out", "ro outside"),
            ("ro .", "ro /srv"),
            ("ro /", "ro ~"),
            ("ro ~/.config/x", "ro $XDG_CONFIG_HOME/x"),
            ("ro $XDG_DATA_HOME/x", "ro $XDG_CONFIG_HOME/x"),
        ] {
            assert!(!grant(one).covers(&grant(other)), "{one} {other}");
        }
    }

    #[test]
    fn what_two_lists_grant_is_the_narrower_path_with_the_weaker_access() {
        for (ones, others, both) in [
            (&["rw ."][..], &["ro out"][..], &["ro out"][..]),
            (&["ro .", "rw out"], &["rw ."], &["ro .", "rw out"]),
            (&["ro ~/x"], &["rw ~/x/y", "ro ~/z"], &["ro ~/x/y"]),
            (&["ro ."], &["ro /srv"], &[]),
            (&["rw .", "ro .", "rw out"], &["rw ."], &["rw ."]),
            (&["ro ."], &[], &[]),
        ] {
            let (ones, others, both) = (grants(ones), grants(others), grants(both));
            assert_eq!(super::both(&ones, &others), both);
            assert_eq!(super::both(&others, &ones).len(), both.len());
            assert!(both.iter().all(|both| both.is_within(&ones) && both.is_within(&others)));
        }
        assert_eq!(distinct(grants(&["ro out", "rw out/x", "rw ."])), grants(&["rw ."]));
    }

    #[test]
    fn an_entry_is_read_as_it_is_written() {
        let paths = [
            ".",
            "~",
            "~/x",
            "$XDG_RUNTIME_DIR/x",
            "/srv",
            "1",
            "true",
            ".5",
            ".inf",
            "a\nb\u{202e}",
            "a: b",
            "n",
        ];
        for path in paths {
            let entry = FileGrant::new(path, Access::ReadWrite).unwrap();
            assert_eq!(entry.to_string().lines().count(), 1);
            assert!(!entry.to_string().contains('\u{202e}'), "{entry}");
            assert_eq!(samples::policy(&format!("{{files: [{entry}]}}")).files(), [entry]);
        }
        assert_eq!(grant("ro .").to_string(), "{path: ., access: read-only}");
        assert_eq!(grant("rw ~").to_string(), "{path: \"~\", access: read-write}");
    }

    #[test]
    fn a_grant_is_put_into_words() {
        assert_eq!(grant("ro .").sentence(), "read files in the working directory");
        assert_eq!(
            grant("rw out").sentence(),
            "read, change and remove files in out of the working directory"
        );
        assert_eq!(grant("ro ~/x").sentence(), "read files in ~/x");
    }
}
