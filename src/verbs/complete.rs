//! `kubectl_complete-NAME ARG…`: prints completions of a plugin's arguments for kubectl.
//!
//! The plugin is run as `NAME __complete ARG…`, [cobra's convention][1]: one candidate per line, optionally
//! followed by a tab and a description, and a last line `:DIRECTIVE`. The user has pressed a key and is
//! waiting: errors are not reported, and it takes two seconds at most.
//!
//! [1]: https://github.com/spf13/cobra/blob/main/site/content/completions/_index.md

use std::io::Read;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::environment::Environment;
use crate::platform::links;
use crate::reference::PluginName;

use super::{Ending, Error, print};

/// The time that a plugin may take, while a user waits who has pressed a key.
const PATIENCE: Duration = Duration::from_secs(2);

/// The largest size of the candidates in bytes.
const LONGEST: u64 = 1 << 20;

/// The answer for a plugin without completion: no candidates, and the shell may offer files.
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

/// Runs the plugin as usual, in a process of its own that can always be ended.
fn candidates(environment: &Environment, name: &PluginName, arguments: &[String]) -> Option<String> {
    let mut child = links::command(&environment.program)
        // No one is asked in the middle of a line that is being typed.
        .args(["run", "--ask=false", name.as_str(), "--", "__complete"])
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
        // No one receives the result if it is too late.
        drop(tell.send(read.map(|_| text)));
    });
    String::from_utf8(told.recv_timeout(PATIENCE).ok()?.ok()?).ok()
}

/// Returns whether a text ends with a directive, which shows that the plugin supports completion.
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
