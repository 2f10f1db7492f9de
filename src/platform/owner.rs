//! The owner of a file or folder, and who else may write to it.

use std::fs::Metadata;
use std::io;

/// Checks that only this user may enter a folder.
///
/// # Errors
/// `PermissionDenied`, with the reason, if not.
pub(crate) fn check_folder(metadata: &Metadata) -> io::Result<()> {
    if !metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not a folder"));
    }
    check_owner(metadata, 0o077, "it is open to others: chmod 700 it")
}

/// Checks that a file or folder belongs to this user and that no one else may write to it.
///
/// # Errors
/// `PermissionDenied`, with the reason, if not.
fn check_own(metadata: &Metadata) -> io::Result<()> {
    check_owner(metadata, 0o022, "others may write to it")
}

/// The owner of a file or folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(not(unix), expect(dead_code, reason = "Windows' access lists are not read"))]
pub(crate) enum Owner {
    /// This user.
    User,
    /// The administrator, who can also change everything that belongs to this user.
    System,
    /// Another user.
    Other,
}

/// Returns the owner of a file or folder.
#[cfg(unix)]
pub(crate) fn owner(metadata: &Metadata) -> Owner {
    use std::os::unix::fs::MetadataExt;
    match metadata.uid() {
        user if user == rustix::process::geteuid().as_raw() => Owner::User,
        0 => Owner::System,
        _ => Owner::Other,
    }
}

/// Returns this user: Windows gives a user's profile an access list that keeps others out.
#[cfg(not(unix))]
pub(crate) fn owner(_: &Metadata) -> Owner {
    Owner::User
}

/// Returns whether only the owner may write to a file or folder.
#[cfg(unix)]
pub(crate) fn is_owners_to_write(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.mode() & 0o022 == 0
}

/// Returns `true`, for the reason given at [`owner`].
#[cfg(not(unix))]
pub(crate) fn is_owners_to_write(_: &Metadata) -> bool {
    true
}

/// Returns whether a folder's owner and group alone may change what is in it.
#[cfg(unix)]
pub(crate) fn is_closed_to_strangers(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.mode() & 0o002 == 0
}

/// Returns `true`, for the reason given at [`owner`].
#[cfg(not(unix))]
pub(crate) fn is_closed_to_strangers(_: &Metadata) -> bool {
    true
}

/// Checks that only this user could have written a file in a private folder.
///
/// # Errors
/// `PermissionDenied`, with the reason, if not.
pub(crate) fn check_private_file(metadata: &Metadata) -> io::Result<()> {
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not a file"));
    }
    check_own(metadata)
}

#[cfg(unix)]
fn check_owner(metadata: &Metadata, forbidden: u32, reason: &'static str) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    if owner(metadata) != Owner::User {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user"));
    }
    if metadata.mode() & forbidden != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
    }
    Ok(())
}

/// Accepts every owner: Windows gives a user's profile an access list that keeps others out, and new folders
/// inherit it.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of the Unix twin")]
fn check_owner(_: &Metadata, _: u32, _: &'static str) -> io::Result<()> {
    Ok(())
}
