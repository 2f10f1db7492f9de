//! Steps, their results and durations.

use std::time::{Duration, Instant};

use anyhow::Result;

/// The steps of one command, in order.
#[derive(Debug, Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: String,
    took: Duration,
    end: End,
}

#[derive(Debug)]
enum End {
    Good,
    /// Cannot be done on this machine.
    Unavailable,
    Failed(String),
}

impl Report {
    /// Runs a step that the following ones need.
    ///
    /// # Errors
    /// The error of the step.
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let (took, result) = timed(name, work);
        self.push(name, took, result.as_ref().err().map_or(End::Good, failed));
        result
    }

    /// Runs a step that the following ones do not need, and reports an error at once.
    pub(crate) fn check(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        let (took, result) = timed(name, work);
        if let Err(error) = &result {
            eprintln!("{name}: {error:#}");
        }
        self.push(name, took, result.as_ref().err().map_or(End::Good, failed));
    }

    /// Runs a step that not every machine supports, and returns the reason if it fails.
    pub(crate) fn attempt(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> Option<anyhow::Error> {
        let (took, result) = timed(name, work);
        self.push(name, took, if result.is_ok() { End::Good } else { End::Unavailable });
        result.err()
    }

    fn push(&mut self, name: &str, took: Duration, end: End) {
        self.steps.push(Step { name: name.to_owned(), took, end });
    }

    pub(crate) fn failed(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.end, End::Failed(_)))
    }

    /// Prints the table of all steps.
    pub(crate) fn print(&self) {
        eprintln!();
        let width = self.steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
        for step in &self.steps {
            let end = match &step.end {
                End::Good => "ok",
                End::Unavailable => "not available",
                End::Failed(why) => &format!("FAILED: {why}"),
            };
            eprintln!("{:width$}  {:>8}  {end}", step.name, seconds(step.took));
        }
        let total: Duration = self.steps.iter().map(|step| step.took).sum();
        eprintln!("{:width$}  {:>8}", "total", seconds(total));
    }
}

/// Prints the title of the next part.
pub(crate) fn title(name: &str) {
    eprintln!("\n── {name} ──");
}

fn timed<T>(name: &str, work: impl FnOnce() -> T) -> (Duration, T) {
    title(name);
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn failed(error: &anyhow::Error) -> End {
    let text = error.to_string();
    End::Failed(text.lines().next().unwrap_or_default().to_owned())
}
