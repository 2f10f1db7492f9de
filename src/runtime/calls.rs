//! The calls of a plugin that were under way when it was stopped, as its author reads them.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use wasmtime::{FrameInfo, Module, WasmBacktrace};

use super::code::Code;
use crate::inspect::{self, Line};
use crate::message::Message;
use crate::store::Plugin;

/// The largest number of calls that are looked at, the innermost ones.
pub(super) const CALLS: usize = 64;

/// The time for reading names and source lines. Only broken ones take longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The number of calls in a message of one line.
const SHORT: usize = 3;

/// The longest path of a source file that is shown whole, in characters.
const PATH: usize = 200;

/// The reason why a plugin trapped.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trap {
    /// The cause.
    pub cause: String,
    /// The calls under way.
    pub calls: Calls,
    /// Whether all calls are shown beside it.
    is_shown: bool,
}

/// The calls under way, the innermost first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Calls(Vec<Call>);

/// A call.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Call {
    /// The function's name, if the plugin has one for it.
    name: Option<String>,
    /// The number of the function in its module.
    index: u32,
    /// The offset of the instruction in the plugin.
    offset: Option<usize>,
    /// The instruction's source line.
    place: Option<String>,
}

/// Where the code of each library of a plugin lies in memory, and at which offset in the plugin it begins.
#[derive(Debug, Default)]
pub(super) struct Origins(Vec<(usize, usize)>);

impl Origins {
    pub(super) fn of(code: &Code) -> Self {
        Self(code.libraries.iter().map(|library| (address(&library.module), library.start)).collect())
    }

    /// Returns the offset in the plugin of the instruction at which a call is.
    fn offset(&self, frame: &FrameInfo) -> Option<usize> {
        // wasmtime counts from the beginning of what it compiled.
        let module = address(frame.module());
        let start = self.0.iter().find(|(address, _)| *address == module).map_or(0, |(_, start)| *start);
        Some(start + frame.module_offset()?)
    }
}

fn address(module: &Module) -> usize {
    module.image_range().start.addr()
}

impl Trap {
    /// Returns a trap without calls.
    #[must_use]
    pub fn plain(cause: impl Into<String>) -> Self {
        Self::new(cause.into(), Calls::default())
    }

    pub(super) fn new(cause: String, calls: Calls) -> Self {
        Self { cause, calls, is_shown: false }
    }

    /// Returns the trap with its calls as the plugin's author reads them. If `is_shown`, all of them are shown beside
    /// it, so that its report does not mention how to see them.
    #[must_use]
    pub fn resolved(self, plugin: &Plugin, is_shown: bool) -> Self {
        Self { calls: self.calls.resolved(plugin), is_shown, ..self }
    }

    /// Returns what the user reads of it.
    #[must_use]
    pub fn report(&self) -> Message {
        let cause = format!("the plugin trapped: {}", self.cause);
        let (text, is_whole) = match self.calls.summary() {
            Some((summary, is_whole)) => (format!("{cause}: {summary}"), is_whole),
            // Without any name they are of no use to most.
            None => (cause, self.calls.0.iter().all(|call| call.name.is_none())),
        };
        let hint = "kwasm run -v shows all calls that were under way";
        Message { text, hint: (!is_whole && !self.is_shown).then(|| hint.to_owned()) }
    }
}

impl Calls {
    /// Returns the calls that were under way at an error, with the names that the plugin has for them.
    pub(super) fn at(error: &wasmtime::Error, origins: &Origins) -> Self {
        let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return Self::default() };
        let calls = trace.frames().iter().take(CALLS).map(|frame| Call {
            name: frame.func_name().map(str::to_owned),
            index: frame.func_index(),
            offset: origins.offset(frame),
            place: None,
        });
        Self(calls.collect())
    }

    /// Returns the calls with names as in the source, and with source lines if the plugin has DWARF.
    #[must_use]
    pub fn resolved(self, plugin: &Plugin) -> Self {
        if self.0.is_empty() {
            return self;
        }
        let (calls, plugin) = (self.0, plugin.clone());
        let unresolved = calls.iter().map(|call| Call { name: None, ..call.clone() }).collect();
        Self(within(PATIENCE, move || resolve(calls, &plugin)).unwrap_or(unresolved))
    }

    /// Returns a line for each function that was called, the innermost first.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<(String, usize)> = Vec::new();
        for text in self.0.iter().map(Call::shown) {
            match lines.last_mut() {
                Some((last, times)) if *last == text => *times += 1,
                _ => lines.push((text, 1)),
            }
        }
        let shown = lines.into_iter().enumerate().map(|(number, (text, times))| match times {
            1 => format!("call {number}: {text}"),
            times => format!("call {number}: {text}, {times} times"),
        });
        shown.collect()
    }

    /// Returns the innermost calls of the plugin's own functions, on one line, and whether these are all calls.
    /// `None` if none of them has a name.
    fn summary(&self) -> Option<(String, bool)> {
        let mut own: Vec<&Call> = self.0.iter().filter(|call| call.is_own()).collect();
        own.dedup_by(|one, other| one.name == other.name);
        let shown = own.iter().take(SHORT).map(|call| call.shown()).collect::<Vec<_>>();
        let (first, callers) = shown.split_first()?;
        let text = match callers {
            [] => format!("in {first}"),
            callers => format!("in {first}, called by {}", callers.join(", ")),
        };
        Some((text, shown.len() == self.0.len()))
    }
}

impl Call {
    fn shown(&self) -> String {
        let name = match (&self.name, self.offset) {
            (Some(name), _) => name.clone(),
            (None, Some(offset)) => format!("function {} at {offset:#x}", self.index),
            (None, None) => format!("function {}", self.index),
        };
        match &self.place {
            Some(place) => format!("{name} ({place})"),
            None => name,
        }
    }

    /// Returns whether it is a call of a function with a name, and not of one that a language's own libraries bring:
    /// those begin a program and end it, and say nothing about where it went wrong.
    fn is_own(&self) -> bool {
        self.name.as_deref().is_some_and(|name| {
            let path = name.trim_start_matches(['<', '&', '*']);
            let of_library = LIBRARIES.iter().any(|library| path.starts_with(library));
            let of_start =
                STARTS.iter().any(|start| name == *start || name.starts_with(&format!("{start}.")));
            // Where it was inlined, a name may lack its path.
            let is_in_folder = |place: &str| LIBRARY_FILES.iter().any(|folder| place.starts_with(folder));
            let is_library = of_library || self.place.as_deref().is_some_and(is_in_folder);
            // The export of a component, `wasi:cli/run@0.2.3#run`.
            !(is_library || of_start || name.contains('#') || name.is_empty())
        })
    }
}

/// The beginnings of the names of Rust's standard library and of Go's runtime.
const LIBRARIES: [&str; 8] =
    ["alloc::", "core::", "std::", "panic_abort::", "__rust", "rust_begin_unwind", "rust_panic", "runtime."];

/// The beginnings of the paths of Rust's standard library and of wasi-libc, as they are built.
const LIBRARY_FILES: [&str; 2] = ["/rustc/", "wasisdk://"];

/// The functions of wasi-libc and of the compilers with which a program begins and ends, up to a suffix after a dot.
const STARTS: [&str; 11] = [
    "_start",
    "__main_void",
    "__original_main",
    "__main_argc_argv",
    "__wasm_call_ctors",
    "_initialize",
    "abort",
    "__assert_fail",
    "_Exit",
    "exit",
    "_rt0_wasm_wasip1",
];

/// Reads names and source lines. A function that was inlined gets a call of its own.
fn resolve(calls: Vec<Call>, plugin: &Plugin) -> Vec<Call> {
    let offsets: Vec<usize> = calls.iter().map(|call| call.offset.unwrap_or_default()).collect();
    // A plugin whose file has changed meanwhile has no lines.
    let lines = plugin.content().map(|content| inspect::lines(&content, &offsets)).unwrap_or_default();
    let mut lines = lines.into_iter();
    let resolved = calls.into_iter().flat_map(|call| with_lines(call, lines.next().unwrap_or_default()));
    resolved.take(CALLS).collect()
}

fn with_lines(call: Call, lines: Vec<Line>) -> Vec<Call> {
    let name = call.name.as_deref().map(inspect::readable);
    if lines.is_empty() {
        return vec![Call { name, ..call }];
    }
    let outermost = lines.len() - 1;
    let inlined = lines.into_iter().enumerate().map(|(number, line)| {
        let of_line = line.function.as_deref().map(inspect::readable);
        let name = of_line.or_else(|| name.clone().filter(|_| number == outermost));
        Call { name, place: place(&line), ..call }
    });
    inlined.collect()
}

/// Returns a source line as compilers and editors write it: `FILE:LINE:COLUMN`.
fn place(line: &Line) -> Option<String> {
    let file = line.file.as_ref()?;
    let length = file.chars().count();
    let mut text: String = file.chars().skip(length.saturating_sub(PATH)).collect();
    if length > PATH {
        text.insert(0, '…');
    }
    for number in [line.line, line.column].into_iter().map_while(|number| number) {
        text = format!("{text}:{number}");
    }
    Some(text)
}

/// Does something on a thread of its own, and returns `None` if it takes longer than `time`. The thread then goes on
/// until the end of the process.
pub(super) fn within<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (tell, result) = mpsc::sync_channel(1);
    // No one listens if it took too long.
    thread::Builder::new().name("symbols".to_owned()).spawn(move || drop(tell.send(work()))).ok()?;
    result.recv_timeout(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, place: Option<&str>) -> Call {
        Call { name: Some(name.to_owned()), place: place.map(str::to_owned), ..Call::default() }
    }

    fn trap(calls: Vec<Call>) -> Trap {
        Trap::new("cause".to_owned(), Calls(calls))
    }

    #[test]
    fn a_trap_is_reported_with_the_innermost_calls_of_the_plugin_itself() {
        let calls = vec![
            call("std::process::abort", Some("/rustc/library/std/src/process.rs:1:2")),
            call("<core::option::Option<T>>::unwrap", None),
            call("call_once<i32>", Some("/rustc/0123/library/core/src/ops/function.rs:250:5")),
            call("podtool::list", Some("src/list.rs:42:7")),
            call("podtool::list", None),
            call("podtool::run", None),
            call("podtool::main", None),
            call("podtool::outer", None),
            call("wasi:cli/run@0.2.3#run", None),
            call("_start.command_export", None),
        ];
        let report = trap(calls).report();
        let text = "the plugin trapped: cause: in podtool::list (src/list.rs:42:7), called by podtool::run, podtool::main";
        assert_eq!(report.text, text);
        assert!(report.hint.is_some());
    }

    #[test]
    fn what_hides_nothing_has_no_hint() {
        let has_hint = |calls, is_shown| Trap { is_shown, ..trap(calls) }.report().hint.is_some();
        assert!(!has_hint(vec![], false));
        assert!(!has_hint(vec![Call::default()], false));
        assert!(!has_hint(vec![call("a", None), call("b", None)], false));
        assert!(has_hint(vec![call("a", None), call("_start", None)], false));
        assert!(has_hint(vec![call("_start", None)], false));
        assert!(!has_hint(vec![call("a", None), call("_start", None)], true));
        assert_eq!(trap(vec![call("_start", None)]).report().text, "the plugin trapped: cause");
    }

    #[test]
    fn calls_of_the_same_function_take_one_line() {
        let unnamed = Call { index: 7, offset: Some(0x1f), ..Call::default() };
        let calls = Calls(vec![call("a", None), call("a", None), call("b", Some("b.c:3")), unnamed]);
        assert_eq!(calls.lines(), ["call 0: a, 2 times", "call 1: b (b.c:3)", "call 2: function 7 at 0x1f"]);
    }

    #[test]
    fn inlined_functions_are_calls_and_a_long_path_is_cut_at_its_beginning() {
        let of = |function: Option<&str>, file: &str| Line {
            function: function.map(str::to_owned),
            file: Some(file.to_owned()),
            line: Some(3),
            column: Some(5),
        };
        let calls = with_lines(
            call("_RNvC1a1b", None),
            vec![of(Some("_RNvC1a1c"), "c.rs"), of(None, &"x".repeat(300))],
        );
        assert_eq!(calls[0].shown(), "a::c (c.rs:3:5)");
        assert_eq!(calls[1].shown(), format!("a::b (…{}:3:5)", "x".repeat(PATH)));
    }

    #[test]
    fn what_takes_too_long_is_left() {
        assert_eq!(within(PATIENCE, || 1), Some(1));
        assert_eq!(within(Duration::from_millis(1), || thread::sleep(Duration::from_mins(1))), None);
    }
}
