//! Shows progress, on a terminal only, and removes it when the work is done.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::Reporter;
use crate::message::one_line;
use crate::registry::{Step, Watcher};
use crate::runtime;

/// A progress line.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Shows a download: the bytes so far, their total, and the estimated remaining time.
    pub(super) fn download(reporter: Reporter, name: &str) -> Self {
        Self::new(reporter, name, "{prefix}  [{bar:24}] {bytes}/{total_bytes}, {eta} to go")
    }

    fn new(reporter: Reporter, name: &str, template: &str) -> Self {
        if !reporter.shows_progress() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar =
            ProgressBar::no_length().with_style(style.progress_chars("=> ")).with_prefix(one_line(name));
        Self(bar)
    }
}

impl Drop for Progress {
    /// Removes the line, so that the next message, e.g. an error, begins on a line of its own.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// The progress of a compilation that takes noticeably long.
pub(super) struct Compiling<'a> {
    reporter: Reporter,
    name: &'a str,
    started: Instant,
    shown: OnceCell<Progress>,
}

/// The time after which a compilation is shown.
const PATIENCE: Duration = Duration::from_secs(1);

impl<'a> Compiling<'a> {
    pub(super) fn new(reporter: Reporter, name: &'a str) -> Self {
        Self { reporter, name, started: Instant::now(), shown: OnceCell::new() }
    }
}

impl runtime::Watcher for Compiling<'_> {
    fn compiled(&self, functions: u64, of: u64) {
        if self.started.elapsed() < PATIENCE {
            return;
        }
        let template = "{prefix}  compiling [{bar:24}] {pos}/{len} functions, {elapsed}";
        let Progress(bar) = self.shown.get_or_init(|| {
            let progress = Progress::new(self.reporter, self.name, template);
            progress.0.set_elapsed(self.started.elapsed());
            progress
        });
        bar.set_length(of);
        bar.set_position(functions);
    }
}

impl Watcher for Progress {
    fn saw(&self, step: Step) {
        let Step::Received { bytes, of } = step;
        self.0.set_length(of);
        self.0.set_position(bytes);
    }
}
