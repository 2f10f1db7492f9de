//! Tests that a library that several plugins bring is compiled once, and that nothing about a run differs by it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::core_modules::wat;
use crate::support::{Kwasm, files};

/// The size of the library's data: enough that it is not optimized at once.
const SIZE: usize = 300 << 10;

/// A machine with plugins that bring the same library.
struct Machine(Kwasm);

impl Machine {
    fn new(schedule: &str) -> Self {
        Self(Kwasm::with_empty_cache().variable("KWASM_COMPILE", schedule))
    }

    /// Returns a plugin that fails unless its library doubles this number, and that calls another function of it first.
    fn plugin(&self, name: &str, number: u32, first: &str) -> PathBuf {
        self.plugin_with(SIZE, name, number, first)
    }

    /// Returns the same with a library of this size.
    fn plugin_with(&self, size: usize, name: &str, number: u32, first: &str) -> PathBuf {
        let text = format!(
            r#"(component
                (core module $memory (memory (export "memory") 1))
                (core module $library
                    (import "env" "memory" (memory 1))
                    (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
                    (func (export "nothing"))
                    (func (export "traps") unreachable)
                    (data "{}"))
                (core module $program
                    (import "library" "twice" (func $twice (param i32) (result i32)))
                    (import "library" "{first}" (func $first))
                    (func (export "run") (result i32)
                        (call $first)
                        (i32.ne (call $twice (i32.const {number})) (i32.const {}))))
                (core instance $env (instantiate $memory))
                (core instance $linked (instantiate $library (with "env" (instance $env))))
                (core instance $main (instantiate $program (with "library" (instance $linked))))
                (func $run (result (result)) (canon lift (core func $main "run")))
                (instance $cli (export "run" (func $run)))
                (export "wasi:cli/run@0.2.3" (instance $cli)))"#,
            "x".repeat(size),
            number * 2,
        );
        wat(&self.0, name, &text)
    }

    #[track_caller]
    fn runs(&self, plugin: &Path) {
        let run = self.0.call(["run".as_ref(), plugin.as_os_str()]).success();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    }

    fn folder(&self) -> PathBuf {
        self.0.cache().join("kwasm/compiled")
    }

    /// Returns the files whose names end like this.
    fn files(&self, end: &str) -> Vec<PathBuf> {
        let names = files(&self.folder()).into_iter().filter(|name| name.ends_with(end));
        names.map(|name| self.folder().join(name)).collect()
    }

    /// Returns the file of the library's code.
    #[track_caller]
    fn library(&self) -> PathBuf {
        let mut files = self.files(".cwasm");
        files.retain(|path| !path.to_string_lossy().contains("-rest"));
        let [library] = &files[..] else { panic!("{files:?}") };
        library.clone()
    }
}

#[test]
fn a_library_that_two_plugins_bring_is_compiled_once() {
    let machine = Machine::new("optimized");
    let (one, two) = (machine.plugin("one", 1, "nothing"), machine.plugin("two", 2, "nothing"));
    machine.runs(&one);
    let library = machine.library();
    let written = fs::metadata(&library).unwrap().modified().unwrap();
    machine.runs(&two);
    machine.runs(&one);
    assert_eq!(fs::metadata(machine.library()).unwrap().modified().unwrap(), written);
    let mut rests = machine.files("-rest.cwasm");
    assert_eq!((rests.len(), machine.files(".pieces").len()), (2, 2));
    // What is of one plugin only is a fraction of it.
    rests.retain(|rest| fs::metadata(rest).unwrap().len() < fs::metadata(&library).unwrap().len() / 2);
    assert_eq!(rests.len(), 2);
}

#[test]
fn a_library_is_optimized_in_the_background_for_all_that_bring_it() {
    let machine = Machine::new("background");
    let (one, two) = (machine.plugin("one", 1, "nothing"), machine.plugin("two", 2, "nothing"));
    machine.runs(&one);
    for _ in 0..3000 {
        if machine.files("-baseline.cwasm").is_empty() && machine.files(".attempts").is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(machine.files("-baseline.cwasm").is_empty());
    machine.library();
    machine.runs(&two);
    assert!(machine.files("-baseline.cwasm").is_empty());
}

#[test]
fn what_is_lost_damaged_or_open_to_others_of_a_plugin_in_pieces_is_made_anew() {
    let machine = Machine::new("optimized");
    let plugin = machine.plugin("one", 1, "nothing");
    machine.runs(&plugin);
    let whole = files(&machine.folder());
    assert_eq!(whole.len(), 3, "{whole:?}");
    for name in &whole {
        let path = machine.folder().join(name);
        fs::remove_file(&path).unwrap();
        machine.runs(&plugin);
        let content = fs::read(&path).unwrap();
        fs::write(&path, &content[..content.len() / 2]).unwrap();
        machine.runs(&plugin);
        assert!(fs::read(&path).unwrap() == content, "{name}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        machine.runs(&plugin);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        assert_eq!(files(&machine.folder()), whole);
    }
}

#[test]
fn a_trap_in_a_library_is_reported_at_its_offset_in_the_plugin() {
    let machine = Machine::new("optimized");
    // The smaller one is compiled as a whole.
    let at = [SIZE, 100].map(|size| {
        let plugin = machine.plugin_with(size, "traps", 1, "traps");
        let run = machine.0.call(["run".as_ref(), "-v".as_ref(), plugin.as_os_str()]).fails(125);
        let (_, place) = run.stderr.split_once(" at 0x").unwrap_or_else(|| panic!("{}", run.shown()));
        let digits: String = place.chars().take_while(char::is_ascii_hexdigit).collect();
        let bytes = fs::read(plugin).unwrap();
        let offset = usize::from_str_radix(&digits, 16).unwrap();
        bytes[offset - 12..offset + 3].to_vec()
    });
    assert_eq!(machine.files("-rest.cwasm").len(), 1);
    assert_eq!(at[0], at[1]);
}

#[test]
fn an_installed_plugin_keeps_its_libraries_and_others_do_not() {
    let machine = Machine::new("optimized");
    let plugin = machine.plugin("one", 1, "nothing");
    machine.0.call(["install".as_ref(), plugin.as_os_str()]).success();
    let whole = files(&machine.folder());
    machine.0.call(["doctor", "--deep"]).success();
    machine.0.call(["doctor", "--clean"]).success();
    assert_eq!(files(&machine.folder()), whole);

    let library = machine.library();
    let mut code = fs::read(&library).unwrap();
    *code.last_mut().unwrap() ^= 1;
    fs::write(&library, &code).unwrap();
    let run = machine.0.call(["doctor", "--deep"]).fails(125);
    assert!(run.stderr.contains(&*library.to_string_lossy()), "{}", run.shown());

    machine.0.call(["uninstall", "one"]).success();
    machine.0.call(["doctor", "--clean"]).success();
    assert_eq!(files(&machine.folder()), [""; 0]);
}
