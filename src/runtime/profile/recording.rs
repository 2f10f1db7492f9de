//! The samples of a run, and the file that they become.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use wasmtime::FrameInfo;

use super::firefox::{Profile, Samples};
use crate::inspect;

/// The largest number of calls in a sample, the innermost ones.
pub(in super::super) const CALLS: usize = 512;

/// The largest number of samples: more than a quarter of an hour of computing.
const SAMPLES: usize = 1_000_000;

/// The largest number of distinct stacks, each a function called from another such stack. A program has some ten
/// thousand.
const STACKS: usize = 500_000;

/// The samples of a run.
pub(super) struct Recording {
    began: Instant,
    date: SystemTime,
    functions: Vec<Function>,
    /// The functions of each number. Several modules may have a function of the same number.
    numbers: HashMap<u32, Vec<usize>>,
    stacks: Vec<Stack>,
    known: HashMap<Stack, usize>,
    samples: Vec<Sample>,
}

/// A function, of any of the plugin's modules.
struct Function {
    index: u32,
    name: Option<String>,
}

/// A function that was called from another stack.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
struct Stack {
    caller: Option<usize>,
    /// The function; `None` for callers that are left out.
    function: Option<usize>,
}

struct Sample {
    stack: Option<usize>,
    time: Duration,
}

impl Recording {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            date: SystemTime::now(),
            functions: Vec::new(),
            numbers: HashMap::new(),
            stacks: Vec::new(),
            known: HashMap::new(),
            samples: Vec::new(),
        }
    }

    /// Sets the time from which samples are counted.
    pub(super) fn begin(&mut self) {
        (self.began, self.date) = (Instant::now(), SystemTime::now());
    }

    pub(super) fn samples(&self) -> usize {
        self.samples.len()
    }

    /// Returns whether no more samples are kept.
    pub(super) fn is_full(&self) -> bool {
        self.samples.len() >= SAMPLES || self.stacks.len() >= STACKS
    }

    /// Adds a sample: the calls under way, the innermost first.
    pub(super) fn add(&mut self, calls: &[FrameInfo]) {
        let time = self.began.elapsed();
        let mut stack = (calls.len() >= CALLS).then(|| self.stack(Stack { caller: None, function: None }));
        for call in calls.iter().rev() {
            let function = Some(self.function(call.func_index(), call.func_name()));
            stack = Some(self.stack(Stack { caller: stack, function }));
        }
        self.samples.push(Sample { stack, time });
    }

    fn function(&mut self, index: u32, name: Option<&str>) -> usize {
        let same = self.numbers.entry(index).or_default();
        if let Some(known) = same.iter().find(|known| self.functions[**known].name.as_deref() == name) {
            return *known;
        }
        self.functions.push(Function { index, name: name.map(str::to_owned) });
        same.push(self.functions.len() - 1);
        self.functions.len() - 1
    }

    fn stack(&mut self, stack: Stack) -> usize {
        *self.known.entry(stack).or_insert_with(|| {
            self.stacks.push(stack);
            self.stacks.len() - 1
        })
    }

    /// Returns the file for the profiler, or `None` if it cannot be written.
    pub(super) fn write(self, plugin: &str, interval: Duration) -> Option<Vec<u8>> {
        let end = self.began.elapsed();
        let (mut samples, mut before) = (Samples::default(), Duration::ZERO);
        for Sample { stack, time } in &self.samples {
            let since = time.saturating_sub(before);
            // Between samples that are further apart it was in the host, mostly waiting.
            samples.add(*stack, since, since.min(interval));
            before = *time;
        }
        let (names, functions) = self.names();
        // The name after the last function's.
        let left_out = names.len() - 1;
        let profile = Profile {
            name: plugin,
            date: self.date,
            interval,
            end,
            names,
            callers: self.stacks.iter().map(|stack| stack.caller).collect(),
            functions: self
                .stacks
                .iter()
                .map(|stack| stack.function.map_or(left_out, |function| functions[function]))
                .collect(),
            samples,
        };
        profile.write()
    }

    /// Returns each name once, and of each function the number of its name. The last name is that of callers that are
    /// left out.
    fn names(&self) -> (Vec<String>, Vec<usize>) {
        let (mut names, mut known) = (Vec::new(), HashMap::new());
        let mut functions = Vec::with_capacity(self.functions.len());
        for Function { index, name } in &self.functions {
            let name = match name {
                Some(name) => inspect::readable(name),
                None => format!("function {index}"),
            };
            functions.push(*known.entry(name.clone()).or_insert_with(|| {
                names.push(name);
                names.len() - 1
            }));
        }
        names.push("(callers that are left out)".to_owned());
        (names, functions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_and_stacks_are_kept_once() {
        let mut recording = Recording::new();
        let (a, b) = (recording.function(1, Some("a")), recording.function(1, Some("b")));
        let unnamed = recording.function(1, None);
        assert_eq!([a, b, unnamed], [0, 1, 2]);
        assert_eq!(recording.function(1, Some("b")), b);
        let bottom = recording.stack(Stack { caller: None, function: Some(a) });
        let top = recording.stack(Stack { caller: Some(bottom), function: Some(b) });
        assert_ne!(top, bottom);
        assert_eq!(recording.stack(Stack { caller: Some(bottom), function: Some(b) }), top);
    }

    #[test]
    fn names_in_the_file_are_those_of_the_source() {
        let mut recording = Recording::new();
        for name in ["_RNvC7podtool4list", "\u{1b}[2J\"\n", "x"] {
            let function = Some(recording.function(1, Some(name)));
            let stack = Some(recording.stack(Stack { caller: None, function }));
            recording.samples.push(Sample { stack, time: Duration::from_millis(1) });
        }
        let json = recording.write("podtool", Duration::from_millis(1)).unwrap();
        let profile: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let thread = &profile["threads"][0];
        assert_eq!(thread["samples"]["length"], 3);
        let strings = thread["stringArray"].as_array().unwrap();
        assert!(strings.contains(&"podtool::list".into()), "{strings:?}");
        assert!(!String::from_utf8(json).unwrap().contains('\u{1b}'));
    }
}
