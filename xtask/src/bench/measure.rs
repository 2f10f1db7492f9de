//! Samples, what they say, and their table.

use std::time::Duration;

/// Times of one side of a row, sorted.
#[derive(Debug)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    /// The time that a part of all samples (0 to 1) does not exceed, by the nearest rank; zero without samples.
    pub(crate) fn quantile(&self, part: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "a rank among some thousand samples"
        )]
        let rank = (last as f64 * part.clamp(0.0, 1.0)).round() as usize;
        self.0.get(rank).copied().unwrap_or_default()
    }
}

/// One line of the table: a time of kwasm's against its peer's.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) row: String,
    pub(crate) peer: &'static str,
    pub(crate) ours: Figure,
    pub(crate) theirs: Figure,
    /// The greatest ratio that is good enough.
    pub(crate) bar: f64,
}

/// A time, and the quarter and three-quarter marks of the samples it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    time: Duration,
    low: Duration,
    high: Duration,
}

impl Figure {
    pub(crate) fn new(samples: &Samples, part: f64) -> Self {
        Self { time: samples.quantile(part), low: samples.quantile(0.25), high: samples.quantile(0.75) }
    }

    fn shown(&self) -> String {
        format!("{} [{}–{}]", milliseconds(self.time), milliseconds(self.low), milliseconds(self.high))
    }
}

impl Line {
    /// The median of each side's samples.
    pub(crate) fn of_medians(
        row: &str,
        peer: &'static str,
        ours: &Samples,
        theirs: &Samples,
        bar: f64,
    ) -> Self {
        Self {
            row: row.to_owned(),
            peer,
            ours: Figure::new(ours, 0.5),
            theirs: Figure::new(theirs, 0.5),
            bar,
        }
    }

    pub(crate) fn ratio(&self) -> f64 {
        self.ours.time.as_secs_f64() / self.theirs.time.as_secs_f64()
    }

    pub(crate) fn passes(&self) -> bool {
        self.ratio() <= self.bar
    }
}

/// Prints all lines as a table.
pub(crate) fn print(lines: &[Line]) {
    println!(
        "{:16}  {:26}  {:26}  {:>6}  {:>6}  {:4}  peer",
        "row", "kwasm ms [quartiles]", "peer ms [quartiles]", "ratio", "bar", ""
    );
    for line in lines {
        println!(
            "{:16}  {:26}  {:26}  {:>6.2}  {:>6}  {:4}  {}",
            line.row,
            line.ours.shown(),
            line.theirs.shown(),
            line.ratio(),
            format!("≤{:.2}", line.bar),
            if line.passes() { "pass" } else { "FAIL" },
            line.peer
        );
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(milliseconds: impl IntoIterator<Item = u64>) -> Samples {
        Samples::new(milliseconds.into_iter().map(Duration::from_millis).collect())
    }

    #[test]
    fn quantiles_are_samples() {
        let all = samples((1..=101).rev());
        assert_eq!(all.quantile(0.5), Duration::from_millis(51));
        assert_eq!(all.quantile(0.0), Duration::from_millis(1));
        assert_eq!(all.quantile(0.99), Duration::from_millis(100));
        assert_eq!(all.quantile(1.0), Duration::from_millis(101));
    }

    #[test]
    fn a_row_passes_up_to_its_bar() {
        let line = |ours| Line::of_medians("x", "y", &samples([ours]), &samples([100]), 0.75);
        assert!(line(75).passes());
        assert!(!line(76).passes());
    }
}
