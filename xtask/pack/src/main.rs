//! `kwasm-pack pack FOLDER ARCHIVE`: packs a folder, below its own name, into a `.tar.gz` or a `.zip`.
//!
//! `kwasm-pack sums FOLDER`: prints the SHA-256 sum and the name of each file of a folder, as `sha256sum` does.
//!
//! The same content makes the same bytes: files are in the order of their paths, all have the time of `SOURCE_DATE_EPOCH` ([seconds since
//! 1970][1]), and of their modes only whether they can be executed is kept.
//!
//! [1]: https://reproducible-builds.org/specs/source-date-epoch/
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program of the terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "the bans are for the host, which is confined; this is a tool of the house"
)]

mod entries;
mod formats;

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::Path,
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let words: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
    let done = match &words[..] {
        [verb, folder, archive] if *verb == "pack" => pack(folder.as_ref(), archive.as_ref()),
        [verb, folder] if *verb == "sums" => sums(folder.as_ref()),
        _ => {
            eprintln!("kwasm-pack: usage: kwasm-pack pack FOLDER ARCHIVE | sums FOLDER");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kwasm-pack: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn pack(folder: &Path, archive: &Path) -> Result<()> {
    let time = env::var("SOURCE_DATE_EPOCH").context("SOURCE_DATE_EPOCH is not set")?;
    let time =
        time.parse().with_context(|| format!("SOURCE_DATE_EPOCH: `{time}` is not a number of seconds"))?;
    let entries = entries::of(folder)?;
    let packed = match archive.extension().and_then(OsStr::to_str) {
        Some("gz") => formats::tar_gz(&entries, time)?,
        Some("zip") => formats::zip(&entries, time)?,
        _ => bail!("{}: neither a .tar.gz nor a .zip", archive.display()),
    };
    fs::write(archive, packed).with_context(|| format!("cannot write {}", archive.display()))
}

fn sums(folder: &Path) -> Result<()> {
    for entry in entries::of(folder)? {
        // Below the folder's own name.
        if let (Some(content), Some((_, name))) = (&entry.content, entry.path.split_once('/')) {
            println!("{:x}  {name}", Sha256::digest(content));
        }
    }
    Ok(())
}
