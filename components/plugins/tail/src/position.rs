//! The place in a log up to which it was shown, so that another request goes on there.

/// The bytes of a time up to its second: `2026-01-01T00:00:00`.
const SECOND: usize = 19;

/// The place in a log. The server's `sinceTime` is exact to the second, so that the lines of the last second are sent again,
/// of which those shown already are left out. They are counted, since many may have the same time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Position {
    /// The time of the first line: what is older was not asked for.
    first: String,
    /// The time of the last line.
    last: String,
    /// The number of lines in the last line's second.
    count: u64,
    /// The number of lines that were sent again so far; `None` if nothing is sent again.
    again: Option<u64>,
}

/// Returns the time at the beginning of a line, and what follows it; the time is `None` if there is none, as in a message of the
/// kubelet itself.
pub(crate) fn split(line: &[u8]) -> (Option<&str>, &[u8]) {
    let shaped = line.len() > SECOND
        && (line[4], line[10], line[16]) == (b'-', b'T', b':')
        && [0, 5, 11, 17, 18].iter().all(|digit| line[*digit].is_ascii_digit());
    if !shaped {
        return (None, line);
    }
    // The kubelet writes times of one length, in UTC.
    let end = if line.get(30) == Some(&b' ') {
        30
    } else {
        match line.iter().take(40).position(|byte| *byte == b' ') {
            Some(end) => end,
            // An empty line may have lost the space after its time.
            None if line.len() <= 36 => line.len(),
            None => return (None, line),
        }
    };
    match str::from_utf8(&line[..end]) {
        Ok(time) if time.is_ascii() => (Some(time), line.get(end + 1..).unwrap_or_default()),
        _ => (None, line),
    }
}

impl Position {
    /// Returns whether nothing was shown.
    pub(crate) fn is_start(&self) -> bool {
        self.last.is_empty()
    }

    /// Returns the time from which on the log is asked for again, to the second.
    pub(crate) fn since(&self) -> String {
        let zone = self.last.find(['Z', '+']).or_else(|| self.last.rfind('-').filter(|at| *at > SECOND));
        let zone = zone.map_or("Z", |at| &self.last[at..]);
        format!("{}{zone}", second(&self.last))
    }

    /// Begins a log that is sent from [`Position::since`] on.
    pub(crate) fn resume(&mut self) {
        self.again = if self.is_start() { None } else { Some(0) };
    }

    /// Takes note of the next line's time, and returns whether the line is a new one.
    pub(crate) fn is_new(&mut self, time: &str) -> bool {
        let same = second(time) == second(&self.last);
        if let Some(again) = self.again {
            if same && time < self.first.as_str() {
                return false;
            }
            if same && again < self.count && time <= self.last.as_str() {
                self.again = Some(again + 1);
                return false;
            }
            self.again = None;
        }
        if same {
            self.count += 1;
            // Two streams of a container may be out of order within a second.
            if time > self.last.as_str() {
                self.set_last(time);
            }
        } else if self.is_later(time) {
            self.count = 1;
            if self.is_start() {
                time.clone_into(&mut self.first);
            }
            self.set_last(time);
        }
        true
    }

    fn set_last(&mut self, time: &str) {
        self.last.clear();
        self.last.push_str(time);
    }

    /// Returns whether a time is after the last one. Times of another zone cannot be compared, and are taken for later ones.
    fn is_later(&self, time: &str) -> bool {
        let zone = |time: &str| time.rfind(['Z', '+', '-']).map_or(String::new(), |at| time[at..].to_owned());
        time > self.last.as_str() || zone(time) != zone(&self.last)
    }
}

fn second(time: &str) -> &str {
    time.get(..SECOND).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u32, nanos: u32) -> String {
        format!("2026-01-01T00:00:{second:02}.{nanos:09}Z")
    }

    fn shown(position: &mut Position, times: &[String]) -> Vec<bool> {
        times.iter().map(|time| position.is_new(time)).collect()
    }

    #[test]
    fn a_line_has_its_time_first() {
        let time = at(1, 2);
        assert_eq!(split(format!("{time} a b").as_bytes()), (Some(time.as_str()), &b"a b"[..]));
        assert_eq!(split(format!("{time} ").as_bytes()), (Some(time.as_str()), &b""[..]));
        assert_eq!(split(time.as_bytes()), (Some(time.as_str()), &b""[..]));
        let short = "2026-01-01T00:00:00.5+01:00";
        assert_eq!(split(format!("{short} x").as_bytes()), (Some(short), &b"x"[..]));
    }

    #[test]
    fn a_message_without_a_time_stays_whole() {
        for line in
            ["unable to retrieve container logs for containerd://0123", "", "x", "2026-01-01Txx:xx: \u{fc}"]
        {
            assert_eq!(split(line.as_bytes()), (None, line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn what_is_sent_again_is_not_shown_again() {
        let log = [at(1, 0), at(1, 5), at(2, 1), at(2, 1), at(2, 3)];
        let mut position = Position::default();
        assert_eq!(shown(&mut position, &log), [true; 5]);
        assert_eq!(position.since(), "2026-01-01T00:00:02Z");
        for _ in 0..3 {
            position.resume();
            assert_eq!(shown(&mut position, &log[2..]), [false; 3]);
        }
        position.resume();
        let more = [log[2..].to_vec(), vec![at(2, 3), at(3, 0)]].concat();
        assert_eq!(shown(&mut position, &more), [false, false, false, true, true]);
    }

    #[test]
    fn a_break_amid_what_is_sent_again_loses_nothing() {
        let log = [at(1, 0), at(1, 0), at(1, 0), at(1, 0)];
        let mut position = Position::default();
        assert_eq!(shown(&mut position, &log[..3]), [true; 3]);
        position.resume();
        assert_eq!(shown(&mut position, &log[..1]), [false]);
        position.resume();
        assert_eq!(shown(&mut position, &log), [false, false, false, true]);
    }

    #[test]
    fn what_is_older_than_the_first_line_was_not_asked_for() {
        // As with --tail 2, in a second with four lines.
        let log = [at(1, 1), at(1, 2), at(1, 3), at(1, 4), at(1, 5)];
        let mut position = Position::default();
        assert_eq!(shown(&mut position, &log[2..4]), [true; 2]);
        position.resume();
        assert_eq!(shown(&mut position, &log), [false, false, false, false, true]);
    }

    #[test]
    fn a_log_that_was_rotated_has_only_new_lines() {
        let mut position = Position::default();
        assert_eq!(shown(&mut position, &[at(1, 1), at(1, 2)]), [true; 2]);
        position.resume();
        assert_eq!(shown(&mut position, &[at(1, 3), at(1, 4)]), [true; 2]);
    }

    #[test]
    fn lines_out_of_order_are_counted() {
        let log = [at(1, 2), at(1, 1), at(2, 0), at(1, 9), at(2, 2), at(2, 1)];
        let mut position = Position::default();
        assert_eq!(shown(&mut position, &log), [true; 6]);
        position.resume();
        let again = [at(2, 0), at(2, 2), at(2, 1), at(2, 1)];
        assert_eq!(shown(&mut position, &again), [false, false, false, true]);
    }

    #[test]
    fn the_zone_is_kept() {
        let mut position = Position::default();
        assert!(position.is_new("2026-01-01T00:00:01.000000001-05:00"));
        assert_eq!(position.since(), "2026-01-01T00:00:01-05:00");
        assert!(position.is_new("2026-01-01T00:00:00.000000001-06:00"));
        assert_eq!(position.since(), "2026-01-01T00:00:00-06:00");
    }
}
