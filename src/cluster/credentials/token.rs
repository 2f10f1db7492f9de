//! Bearer tokens.

use std::fs;
use std::path::Path;

use http::HeaderValue;
use zeroize::Zeroizing;

use super::super::Error;
use super::super::secret::Secret;
use super::wrong;

/// The bearer token: that of the file, which is newer wherever both are given, else the one in the kubeconfig.
pub(super) fn bearer(
    user: &str,
    token: Option<&Secret>,
    file: Option<&Path>,
) -> Result<Option<HeaderValue>, Error> {
    const WHAT: &str = "the token";
    let from_file = match file {
        None => None,
        Some(path) => {
            let text = fs::read_to_string(path)
                .map_err(|error| wrong(user, WHAT, format!("{}: {error}", path.display())))?;
            Some(Zeroizing::new(text))
        }
    };
    let token = match (&from_file, token) {
        (Some(text), _) => text.trim(),
        (None, Some(token)) => token.reveal(),
        (None, None) => "",
    };
    if token.is_empty() {
        // To go on without would be to ask as nobody, which some servers answer.
        return match from_file {
            Some(_) => Err(wrong(user, WHAT, "its file is empty".to_owned())),
            None => Ok(None),
        };
    }
    let text = Zeroizing::new(format!("Bearer {token}"));
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| wrong(user, WHAT, "it has characters that no header may have".to_owned()))?;
    value.set_sensitive(true);
    Ok(Some(value))
}
