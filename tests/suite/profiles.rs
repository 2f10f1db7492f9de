//! Profiles of a run, for the Firefox profiler.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::core_modules::wat;
use crate::support::{Kwasm, Run, component};

/// A profile, as the profiler reads it.
struct Profile(Value);

impl Profile {
    fn read(path: &Path) -> Self {
        let profile: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        // The profiler brings older formats up to date itself, and refuses newer ones.
        let version = profile["meta"]["preprocessedProfileVersion"].as_u64().unwrap();
        assert!((28..60).contains(&version), "{version}");
        assert_eq!(profile["meta"]["interval"], 1.0, "in milliseconds");
        assert_eq!(profile["threads"].as_array().unwrap().len(), 1);
        Self(profile)
    }

    fn thread(&self) -> &Value {
        &self.0["threads"][0]
    }

    fn samples(&self) -> usize {
        let samples = &self.thread()["samples"];
        let length = samples["length"].as_u64().unwrap();
        for column in ["stack", "weight", "timeDeltas"] {
            assert_eq!(samples[column].as_array().unwrap().len() as u64, length, "{column}");
        }
        usize::try_from(length).unwrap()
    }

    /// Returns the names of the functions under way in each sample, the innermost first.
    fn stacks(&self) -> Vec<Vec<&str>> {
        let thread = self.thread();
        let at = |table: &str, column: &str, index: usize| thread[table][column][index].as_u64();
        let index = |number: Option<u64>| number.map(|number| usize::try_from(number).unwrap());
        let stacks = thread["samples"]["stack"].as_array().unwrap().iter().map(|stack| {
            let mut names = Vec::new();
            let mut next = index(stack.as_u64());
            while let Some(stack) = next {
                let frame = index(at("stackTable", "frame", stack)).unwrap();
                let function = index(at("frameTable", "func", frame)).unwrap();
                let name = index(at("funcTable", "name", function)).unwrap();
                names.push(thread["stringArray"][name].as_str().unwrap());
                next = index(at("stackTable", "prefix", stack));
            }
            names
        });
        stacks.collect()
    }

    fn functions(&self) -> BTreeSet<&str> {
        self.stacks().into_iter().flatten().collect()
    }
}

/// Runs a plugin with a profile.
fn profiled(kwasm: &Kwasm, plugin: &Path, arguments: &[&str]) -> (Run, PathBuf) {
    let place = kwasm.home().join("profile.json");
    let head = ["run", "--profile", "profile.json", plugin.to_str().unwrap(), "--"];
    (kwasm.call([&head, arguments].concat()), place)
}

/// The line about a profile that was written, without the number of samples.
fn assert_written(run: &Run) {
    let line = run.stderr.lines().rfind(|line| line.starts_with("wrote ")).unwrap_or_default();
    assert!(line.starts_with("wrote profile.json: samples: "), "{}", run.shown());
    assert!(line.ends_with("; https://profiler.firefox.com opens it"), "{}", run.shown());
}

#[test]
fn a_profile_has_the_functions_in_which_a_plugin_computed() {
    for guest in ["computes-debug", "computes-core-debug"] {
        let kwasm = Kwasm::new();
        let plain = kwasm.run(guest, &["200"]).success();
        let (run, place) = profiled(&kwasm, &component(guest), &["200"]);
        assert_eq!(run.success().stdout, plain.stdout, "the run is the same");
        assert_eq!(plain.stderr, "");
        let profile = Profile::read(&place);
        assert!(profile.samples() > 10, "{guest}: {}", profile.samples());
        let work = |stack: &Vec<&str>| {
            let work = stack.iter().position(|name| *name == "computes::work");
            work.is_some_and(|work| stack[work + 1] == "computes::spend" && stack.len() > work + 2)
        };
        let working = profile.stacks().iter().filter(|stack| work(stack)).count();
        assert!(working * 2 > profile.samples(), "{guest}: {:?}", profile.functions());
    }
}

#[test]
fn a_profile_is_written_however_the_run_ends() {
    let debug = component("computes-debug");
    for (plugin, arguments, code) in [
        (debug.clone(), &["30", "--panic"][..], 125),
        (component("exits"), &["7"], 7),
        (component("exits-core"), &["7"], 7),
    ] {
        let kwasm = Kwasm::new();
        let (run, place) = profiled(&kwasm, &plugin, arguments);
        assert_written(&run);
        run.fails(code);
        Profile::read(&place).samples();
    }
    let kwasm = Kwasm::new().spec("{limits: {timeout: 1s}}");
    let policy = kwasm.home().join("policy.yaml");
    let options = ["run", "--profile", "p", "--policy", policy.to_str().unwrap(), debug.to_str().unwrap()];
    let run = kwasm.call([&options[..], &["--", "1000000000"]].concat()).fails(125);
    assert!(run.stderr.contains("it ran for longer than 1s"), "{}", run.shown());
    let profile = Profile::read(&kwasm.home().join("p"));
    assert!(profile.functions().contains("computes::work"), "{:?}", profile.functions());
}

#[cfg(unix)]
#[test]
fn a_profile_is_written_when_the_user_ends_the_run() {
    for (guest, arguments) in [("computes-debug", &["1000000000"][..]), ("sleeps-forever", &[])] {
        let kwasm = Kwasm::new();
        let plugin = component(guest);
        let head = ["run", "--profile", "profile.json", plugin.to_str().unwrap(), "--"];
        let mut running = crate::support::Running::of(kwasm.command([&head, arguments].concat()));
        running.line();
        std::thread::sleep(std::time::Duration::from_millis(300));
        running.signal("INT");
        let run = running.end().fails(130);
        assert_written(&run);
        let profile = Profile::read(&kwasm.home().join("profile.json"));
        assert_eq!(profile.functions().contains("computes::work"), guest == "computes-debug");
    }
}

#[test]
fn a_profile_that_cannot_be_written_is_an_error_before_the_run() {
    let kwasm = Kwasm::new();
    let plugin = component("exits");
    fs::create_dir(kwasm.home().join("folder")).unwrap();
    for (place, why) in [("none/p.json", "No such file"), ("folder", "directory")] {
        let run = kwasm.call(["run", "--profile", place, plugin.to_str().unwrap(), "--", "7"]).fails(125);
        assert!(
            run.stderr.starts_with(&format!("kwasm: {place}: it cannot be written to: ")),
            "{}",
            run.shown()
        );
        assert!(run.stderr.contains(why) && run.stderr.contains("hint: "), "{}", run.shown());
    }
}

/// A stack of any depth and names of any length are the plugin's to choose, and a profile of them stays small.
#[test]
fn a_hostile_plugin_does_not_fill_its_profile() {
    let kwasm = Kwasm::new().spec("{limits: {stack: 64Mi, timeout: 2s}}");
    let policy = kwasm.home().join("policy.yaml");
    let long = "x".repeat(90_000);
    let text = format!(
        r#"(module
            (func $down (param i32)
                (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1)))) (else (call $"{long}"))))
            (func $"{long}" (loop (br 0)))
            (func (export "_start") (call $down (i32.const 100000))))"#
    );
    let path = wat(&kwasm, "hostile", &text);
    let options = ["run", "--profile", "p", "--policy", policy.to_str().unwrap(), path.to_str().unwrap()];
    let run = kwasm.call(options).fails(125);
    assert!(run.stderr.contains("it ran for longer than 2s"), "{}", run.shown());
    let place = kwasm.home().join("p");
    assert!(fs::metadata(&place).unwrap().len() < 1 << 20);
    let profile = Profile::read(&place);
    let deep = profile.stacks().into_iter().max_by_key(Vec::len).unwrap();
    assert_eq!((deep.len(), deep.last()), (513, Some(&"(callers that are left out)")));
    assert!(profile.functions().iter().any(|name| name.starts_with("xxx") && name.ends_with('…')));
}
