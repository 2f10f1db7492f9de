//! Tests that a plugin runs at once from code that is compiled quickly, and that code with all optimizations takes its place
//! afterwards, whatever happens meanwhile.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::core_modules::wat;
use crate::support::{Kwasm, Run, Running, faults_program, files};

/// A plugin that prints a line, with so much code that it is not optimized at once.
struct Large {
    kwasm: Kwasm,
    file: PathBuf,
}

impl Large {
    /// Returns it on a machine that has not compiled it yet.
    fn new(schedule: &str) -> Self {
        Self::with(schedule, "", "")
    }

    /// Returns one that does this first, with these functions beside its own.
    fn with(schedule: &str, first: &str, functions: &str) -> Self {
        let kwasm = Kwasm::with_empty_cache().variable("KWASM_COMPILE", schedule);
        let step = "(i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.load (local.get 0))) (local.set 0)";
        let function = format!("(func (param i32) (result i32) {} (local.get 0))", step.repeat(400));
        let others = function.repeat(60);
        let text = format!(
            r#"(module
                (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
                (memory (export "memory") 1)
                (data (i32.const 16) "\00\01\00\00\06\00\00\00") (data (i32.const 256) "large\n")
                (func (export "_start")
                    {first}
                    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32))))
                {functions} {others})"#
        );
        let file = wat(&kwasm, "large", &text);
        Self { kwasm, file }
    }

    fn command(&self) -> Command {
        self.kwasm.command(["run".as_ref(), self.file.as_os_str()])
    }

    #[track_caller]
    fn runs(&self) {
        prints(&mut self.command());
    }

    fn folder(&self) -> PathBuf {
        self.kwasm.cache().join("kwasm/compiled")
    }

    /// Returns the file of this kind, if it is there.
    fn find(&self, is_it: impl Fn(&str) -> bool) -> Option<PathBuf> {
        let found = files(&self.folder()).into_iter().find(|name| is_it(name));
        found.map(|name| self.folder().join(name))
    }

    fn baseline(&self) -> Option<PathBuf> {
        self.find(|name| name.ends_with("-baseline.cwasm"))
    }

    fn optimized(&self) -> Option<PathBuf> {
        self.find(|name| name.strip_suffix(".cwasm").is_some_and(|stem| !stem.ends_with("-baseline")))
    }

    /// Returns the file that counts attempts and is locked during one.
    fn lock(&self) -> Option<PathBuf> {
        self.find(|name| name.ends_with(".attempts"))
    }

    /// Returns how often it was tried in vain to optimize it.
    fn attempts(&self) -> u64 {
        self.lock().map_or(0, |path| fs::metadata(path).unwrap().len())
    }

    /// Waits until it is optimized, and nothing else is left.
    #[track_caller]
    fn becomes_optimized(&self) {
        until("it is optimized", || self.optimized().is_some() && self.baseline().is_none());
        assert_eq!(self.attempts(), 0);
        self.runs();
    }

    /// Returns the command that kwasm starts in the background.
    fn optimize(&self, digest: &str) -> Command {
        let mut command = self.kwasm.command(["__optimize", digest]);
        command.arg(&self.file);
        command
    }

    /// Returns the same of the program from which something can be taken (src/defence.rs).
    fn optimize_without(&self, what: &str) -> Command {
        let mut command = self.kwasm.program(faults_program());
        command.args(["__optimize", &self.digest()]).arg(&self.file).env("KWASM_WITHOUT", what);
        command
    }

    /// Returns the file's digest.
    fn digest(&self) -> String {
        let run = Run::of(Command::new("sha256sum").arg(&self.file)).success();
        format!("sha256:{}", run.stdout.split(' ').next().unwrap())
    }
}

/// Checks that a run prints what the plugin prints.
#[track_caller]
fn prints(command: &mut Command) {
    let run = Run::of(command).success();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("large\n", ""));
}

/// Waits for something that has to come.
#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_mins(3), "{what}: it did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_first_run_is_from_baseline_code_and_later_ones_from_optimized() {
    let large = Large::new("background");
    large.runs();
    large.becomes_optimized();
    let code = large.optimized().unwrap();
    let written = fs::metadata(&code).unwrap().modified().unwrap();
    large.runs();
    assert_eq!(fs::metadata(&code).unwrap().modified().unwrap(), written);
    // It is what `KWASM_COMPILE=optimized` makes, to the byte.
    let first = Large::new("optimized");
    first.runs();
    assert!(first.baseline().is_none());
    assert!(fs::read(first.optimized().unwrap()).unwrap() == fs::read(code).unwrap());
}

#[test]
fn what_compiles_in_no_time_is_optimized_at_once() {
    let kwasm = Kwasm::with_empty_cache().variable("KWASM_COMPILE", "background");
    kwasm.run("hello", &[]).success();
    let kept = files(&kwasm.cache().join("kwasm/compiled"));
    assert!(kept.len() == 1 && !kept[0].contains("baseline"), "{kept:?}");
}

#[test]
fn a_user_can_have_it_optimized_first_or_never() {
    let large = Large::new("baseline");
    large.runs();
    large.runs();
    assert!(large.baseline().is_some() && large.optimized().is_none() && large.lock().is_none());
    prints(large.command().env("KWASM_COMPILE", "optimized"));
    assert!(large.optimized().is_some());
    let refused = Run::of(large.command().env("KWASM_COMPILE", "never")).fails(2);
    assert!(
        refused.stderr.contains("KWASM_COMPILE: its value is not background, optimized or baseline"),
        "{}",
        refused.shown()
    );
}

#[test]
fn an_installed_plugin_is_optimized_after_its_installation_and_both_go_with_it() {
    let large = Large::new("background");
    let install = ["install", large.file.to_str().unwrap()];
    large.kwasm.call(install).success();
    large.becomes_optimized();
    large.kwasm.call(["uninstall", "large"]).success();
    assert!(large.optimized().is_none());
    let never = Large::new("baseline");
    never.kwasm.call(["install", never.file.to_str().unwrap()]).success();
    let doctor = never.kwasm.call(["doctor", "--deep"]).success();
    assert!(doctor.stdout.contains("1 plugin unchanged when compiled again"), "{}", doctor.shown());
    never.kwasm.call(["uninstall", "large"]).success();
    assert_eq!(files(&never.folder()), Vec::<String>::new());
}

#[test]
fn a_plugin_prints_the_same_from_either_tier() {
    let object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, uid: b}, data: {c: d}}\n";
    let printed = ["baseline", "optimized"].map(|schedule| {
        let kwasm = Kwasm::with_empty_cache().variable("KWASM_COMPILE", schedule).policy("neat");
        let input = kwasm.home().join("input.yaml");
        fs::write(&input, object).unwrap();
        let mut command = kwasm.guest("neat", &[]);
        let run = Run::of(command.stdin(File::open(input).unwrap())).success();
        let kept = files(&kwasm.cache().join("kwasm/compiled"));
        assert_eq!(kept[0].ends_with("-baseline.cwasm"), schedule == "baseline", "{kept:?}");
        run.stdout
    });
    assert!(printed[0].contains("name: a") && !printed[0].contains("uid"), "{}", printed[0]);
    assert_eq!(printed[0], printed[1]);
}

#[test]
fn one_process_at_a_time_optimizes_a_plugin() {
    let large = Large::new("baseline");
    large.runs();
    // The first waits for its turn, which this test has; the second finds it at work.
    let turn = File::create(large.folder().join("turn.lock")).unwrap();
    turn.lock().unwrap();
    let first = Running::of(large.optimize(&large.digest()));
    until("an attempt", || large.attempts() == 1);
    Run::of(&mut large.optimize(&large.digest())).success();
    assert_eq!((large.attempts(), large.optimized()), (1, None));
    drop(turn);
    assert_eq!(first.end().code, Some(0));
    assert!(large.optimized().is_some() && large.baseline().is_none());
}

#[test]
fn many_runs_at_once_leave_one_optimized_plugin() {
    let large = Large::new("background");
    let runs: Vec<Running> = (0..4).map(|_| Running::of(large.command())).collect();
    for run in runs {
        assert_eq!(run.end().success().stdout, "large\n");
    }
    large.becomes_optimized();
}

#[test]
fn one_that_is_killed_at_any_change_to_the_disk_leaves_a_plugin_that_runs_and_is_optimized_later() {
    let large = Large::new("baseline");
    for change in (0..).map(|power| 1 << power) {
        large.runs();
        let run = Run::of(&mut large.optimize_without(&format!("life={change}")));
        large.runs();
        if run.code == Some(0) {
            assert!(change > 8, "nothing was killed: {}", run.shown());
            return;
        }
        Run::of(&mut large.optimize(&large.digest())).success();
        large.becomes_optimized();
        fs::remove_file(large.optimized().unwrap()).unwrap();
    }
}

#[test]
fn a_full_disk_leaves_a_plugin_that_runs() {
    let large = Large::new("baseline");
    large.runs();
    Run::of(&mut large.optimize_without("room=4")).fails(125);
    assert!(large.baseline().is_some() && large.optimized().is_none());
    large.runs();
}

#[test]
fn what_cannot_be_optimized_is_tried_three_times() {
    let large = Large::new("baseline");
    large.runs();
    let run = || {
        let mut command = large.command();
        prints(command.env("KWASM_COMPILE", "background").env("KWASM_COMPILE_MEMORY", "1"));
    };
    for attempt in 1..=3 {
        run();
        until("an attempt", || large.attempts() == attempt);
        // A process that has ended has no lock any more.
        until("its end", || File::open(large.lock().unwrap()).unwrap().try_lock().is_ok());
    }
    run();
    Run::of(&mut large.optimize(&large.digest())).success();
    assert_eq!((large.attempts(), large.optimized()), (3, None));
    // Somebody who clears the caches wants it tried again.
    large.kwasm.call(["doctor", "--clean"]);
    assert_eq!(files(&large.folder()), ["turn.lock"]);
}

#[test]
fn optimized_code_that_cannot_be_run_is_made_anew_in_the_background_too() {
    let large = Large::new("optimized");
    large.runs();
    let code = large.optimized().unwrap();
    let whole = fs::read(&code).unwrap();
    fs::write(&code, &whole[..whole.len() / 2]).unwrap();
    prints(large.command().env("KWASM_COMPILE", "background"));
    large.becomes_optimized();
    assert!(fs::read(large.optimized().unwrap()).unwrap() == whole);
}

#[test]
fn a_file_that_has_changed_since_is_left_alone() {
    let large = Large::new("baseline");
    large.runs();
    let other = format!("sha256:{}", "0".repeat(64));
    Run::of(&mut large.optimize(&other)).success();
    assert!(large.optimized().is_none() && large.lock().is_none());
    // Its nearest that is optimized.
    Run::of(&mut large.optimize(&large.digest())).success();
    assert!(large.optimized().is_some());
}

#[test]
fn it_goes_on_in_a_process_group_of_its_own_which_ctrl_c_does_not_reach() {
    let large = Large::new("background");
    prints(large.command().env("KWASM_COMPILE", "baseline"));
    let turn = File::create(large.folder().join("turn.lock")).unwrap();
    turn.lock().unwrap();
    large.runs();
    until("an attempt", || large.attempts() == 1);
    let processes = Run::of(Command::new("ps").args(["-eo", "pid,pgid,ni,args"])).success().stdout;
    let own = |line: &&str| line.contains("__optimize") && line.contains(large.file.to_str().unwrap());
    let process = processes.lines().find(own).unwrap();
    let columns: Vec<&str> = process.split_whitespace().take(3).collect();
    assert!(columns[0] == columns[1] && columns[2] == "19", "{process}");
    drop(turn);
    large.becomes_optimized();
}

/// In baseline code, each value that outlives a call takes stack of its own.
#[test]
fn long_functions_and_deep_calls_need_no_more_stack_in_baseline_code() {
    let sum = "(i32.store (i32.const 512) (i32.add (call $one) (call $one)))".repeat(6_000);
    let functions = format!(
        "(func $long {sum})
         (func $one (result i32) (i32.load (i32.const 16)))
         (func $deep (param i32) (result i32)
            (if (result i32) (local.get 0) (then {} (call $deep (i32.sub (local.get 0) (i32.const 1))) i32.add)
                (else (i32.const 0))))",
        "(i32.add (call $one) (call $one))"
    );
    for schedule in ["baseline", "optimized"] {
        let run = |first: &str| {
            let Large { kwasm, file } = Large::with(schedule, first, &functions);
            let kwasm = kwasm.spec("{limits: {stack: 64Ki}}");
            let policy = kwasm.home().join("policy.yaml");
            kwasm.call(["run", file.to_str().unwrap(), "--policy", policy.to_str().unwrap()])
        };
        let long = run("(call $long) (drop (call $deep (i32.const 500)))").success();
        assert_eq!((long.stdout.as_str(), long.stderr.as_str()), ("large\n", ""), "{schedule}");
        let endless = run("(drop (call $deep (i32.const -1)))").fails(125);
        assert!(endless.stderr.contains("nested deeper than the 64 KiB of stack"), "{}", endless.shown());
    }
}
