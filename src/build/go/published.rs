//! Programs of published modules, fetched by Go itself and built as main modules, so that what their `go.mod`
//! replaces is replaced.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Fault;
use super::overlay::{joined, write};
use super::toolchain::{attempt, call};
use crate::build::Error;
use crate::build::tools::Tools;
use crate::platform::disk::Scratch;

/// A program of a published module: `MODULE/PATH@VERSION`.
pub(super) struct Published<'a> {
    path: &'a str,
    pub(super) version: &'a str,
}

/// The output of `go mod download -json`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Download {
    dir: PathBuf,
    go_mod: PathBuf,
    error: String,
}

impl<'a> Published<'a> {
    /// Parses a path with a version.
    pub(super) fn parse(text: &'a str) -> Result<Self, Fault> {
        let parts = text.split_once('@').filter(|(path, version)| {
            let is_path = |path: &str| path.split('/').all(|element| !matches!(element, "" | "." | ".."));
            is_path(path) && !version.is_empty() && !version.contains(['@', '/'])
        });
        let (path, version) = parts.ok_or_else(|| Fault::Unversioned(text.to_owned()))?;
        Ok(Self { path, version })
    }

    /// Fetches the module, and copies it into a temporary folder, where it can be a main module. Returns the
    /// folder of the program.
    ///
    /// The module is the longest part of the path that is one, as for `go install`.
    pub(super) fn fetch(&self, tools: &Tools, scratch: &Scratch) -> Result<PathBuf, Error> {
        let mut why = None;
        for module in prefixes(self.path) {
            let argument = format!("{module}@{}", self.version);
            let call = call(&scratch.join(""), "mod", true).args(["download", "-json", &argument]);
            let answer = attempt(tools, &call)?;
            let download: Download = serde_json::from_str(&answer.stdout).unwrap_or_default();
            if answer.success && download.dir.is_absolute() {
                let below = self.path[module.len()..].trim_start_matches('/');
                let folder = joined(&copied(scratch, module, &download)?, below);
                if folder.is_dir() {
                    return Ok(folder);
                }
                let (module, version) = (module.to_owned(), self.version);
                let why = format!("its version {version} has no folder {below}");
                return Err(Fault::NotFetched { module, why }.into());
            }
            let reason = if download.error.is_empty() { answer.stderr } else { download.error };
            // Of a repository rather than of a folder in it, where the path shows which part that is.
            if why.is_none() || is_of_two(self.path) {
                why = Some(reason.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
        let module = format!("{}@{}", self.path, self.version);
        let why = why.unwrap_or_else(|| "it is not the path of a module".to_owned());
        Err(Fault::NotFetched { module, why }.into())
    }
}

/// Returns the paths that may be the module of a package, longest first.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let fewest = if is_of_two(path) { 3 } else { 1 };
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    let mut prefixes: Vec<_> = ends.skip(fewest - 1).map(|end| &path[..end]).collect();
    prefixes.reverse();
    prefixes.into_iter()
}

/// Returns whether a path is of a host whose repositories have two names.
fn is_of_two(path: &str) -> bool {
    ["github.com/", "gitlab.com/", "bitbucket.org/"].iter().any(|host| path.starts_with(host))
}

fn copied(scratch: &Scratch, module: &str, download: &Download) -> Result<PathBuf, Error> {
    let below = joined(Path::new("main"), module);
    // Of `vendor`, a published module has at most the list.
    let copy = scratch
        .copy(&download.dir, &below, "vendor")
        .map_err(|source| Error::Temporary { path: scratch.join(&below), source })?;
    if !copy.join("go.mod").is_file() {
        let path = &download.go_mod;
        let text = fs::read(path).map_err(|source| Fault::Unreadable { path: path.clone(), source })?;
        write(scratch, &below.join("go.mod"), &text)?;
    }
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_program_has_a_path_and_a_version() {
        let published = Published::parse("example.com/x/cmd/y@v1.2.3").ok().unwrap();
        assert_eq!((published.path, published.version), ("example.com/x/cmd/y", "v1.2.3"));
        for text in ["example.com/x@", "@v1", "example.com/../x@v1", "a//b@v1", "a@v1@v2", "a@v1/x", "/a@v1"]
        {
            assert!(Published::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_longest_part_of_a_path_that_is_a_module_is_the_module() {
        let of = |path| prefixes(path).collect::<Vec<_>>();
        assert_eq!(
            of("github.com/a/b/cmd/c"),
            ["github.com/a/b/cmd/c", "github.com/a/b/cmd", "github.com/a/b"]
        );
        assert_eq!(of("rsc.io/quote"), ["rsc.io/quote", "rsc.io"]);
        assert!(of("github.com/a").is_empty());
    }
}
