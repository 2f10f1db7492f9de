//! The command line of a guest.

use std::str::FromStr;

/// The arguments on the command line. An unknown argument ends the guest with 2 and its usage.
#[derive(Debug)]
pub struct Arguments {
    usage: &'static str,
    given: Vec<String>,
}

impl Arguments {
    /// Returns the guest's arguments. `usage` is its name with what it takes.
    #[must_use]
    pub fn of(usage: &'static str) -> Self {
        Self { usage, given: std::env::args().skip(1).collect() }
    }

    /// Returns whether `--name` is among them.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.given.len();
        self.given.retain(|argument| argument != name);
        self.given.len() < before
    }

    /// Returns the value that follows `--name`, if that is among them.
    pub fn option(&mut self, name: &str) -> Option<String> {
        let at = self.given.iter().position(|argument| argument == name)?;
        if at + 1 == self.given.len() {
            wrong(self.usage)
        }
        self.given.drain(at..at + 2).nth(1)
    }

    /// Returns the rest, with a default for each missing one.
    #[must_use]
    pub fn values<const N: usize>(self, defaults: [&str; N]) -> [String; N] {
        let usage = self.usage;
        let mut given = self.all();
        if given.len() > N {
            wrong(usage)
        }
        let missing = defaults.iter().skip(given.len()).map(|&default| default.to_owned());
        given.extend(missing.collect::<Vec<_>>());
        given.try_into().unwrap_or_else(|_| wrong(usage))
    }

    /// Returns the rest, which is one argument that has no default.
    #[must_use]
    pub fn value(self) -> String {
        let usage = self.usage;
        let [value] = self.values([""]);
        if value.is_empty() { wrong(usage) } else { value }
    }

    /// Returns the rest, which is one number at most.
    #[must_use]
    pub fn number<T: FromStr>(self, default: &str) -> T {
        let usage = self.usage;
        let [number] = self.values([default]);
        number.parse().unwrap_or_else(|_| wrong(usage))
    }

    /// Returns the rest, however many.
    #[must_use]
    pub fn all(self) -> Vec<String> {
        if self.given.iter().any(|argument| argument.starts_with("--")) {
            wrong(self.usage)
        }
        self.given
    }

    /// Ends the guest as one that was not called as it should be.
    pub fn wrong(self) -> ! {
        wrong(self.usage)
    }
}

fn wrong(usage: &str) -> ! {
    eprintln!("usage: {usage}");
    kube_guest::exit(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(line: &[&str]) -> Arguments {
        Arguments { usage: "x", given: line.iter().map(|&word| word.to_owned()).collect() }
    }

    #[test]
    fn what_is_not_given_has_its_default() {
        assert_eq!(given(&[]).values(["a", "b"]), ["a", "b"]);
        assert_eq!(given(&["c"]).values(["a", "b"]), ["c", "b"]);
        assert_eq!(given(&["7"]).number::<u8>("5"), 7);
    }

    #[test]
    fn flags_and_options_may_stand_anywhere() {
        let mut arguments = given(&["--busy", "3", "--header", "x"]);
        assert!(arguments.flag("--busy") && !arguments.flag("--idle"));
        assert_eq!(arguments.option("--header").as_deref(), Some("x"));
        assert_eq!(arguments.option("--header"), None);
        assert_eq!(arguments.value(), "3");
    }
}
