//! The arguments: what is in the image, and how it runs.

use std::{ffi::OsString, path::PathBuf};

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;

use crate::{
    layer::{File, Folder, Mode},
    layout::Configuration,
};

const HELP: &str = "\
Writes an image of programs and files as an archive of an OCI layout.

Usage: kwasm-image [OPTION…] ARCHIVE

Options:
  --architecture NAME       the processor of the programs that follow: amd64, arm64 [default: this machine's].
                            Given several times, there is an image for each, in one index
  --program PATH=HOST_PATH  a program, with the shared libraries that it is linked to
  --file PATH=HOST_PATH     a file; executable if it is so here
  --folder PATH[:UID]       an empty folder, of that user
  --temporary PATH          an empty folder that all may write to
  --entrypoint WORD         a word of the command that it runs; once for each
  --env NAME=VALUE          a variable of its environment
  --label NAME=VALUE        a label, such as org.opencontainers.image.version
  --user UID                the user as which it runs
  --name IMAGE              the name that `ctr images import` gives it

Prints a line of JSON: the digest of its manifest or index, and the bytes of its layers unpacked and
compressed.";

/// The parsed command line.
pub(crate) enum Parsed {
    Arguments(Box<Arguments>),
    Help(&'static str),
}

/// An image for one kind of processor.
pub(crate) struct Variant {
    pub(crate) architecture: String,
    pub(crate) programs: Vec<File>,
}

/// What to write, and where.
#[derive(Default)]
pub(crate) struct Arguments {
    /// At least one.
    pub(crate) variants: Vec<Variant>,
    pub(crate) files: Vec<File>,
    pub(crate) folders: Vec<Folder>,
    pub(crate) configuration: Configuration,
    pub(crate) name: Option<String>,
    pub(crate) out: PathBuf,
}

pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Parsed> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut all = Arguments::default();
    let mut out = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Parsed::Help(HELP)),
            Long("architecture") => {
                let architecture = parser.value()?.string()?;
                if all.variants.iter().any(|variant| variant.architecture == architecture) {
                    bail!("`{architecture}`: given twice");
                }
                all.variants.push(Variant { architecture, programs: Vec::new() });
            }
            Long("program") => {
                let program = file(&parser.value()?.string()?)?;
                if all.variants.is_empty() {
                    all.variants.push(Variant { architecture: own()?, programs: Vec::new() });
                }
                all.variants.last_mut().context("no image")?.programs.push(program);
            }
            Long("file") => all.files.push(file(&parser.value()?.string()?)?),
            Long("folder") => all.folders.push(folder(&parser.value()?.string()?)?),
            Long("temporary") => {
                let path = absolute(&parser.value()?.string()?)?;
                all.folders.push(Folder { path, owner: 0, mode: Mode::TEMPORARY });
            }
            Long("entrypoint") => all.configuration.entrypoint.push(parser.value()?.string()?),
            Long("env") => all.configuration.environment.push(pair(&parser.value()?.string()?)?.concat()),
            Long("label") => {
                let [name, _, value] = pair(&parser.value()?.string()?)?;
                all.configuration.labels.insert(name, value);
            }
            Long("user") => all.configuration.user = Some(parser.value()?.parse()?),
            Long("name") => all.name = Some(parser.value()?.string()?),
            Value(path) if out.is_none() => out = Some(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    all.out = out.context("no archive given; see --help")?;
    if all.variants.is_empty() {
        all.variants.push(Variant { architecture: own()?, programs: Vec::new() });
    }
    Ok(Parsed::Arguments(Box::new(all)))
}

/// Returns OCI's name of this machine's processor.
fn own() -> Result<String> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("amd64".to_owned()),
        "aarch64" => Ok("arm64".to_owned()),
        other => bail!("{other}: no image is made on this kind of processor without --architecture"),
    }
}

/// Returns what is on either side of the first `=`, and that itself.
fn pair(text: &str) -> Result<[String; 3]> {
    let (left, right) = text.split_once('=').with_context(|| format!("`{text}` lacks a `=`"))?;
    Ok([left, "=", right].map(str::to_owned))
}

fn file(text: &str) -> Result<File> {
    let [path, _, host] = pair(text)?;
    Ok(File { path: absolute(&path)?, host: host.into() })
}

fn folder(text: &str) -> Result<Folder> {
    let (path, owner) = match text.split_once(':') {
        Some((path, owner)) => {
            (path, owner.parse().with_context(|| format!("`{owner}`: the number of a user"))?)
        }
        None => (text, 0),
    };
    Ok(Folder { path: absolute(path)?, owner, mode: if owner == 0 { Mode::FOLDER } else { Mode::PRIVATE } })
}

/// Returns a path of the image without the slash that it begins with.
fn absolute(path: &str) -> Result<String> {
    let Some(relative) = path.strip_prefix('/') else { bail!("`{path}`: a path of the image begins with /") };
    let mut names = relative.split('/');
    if names.any(|name| matches!(name, "" | "." | "..")) {
        bail!("`{path}`: not a plain path");
    }
    Ok(relative.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(words: &[&str]) -> String {
        parse(words.iter().map(OsString::from)).err().unwrap().to_string()
    }

    #[test]
    fn programs_belong_to_the_architecture_before_them() {
        let words = [
            "--architecture",
            "amd64",
            "--program",
            "/a=x",
            "--architecture",
            "arm64",
            "--program",
            "/a=y",
            "out",
        ];
        let Ok(Parsed::Arguments(all)) = parse(words.iter().map(OsString::from)) else { panic!("refused") };
        let seen =
            all.variants.iter().map(|it| (it.architecture.as_str(), it.programs[0].host.to_str().unwrap()));
        assert_eq!(seen.collect::<Vec<_>>(), [("amd64", "x"), ("arm64", "y")]);
        assert_eq!(
            error(&["--architecture", "amd64", "--architecture", "amd64", "out"]),
            "`amd64`: given twice"
        );
    }

    #[test]
    fn what_has_no_place_in_an_image_is_refused() {
        assert_eq!(error(&["--file", "etc/x=x", "out"]), "`etc/x`: a path of the image begins with /");
        assert_eq!(error(&["--file", "/etc/../x=x", "out"]), "`/etc/../x`: not a plain path");
        assert_eq!(error(&["--file", "/x", "out"]), "`/x` lacks a `=`");
        assert_eq!(error(&["--folder", "/x:root", "out"]), "`root`: the number of a user");
        assert_eq!(error(&["--user", "65532"]), "no archive given; see --help");
    }
}
