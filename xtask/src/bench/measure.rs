//! Samples, their statistics, and the table of results.

use std::time::Duration;

use anyhow::Result;

/// The durations of one side of a row, sorted.
#[derive(Debug)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    /// Returns the duration that a part of all samples (0 to 1) does not exceed, by the nearest rank; zero
    /// without samples.
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

/// Measures both sides in turn, so that other load on the machine affects both alike.
pub(crate) fn interleaved(
    runs: usize,
    mut ours: impl FnMut() -> Result<Duration>,
    mut theirs: impl FnMut() -> Result<Duration>,
) -> Result<(Samples, Samples)> {
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for run in 0..runs {
        // Neither always runs after the other.
        if run % 2 == 0 {
            our_times.push(ours()?);
            their_times.push(theirs()?);
        } else {
            their_times.push(theirs()?);
            our_times.push(ours()?);
        }
    }
    Ok((Samples::new(our_times), Samples::new(their_times)))
}

/// A line of the table: one of kwasm's figures and its peer's.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) row: String,
    pub(crate) peer: &'static str,
    pub(crate) ours: Figure,
    pub(crate) theirs: Figure,
    pub(crate) bar: Bar,
}

/// The required ratio of the two figures.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bar {
    /// An upper bound, for times and memory.
    AtMost(f64),
    /// A lower bound, for throughput.
    AtLeast(f64),
}

/// A figure, with the first and third quartiles of its samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    value: f64,
    low: f64,
    high: f64,
    unit: &'static str,
}

impl Figure {
    /// Returns a duration.
    pub(crate) fn time(samples: &Samples, part: f64) -> Self {
        let [value, low, high] = [part, 0.25, 0.75].map(|part| samples.quantile(part).as_secs_f64() * 1000.0);
        Self { value, low, high, unit: "ms" }
    }

    /// Returns one duration, without a spread.
    pub(crate) fn of(time: Duration) -> Self {
        Self::time(&Samples::new(vec![time]), 0.5)
    }

    /// Returns how often something is done in a second.
    pub(crate) fn rate(rates: &[f64]) -> Self {
        let mut rates = rates.to_vec();
        rates.sort_by(f64::total_cmp);
        let at = |quarter: usize| rates.get(rates.len() * quarter / 4).copied().unwrap_or_default();
        Self { value: at(2), low: at(1), high: at(3), unit: "/s" }
    }

    /// Returns the throughput for this number of bytes.
    pub(crate) fn throughput(samples: &Samples, bytes: u64) -> Self {
        // The slowest are the slowest by the longest times.
        let [value, low, high] = [0.5, 0.75, 0.25].map(|part| {
            let time = samples.quantile(part);
            millions(bytes) / time.as_secs_f64()
        });
        Self { value, low, high, unit: "MB/s" }
    }

    /// Returns an amount of memory.
    pub(crate) fn memory(bytes: u64) -> Self {
        let value = millions(bytes) * 1e6 / f64::from(1 << 20);
        Self { value, low: value, high: value, unit: "MiB" }
    }

    fn shown(&self) -> String {
        let Self { value, low, high, unit } = self;
        format!("{value:.2} {unit} [{low:.2}–{high:.2}]")
    }
}

#[expect(clippy::cast_precision_loss, reason = "some gibibytes at most")]
fn millions(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

impl Line {
    /// Compares the medians of both sides' durations.
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
            ours: Figure::time(ours, 0.5),
            theirs: Figure::time(theirs, 0.5),
            bar: Bar::AtMost(bar),
        }
    }

    /// Compares kwasm's memory beyond that of an idle run with its limit.
    pub(crate) fn of_memory(row: &str, took: u64) -> Self {
        Self {
            row: row.to_owned(),
            peer: "what it may take over an idle run",
            ours: Figure::memory(took),
            theirs: Figure::memory(64 << 20),
            bar: Bar::AtMost(1.0),
        }
    }

    pub(crate) fn ratio(&self) -> f64 {
        self.ours.value / self.theirs.value
    }

    pub(crate) fn passes(&self) -> bool {
        match self.bar {
            Bar::AtMost(most) => self.ratio() <= most,
            Bar::AtLeast(least) => self.ratio() >= least,
        }
    }
}

/// Prints all lines as a table.
pub(crate) fn print(lines: &[Line]) {
    println!(
        "{:24}  {:29}  {:29}  {:>6}  {:>6}  {:4}  peer",
        "row", "kwasm [quartiles]", "peer [quartiles]", "ratio", "bar", ""
    );
    for line in lines {
        let bar = match line.bar {
            Bar::AtMost(most) => format!("≤{most:.2}"),
            Bar::AtLeast(least) => format!("≥{least:.2}"),
        };
        println!(
            "{:24}  {:29}  {:29}  {:>6.2}  {bar:>6}  {:4}  {}",
            line.row,
            line.ours.shown(),
            line.theirs.shown(),
            line.ratio(),
            if line.passes() { "pass" } else { "FAIL" },
            line.peer
        );
    }
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

    #[test]
    fn throughput_is_the_better_the_shorter_the_time() {
        let of = |time| Figure::throughput(&samples([time]), 100_000_000);
        assert_eq!(of(1000).shown(), "100.00 MB/s [100.00–100.00]");
        let line = |ours| Line {
            row: "x".to_owned(),
            peer: "y",
            ours: of(ours),
            theirs: of(100),
            bar: Bar::AtLeast(0.8),
        };
        assert!(line(125).passes());
        assert!(!line(126).passes());
    }

    #[test]
    fn the_sides_take_turns_at_being_first() {
        let order = std::cell::RefCell::new(String::new());
        let side = |letter| {
            order.borrow_mut().push(letter);
            Ok(Duration::ZERO)
        };
        interleaved(3, || side('o'), || side('t')).unwrap();
        assert_eq!(order.into_inner(), "ottoot");
    }
}
