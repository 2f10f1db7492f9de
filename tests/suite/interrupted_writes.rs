//! Tests of writes that end in the middle. The API server never accepts a part as a whole: an object is
//! stored completely or not at all. The objects are YAML whose text may end anywhere, so that each part would
//! be accepted if it looked complete.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use kwasm_cluster::User;

use crate::support::{Kwasm, Real, real};

/// The text that an object holds, in bytes.
const SIZE: usize = 200_000;

/// The ways in which a guest or the user ends a run in the middle of a write.
const ENDINGS: &[&str] = &["trap", "exit", "INT", "TERM", "timeout"];

/// One write and where it is cut.
struct Cut {
    method: &'static str,
    ending: &'static str,
    name: String,
    after: usize,
}

impl Cut {
    fn random(random: &mut fastrand::Rng, number: usize) -> Self {
        Self {
            method: if random.bool() { "POST" } else { "PATCH" },
            ending: ENDINGS[number % ENDINGS.len()],
            name: format!("cut-{number}"),
            after: random.usize(1..=SIZE),
        }
    }

    /// Runs the write up to its cut.
    fn write(&self, kwasm: &Kwasm, namespace: &str) {
        let then = if ["trap", "exit"].contains(&self.ending) { self.ending } else { "stall" };
        let (size, after) = (SIZE.to_string(), self.after.to_string());
        let mut running =
            kwasm.start("half-writes", &[self.method, namespace, &self.name, &size, &after, then]);
        if ["INT", "TERM"].contains(&self.ending) {
            running.error_with("stalling");
            running.signal(self.ending);
        }
        let code = match self.ending {
            "exit" => 3,
            "INT" | "TERM" => 130,
            _ => 125,
        };
        running.end().fails(code);
    }
}

/// Returns the length of the text that each object there is holds.
fn stored(real: &Real, namespace: &str) -> Vec<(String, usize)> {
    let list = real.kubectl().args(["get", "configmaps", "-n", namespace, "-o", "json"]).output().unwrap();
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let items = list["items"].as_array().unwrap().iter();
    let all = items.map(|item| {
        let name = item["metadata"]["name"].as_str().unwrap().to_owned();
        (name, item["data"]["text"].as_str().map_or(0, |text| text.trim_end().len()))
    });
    all.filter(|(name, _)| name != "kube-root-ca.crt").collect()
}

fn kwasm(real: &Real, timeout: &str) -> Kwasm {
    let rule = "{apiGroups: [''], resources: [configmaps], verbs: [create, patch]}";
    let spec = format!("{{kubernetes: {{rules: [{rule}]}}, limits: {{timeout: {timeout}}}}}");
    Kwasm::new().kubeconfig(real.kubeconfig(User::Admin)).spec(&spec)
}

#[cfg(unix)]
#[test]
fn of_five_hundred_writes_that_are_cut_at_random_none_is_stored() {
    const CUTS: usize = 500;
    let Some(real) = real("of_five_hundred_writes_that_are_cut_at_random_none_is_stored") else { return };
    real.feed(&["create", "namespace", "cuts"], "");
    let seed = std::env::var("KWASM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(4);
    println!("seed {seed}");
    let random = Mutex::new(fastrand::Rng::with_seed(seed));
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        // Most of them only wait.
        for _ in 0..8 {
            scope.spawn(|| {
                let (timed, patient) = (kwasm(real, "1s"), kwasm(real, "none"));
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= CUTS {
                        break;
                    }
                    let cut = Cut::random(&mut random.lock().unwrap(), number);
                    let kwasm = if cut.ending == "timeout" { &timed } else { &patient };
                    cut.write(kwasm, "cuts");
                }
            });
        }
    });
    assert_eq!(stored(real, "cuts"), []);
}

#[test]
fn a_write_that_is_not_cut_is_stored_whole_and_a_cut_one_in_part_where_nothing_aborts_it() {
    let test = "a_write_that_is_not_cut_is_stored_whole_and_a_cut_one_in_part_where_nothing_aborts_it";
    let Some(real) = real(test) else { return };
    real.feed(&["create", "namespace", "wholes"], "");
    let size = SIZE.to_string();
    for method in ["POST", "PATCH"] {
        let name = method.to_ascii_lowercase();
        let run = kwasm(real, "none").run("half-writes", &[method, "wholes", &name, &size, "1000", "finish"]);
        assert_eq!(run.success().stdout, "status 201\n");
    }
    assert_eq!(stored(real, "wholes"), [("patch".to_owned(), SIZE), ("post".to_owned(), SIZE)]);

    // The same cut, in a build without this defence. It is what would have been seen above.
    real.feed(&["create", "namespace", "parts"], "");
    for (number, method) in ["POST", "PATCH"].into_iter().cycle().take(20).enumerate() {
        let name = format!("part-{number}");
        let arguments = [method, "parts", &name, &size, "20000", "trap"];
        drop(kwasm(real, "none").without("aborted-bodies").run("half-writes", &arguments));
    }
    let parts = stored(real, "parts");
    assert!(parts.iter().any(|(_, size)| (1..SIZE).contains(size)), "{parts:?}");
}
