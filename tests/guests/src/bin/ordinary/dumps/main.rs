//! `dumps [PATH]`: prints all that it can see of its world (environment, arguments, each folder with each file's
//! content), then gets PATH from the cluster and prints the answer with all its headers and trailers. What a plugin
//! must not know must not be in there.

mod answer;

use std::io::{self, Write};
use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, DescriptorType, OpenFlags, PathFlags};

/// A file's content beyond this is not printed, in bytes.
const CONTENT: u64 = 256 * 1024;

fn main() {
    let path = std::env::args().nth(1);
    let mut out = io::stdout().lock();
    let written = dump(&mut out).and_then(|()| path.map_or(Ok(()), |path| answer::dump(&path, &mut out)));
    drop(out);
    kube_guest::finish("dumps", written)
}

fn dump(out: &mut impl Write) -> io::Result<()> {
    for (name, value) in std::env::vars() {
        writeln!(out, "environment {name}={value}")?;
    }
    for argument in std::env::args() {
        writeln!(out, "argument {argument}")?;
    }
    let directory = wasip2::cli::environment::initial_cwd();
    writeln!(out, "working directory {}", directory.as_deref().unwrap_or("none"))?;
    for (folder, name) in preopens::get_directories() {
        writeln!(out, "folder {name}")?;
        list(&folder, &name, out)?;
    }
    if let Ok(file) = std::env::var("KUBECONFIG") {
        writeln!(out, "kubeconfig {file}")?;
        match std::fs::read_to_string(&file) {
            Ok(text) => writeln!(out, "{text}")?,
            Err(error) => writeln!(out, "refused: {error}")?,
        }
    }
    Ok(())
}

fn list(folder: &Descriptor, name: &str, out: &mut impl Write) -> io::Result<()> {
    let entries = match folder.read_directory() {
        Ok(entries) => entries,
        Err(code) => return writeln!(out, "refused {name}: {}", code.name()),
    };
    while let Ok(Some(entry)) = entries.read_directory_entry() {
        let path = format!("{}/{}", name.trim_end_matches('/'), entry.name);
        let is_folder = entry.type_ == DescriptorType::Directory;
        let how = if is_folder { OpenFlags::DIRECTORY } else { OpenFlags::empty() };
        writeln!(out, "{} {path}", if is_folder { "folder" } else { "file" })?;
        // Links are not followed: a loop would have no end, and what they lead to is a file of some folder.
        match folder.open_at(PathFlags::empty(), &entry.name, how, DescriptorFlags::READ) {
            Ok(inner) if is_folder => list(&inner, &path, out)?,
            Ok(file) => match file.read(CONTENT, 0) {
                Ok((content, _)) => writeln!(out, "{}", String::from_utf8_lossy(&content))?,
                Err(code) => writeln!(out, "refused {path}: {}", code.name())?,
            },
            Err(code) => writeln!(out, "refused {path}: {}", code.name())?,
        }
    }
    Ok(())
}
