//! The ending of an attempt.

use kube_guest::for_terminal_line;
use std::io::{self, Write};

/// Says how the attempt went, in one line, and ends the guest.
pub fn tell(verdict: Result<String, String>) -> ! {
    match verdict {
        Ok(got) => {
            let written = writeln!(io::stdout(), "done: {}", for_terminal_line(&got));
            kube_guest::finish("attempt", written)
        }
        Err(why) => {
            eprintln!("failed: {}", for_terminal_line(&why));
            kube_guest::exit(1)
        }
    }
}

/// Says how several ways to the same went, each with its name: one that got through is enough.
pub fn tell_each(ways: impl IntoIterator<Item = (String, Result<String, String>)>) -> ! {
    tell(either(ways))
}

fn either(ways: impl IntoIterator<Item = (String, Result<String, String>)>) -> Result<String, String> {
    let (mut got, mut missed) = (Vec::new(), Vec::new());
    for (way, verdict) in ways {
        match verdict {
            Ok(what) => got.push(format!("{way}: {what}")),
            Err(why) => missed.push(format!("{way}: {why}")),
        }
    }
    if got.is_empty() { Err(missed.join("; ")) } else { Ok(got.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_way_that_got_through_is_enough() {
        let way = |name: &str, verdict: Result<&str, &str>| {
            (name.to_owned(), verdict.map(str::to_owned).map_err(str::to_owned))
        };
        assert_eq!(either([way("a", Err("no")), way("b", Ok("yes"))]), Ok("b: yes".to_owned()));
        assert_eq!(either([way("a", Err("no")), way("b", Err("nor"))]), Err("a: no; b: nor".to_owned()));
    }
}
