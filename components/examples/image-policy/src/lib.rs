//! `kwasm serve --webhook image-policy.wasm`: an admission webhook that admits only images which its rules name, by their
//! digests, and with a signature of cosign's by one of the rules' keys, which it looks up in the registry.
//!
//! What it finds that it cannot verify, it denies. It has no time limit of its own: when the webhook's time is over, the
//! `failurePolicy` decides, which should be `Fail`.

mod images;
mod judge;
mod registry;
mod rules;
mod signature;

use admission::{Admit, Request, Verdict};
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
            Ok(rules) => Ok(judge::admit(request, &rules, &mut registry::Registries::default())),
            Err(why) => {
                eprintln!("image-policy: {why}");
                Ok(Verdict::deny(format!("no image can be judged: {why}")).with_code(500))
            }
        }
    }
}

admission::export!(ImagePolicy);

/// Reads the rules that the server's arguments name.
fn rules() -> Result<Rules, Failure> {
    let arguments = Arguments::of(&COMMAND)?;
    arguments.exactly([])?;
    let text = plugin_kit::settings(&arguments, &RULES_TEXT, &RULES_FROM, KEY)?;
    Rules::read(&text).map_err(|why| Failure::message(format!("the rules: {why}")))
}
