//! Results that are rebuilt only if their inputs change.

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// Does the work in a folder, unless it was completed there for the same `wanted`.
pub(crate) fn unless(folder: &Path, wanted: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    // Written last: work that was interrupted begins again.
    let done = folder.join("installed");
    if fs::read_to_string(&done).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    work()?;
    fs::write(&done, wanted).with_context(|| format!("cannot write {}", done.display()))
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn work_is_done_again_when_another_version_is_wanted_or_it_failed() {
        let folder = std::env::temp_dir().join(format!("kwasm-xtask-fresh-{}", std::process::id()));
        let mut times = 0;
        let mut work_once = |wanted: &str, works: bool| {
            let done = unless(&folder, wanted, || {
                times += 1;
                if works { Ok(()) } else { bail!("no network") }
            });
            (done.is_ok(), times)
        };
        assert_eq!(work_once("1", false), (false, 1));
        assert_eq!(work_once("1", true), (true, 2));
        assert_eq!(work_once("1", true), (true, 2));
        assert_eq!(work_once("2", true), (true, 3));
        fs::remove_dir_all(&folder).unwrap();
    }
}
