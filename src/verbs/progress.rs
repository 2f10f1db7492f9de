//! Shows how far something is: on a terminal only, and gone when it is done.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Voice, one_line};
use crate::registry::{Step, Watcher};

/// A line that moves.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of a download: how much is here, of how much, and how long the rest will take.
    pub(super) fn download(voice: Voice, name: &str) -> Self {
        Self::new(voice, name, "{prefix}  [{bar:24}] {bytes}/{total_bytes}, {eta} to go")
    }

    /// Of a compilation, of which nobody knows how long it takes.
    pub(super) fn compile(voice: Voice, name: &str, bytes: u64) -> Self {
        let progress = Self::new(voice, name, "{prefix}  compiling {total_bytes} {spinner} {elapsed}");
        progress.0.set_length(bytes);
        progress.0.enable_steady_tick(Duration::from_millis(100));
        progress
    }

    fn new(voice: Voice, name: &str, template: &str) -> Self {
        if !voice.shows_progress() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar =
            ProgressBar::no_length().with_style(style.progress_chars("=> ")).with_prefix(one_line(name));
        Self(bar)
    }
}

impl Drop for Progress {
    /// Takes the line away: whatever is said next, of an error say, begins on a line of its own.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Watcher for Progress {
    fn saw(&self, step: Step) {
        let Step::Received { bytes, of } = step;
        self.0.set_length(of);
        self.0.set_position(bytes);
    }
}
