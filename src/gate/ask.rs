//! Requests that wait for the user: those that the user's grant does not cover, where the user wants to be asked.
//!
//! An answer becomes a rule of a wider grant, by which the request is judged again, so that a permit still
//! comes from the policy alone. The plugin's own request and the ceiling of an administrator limit that grant too:
//! what they refuse is never asked.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::defence::Defence;
use crate::policy::{Attempt, Grant, Permit, Reason, Refusal, Rule, Target};

/// The time between the beginnings of two questions.
const INTERVAL: Duration = Duration::from_secs(1);

/// The number of questions without consent after which no more are asked in a run.
const DECLINED: usize = 10;

/// The longest rule that is asked about, in characters. It has to be shown whole to someone who is to allow it.
const LONGEST: usize = 600;

/// The user's answer to a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Consent {
    /// The request is allowed in every run.
    Always,
    /// It is allowed.
    Once,
    /// It is allowed until the end of the run.
    Run,
    /// It is refused.
    No,
}

/// A question to the user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question {
    /// The request, e.g. `get secrets "db" in namespace shop`.
    pub request: String,
    /// The context that it is for.
    pub context: String,
    /// The name of the policy that does not allow it.
    pub policy: String,
    /// The rule that would, and that [`Consent::Run`] and [`Consent::Always`] add.
    pub rule: Rule,
}

/// The answer to a question, once the user has given it.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Consent> + Send + 'a>>;

/// Someone who can be asked.
pub trait Asker: Send + Sync {
    /// Asks a question. Dropping the answer withdraws the question. [`Consent::Always`] means that the rule was
    /// kept for other runs.
    fn ask<'a>(&'a self, question: &'a Question) -> Asked<'a>;
}

/// The questions of one run.
pub(super) struct Asking {
    asker: Arc<dyn Asker>,
    /// Held while a question is open: they are asked one after the other, in their order.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The grant with what was allowed for this run, if anything was.
    wider: Option<Arc<Grant>>,
    /// The rules that the user declined.
    declined: Vec<Rule>,
    /// The number of questions that were declined or withdrawn.
    unanswered: usize,
    last: Option<Instant>,
}

/// A judged request.
pub(super) struct Verdict {
    pub(super) judged: Result<Permit, Refusal>,
    /// The rule that covers it.
    pub(super) rule: Option<String>,
    pub(super) consent: Option<Consent>,
}

impl Verdict {
    /// Judges a request by a grant. Writes its rule only if it is `traced`.
    pub(super) fn of(grant: &Grant, attempt: Attempt, traced: bool) -> Self {
        let judged = grant.judge(attempt);
        let permit = judged.as_ref().ok().filter(|_| traced);
        let rule = permit.and_then(|permit| grant.rule(permit)).map(ToString::to_string);
        Self { judged, rule, consent: None }
    }

    fn is_permit(&self) -> bool {
        self.judged.is_ok()
    }
}

impl Asking {
    pub(super) fn new(asker: Arc<dyn Asker>) -> Self {
        Self { asker, turn: tokio::sync::Mutex::default(), state: Mutex::default() }
    }

    /// Judges a request, and asks the user if only the grant does not cover it. A question is withdrawn when
    /// `withdrawn` ends first.
    pub(super) async fn judge(
        &self,
        grant: &Grant,
        attempt: Attempt,
        withdrawn: impl Future<Output = ()>,
    ) -> Verdict {
        let verdict = self.verdict(grant, &attempt);
        if !matches!(&verdict.judged, Err(refusal) if matches!(refusal.reason(), Reason::Policy { .. })) {
            return verdict;
        }
        let answered = tokio::select! {
            biased;
            answered = self.ask(grant, &attempt) => answered,
            () = withdrawn => None,
        };
        match answered {
            Some(Answered::Judged(judged)) => *judged,
            Some(Answered::No) => Verdict { consent: Some(Consent::No), ..verdict },
            None => verdict,
        }
    }

    /// Judges a request by the grant, and by what the user has allowed for this run.
    fn verdict(&self, grant: &Grant, attempt: &Attempt) -> Verdict {
        let wider = self.state().wider.clone();
        Verdict::of(wider.as_deref().unwrap_or(grant), attempt.clone(), true)
    }

    /// Asks the user about a request that the grant does not cover. Returns `None` if it cannot be asked.
    async fn ask(&self, grant: &Grant, attempt: &Attempt) -> Option<Answered> {
        let rule = attempt.generalised().filter(|rule| rule.to_string().chars().count() <= LONGEST)?;
        if !self.may_ask(&rule) || !self.widened(grant, &rule, attempt).1.is_permit() {
            return None;
        }
        let _turn = self.turn.lock().await;
        // The answer to another question may have allowed this request, or declined it.
        let verdict = self.verdict(grant, attempt);
        if verdict.is_permit() {
            return Some(Answered::Judged(Box::new(verdict)));
        }
        if !self.may_ask(&rule) {
            return None;
        }
        let (wider, verdict) = self.widened(grant, &rule, attempt);
        self.pause().await;
        let question = Question {
            request: attempt.to_string(),
            context: match attempt.target() {
                Target::Context(context) => context.name().to_owned(),
                Target::Host(_) => return None,
            },
            policy: grant.layers().grant.name().to_owned(),
            rule,
        };
        // A question counts as declined until there is another answer: a guest may withdraw it.
        self.state().unanswered += 1;
        let consent = self.asker.ask(&question).await;
        let mut state = self.state();
        match consent {
            Consent::No => {
                state.declined.push(question.rule);
                return Some(Answered::No);
            }
            Consent::Once => {}
            Consent::Run | Consent::Always => state.wider = Some(Arc::new(wider)),
        }
        state.unanswered -= 1;
        Some(Answered::Judged(Box::new(Verdict { consent: Some(consent), ..verdict })))
    }

    /// Returns whether the user may be asked about a rule.
    fn may_ask(&self, rule: &Rule) -> bool {
        let state = self.state();
        Defence::QuestionLimit.passes(state.unanswered < DECLINED && !state.declined.contains(rule))
    }

    /// Returns the grant with one more rule, and its verdict.
    fn widened(&self, grant: &Grant, rule: &Rule, attempt: &Attempt) -> (Grant, Verdict) {
        let wider = self.state().wider.clone();
        let widened = wider.as_deref().unwrap_or(grant).with(rule.clone());
        let verdict = Verdict::of(&widened, attempt.clone(), true);
        (widened, verdict)
    }

    /// Waits until the next question may be asked.
    async fn pause(&self) {
        let last = self.state().last.filter(|_| Defence::QuestionLimit.stands());
        if let Some(last) = last {
            sleep_until(last + INTERVAL).await;
        }
        self.state().last = Some(Instant::now());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each of its fields is replaced as a whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of a question.
enum Answered {
    /// The request is judged by what the user has allowed.
    Judged(Box<Verdict>),
    /// The user declined.
    No,
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ::http::{HeaderMap, Method};

    use super::*;
    use crate::policy::samples::rules as policy;
    use crate::policy::{Context, Layers, Policy};

    /// Answers the same to all questions, and keeps their rules.
    struct Always {
        consent: Consent,
        asked: Mutex<Vec<String>>,
        open: AtomicUsize,
    }

    impl Asker for Always {
        fn ask<'a>(&'a self, question: &'a Question) -> Asked<'a> {
            Box::pin(async move {
                assert_eq!(self.open.fetch_add(1, Ordering::SeqCst), 0, "one question at a time");
                tokio::task::yield_now().await;
                self.open.fetch_sub(1, Ordering::SeqCst);
                self.asked.lock().unwrap().push(question.request.clone());
                self.consent
            })
        }
    }

    fn asking(consent: Consent) -> (Asking, Arc<Always>) {
        let asker = Arc::new(Always { consent, asked: Mutex::default(), open: AtomicUsize::new(0) });
        (Asking::new(Arc::clone(&asker) as Arc<dyn Asker>), asker)
    }

    fn attempt(path: &str) -> Attempt {
        let target = Target::Context(Context::new("prod", "shop", "prod"));
        Attempt::read(target, Method::GET, Some(&path.parse().unwrap()), &HeaderMap::new()).unwrap()
    }

    async fn judge(asking: &Asking, grant: &Grant, path: &str) -> Verdict {
        asking.judge(grant, attempt(path), pending()).await
    }

    #[tokio::test]
    async fn each_answer_allows_what_it_says() {
        for (consent, first, again) in [
            (Consent::Once, true, 2),
            (Consent::Run, true, 1),
            (Consent::Always, true, 1),
            (Consent::No, false, 1),
        ] {
            let (asking, asker) = asking(consent);
            let grant = Policy::none().grant_whole();
            let verdict = judge(&asking, &grant, "/version").await;
            assert_eq!((verdict.is_permit(), verdict.consent), (first, Some(consent)));
            assert_eq!(verdict.rule.is_some(), first);
            let verdict = judge(&asking, &grant, "/version").await;
            assert_eq!(verdict.is_permit(), first, "{consent:?}");
            assert_eq!(asker.asked.lock().unwrap().len(), again, "{consent:?}");
        }
    }

    #[tokio::test]
    async fn what_a_request_or_a_ceiling_refuses_is_not_asked() {
        let version = "{nonResourceURLs: [/version], verbs: [get]}";
        for (request, ceiling, asked) in [
            (None, None, true),
            (Some(version), None, true),
            (Some(""), None, false),
            (None, Some(version), true),
            (None, Some(""), false),
        ] {
            let component = r#"{"kind": "component", "imports": ["wasi:http/outgoing-handler@0.2.0"]}"#;
            let layers = Layers {
                request: request.map(policy),
                ceiling: ceiling.map(policy),
                ..Layers::of(policy(""))
            };
            let grant = layers.for_plugin(&serde_json::from_str(component).unwrap());
            let (asking, asker) = asking(Consent::Run);
            let verdict = judge(&asking, &grant, "/version").await;
            assert_eq!(
                (verdict.is_permit(), verdict.consent.is_some()),
                (asked, asked),
                "{request:?} {ceiling:?}"
            );
            assert_eq!(asker.asked.lock().unwrap().len(), usize::from(asked));
        }
    }

    #[tokio::test]
    async fn two_requests_at_once_are_asked_one_after_the_other_and_the_same_one_once() {
        let (asking, asker) = asking(Consent::Run);
        let grant = Policy::none().grant_whole();
        let verdicts = tokio::join!(
            judge(&asking, &grant, "/version"),
            judge(&asking, &grant, "/healthz"),
            judge(&asking, &grant, "/version"),
        );
        assert!(verdicts.0.is_permit() && verdicts.1.is_permit() && verdicts.2.is_permit());
        assert_eq!(*asker.asked.lock().unwrap(), ["get /version", "get /healthz"]);
    }

    #[tokio::test]
    async fn what_is_not_a_question_of_rules_is_not_asked() {
        let (asking, asker) = asking(Consent::Run);
        let grant = policy("").grant_whole();
        let mut headers = HeaderMap::new();
        headers.insert("impersonate-user", "x".parse().unwrap());
        let target = || Target::Context(Context::new("prod", "shop", "prod"));
        let claims =
            Attempt::read(target(), Method::GET, Some(&"/version".parse().unwrap()), &headers).unwrap();
        assert!(!asking.judge(&grant, claims, pending()).await.is_permit());
        let elsewhere = Target::Context(Context::new("other", "shop", "prod"));
        let other =
            Attempt::read(elsewhere, Method::GET, Some(&"/version".parse().unwrap()), &HeaderMap::new())
                .unwrap();
        assert!(!asking.judge(&grant, other, pending()).await.is_permit());
        // A rule for it would say more, or could not be shown.
        for path in ["/*".to_owned(), format!("/{}", "x".repeat(LONGEST))] {
            assert!(!judge(&asking, &grant, &path).await.is_permit());
        }
        assert_eq!(asker.asked.lock().unwrap().len(), 0);
    }

    #[tokio::test]
    async fn a_withdrawn_question_is_a_refusal() {
        struct Silent;
        impl Asker for Silent {
            fn ask<'a>(&'a self, _: &'a Question) -> Asked<'a> {
                Box::pin(pending())
            }
        }
        let asking = Asking::new(Arc::new(Silent));
        let grant = Policy::none().grant_whole();
        let verdict = asking.judge(&grant, attempt("/version"), tokio::task::yield_now()).await;
        assert_eq!((verdict.is_permit(), verdict.consent), (false, None));
        assert_eq!(asking.state().unanswered, 1);
    }
}
