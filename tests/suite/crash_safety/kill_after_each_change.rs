//! Killed after each single change to the disk.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;

use super::{Home, fragile, fragile_command, scenes, sound};
use crate::support::files;

#[test]
fn a_kill_after_any_change_to_the_disk_leaves_the_old_plugin_or_the_new_one() {
    for scene in scenes() {
        let mut found = BTreeMap::<_, u32>::new();
        for number in 1.. {
            let kwasm = scene.home();
            let output = fragile_command(&kwasm, &scene, &format!("life={number}")).output().unwrap();
            let state = sound(&kwasm, &scene);
            if number % 5 == 0 {
                // It compiles everything again, which takes longer than all other steps.
                kwasm.call(["doctor", "--deep"]).success();
            }
            if output.status.success() {
                assert_eq!(state, "after");
                break;
            }
            assert_eq!(output.status.signal(), Some(9), "{}", String::from_utf8_lossy(&output.stderr));
            *found.entry(state).or_default() += 1;
        }
        // The change takes place in the middle.
        assert!(found["before"] >= 3 && found["after"] >= 2, "{}: {found:?}", scene.name);
    }
}

#[test]
fn who_is_killed_while_putting_right_leaves_it_to_the_next() {
    for scene in scenes() {
        for first in [4, 9, 14, 20] {
            let kwasm = scene.home();
            drop(fragile_command(&kwasm, &scene, &format!("life={first}")).output().unwrap());
            for second in 1..12 {
                let mut doctor = kwasm.program(fragile());
                doctor.arg("doctor").env("KWASM_WITHOUT", format!("life={second}"));
                drop(doctor.output().unwrap());
            }
            sound(&kwasm, &scene);
        }
    }
}

#[test]
fn what_is_put_right_was_not_right() {
    let scene = &scenes()[0];
    let mut wrong = 0;
    for number in 1..40 {
        let kwasm = scene.home();
        drop(fragile_command(&kwasm, scene, &format!("life={number}")).output().unwrap());
        // No later process finds the record of the change.
        drop(fs::remove_file(kwasm.home().join("data/pending")));
        let differs = |twin: &Home| {
            ["data", "bin"]
                .iter()
                .any(|folder| files(&twin.kwasm.home().join(folder)) != files(&kwasm.home().join(folder)))
        };
        wrong += u32::from(differs(&scene.before) && differs(&scene.after));
    }
    assert!(wrong > 5, "{wrong}");
}
