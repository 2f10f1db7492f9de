//! The kinds of policies that together limit a plugin.

use std::fmt;

/// One of the policies that together limit a plugin.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Layer {
    /// The plugin's own request.
    Request,
    /// The user's grant.
    Grant,
    /// The administrator's ceiling.
    Ceiling,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Grant => "grant",
            Self::Ceiling => "ceiling",
        })
    }
}
