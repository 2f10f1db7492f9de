//! The shared libraries of a program, as the system's loader finds them.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::layer::File;

/// Returns the libraries of a program and the loader itself, at the paths at which the loader looks for them. Those of a static program are
/// none.
///
/// # Errors
/// If ldd(1) cannot be started, or misses one.
pub(crate) fn of(program: &Path) -> Result<Vec<File>> {
    let output = Command::new("ldd").arg(program).output().context("cannot start `ldd`")?;
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        if text.contains("not a dynamic executable") {
            return Ok(Vec::new());
        }
        bail!("ldd {}: {}", program.display(), text.trim());
    }
    text.lines().filter_map(|line| library(line).transpose()).collect()
}

/// Reads a line: `libm.so.6 => /lib/libm.so.6 (0x7f…)`, or without an arrow what has no file or is the loader.
fn library(line: &str) -> Result<Option<File>> {
    let found = line.rsplit("=> ").next().unwrap_or(line).trim();
    if found == "not found" {
        bail!("{}: not found", line.trim());
    }
    let path = found.split(" (0x").next().unwrap_or(found);
    // linux-vdso.so.1 is in the kernel.
    Ok(path.strip_prefix('/').map(|inside| File { path: inside.to_owned(), host: path.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_ldd_is_a_library_or_none() {
        let path = |line: &str| library(line).unwrap().map(|file| file.path);
        assert_eq!(path("\tlinux-vdso.so.1 (0x00007ffe2)"), None);
        assert_eq!(path("\tstatically linked"), None);
        assert_eq!(path("\tlibc.so.6 => /lib/x/libc.so.6 (0x00007f)").unwrap(), "lib/x/libc.so.6");
        assert_eq!(path("\t/lib64/ld-linux.so.2 (0x00007f)").unwrap(), "lib64/ld-linux.so.2");
        assert!(library("\tlibx.so => not found").is_err());
    }
}
