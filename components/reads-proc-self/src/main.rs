//! `reads-proc-self [PATH]…`: reads `/proc/self/environ`, `cmdline` and `maps` by its standard library, and through each
//! folder that it was given, by names that climb out of it. They tell what kwasm's environment holds, how it was called
//! and where its code lies. A guest has no file but its own kubeconfig: that is the defence.

use attempt::Arguments;
use std::io::Read;
use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};

const TARGETS: [&str; 3] = ["/proc/self/environ", "/proc/self/cmdline", "/proc/self/maps"];

/// As much as is read of a file, in bytes.
const ENOUGH: u64 = 4096;

fn main() {
    let mut paths = Arguments::of("reads-proc-self [PATH]...").all();
    if paths.is_empty() {
        paths = TARGETS.map(str::to_owned).into();
    }
    attempt::import_http();
    let folders = preopens::get_directories();
    let ways = paths.iter().flat_map(|path| {
        let plain = std::iter::once((path.clone(), read(path)));
        plain.chain(folders.iter().flat_map(move |(folder, name)| {
            let inner = path.trim_start_matches('/');
            let climbing = format!("{}{inner}", "../".repeat(8));
            [path.clone(), inner.to_owned(), climbing]
                .map(|way| (format!("{way} in {name}"), read_in(folder, &way)))
        }))
    });
    attempt::tell_each(ways)
}

fn read(path: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).and_then(|file| file.take(ENOUGH).read_to_end(&mut bytes));
    opened.map_err(|error| error.to_string()).and_then(|_| shown(&bytes))
}

fn read_in(folder: &Descriptor, path: &str) -> Result<String, String> {
    let file = folder.open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::empty(), DescriptorFlags::READ);
    let read = file.and_then(|file| file.read(ENOUGH, 0));
    read.map_err(|code| code.name().to_owned()).and_then(|(bytes, _)| shown(&bytes))
}

/// How much it was, and not what: a test's own environment is nothing for its log.
fn shown(bytes: &[u8]) -> Result<String, String> {
    if bytes.is_empty() { Err("empty".to_owned()) } else { Ok(format!("{} bytes", bytes.len())) }
}
