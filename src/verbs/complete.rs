//! `kubectl_complete-NAME ARG…`: kubectl asks what a plugin's arguments could go on with.
//!
//! The plugin is run as `NAME __complete ARG…`, [cobra's convention][1]: a candidate a line, with an optional tab and a
//! description behind it, and a last line `:DIRECTIVE`. Whoever waits for it has pressed a key: nothing is said about what
//! goes wrong, and it takes two seconds at most.
//!
//! [1]: https://github.com/spf13/cobra/blob/main/site/content/completions/_index.md

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::environment::Environment;
use crate::reference::PluginName;

use super::{Ending, Error, print};

/// As long as somebody waits who has pressed a key.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most bytes of candidates.
const LONGEST: u64 = 1 << 20;

/// What is answered for a plugin that knows nothing of completion: no candidates, and the shell may offer files.
const NOTHING: &str = ":0\n";

pub(super) fn complete(
    environment: &Environment,
    name: &PluginName,
    arguments: &[String],
) -> Result<Ending, Error> {
    let candidates = candidates(environment, name, arguments).unwrap_or_else(|| NOTHING.to_owned());
    print(&candidates)?;
    Ok(Ending::Done)
}

/// Runs the plugin as any other time, in a process of its own that can be ended whatever it does.
fn candidates(environment: &Environment, name: &PluginName, arguments: &[String]) -> Option<String> {
    let mut child = Command::new(&environment.program)
        .args(["run", name.as_str(), "--", "__complete"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let said = listen(&mut child);
    // One that has ended already cannot be killed; both ways it is gone then.
    drop(child.kill());
    drop(child.wait());
    said.filter(|text| is_candidates(text))
}

fn listen(child: &mut Child) -> Option<String> {
    let stdout = child.stdout.take()?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.take(LONGEST).read_to_end(&mut text);
        // Nobody listens any more when it was too late.
        drop(tell.send(read.map(|_| text)));
    });
    String::from_utf8(told.recv_timeout(PATIENCE).ok()?.ok()?).ok()
}

/// Whether a text ends with a directive, as only the answer of a plugin does that knows of completion.
fn is_candidates(text: &str) -> bool {
    let last = text.trim_end_matches('\n').rsplit('\n').next().unwrap_or_default();
    last.strip_prefix(':')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_ends_with_a_directive_is_an_answer() {
        assert!(is_candidates("secret\tdecode a secret\n:4\n"));
        assert!(is_candidates(":0"));
        for text in ["", "usage: decoder KIND NAME\n", "secret\n:x\n", ":\n", ":4\nmore\n"] {
            assert!(!is_candidates(text), "{text}");
        }
    }
}
