//! `kwasm serve --webhook image-policy.wasm`: an admission webhook that admits only images which its rules name, by their
//! digests, and with a signature of cosign's by one of the rules' keys, which it looks up in the registry.
//!
//! What it cannot verify, it denies, and so it does with what is not verified in 70 % of the time that the API server says that
//! it waits. What never comes to its judgement (a review for which there is no room, rules that an API server is slow to give),
//! the webhook's `failurePolicy` decides about, which should be `Fail`.

mod deadline;
mod fetch;
mod images;
mod judge;
mod registry;
mod rules;
mod signature;

use std::cell::Cell;

use admission::wasip2::exports::http::incoming_handler::Guest;
use admission::wasip2::http::types::{IncomingRequest, ResponseOutparam};
use admission::{Admit, Request, Verdict};
use deadline::Deadline;
use plugin_kit::{Arguments, Command, Failure, Flag};
use rules::Rules;

/// The key of a `ConfigMap` that has rules.
const KEY: &str = "rules.yaml";

static RULES_TEXT: Flag =
    Flag::text("rules-text", None, "YAML", "the rules themselves, as in \"$(cat rules.yaml)\"");

static RULES_FROM: Flag =
    Flag::text("rules-from", None, "NS/NAME", "the rules of a ConfigMap, key rules.yaml");

static COMMAND: Command = Command {
    name: "image-policy",
    version: env!("CARGO_PKG_VERSION"),
    about: "Admits images by their registries, digests and signatures.",
    usage: &["--rules-text YAML", "--rules-from NAMESPACE/NAME"],
    flags: &[&RULES_TEXT, &RULES_FROM],
    notes: "",
    complete: None,
};

struct ImagePolicy;

impl Admit for ImagePolicy {
    fn admit(request: &Request) -> Result<Verdict, String> {
        match rules() {
            Ok(rules) => Ok(judge::admit(request, &rules, &mut registry::Registries::until(DEADLINE.get()))),
            Err(why) => {
                eprintln!("image-policy: {why}");
                Ok(Verdict::deny(format!("no image can be judged: {why}")).with_code(500))
            }
        }
    }
}

thread_local! {
    /// The end of the review that is judged: an instance judges one at a time, and `Admit` hears of the review alone, where the
    /// time is in the request's query.
    static DEADLINE: Cell<Deadline> = Cell::new(Deadline::of(""));
}

struct Handler;

impl Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        DEADLINE.set(Deadline::of(&request.path_with_query().unwrap_or_default()));
        admission::handle::<ImagePolicy>(&request.into(), out.into());
    }
}

admission::wasip2::http::proxy::export!(Handler with_types_in admission::wasip2);

/// Reads the rules that the server's arguments name.
fn rules() -> Result<Rules, Failure> {
    let arguments = Arguments::of(&COMMAND)?;
    arguments.exactly([])?;
    let text = plugin_kit::settings(&arguments, &RULES_TEXT, &RULES_FROM, KEY)?;
    Rules::read(&text).map_err(|why| Failure::message(format!("the rules: {why}")))
}
