//! The questions of `--ask`, on the controlling terminal.

use std::thread;
use std::time::Duration;

use textwrap::{Options, WordSplitter};

use crate::gate::{Asked, Asker, Consent, Question};
use crate::message::{chain, one_line};
use crate::platform::terminal::{self, Terminal, Withdrawal};
use crate::policy::{Policy, Rule, Words};
use crate::reference::PluginName;
use crate::runtime::OpenLine;
use crate::store::Store;

use super::Error;
use super::grant::{own, set};
use super::policy::granted;
use super::watching::Lines;

/// The time for which a question is shown before an answer is read. What is typed before was meant for something
/// else, perhaps for what the plugin printed.
const SETTLE: Duration = Duration::from_millis(300);

/// The width of a question in columns, where the terminal does not say its own.
const COLUMNS: usize = 80;

/// The longest request that a question shows whole, in characters. Its rule is always shown whole.
const SHOWN: usize = 160;

/// Asks the user at the terminal.
#[derive(Clone)]
pub(super) struct User {
    /// The name of the plugin.
    pub(super) plugin: String,
    pub(super) line: OpenLine,
    pub(super) lines: Lines,
    /// The grant to which a rule can be added; `None` if there is none, or if it is not this user's to change.
    pub(super) grant: Option<InstalledGrant>,
}

/// The grant of an installed plugin.
#[derive(Clone)]
pub(super) struct InstalledGrant {
    pub(super) store: Store,
    pub(super) name: PluginName,
}

impl Asker for User {
    fn ask<'a>(&'a self, question: &'a Question) -> Asked<'a> {
        Box::pin(async move {
            let Ok((standing, withdrawal)) = terminal::question() else { return Consent::No };
            let (user, question) = (self.clone(), question.clone());
            // On a thread of its own, since the user may take long, and other requests go on.
            let asked = tokio::task::spawn_blocking(move || user.talk(&question, &withdrawal));
            let consent = asked.await.unwrap_or(Consent::No);
            drop(standing);
            consent
        })
    }
}

impl User {
    /// Asks a question. Without a terminal the answer is no.
    fn talk(&self, question: &Question, withdrawal: &Withdrawal) -> Consent {
        let Ok(mut terminal) = Terminal::open() else { return Consent::No };
        let turn = self.line.hold();
        let consent = self.consent(&mut terminal, question, withdrawal).unwrap_or(Consent::No);
        drop(turn);
        self.lines.flush();
        consent
    }

    fn consent(
        &self,
        terminal: &mut Terminal,
        question: &Question,
        withdrawal: &Withdrawal,
    ) -> std::io::Result<Consent> {
        let grant = self.grant.as_ref().filter(|_| can_be_written(&question.rule));
        let choices =
            if grant.is_some() { "once / for this run / always / no" } else { "once / for this run / no" };
        let end = if self.line.close_at_terminal() { "\n" } else { "" };
        let columns = terminal.columns().unwrap_or(COLUMNS);
        terminal.write(&format!("{end}{}", text(&self.plugin, question, columns)))?;
        thread::sleep(SETTLE);
        terminal.discard_input()?;
        for prompt in ["allow it? ", "please answer: ", "please answer: "] {
            terminal.write(&format!("{prompt}{choices} [no]: "))?;
            self.line.leave_open();
            let answer = terminal.line(withdrawal)?;
            let Some(answer) = answer else {
                terminal.write("\n")?;
                break;
            };
            // The user has ended the line.
            let _ = self.line.close_at_terminal();
            match (consent(&answer), grant) {
                (Some(Consent::Always), None) | (None, _) => {}
                (Some(Consent::Always), Some(grant)) => return grant.keep(terminal, &question.rule),
                (Some(consent), _) => return Ok(consent),
            }
        }
        let _ = self.line.close_at_terminal();
        Ok(Consent::No)
    }
}

impl InstalledGrant {
    /// Adds a rule, for all runs from now on.
    fn keep(&self, terminal: &mut Terminal, rule: &Rule) -> std::io::Result<Consent> {
        match self.add(rule) {
            Ok(()) => Ok(Consent::Always),
            Err(error) => {
                let why = one_line(&chain(&error));
                terminal.write(&format!("kwasm: it is allowed for this run only: {why}\n"))?;
                Ok(Consent::Run)
            }
        }
    }

    fn add(&self, rule: &Rule) -> Result<(), Error> {
        self.store.amend(&self.name, |receipt| {
            // Another run may have changed it meanwhile.
            let mut policy = granted(&receipt.granted())?.policy;
            if !rule.is_within(policy.rules()) {
                policy.add(rule.clone(), Words::default());
                set(receipt, own(policy));
            }
            Ok(())
        })
    }
}

/// Returns whether a rule says in a file what it says here. A name of the guest's may be a word that the reader of
/// policies does not accept, or reads as more.
fn can_be_written(rule: &Rule) -> bool {
    let mut policy = Policy::named("written");
    policy.add(rule.clone(), Words::default());
    Policy::read("written", &policy.to_string()).is_ok_and(|read| read == policy)
}

/// Returns the answer in a line, or `None` if it is not one.
fn consent(line: &str) -> Option<Consent> {
    match line.to_ascii_lowercase().as_str() {
        "a" | "always" => Some(Consent::Always),
        "" | "n" | "no" => Some(Consent::No),
        "o" | "once" => Some(Consent::Once),
        "r" | "run" | "for this run" => Some(Consent::Run),
        _ => None,
    }
}

/// Returns a question in lines of this width.
fn text(plugin: &str, question: &Question, columns: usize) -> String {
    let Question { request, context, policy, rule } = question;
    let mut shown: String = request.chars().take(SHOWN).collect();
    if request.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    let mut lines = vec![
        format!("kwasm: {plugin} requests: {shown}"),
        format!(
            "in the context `{context}`, where its policy `{policy}` does not allow it; this rule does: {rule}"
        ),
    ];
    let dangers: Vec<String> = rule.dangers().iter().map(ToString::to_string).collect();
    if !dangers.is_empty() {
        lines.push(format!("dangerous: {}", dangers.join(", ")));
    }
    let options = Options::new(columns.max(20))
        .subsequent_indent("  ")
        .break_words(true)
        .word_splitter(WordSplitter::NoHyphenation);
    lines.iter().map(|line| textwrap::fill(&one_line(line), &options) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{NameSelector, ResourceRule};

    fn rule(name: &str) -> Rule {
        let of = |text: &str| vec![text.to_owned()];
        Rule::Resources(ResourceRule {
            verbs: of("get"),
            api_groups: of(""),
            resources: of("secrets"),
            resource_names: of(name),
            namespaces: NameSelector::current(),
            except: Vec::new(),
        })
    }

    fn question(name: &str) -> Question {
        Question {
            request: format!("get secrets {name:?} in namespace shop"),
            context: "prod".to_owned(),
            policy: "read-only".to_owned(),
            rule: rule(name),
        }
    }

    #[test]
    fn a_question_names_plugin_request_context_policy_rule_and_danger() {
        insta::assert_snapshot!(text("decoder", &question("db"), 80), @r#"
        kwasm: decoder requests: get secrets "db" in namespace shop
        in the context `prod`, where its policy `read-only` does not allow it; this rule
          does: {apiGroups: [""], resources: [secrets], verbs: [get], namespaces:
          [current], resourceNames: [db]}
        dangerous: secrets
        "#);
    }

    #[test]
    fn a_question_fits_the_terminal_and_cannot_drive_it_whatever_its_names_are() {
        for name in ["\u{1b}[2J\r\nkwasm: \u{202e}x", &"x".repeat(400), "表".repeat(100).as_str()] {
            let text = text("decoder", &question(name), 80);
            for line in text.lines() {
                assert!(textwrap::core::display_width(line) <= 80, "{line}");
                assert!(!line.chars().any(crate::message::drives_terminal), "{line:?}");
            }
            assert_eq!(text.lines().filter(|line| line.starts_with("kwasm: ")).count(), 1);
        }
    }

    #[test]
    fn an_answer_is_a_word_or_its_first_letter() {
        for (line, expected) in [
            ("once", Some(Consent::Once)),
            ("O", Some(Consent::Once)),
            ("r", Some(Consent::Run)),
            ("for this run", Some(Consent::Run)),
            ("Always", Some(Consent::Always)),
            ("", Some(Consent::No)),
            ("n", Some(Consent::No)),
            ("yes", None),
            ("\u{1b}[24;80R", None),
        ] {
            assert_eq!(consent(line), expected, "{line}");
        }
    }

    #[test]
    fn a_rule_that_a_file_says_otherwise_is_not_kept() {
        assert!(can_be_written(&rule("db")));
        let with = |change: &dyn Fn(&mut ResourceRule)| {
            let Rule::Resources(mut rule) = rule("db") else { panic!() };
            change(&mut rule);
            Rule::Resources(rule)
        };
        let named = |name: &str| NameSelector::Some { current: false, names: vec![name.to_owned()] };
        assert!(can_be_written(&with(&|rule| rule.namespaces = named("other"))));
        for unwritable in [
            with(&|rule| rule.namespaces = named("*")),
            with(&|rule| rule.namespaces = named("current")),
            with(&|rule| rule.verbs = vec![String::new()]),
            with(&|rule| rule.resources = vec!["Secrets".to_owned()]),
        ] {
            assert!(!can_be_written(&unwritable), "{unwritable}");
        }
    }
}
