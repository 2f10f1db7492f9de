//! The Firefox profiler's [processed format][1], version 55, as far as a profile of one thread needs it: tables by
//! column, which refer to each other by the number of a row. The profiler reads all older versions.
//!
//! [1]: https://github.com/firefox-devtools/profiler/blob/main/docs-developer/processed-profile-format.md

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Value, json};

/// The version of the format.
const VERSION: u8 = 55;

/// The number of the only process and thread.
const ID: &str = "1";

/// A profile of one thread.
pub(super) struct Profile<'a> {
    /// The name of what ran.
    pub(super) name: &'a str,
    pub(super) date: SystemTime,
    pub(super) interval: Duration,
    pub(super) end: Duration,
    /// The names of the functions.
    pub(super) names: Vec<String>,
    /// Of each stack, the stack of its caller, which comes before it.
    pub(super) callers: Vec<Option<usize>>,
    /// Of each stack, the function on top.
    pub(super) functions: Vec<usize>,
    pub(super) samples: Samples,
}

/// The samples, in the order of their time.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Samples {
    length: usize,
    weight_type: &'static str,
    stack: Vec<Option<usize>>,
    /// The time since the sample before, in milliseconds.
    time_deltas: Vec<f64>,
    weight: Vec<u8>,
    /// The time of computing since the sample before, in microseconds.
    #[serde(rename = "threadCPUDelta")]
    thread_cpu_delta: Vec<u64>,
}

impl Samples {
    /// Adds a sample, taken so long after the one before, of which the thread computed for this long.
    pub(super) fn add(&mut self, stack: Option<usize>, since: Duration, computed: Duration) {
        self.length += 1;
        self.weight_type = "samples";
        self.stack.push(stack);
        self.time_deltas.push(milliseconds(since));
        self.weight.push(1);
        self.thread_cpu_delta.push(u64::try_from(computed.as_micros()).unwrap_or(u64::MAX));
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Thread<'a> {
    name: &'a str,
    process_name: &'a str,
    #[serde(rename = "isMainThread")]
    is_main: bool,
    process_type: &'static str,
    pid: &'static str,
    tid: &'static str,
    register_time: f64,
    unregister_time: f64,
    process_startup_time: f64,
    process_shutdown_time: f64,
    paused_ranges: [(); 0],
    show_markers_in_timeline: bool,
    string_array: Vec<String>,
    func_table: Functions,
    frame_table: Frames,
    stack_table: Stacks,
    samples: Samples,
    markers: Value,
    resource_table: Value,
    native_symbols: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Functions {
    length: usize,
    name: Vec<usize>,
    #[serde(rename = "isJS")]
    is_js: Vec<bool>,
    #[serde(rename = "relevantForJS")]
    relevant_for_js: Vec<bool>,
    resource: Vec<i8>,
    file_name: Vec<()>,
    line_number: Vec<()>,
    column_number: Vec<()>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Frames {
    length: usize,
    func: Vec<usize>,
    address: Vec<i8>,
    inline_depth: Vec<u8>,
    category: Vec<u8>,
    subcategory: Vec<u8>,
    native_symbol: Vec<()>,
    #[serde(rename = "innerWindowID")]
    inner_window: Vec<u8>,
    line: Vec<()>,
    column: Vec<()>,
}

#[derive(Serialize)]
struct Stacks {
    length: usize,
    prefix: Vec<Option<usize>>,
    frame: Vec<usize>,
}

impl Profile<'_> {
    /// Returns the file, or `None` if it cannot be written.
    pub(super) fn write(self) -> Option<Vec<u8>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct File<'a> {
            meta: Value,
            libs: [(); 0],
            threads: [Thread<'a>; 1],
            pages: [(); 0],
            profiler_overhead: [(); 0],
            counters: [(); 0],
        }
        let meta = self.meta();
        let threads = [self.thread()];
        let file = File { meta, libs: [], threads, pages: [], profiler_overhead: [], counters: [] };
        serde_json::to_vec(&file).ok()
    }

    fn meta(&self) -> Value {
        let start = self.date.duration_since(UNIX_EPOCH).unwrap_or_default();
        json!({
            "categories": [{"name": "Other", "color": "grey", "subcategories": ["Other"]}],
            "debug": false,
            "extensions": {"length": 0, "baseURL": [], "id": [], "name": []},
            "interval": milliseconds(self.interval),
            "preprocessedProfileVersion": VERSION,
            "processType": 0,
            "product": self.name,
            "sampleUnits": {"time": "ms", "eventDelay": "ms", "threadCPUDelta": "µs"},
            "startTime": milliseconds(start),
            // There are no addresses to look up.
            "symbolicated": true,
            "pausedRanges": [],
            // Of the profiler in Firefox, and not read.
            "version": 24,
            "usesOnlyOneStackType": true,
            "sourceCodeIsNotOnSearchfox": true,
            "markerSchema": [],
        })
    }
}

impl<'a> Profile<'a> {
    fn thread(self) -> Thread<'a> {
        let (end, functions, stacks) = (milliseconds(self.end), self.names.len(), self.callers.len());
        let empty = |columns: &[&str]| {
            let columns = columns.iter().map(|column| ((*column).to_owned(), json!([])));
            Value::Object(columns.chain([("length".to_owned(), json!(0))]).collect())
        };
        Thread {
            name: self.name,
            process_name: self.name,
            is_main: true,
            process_type: "default",
            pid: ID,
            tid: ID,
            register_time: 0.0,
            unregister_time: end,
            process_startup_time: 0.0,
            process_shutdown_time: end,
            paused_ranges: [],
            show_markers_in_timeline: false,
            string_array: self.names,
            func_table: Functions::of(functions),
            frame_table: Frames::of(functions),
            stack_table: Stacks { length: stacks, prefix: self.callers, frame: self.functions },
            samples: self.samples,
            markers: empty(&["category", "data", "endTime", "name", "phase", "startTime"]),
            resource_table: empty(&["lib", "name", "host", "type"]),
            native_symbols: empty(&["address", "functionSize", "libIndex", "name"]),
        }
    }
}

impl Functions {
    /// Returns the functions of each name, in their order.
    fn of(length: usize) -> Self {
        Self {
            length,
            name: (0..length).collect(),
            is_js: vec![false; length],
            relevant_for_js: vec![false; length],
            resource: vec![-1; length],
            file_name: vec![(); length],
            line_number: vec![(); length],
            column_number: vec![(); length],
        }
    }
}

impl Frames {
    /// Returns a frame of each function, in their order.
    fn of(length: usize) -> Self {
        Self {
            length,
            func: (0..length).collect(),
            address: vec![-1; length],
            inline_depth: vec![0; length],
            category: vec![0; length],
            subcategory: vec![0; length],
            native_symbol: vec![(); length],
            inner_window: vec![0; length],
            line: vec![(); length],
            column: vec![(); length],
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
