//! argv → what to carry.

/// The usage text.
pub(crate) const USAGE: &str = "\
usage: carries exec|forward POD (--send BYTES | --receive BYTES) -- COMMAND…
       carries pattern";

#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Command {
    /// Print what is sent.
    Pattern,
    Carry(Plan),
}

/// The direction and the amount to carry.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Plan {
    pub(crate) way: Way,
    pub(crate) pod: String,
    pub(crate) direction: Direction,
    pub(crate) command: Vec<String>,
}

/// The way in which the command is reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    Exec,
    Forward,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Direction {
    Send(u64),
    Receive(u64),
}

pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Command> {
    let way = match arguments.next()?.as_str() {
        "pattern" => return arguments.next().is_none().then_some(Command::Pattern),
        "exec" => Way::Exec,
        "forward" => Way::Forward,
        _ => return None,
    };
    let pod = arguments.next()?;
    let option = arguments.next()?;
    let bytes = arguments.next()?.parse().ok()?;
    let direction = match option.as_str() {
        "--send" => Direction::Send(bytes),
        "--receive" => Direction::Receive(bytes),
        _ => return None,
    };
    if arguments.next()? != "--" {
        return None;
    }
    let command: Vec<String> = arguments.collect();
    (!command.is_empty()).then_some(Command::Carry(Plan { way, pod, direction, command }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Command> {
        parse(line.split(' ').map(str::to_owned))
    }

    #[test]
    fn a_command_follows_two_dashes() {
        let expected = Plan {
            way: Way::Forward,
            pod: "web-0".to_owned(),
            direction: Direction::Send(9),
            command: ["head", "-c", "9"].map(str::to_owned).into(),
        };
        assert_eq!(parsed("forward web-0 --send 9 -- head -c 9"), Some(Command::Carry(expected)));
        assert_eq!(parsed("pattern"), Some(Command::Pattern));
        for wrong in ["exec web-0", "exec web-0 --send x -- cat", "exec web-0 --send 9 cat", "pattern 1"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
