//! `reads-proc-self [PATH]…`: reads `/proc/self/environ`, `cmdline` and `maps` by its standard library, and
//! through each folder that it was given, by names that climb out of it. They reveal kwasm's environment, its
//! arguments and the addresses of its code. Defence: a guest has no file but its own kubeconfig.

use guests::attempt::{self, Arguments};
use std::io::Read;

const TARGETS: [&str; 3] = ["/proc/self/environ", "/proc/self/cmdline", "/proc/self/maps"];

/// As much as is read of a file, in bytes.
const ENOUGH: u64 = 4096;

fn main() {
    let mut paths = Arguments::of("reads-proc-self [PATH]...").all();
    if paths.is_empty() {
        paths = TARGETS.map(str::to_owned).into();
    }
    let folders = folders::given();
    let ways = paths.iter().flat_map(|path| {
        let plain = std::iter::once((path.clone(), read(path)));
        plain.chain(folders.iter().flat_map(move |folder| {
            let inner = path.trim_start_matches('/');
            let climbing = format!("{}{inner}", "../".repeat(8));
            [path.clone(), inner.to_owned(), climbing]
                .map(|way| (format!("{way} in {}", folder.name()), folder.read(&way)))
        }))
    });
    attempt::tell_each(ways)
}

fn read(path: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).and_then(|file| file.take(ENOUGH).read_to_end(&mut bytes));
    opened.map_err(|error| error.to_string()).and_then(|_| shown(&bytes))
}

/// Returns the number of bytes, but not the bytes: a test's environment must not appear in its log.
fn shown(bytes: &[u8]) -> Result<String, String> {
    if bytes.is_empty() { Err("empty".to_owned()) } else { Ok(format!("{} bytes", bytes.len())) }
}

#[cfg(not(target_env = "p1"))]
mod folders {
    use super::{ENOUGH, shown};
    use guests::attempt;
    use wasip2::filesystem::preopens;
    use wasip2::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};

    pub(super) struct Folder(Descriptor, String);

    pub(super) fn given() -> Vec<Folder> {
        attempt::import_http();
        preopens::get_directories().into_iter().map(|(folder, name)| Folder(folder, name)).collect()
    }

    impl Folder {
        pub(super) fn name(&self) -> &str {
            &self.1
        }

        pub(super) fn read(&self, path: &str) -> Result<String, String> {
            let flags = (PathFlags::SYMLINK_FOLLOW, OpenFlags::empty(), DescriptorFlags::READ);
            let file = self.0.open_at(flags.0, path, flags.1, flags.2);
            let read = file.and_then(|file| file.read(ENOUGH, 0));
            read.map_err(|code| code.name().to_owned()).and_then(|(bytes, _)| shown(&bytes))
        }
    }
}

/// In a core module the standard library finds the folder for each path: the one that is always given is tried by its name.
#[cfg(target_env = "p1")]
mod folders {
    pub(super) struct Folder(&'static str);

    pub(super) fn given() -> Vec<Folder> {
        vec![Folder("/kwasm")]
    }

    impl Folder {
        pub(super) fn name(&self) -> &str {
            self.0
        }

        pub(super) fn read(&self, path: &str) -> Result<String, String> {
            super::read(&format!("{}/{path}", self.0))
        }
    }
}
