//! Commands of the user's shell, which hints show: of a POSIX shell, and on Windows such as both cmd and `PowerShell` take.

use std::iter;
use std::path::Path;

/// Quotes a word of a command, if it has to be. Where no quotes make both of Windows' shells take it as it is, it is `FILE`.
pub(crate) fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-:@+=,~".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    if !cfg!(windows) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let means_itself = |c: char| plain(c) || " \\()[]{}!#&;'".contains(c);
    if text.chars().all(means_itself) { format!("\"{text}\"") } else { "FILE".to_owned() }
}

/// Quotes a path.
pub(crate) fn path_word(path: &Path) -> String {
    word(&path.display().to_string())
}

/// Returns the command that removes a file, or a folder with all that is in it.
pub(crate) fn remove(path: &Path) -> String {
    let command = match (cfg!(windows), path.is_dir()) {
        (true, true) => "cmd /c rmdir /s",
        (true, false) => "del",
        (false, true) => "rm -r",
        (false, false) => "rm",
    };
    format!("{command} {}", path_word(path))
}

/// Returns the command that gives a file or a folder the name that it has, with `.old` behind it.
pub(crate) fn set_aside(path: &Path) -> String {
    let command = if cfg!(windows) { "move" } else { "mv" };
    let shown = path.display();
    format!("{command} {} {}", word(&shown.to_string()), word(&format!("{shown}.old")))
}

/// Returns the command that makes a symbolic link to a program.
pub(crate) fn link(link: &Path, program: &Path) -> String {
    format!("ln -sf {} {}", path_word(program), path_word(link))
}

/// Returns two commands, one after the other.
pub(crate) fn both(first: &str, second: &str) -> String {
    // Windows PowerShell 5 has no `&&`, and cmd no `;`.
    let separator = if cfg!(windows) { ", then " } else { " && " };
    [first, second].join(separator)
}

/// A shell, by how it sets variables.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shell {
    Cmd,
    Fish,
    Posix,
    /// `PowerShell`, of whichever version.
    Pwsh,
}

impl Shell {
    /// Returns the command that puts a folder first on `PATH`.
    pub(crate) fn put_first_on_path(self, folder: &Path) -> String {
        let folder = folder.display().to_string();
        match self {
            Self::Cmd => format!("set \"PATH={folder};%PATH%\""),
            Self::Fish => format!("fish_add_path {}", word(&folder)),
            Self::Posix => {
                let quoted = word(&folder);
                if quoted == folder {
                    format!("export PATH=\"{folder}:$PATH\"")
                } else {
                    format!("export PATH={quoted}:\"$PATH\"")
                }
            }
            Self::Pwsh => {
                let separator = if cfg!(windows) { ';' } else { ':' };
                // Each of these ends a text, and doubled is a part of it.
                let quote = |c: char| "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(c);
                let quoted: String =
                    folder.chars().flat_map(|c| iter::repeat_n(c, if quote(c) { 2 } else { 1 })).collect();
                format!("$env:PATH = '{quoted}{separator}' + $env:PATH")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_can_be_pasted_into_a_shell() {
        assert_eq!(word("/a/b-c_d.wasm"), "/a/b-c_d.wasm");
        assert_eq!(word("ghcr.io/a/b:1@sha256:00"), "ghcr.io/a/b:1@sha256:00");
        if cfg!(windows) {
            assert_eq!(word(r"C:\Users\A B"), r#""C:\Users\A B""#);
            for odd in ["$(x)", "%x%", "a`b", "a\u{2019}b"] {
                assert_eq!(word(&format!(r"C:\{odd}")), "FILE");
            }
        } else {
            assert_eq!(word("/a b/it's"), r"'/a b/it'\''s'");
            assert_eq!(word("$(x)"), "'$(x)'");
        }
    }

    #[test]
    fn commands_are_those_of_the_systems_shell() {
        let (file, program) = (Path::new("/a b/kubectl-x"), Path::new("/k"));
        assert_eq!(link(file, program), "ln -sf /k '/a b/kubectl-x'");
        let made = [remove(file), set_aside(file), both("a", "b")];
        let here = if cfg!(windows) {
            [r#"del "/a b/kubectl-x""#, r#"move "/a b/kubectl-x" "/a b/kubectl-x.old""#, "a, then b"]
        } else {
            ["rm '/a b/kubectl-x'", "mv '/a b/kubectl-x' '/a b/kubectl-x.old'", "a && b"]
        };
        assert_eq!(made, here);
        let folder = tempfile::tempdir().unwrap();
        let command = if cfg!(windows) { "cmd /c rmdir /s " } else { "rm -r " };
        assert!(remove(folder.path()).starts_with(command));
    }

    #[test]
    fn path_is_set_as_each_shell_does() {
        let set = |shell: Shell, folder: &str| shell.put_first_on_path(Path::new(folder));
        let separator = if cfg!(windows) { ';' } else { ':' };
        assert_eq!(set(Shell::Cmd, r"C:\a b"), r#"set "PATH=C:\a b;%PATH%""#);
        assert_eq!(set(Shell::Pwsh, "/a/it's"), format!("$env:PATH = '/a/it''s{separator}' + $env:PATH"));
        assert_eq!(set(Shell::Posix, "/a"), r#"export PATH="/a:$PATH""#);
        let quoted = format!("$env:PATH = '/a\u{2019}\u{2019}b{separator}' + $env:PATH");
        assert_eq!(set(Shell::Pwsh, "/a\u{2019}b"), quoted);
        if !cfg!(windows) {
            assert_eq!(set(Shell::Posix, "/a $b"), r#"export PATH='/a $b':"$PATH""#);
            assert_eq!(set(Shell::Fish, "/a b"), "fish_add_path '/a b'");
        }
    }
}
