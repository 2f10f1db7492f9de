//! Hosts beside the cluster.

use crate::{Error, Response, outgoing};
use wasip2::http::types::{OutgoingBody, Scheme};

/// A host that the plugin's policy names under `network`. It is reached by HTTPS, and gets none of the user's credentials.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Host {
    authority: String,
}

impl Host {
    /// Returns the host of this name, with its port after a colon if it is another one than 443.
    #[must_use]
    pub fn new(authority: &str) -> Self {
        Self { authority: authority.to_owned() }
    }

    /// Returns the name, with its port if it was given.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Gets `path`, which is percent-encoded, and returns an answer of any status: redirects, too, are not followed.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`], which [`is_denied`](crate::Transport::is_denied) if the policy does not grant the host, and
    /// [`Error::Request`].
    pub fn get(&self, path: impl AsRef<str>, headers: &[(&str, &str)]) -> Result<Response, Error> {
        let (body, answer) = outgoing::start(&Scheme::Https, &self.authority, "GET", path.as_ref(), headers)?;
        OutgoingBody::finish(body, None).map_err(crate::Transport::from)?;
        Response::wait(&answer)
    }
}
