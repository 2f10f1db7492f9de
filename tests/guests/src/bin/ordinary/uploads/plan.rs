//! The command line.

/// The bytes to send, and where to stop.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Plan {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) chunk: usize,
    pub(crate) method: String,
    pub(crate) length: bool,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) then: Then,
    after: u64,
}

/// The step after the last byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Then {
    Finish,
    Die,
    Exit,
    Stall,
}

impl Plan {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut plan = Self {
            path: arguments.next()?,
            bytes: arguments.next()?.parse().ok()?,
            chunk: 64 * 1024,
            method: "POST".to_owned(),
            length: false,
            headers: Vec::new(),
            then: Then::Finish,
            after: u64::MAX,
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--chunk" => plan.chunk = arguments.next()?.parse().ok().filter(|chunk| *chunk > 0)?,
                "--method" => plan.method = arguments.next()?,
                "--length" => plan.length = true,
                "--header" => {
                    let header = arguments.next()?;
                    let (name, value) = header.split_once(':')?;
                    plan.headers.push((name.to_owned(), value.trim().to_owned()));
                }
                "--die-after" => (plan.then, plan.after) = (Then::Die, arguments.next()?.parse().ok()?),
                "--exit-after" => (plan.then, plan.after) = (Then::Exit, arguments.next()?.parse().ok()?),
                "--stall-after" => (plan.then, plan.after) = (Then::Stall, arguments.next()?.parse().ok()?),
                _ => return None,
            }
        }
        Some(plan)
    }

    /// Returns how many bytes are sent before the plan's end.
    pub(crate) fn stop(&self) -> u64 {
        self.bytes.min(self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Option<Plan> {
        Plan::parse(line.iter().map(|&word| word.to_owned()))
    }

    #[test]
    fn a_plan_may_stop_early() {
        let plan = parse(&["/p", "100", "--length", "--die-after", "40"]).unwrap();
        assert_eq!((plan.stop(), plan.then, plan.length), (40, Then::Die, true));
        assert_eq!(parse(&["/p", "100"]).unwrap().stop(), 100);
    }

    #[test]
    fn what_says_no_plan_is_a_usage_error() {
        for line in [&["/p"][..], &["/p", "x"], &["/p", "1", "--chunk", "0"], &["/p", "1", "2"]] {
            assert_eq!(parse(line), None, "{line:?}");
        }
    }
}
