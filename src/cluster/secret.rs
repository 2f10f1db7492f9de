//! Texts that must never be printed.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use zeroize::Zeroizing;

/// A secret: without `Debug`, and overwritten with zeroes when it is dropped.
#[derive(Clone, Default, Eq, PartialEq)]
pub(super) struct Secret(Zeroizing<String>);

impl Secret {
    /// Returns the text itself, to be sent.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::from(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Text)
    }
}
