//! The user's decision about what a plugin may do: by `--policy`, by the grant that it already has, or by an
//! answer on the terminal.

mod candidate;
mod page;

use std::io::Read as _;

pub(super) use self::candidate::Candidate;
use self::page::{Answer, Page};
use crate::environment::Environment;
use crate::inspect::Inspected;
use crate::platform::stdio::Stdin;
use crate::policy::{DEFAULT, Policy};
use crate::store::Origin;

use super::policy::{Chosen, choose, granted, request};
use super::{Error, Reporter};

/// The argument of `--policy` that grants what a plugin requests.
pub(super) const REQUEST: &str = "request";

/// The user's choice by `--policy`.
#[derive(Clone)]
pub(super) enum Choice {
    /// What the plugin requests.
    Request,
    /// This policy.
    Policy(Box<Chosen>),
}

impl Choice {
    /// Reads the argument of `--policy`.
    ///
    /// # Errors
    /// If it names a policy that does not exist or is not valid.
    pub(super) fn read(argument: &str) -> Result<Self, Error> {
        if argument == REQUEST {
            Ok(Self::Request)
        } else {
            Ok(Self::Policy(Box::new(choose(Some(argument))?)))
        }
    }

    /// Returns the policy that it grants to a plugin.
    ///
    /// # Errors
    /// [`Error::NoRequest`].
    pub(super) fn grant(&self, name: &str, inspected: &Inspected) -> Result<Chosen, Error> {
        match self {
            Self::Policy(chosen) => Ok(Chosen::clone(chosen)),
            Self::Request => match (request(name, inspected)?, inspected.request()) {
                (Some(policy), Some(text)) => Ok(Chosen { policy, text: Some(text.to_owned()) }),
                _ => Err(Error::NoRequest(name.to_owned())),
            },
        }
    }
}

/// Decides what plugins may do before they are installed or upgraded.
pub(super) struct Consent<'a> {
    pub(super) environment: &'a Environment,
    pub(super) reporter: Reporter,
    /// The argument of `--policy`. Read once for all plugins: a file may be a pipe.
    pub(super) choice: Option<Choice>,
    /// Whether that is only for plugins that request more than before; others keep their grants.
    pub(super) only_growth: bool,
}

impl Consent<'_> {
    /// Returns what a plugin is granted.
    ///
    /// # Errors
    /// [`Error::Undecided`] and [`Error::Wider`] if there is no terminal to ask on, [`Error::Declined`] if the
    /// user does not grant it, and those of its request.
    pub(super) fn decide(&self, candidate: &Candidate<'_>) -> Result<Chosen, Error> {
        let Candidate { name, inspected, previous, .. } = *candidate;
        let requested = request(name.as_str(), inspected)?;
        let growth = growth(candidate, requested.as_ref())?;
        if let Some(choice) = self.choice.as_ref().filter(|_| !self.only_growth || !growth.is_empty()) {
            return choice.grant(name.as_str(), inspected);
        }
        if let Some(previous) = previous.filter(|_| growth.is_empty()) {
            return granted(&previous.granted());
        }
        let asks = asks_for_something(inspected, requested.as_ref());
        if previous.is_none() && !asks {
            return choose(Some(DEFAULT));
        }
        if !self.has_terminal() {
            return Err(match previous {
                Some(_) => Error::Wider { name: name.clone(), lines: growth },
                None => Error::Undecided { name: name.clone(), requests: requested.is_some() },
            });
        }
        self.ask(candidate, requested, &growth)
    }

    /// Returns whether there is someone to ask: questions are printed to stderr and answered on stdin.
    fn has_terminal(&self) -> bool {
        self.environment.stdin_terminal && self.environment.columns.is_some()
    }

    fn ask(
        &self,
        candidate: &Candidate<'_>,
        requested: Option<Policy>,
        growth: &[String],
    ) -> Result<Chosen, Error> {
        let width = self.environment.columns.map_or(80, usize::from);
        let page = Page { candidate, request: requested.as_ref(), growth, width };
        Reporter::block(&page.text());
        let answer = loop {
            Reporter::block(&page.question());
            // The end of the input answers nothing, which means no.
            let Some(line) = line() else { break Answer::No };
            match page.answer(&line) {
                Some(answer) => break answer,
                None => Reporter::block("Answer with one of the letters in brackets.\n"),
            }
        };
        let name = || candidate.name.clone();
        match answer {
            Answer::All => Choice::Request.grant(candidate.name.as_str(), candidate.inspected),
            Answer::Needed => {
                let policy = requested.ok_or_else(|| Error::NoRequest(name().to_string()))?;
                let policy = policy.only(|stated| !stated.words.optional);
                let text = Some(policy.to_string());
                Ok(Chosen { policy, text })
            }
            Answer::Reading => choose(Some(DEFAULT)),
            Answer::No => Err(Error::Declined(name())),
        }
    }
}

/// Returns whether a plugin can do anything that a policy decides about.
fn asks_for_something(inspected: &Inspected, requested: Option<&Policy>) -> bool {
    inspected.uses_network() || requested.is_some_and(|policy| !policy.beyond(&Policy::none()).is_empty())
}

/// Returns what a plugin requests beyond the one that it replaces, each as a sentence.
fn growth(candidate: &Candidate<'_>, requested: Option<&Policy>) -> Result<Vec<String>, Error> {
    let Candidate { name, origin, previous, .. } = candidate;
    let Some(previous) = previous else { return Ok(Vec::new()) };
    let before = request(name.as_str(), &previous.inspected)?;
    let mut lines = match (before, requested) {
        // A grant was chosen for what it does, and a request only narrows it.
        (None, _) => Vec::new(),
        (Some(_), None) => vec!["whatever its grant allows: it no longer says what it needs".to_owned()],
        (Some(before), Some(requested)) => {
            requested.beyond(&before).into_iter().map(|allowance| allowance.words).collect()
        }
    };
    let signers = |origin: &Origin| -> Vec<_> { origin.signers.iter().map(|it| it.fingerprint).collect() };
    let before = previous.artifact.as_ref().map(signers).unwrap_or_default();
    let now = origin.map(signers).unwrap_or_default();
    // Where there is nothing to grant, no grant can pass to someone else.
    let grants = asks_for_something(candidate.inspected, requested);
    if grants && !before.is_empty() && !before.iter().any(|signer| now.contains(signer)) {
        lines.push("the trust in another signer: a grant belongs to the source and its signer".to_owned());
    }
    Ok(lines)
}

/// The largest number of bytes of an answer.
const LONGEST: usize = 100;

/// Reads a line from the terminal. At its end there is nothing, which no answer is.
fn line() -> Option<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match Stdin.read(&mut byte) {
            Ok(1) if byte[0] == b'\n' => break,
            Ok(1) if line.len() < LONGEST => line.push(byte[0]),
            Ok(1) => {}
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&line).trim().to_lowercase())
}
