//! The required signatures: the rules of `trust.yaml`, and their consequences for one artifact.
//!
//! ```yaml
//! apiVersion: kwasm.dev/v1
//! kind: Trust
//! default: ignore            # or warn, or require: for what no rule names
//! rules:
//!   - registry: registry.example.com/team     # HOST[:PORT][/PREFIX], by whole segments
//!     signatures: require
//!     keys: {anyOf: [team.pub, release.pub]}  # files beside this one, absolute paths, or PEM text
//!   - namespace: acme                         # packages acme:NAME
//!     signatures: warn
//!     keys: {allOf: [a.pub, b.pub]}
//! ```
//!
//! A [`Demand`] is judged against evidence. Only [`signature::verify`] makes the signers that a [`Verdict`]
//! names.

mod document;
mod scope;
mod succession;

use std::path::PathBuf;

use self::scope::Scope;
pub use self::succession::{Lost, Predecessor, Succession};
use super::signature::{self, Evidence, KeySet, Signer};
use crate::message::Explain;
use crate::reference::{Digest, Image};

/// The rules of `trust.yaml`. Without the file, nothing is required.
#[derive(Debug, Default)]
pub struct Trust {
    file: PathBuf,
    default: Mode,
    rules: Vec<Rule>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Mode {
    #[default]
    Ignore,
    Require,
    Warn,
}

/// The requirement for the artifacts of one scope.
#[derive(Debug)]
struct Rule {
    scope: Scope,
    line: u64,
    mode: Mode,
    /// The keys, which may be missing if the mode is to ignore.
    keys: Option<KeySet>,
}

impl Trust {
    /// Returns the requirement for an artifact: `repository` is its `HOST[:PORT]/REPOSITORY` in any spelling,
    /// `namespace` that of the package `NAMESPACE:NAME` by which it was found, if any. Of the rules for
    /// registries, the one with the longest prefix applies, together with the namespace's rule, or the
    /// default if there is neither.
    #[must_use]
    pub fn demand(&self, repository: &str, namespace: Option<&str>) -> Demand {
        let image: Option<Image> = repository.parse().ok();
        let covers = |rule: &Rule| image.as_ref().and_then(|image| rule.scope.covers(image));
        let registry =
            self.rules.iter().filter(|rule| covers(rule).is_some()).max_by_key(|rule| covers(rule));
        let named = |rule: &&Rule| namespace.is_some_and(|namespace| rule.scope.is_namespace(namespace));
        let namespace = self.rules.iter().find(named);
        let rules: Vec<&Rule> = registry.into_iter().chain(namespace).collect();
        let mut asks: Vec<Ask> = rules.iter().filter_map(|rule| self.ask(rule)).collect();
        if rules.is_empty() && self.default != Mode::Ignore {
            let location = self.file.display().to_string();
            let what = image.map_or_else(|| repository.to_owned(), |image| image.full_name());
            asks.push(Ask { what, location, mode: self.default, keys: None });
        }
        Demand { ignored: asks.is_empty() && !rules.is_empty(), asks }
    }

    fn ask(&self, rule: &Rule) -> Option<Ask> {
        (rule.mode != Mode::Ignore).then(|| Ask {
            what: rule.scope.to_string(),
            location: format!("{}:{}", self.file.display(), rule.line),
            mode: rule.mode,
            keys: rule.keys.clone(),
        })
    }
}

/// The requirement for one artifact.
#[derive(Debug, Default)]
pub struct Demand {
    asks: Vec<Ask>,
    /// Whether a rule states that signatures do not matter here.
    ignored: bool,
}

#[derive(Debug)]
struct Ask {
    /// The subject of the requirement: a scope, or a repository without one.
    what: String,
    /// The place of the rule.
    location: String,
    mode: Mode,
    /// The keys that are accepted. Without any, no signature is accepted.
    keys: Option<KeySet>,
}

/// The reason why an artifact is refused.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The artifact lacks a required signature.
    #[error("the rule for {what} ({location}) requires a signature")]
    Signature {
        /// The rule's scope.
        what: String,
        /// The place of the rule: file and line.
        location: String,
        /// The reason why it does not count as signed.
        source: signature::Error,
    },
    /// No rule covers the artifact, and the default is to refuse.
    #[error("no rule of {location} names {what}, and its default requires a signature")]
    Unnamed {
        /// The host and repository.
        what: String,
        /// The file.
        location: String,
    },
}

impl Explain for Refusal {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Signature { source, .. } => source.hint(),
            Self::Unnamed { .. } => Some("add a rule with the keys of those who sign it".to_owned()),
        }
    }
}

/// The result of a requirement that does not refuse. Empty if nothing was required.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Verdict {
    signers: Vec<Signer>,
    warnings: Vec<String>,
}

impl Verdict {
    /// Returns the signers that were required and verified.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// Returns the warnings for the user: why an artifact does not count as signed that should be.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Demand {
    /// Returns whether evidence matters. If not, there is no need to look for any.
    #[must_use]
    pub fn needs_evidence(&self) -> bool {
        self.asks.iter().any(|ask| ask.keys.is_some())
    }

    /// Returns whether a rule states that signatures do not matter here, so that none is looked up.
    #[must_use]
    pub fn ignores(&self) -> bool {
        self.ignored
    }

    /// Returns whether unsigned artifacts are refused, so that a missing answer has to be treated as a
    /// negative one.
    #[must_use]
    pub fn requires(&self) -> bool {
        self.asks.iter().any(|ask| ask.mode == Mode::Require)
    }

    /// Returns whether anything is required.
    #[must_use]
    pub fn asks(&self) -> bool {
        !self.asks.is_empty()
    }

    /// Combines two requirements, for an artifact that has two names.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.ignored &= other.ignored;
        for ask in other.asks {
            // The rule for a namespace is in both.
            if !self.asks.iter().any(|same| (&same.what, &same.location) == (&ask.what, &ask.location)) {
                self.asks.push(ask);
            }
        }
        self
    }

    /// Judges an artifact by its manifest's digest and all its evidence. A failed look-up has to be reported
    /// by the caller, since it is not a lack of evidence.
    ///
    /// # Errors
    /// The reason why it is refused.
    pub fn judge(&self, manifest: Digest, evidence: &[Evidence]) -> Result<Verdict, Refusal> {
        let mut verdict = Verdict::default();
        for ask in &self.asks {
            let refusal = match ask.prove(manifest, evidence) {
                Ok(signers) => {
                    for signer in signers {
                        if !verdict.signers.contains(&signer) {
                            verdict.signers.push(signer);
                        }
                    }
                    continue;
                }
                Err(refusal) => refusal,
            };
            if ask.mode == Mode::Require {
                return Err(refusal);
            }
            verdict.warnings.push(match &refusal {
                Refusal::Signature { source, .. } => format!("{refusal}: {source}"),
                Refusal::Unnamed { .. } => refusal.to_string(),
            });
        }
        Ok(verdict)
    }
}

impl Ask {
    fn prove(&self, manifest: Digest, evidence: &[Evidence]) -> Result<Vec<Signer>, Refusal> {
        let (what, location) = (self.what.clone(), self.location.clone());
        let Some(keys) = &self.keys else { return Err(Refusal::Unnamed { what, location }) };
        signature::verify(manifest, evidence, keys).map_err(|source| Refusal::Signature {
            what,
            location,
            source,
        })
    }
}

#[cfg(test)]
mod tests;
