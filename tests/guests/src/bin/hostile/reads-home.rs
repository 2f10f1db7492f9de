//! Tries each path that could lead out of the sandbox: the user's home, the system's files, `/proc/self`, and climbs
//! from the folder of the kubeconfig. Prints what it could read, and ends with 0 only if it read something.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Relative to nothing, to the working directory, and to each folder above the kubeconfig.
const TARGETS: &[&str] = &[
    "",
    "home",
    "root",
    "root/.kube/config",
    "Users",
    "etc/passwd",
    "etc/hostname",
    "proc/self/environ",
    "proc/self/cmdline",
    "proc/self/mem",
    "proc/self/maps",
    "proc/self/fd",
    "proc/self/root",
    "proc/self/root/etc/passwd",
    "dev/zero",
    "tmp",
    "C:/Windows",
    "C:/Users",
];

fn main() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let mut read = 0;
    for path in candidates(std::env::args().skip(1)) {
        match look(&path) {
            Ok(seen) => {
                read += 1;
                writeln!(out, "read {}: {seen}", path.display())?;
            }
            Err(error) => writeln!(out, "refused {}: {error}", path.display())?,
        }
    }
    writeln!(out, "read {read} in all")?;
    out.flush()?;
    Ok(if read > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the paths to try, including the arguments: a test names a file that it knows to exist.
fn candidates(arguments: impl Iterator<Item = String>) -> Vec<PathBuf> {
    let kubeconfig = std::env::var("KUBECONFIG").unwrap_or_else(|_| "/kwasm/kubeconfig".to_owned());
    let folder = Path::new(&kubeconfig).parent().unwrap_or(Path::new("/")).to_owned();
    let named: Vec<String> = arguments.collect();
    let mut bases = vec![PathBuf::from("/"), PathBuf::from("..")];
    for depth in [1, 2, 8] {
        bases.push(folder.join("../".repeat(depth)));
    }
    let mut paths = vec![PathBuf::from("~"), PathBuf::from("."), PathBuf::from("..")];
    for base in &bases {
        paths.extend(TARGETS.iter().map(|target| base.join(target)));
        paths.extend(named.iter().map(|target| base.join(target.trim_start_matches('/'))));
    }
    paths.extend(named.iter().map(PathBuf::from));
    // The folder of the kubeconfig belongs to the plugin, in any spelling; the folder above does not.
    let own = plain(&folder);
    paths.retain(|path| plain(path) != own && *path != folder.join(""));
    paths
}

/// Normalises a path by its names alone, without the file system.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(plain.pop()),
            std::path::Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

fn look(path: &Path) -> io::Result<String> {
    let mut listing = String::new();
    if let Ok(entries) = fs::read_dir(path) {
        for entry in entries.take(8) {
            listing.push_str(&entry?.file_name().to_string_lossy());
            listing.push(' ');
        }
        // An empty folder shows nothing of the user's; it may be a folder of the sandbox's own making.
        return if listing.is_empty() { Err(io::Error::other("an empty folder")) } else { Ok(listing) };
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(64).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).escape_debug().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_tried_and_the_kubeconfig_is_not() {
        let paths = candidates(["/srv/secret".to_owned()].into_iter());
        let has = |path: &str| paths.contains(&PathBuf::from(path));
        assert!(has("/etc/passwd") && has("/proc/self/environ") && has("~") && has(".."));
        assert!(has("/kwasm/../etc/passwd") && has("/kwasm/../srv/secret") && has("/srv/secret"));
        assert!(!paths.iter().any(|path| plain(path).starts_with("/kwasm")));
    }

    #[test]
    fn a_file_that_can_be_read_counts() {
        assert!(look(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap().contains("Cargo.toml"));
        assert!(
            look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("kube-rs/Cargo.toml"))
                .unwrap()
                .contains("[package]")
        );
        assert!(look(Path::new("/there/is/no/such/thing")).is_err());
    }
}
