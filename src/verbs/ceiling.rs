//! The administrator's policy, which limits every plugin of this machine.

use crate::document::Fault;
use crate::platform;
use crate::policy::Policy;

use super::Error;

/// The largest file that is read, in bytes. The reader of policies accepts less.
const LONGEST: u64 = 2 << 20;

/// Returns the administrator's policy, under the path of its file as its name, or `None` if there is none.
///
/// # Errors
/// If there is one and it cannot be read, is not the administrator's, or is not valid. It is never passed over.
pub(super) fn ceiling() -> Result<Option<Policy>, Error> {
    let path = platform::ceiling();
    let file = path.display().to_string();
    let content = platform::read_administrators(&path, LONGEST)
        .map_err(|source| Error::Ceiling { path: path.clone(), source })?;
    let Some(content) = content else { return Ok(None) };
    let text = str::from_utf8(&content).map_err(|_| {
        Error::Policy(vec![Fault::whole(file.clone(), "it is not UTF-8 text", "save it as UTF-8")])
    })?;
    let policy = Policy::read(&file, text.trim_start_matches('\u{feff}')).map_err(Error::Policy)?;
    Ok(Some(policy.renamed(&file)))
}
