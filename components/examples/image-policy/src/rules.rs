//! The rules: which images may run, and by whom they are signed. They are read strictly.

use p256::ecdsa::VerifyingKey;
use p256::pkcs8::DecodePublicKey;
use plugin_kit::{Image, Pattern};
use serde::Deserialize;

/// What may run.
#[derive(Debug)]
pub(crate) struct Rules {
    images: Vec<Rule>,
    exempt: Vec<String>,
}

/// What is asked of images.
#[derive(Debug)]
pub(crate) struct Rule {
    pattern: Pattern,
    pub(crate) tags: Tags,
    /// Whose signatures count; without one, none is asked for.
    pub(crate) keys: Vec<VerifyingKey>,
}

/// What becomes of an image that is named by a tag alone.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tags {
    /// It is denied: a node looks the tag up again, and later.
    #[default]
    Deny,
    /// What the tag means now is verified, and whoever sends it is warned.
    Warn,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    images: Vec<Entry>,
    #[serde(default)]
    exempt: Exempt,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exempt {
    namespaces: Vec<String>,
}

/// `keys` has no default: that nothing has to be signed is to be written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    r#match: Pattern,
    #[serde(default)]
    tags: Tags,
    keys: Vec<String>,
}

impl Rules {
    /// Reads rules from YAML.
    ///
    /// # Errors
    /// What is wrong with them, on one line.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
        let document: Document = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| first_line(&error.to_string()))?;
        let images = document.images.into_iter().map(Rule::read).collect::<Result<_, _>>()?;
        Ok(Self { images, exempt: document.exempt.namespaces })
    }

    /// Returns the first rule that means an image.
    pub(crate) fn of(&self, image: &Image) -> Option<&Rule> {
        self.images.iter().find(|rule| rule.pattern.matches(image))
    }

    pub(crate) fn is_exempt(&self, namespace: &str) -> bool {
        self.exempt.iter().any(|exempt| exempt == namespace)
    }
}

impl Rule {
    fn read(entry: Entry) -> Result<Self, String> {
        let pattern = entry.r#match;
        let key = |pem: &String| {
            VerifyingKey::from_public_key_pem(pem.trim()).map_err(|_| {
                format!("a key of `{pattern}` is not a public key of ECDSA on P-256 in PEM, as in cosign.pub")
            })
        };
        let keys = entry.keys.iter().map(key).collect::<Result<_, _>>()?;
        Ok(Self { pattern, tags: entry.tags, keys })
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Rules::read(text).unwrap_err()
    }

    #[test]
    fn the_first_rule_that_means_an_image_is_its_rule() {
        let rules = Rules::read(
            "images: [{match: r.example/app, keys: [], tags: warn}, {match: r.example/*, keys: []}]",
        )
        .unwrap();
        let of = |name: &str| rules.of(&Image::parse(name).unwrap()).map(|rule| rule.tags);
        assert_eq!(of("r.example/app:1"), Some(Tags::Warn));
        assert_eq!(of("r.example/other"), Some(Tags::Deny));
        assert_eq!(of("other.example/app"), None);
    }

    #[test]
    fn what_is_misspelt_or_left_open_is_refused() {
        assert!(refused("images: [{match: r.example/*}]").contains("keys"));
        assert!(refused("images: [{match: r.example/*, keys: [], tag: warn}]").contains("tag"));
        assert!(refused("{}").contains("images"));
        assert!(refused("images: [{match: app, keys: []}]").contains("does not begin with a registry"));
        let key = refused("images: [{match: r.example, keys: [MFkw]}]");
        assert_eq!(
            key,
            "a key of `r.example` is not a public key of ECDSA on P-256 in PEM, as in cosign.pub"
        );
    }
}
