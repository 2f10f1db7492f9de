//! Whose signatures are asked for: what `trust.yaml` says, and what follows from it for one artifact.
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
//! A [`Demand`] is judged against evidence; only [`signature::verify`] makes the signers that a [`Verdict`] names.

mod document;
mod scope;
mod succession;

use std::path::PathBuf;

use self::scope::Scope;
pub use self::succession::{Lost, Predecessor, Succession};
use super::signature::{self, Evidence, KeySet, Signer};
use crate::message::Explain;
use crate::reference::{Digest, Image};

/// What `trust.yaml` says. Where there is no such file: nothing is asked for.
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

/// What is asked for the artifacts of one scope.
#[derive(Debug)]
struct Rule {
    scope: Scope,
    line: u64,
    mode: Mode,
    /// Where the mode is to ignore, there may be none.
    keys: Option<KeySet>,
}

impl Trust {
    /// What is asked of an artifact: `repository` is its `HOST[:PORT]/REPOSITORY` in any spelling, `namespace` that of the
    /// package `NAMESPACE:NAME` by which it was found, if it was. Of the rules for registries the one with the longest prefix
    /// counts, the namespace's counts beside it, and the default where there is neither.
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

/// What is asked of one artifact.
#[derive(Debug, Default)]
pub struct Demand {
    asks: Vec<Ask>,
    /// A rule says that signatures do not matter here.
    ignored: bool,
}

#[derive(Debug)]
struct Ask {
    /// What it is asked of: a scope, or a repository that is in none.
    what: String,
    /// Where it is written.
    location: String,
    mode: Mode,
    /// Nobody's signature will do where there are none.
    keys: Option<KeySet>,
}

/// Why an artifact is not taken.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// A rule asks for a signature that it does not have.
    #[error("the rule for {what} ({location}) requires a signature")]
    Signature {
        /// The rule's scope.
        what: String,
        /// Where the rule is: file and line.
        location: String,
        /// Why it does not count as signed.
        source: signature::Error,
    },
    /// No rule names it, and nothing else is taken.
    #[error("no rule of {location} names {what}, and its default requires a signature")]
    Unnamed {
        /// Its host and repository.
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

/// What came of a demand that does not refuse. Where nothing was asked, there is nothing in it.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Verdict {
    signers: Vec<Signer>,
    warnings: Vec<String>,
}

impl Verdict {
    /// Those whose signatures were asked for and verified.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// What the user is to be told: why something does not count as signed that should be.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Demand {
    /// Whether evidence matters: otherwise there is no need to look for any.
    #[must_use]
    pub fn needs_evidence(&self) -> bool {
        self.asks.iter().any(|ask| ask.keys.is_some())
    }

    /// Whether a rule says that signatures do not matter here, so that none is looked up.
    #[must_use]
    pub fn ignores(&self) -> bool {
        self.ignored
    }

    /// Returns whether nothing is taken that is not signed, so that an answer that does not come is as bad as a no.
    #[must_use]
    pub fn requires(&self) -> bool {
        self.asks.iter().any(|ask| ask.mode == Mode::Require)
    }

    /// Whether anything is asked.
    #[must_use]
    pub fn asks(&self) -> bool {
        !self.asks.is_empty()
    }

    /// What both ask, for an artifact that goes by two names.
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

    /// Judges an artifact by its manifest's digest and all the evidence that there is. That a look-up failed is for the
    /// caller to say: it is no lack of evidence.
    ///
    /// # Errors
    /// Why it is not taken.
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
