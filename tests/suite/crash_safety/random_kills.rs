//! Killed from outside at random instants.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::{Scene, fragile_command, scenes, sound};
use crate::support::Kwasm;

/// The total number of kills.
const KILLS: usize = 300;

/// The duration of a command, and the part of it before its first change to the disk.
struct Pace {
    whole: Duration,
    first: Duration,
}

#[test]
fn a_kill_at_any_instant_leaves_the_old_plugin_or_the_new_one() {
    let seed = std::env::var("KWASM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| fastrand::u64(..));
    let mut random = fastrand::Rng::with_seed(seed);
    let scenes = scenes();
    let homes: [fn(&Scene) -> Kwasm; 2] = [Scene::home, Scene::warm_home];
    let mut paces: Vec<_> = scenes.iter().map(|scene| homes.map(|home| pace(scene, home))).collect();
    let mut histogram = BTreeMap::<(&str, String), BTreeMap<&str, u32>>::new();
    let (mut kills, mut late) = (0, 0);
    while kills < KILLS {
        let number = kills % scenes.len();
        let warm = usize::from(random.bool());
        let (scene, pace) = (&scenes[number], &mut paces[number][warm]);
        // Much of the time goes by before anything changes: half of the kills come after that.
        let changing = random.bool();
        let (step, state) = kill_once(scene, &homes[warm](scene), pace, changing, random.f64());
        let Some(step) = step else {
            // It had ended before. The machine has become quicker since it was measured.
            assert_eq!(state, "after");
            pace.whole = pace.whole.mul_f64(0.9);
            late += 1;
            assert!(late < 10 * KILLS, "it ends before it can be killed");
            continue;
        };
        pace.whole = pace.whole.mul_f64(1.02);
        kills += 1;
        *histogram.entry((scene.name, step)).or_default().entry(state).or_default() += 1;
    }
    let mut text =
        format!("{KILLS} kills at random instants (and {late} that came too late), KWASM_SEED={seed}:\n");
    for ((scene, step), states) in &histogram {
        let states: Vec<String> = states.iter().map(|(state, count)| format!("{state} {count}")).collect();
        writeln!(text, "  {scene:<10} {step:<28} {}", states.join(", ")).unwrap();
    }
    // Not `eprint!`: what a test prints by that is not shown when it passes.
    std::io::stderr().write_all(text.as_bytes()).unwrap();
    let interrupted = histogram.keys().filter(|(_, step)| !step.starts_with('(')).count();
    assert!(interrupted >= 5, "too few steps were interrupted:\n{text}");
}

/// Kills a scene's command after a part of its duration. Returns the step that was interrupted, if it had not
/// ended, and the resulting state.
fn kill_once<'a>(
    scene: &'a Scene,
    kwasm: &Kwasm,
    pace: &Pace,
    changing: bool,
    part: f64,
) -> (Option<String>, &'a str) {
    let told = kwasm.home().join("told");
    let mut command = fragile_command(kwasm, scene, &format!("secrecy={}", told.display()));
    let started = Instant::now();
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    let delay = if changing {
        while !told.exists() && child.try_wait().unwrap().is_none() {
            std::hint::spin_loop();
        }
        started.elapsed() + pace.whole.saturating_sub(pace.first).mul_f64(part)
    } else {
        pace.whole.mul_f64(part)
    };
    thread::sleep(delay.saturating_sub(started.elapsed()));
    child.kill().unwrap();
    let ended = child.wait().unwrap();
    let step = (!ended.success()).then(|| last_step(&told));
    (step, sound(kwasm, scene))
}

/// Returns the last change that was begun, with its subject.
fn last_step(told: &Path) -> String {
    let text = fs::read_to_string(told).unwrap_or_default();
    let Some(line) = text.lines().last() else { return "(nothing begun)".to_owned() };
    let (what, path) = line.split_once(" /").unwrap();
    let parts: Vec<&str> = path.split('/').collect();
    let name = *parts.last().unwrap();
    let thing = match () {
        () if parts.contains(&"compiled") => "compiled code",
        () if parts.contains(&"sha256") => "content",
        () if name == "receipt.json" => "receipt",
        () if name.starts_with("kubectl") => "link",
        () if name == "pending" => "pending",
        () => "folder",
    };
    format!("{what} {thing}")
}

/// Measures a command: the shortest of three runs.
fn pace(scene: &Scene, home: fn(&Scene) -> Kwasm) -> Pace {
    let once = || {
        let kwasm = home(scene);
        let told = kwasm.home().join("told");
        let mut command = fragile_command(&kwasm, scene, &format!("secrecy={}", told.display()));
        let started = Instant::now();
        let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        while !told.exists() && child.try_wait().unwrap().is_none() {
            std::hint::spin_loop();
        }
        let first = started.elapsed();
        assert!(child.wait().unwrap().success());
        Pace { whole: started.elapsed(), first }
    };
    (0..3).map(|_| once()).min_by_key(|pace| pace.whole).unwrap()
}
