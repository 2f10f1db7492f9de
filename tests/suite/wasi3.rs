//! Plugins for WASI 0.3 run as those for 0.2 do. What a hostile one may try is in `hostile/wasi3.rs`.

use std::collections::BTreeSet;
use std::process::Stdio;

use kwasm_apiserver::{Cut, Fault, User};
use kwasm_cluster::User as RealUser;
use serde_json::Value;

use crate::core_modules::wat;
use crate::formats::foreign;
use crate::support::{Kwasm, Run, Running, UNSTABLE, component, kubeconfig, real, seed};

const MIB: u64 = 1 << 20;

#[test]
fn a_plugin_keeps_its_own_code_and_a_trap_is_kwasms_to_tell() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    for code in [0, 1, 3, 125, 255] {
        let run = kwasm.run("wasi3", &["exit", &code.to_string()]).fails(code);
        assert_eq!(run.complaints(), "", "{}", run.shown());
    }
    let run = kwasm.run("wasi3", &["trap"]).fails(125);
    assert!(
        run.stderr.contains("kwasm: the plugin trapped: wasm trap: wasm `unreachable`"),
        "{}",
        run.shown()
    );
}

/// Nothing could ever wake it, so that it would wait forever.
#[test]
fn a_plugin_that_waits_for_what_cannot_come_ends() {
    let run = Kwasm::new().policy("none").run("wasi3", &["wait"]).fails(125);
    assert!(run.stderr.contains("kwasm: the plugin trapped: wasm trap: deadlock"), "{}", run.shown());
}

#[cfg(unix)]
#[test]
fn the_user_ends_a_busy_loop_and_a_sleep() {
    for how in ["spin", "sleep"] {
        for signal in ["INT", "TERM"] {
            let mut running = Kwasm::new().start("wasi3", &[how]);
            running.line();
            running.signal(signal);
            assert_eq!(running.end().code, Some(130), "{how} by SIG{signal}");
        }
    }
}

#[test]
fn a_large_input_is_copied_whole() {
    let kwasm = Kwasm::new();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| b'a' + u8::try_from(number % 23).unwrap()).collect();
    let file = kwasm.home().join("input");
    std::fs::write(&file, &bytes).unwrap();
    let mut command = kwasm.guest("wasi3", &["echo"]);
    command.stdin(Stdio::from(std::fs::File::open(file).unwrap()));
    assert!(Run::of(&mut command).success().stdout.into_bytes() == bytes);
}

/// Installed, it is said once; of a file, each time.
#[test]
fn the_user_is_told_once_that_wasmtime_calls_the_interface_unstable() {
    let kwasm = Kwasm::new();
    let hello = component("hello-wasi3");
    let told = |run: &Run| run.stderr.matches(UNSTABLE).count();
    let installed = kwasm.call(["install", hello.to_str().unwrap()]).success();
    assert_eq!(told(&installed), 1, "{}", installed.shown());
    for _ in 0..2 {
        let run = kwasm.call(["run", "hello-wasi3", "--", "you"]).success();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("hello from kwasm: you\n", ""));
        let run = kwasm.run("hello-wasi3", &["you"]).success();
        assert_eq!((run.stdout.as_str(), told(&run)), ("hello from kwasm: you\n", 1), "{}", run.shown());
    }
    // One for 0.2 has nothing of it.
    let run = kwasm.run("hello", &[]).success();
    assert_eq!(run.stderr, "");
}

#[test]
fn a_policy_that_allows_only_what_is_stable_refuses_it() {
    let run = Kwasm::new().spec("{stableOnly: true}").run("hello-wasi3", &[]).fails(126);
    assert_eq!(
        run.stderr,
        "kwasm: `hello-wasi3` uses WASI 0.3, and the policy test allows only what wasmtime calls stable\n\
         hint: use a build of it for WASI 0.2, or a policy without `stableOnly: true`\n"
    );
    Kwasm::new().spec("{stableOnly: false}").run("hello-wasi3", &[]).success();
    Kwasm::new().spec("{stableOnly: true}").run("hello", &[]).success();
    // Nor is it installed with it, only never to run.
    let kwasm = Kwasm::new();
    let policy = |stable_only: bool| {
        let file = kwasm.home().join(format!("stable-only-{stable_only}.yaml"));
        let text = format!(
            "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: test}}\nspec: {{stableOnly: {stable_only}}}\n"
        );
        std::fs::write(&file, text).unwrap();
        file
    };
    let install = |stable_only: bool| {
        let (plugin, policy) = (component("hello-wasi3"), policy(stable_only));
        kwasm.call(["install".as_ref(), plugin.as_os_str(), "--policy".as_ref(), policy.as_os_str()])
    };
    assert_eq!(install(true).fails(126).stderr, run.stderr);
    kwasm.call(["run", "hello-wasi3"]).fails(127);
    install(false).success();
    kwasm.call(["run", "hello-wasi3"]).success();
}

/// A newer 0.3 runs as long as it uses nothing that is not there: wasmtime's linker finds what is compatible.
#[test]
fn a_newer_release_of_0_3_runs() {
    let kwasm = Kwasm::new();
    let text = r#"(component
        (import "wasi:cli/exit@0.3.2" (instance $exit (export "exit-with-code" (func (param "status-code" u8)))))
        (core func $exit (canon lower (func $exit "exit-with-code")))
        (core module $m
            (import "host" "exit" (func $exit (param i32)))
            (func (export "run") (result i32) (call $exit (i32.const 7)) (i32.const 0)))
        (core instance $i (instantiate $m (with "host" (instance (export "exit" (func $exit))))))
        (func $run async (result (result)) (canon lift (core func $i "run")))
        (component $c (import "run" (func $run async (result (result)))) (export "run" (func $run)))
        (instance $run (instantiate $c (with "run" (func $run))))
        (export "wasi:cli/run@0.3.2" (instance $run)))"#;
    let path = wat(&kwasm, "newer", text);
    let run = kwasm.call(["run", path.to_str().unwrap()]).fails(7);
    assert_eq!(run.complaints(), "", "{}", run.shown());
    // With what no 0.3 has so far, it is refused by the name of that.
    let path = wat(&kwasm, "newest", &text.replace("exit-with-code", "exit-with-signal"));
    let run = kwasm.call(["run", path.to_str().unwrap()]).fails(126);
    assert!(run.stderr.contains("exit-with-signal"), "{}", run.shown());
}

#[test]
fn a_hundred_megabytes_up_and_down_take_no_memory_and_arrive_whole() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let bytes = 100 * MIB;
    let mut running = kwasm.start("wasi3", &["count", &format!("/source?bytes={bytes}")]);
    let down = running.peak_until_end();
    assert_eq!(running.end().success().stdout, format!("{bytes} bytes\n"));
    let mut running = kwasm.start("wasi3", &["upload", "/sink", &bytes.to_string()]);
    let up = running.peak_until_end();
    assert_eq!(running.end().success().stdout, "status 200\n");
    assert_eq!(server.uploads()[0].bytes, bytes);
    // The guest's own buffers, the compiled code and kwasm itself are a good half of it.
    assert!(down < 200 * MIB && up < 350 * MIB, "{} MiB down, {} MiB up", down / MIB, up / MIB);
}

#[test]
fn an_answer_that_is_cut_short_is_an_error_to_the_guest() {
    let server = seed();
    server.fault(Fault::cut_after(50_000, Cut::Close).on("GET", "/source"));
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    kwasm.run("wasi3", &["count", "/source?bytes=100000"]).fails(1);
    // The next one is not cut.
    let run = kwasm.run("wasi3", &["count", "/source?bytes=100000"]).success();
    assert_eq!(run.stdout, "100000 bytes\n");
}

/// The same source, by wasi:http of 0.2 and of 0.3.
#[test]
fn the_same_source_gives_the_same_output_by_0_2_and_0_3() {
    let Some(real) = real("the_same_source_gives_the_same_output_by_0_2_and_0_3") else { return };
    let _log = real.pod_log();
    real.feed(&["create", "namespace", "both"], "");
    real.feed(&["run", "web", "--image=none", "--namespace", "both"], "");
    real.feed(&["wait", "--for=condition=Ready", "pod/web", "--namespace", "both", "--timeout=60s"], "");
    real.feed(&["create", "configmap", "one", "--from-literal=a=b", "--namespace", "both"], "");
    for policy in ["cluster", "none"] {
        for line in [
            ["list"].as_slice(),
            &["get", "one"],
            &["get", "absent"],
            &["create", "one", "a=b"],
            &["create", "made", "a=b"],
            &["patch", "one", "c=d"],
            &["watch", "2"],
            &["logs", "web"],
            &["logs", "web", "--lines", "1"],
            &["exec", "web", "--", "true"],
        ] {
            let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice)).policy(policy);
            let line = [&["-n", "both"], line].concat();
            let [two, three] = ["kube-client-http", "kube-client-wasi3"].map(|guest| {
                let run = kwasm.run(guest, &line);
                if line.contains(&"made") && policy == "cluster" {
                    // The other one creates it anew.
                    real.feed(&["delete", "configmap", "made", "--namespace", "both"], "");
                }
                run
            });
            assert_eq!(three.code, two.code, "{line:?}: {}", three.shown());
            assert_eq!(three.stdout, two.stdout, "{line:?}");
            assert_eq!(three.complaints(), two.stderr, "{line:?}");
            if policy == "none" && line[2] != "exec" {
                assert!(three.stderr.contains("error: refused by kwasm: "), "{line:?}: {}", three.shown());
                assert_eq!((three.code, three.stdout.as_str()), (Some(1), ""), "{line:?}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_log_is_followed_as_by_0_2_until_the_user_ends_it() {
    let Some(real) = real("a_log_is_followed_as_by_0_2_until_the_user_ends_it") else { return };
    let _log = real.pod_log();
    real.feed(&["create", "namespace", "wasi3-log"], "");
    real.feed(&["run", "web", "--image=none", "--namespace", "wasi3-log"], "");
    real.feed(&["wait", "--for=condition=Ready", "pod/web", "--namespace", "wasi3-log", "--timeout=60s"], "");
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice));
    let mut followers = ["kube-client-http", "kube-client-wasi3"].map(|guest| {
        let mut running = kwasm.start(guest, &["-n", "wasi3-log", "logs", "web", "--follow"]);
        running.line_with("hello from a pod");
        running
    });
    real.say("said to both");
    for running in &mut followers {
        running.line_with("said to both");
    }
    for running in followers {
        running.signal("INT");
        assert_eq!(running.end().code, Some(130));
    }
}

#[cfg(unix)]
#[test]
fn one_guest_follows_fifty_logs_at_once_and_letting_go_of_one_leaves_forty_nine() {
    let test = "one_guest_follows_fifty_logs_at_once_and_letting_go_of_one_leaves_forty_nine";
    let Some(real) = real(test) else { return };
    let _log = real.pod_log();
    real.feed(&["create", "namespace", "fifty"], "");
    real.feed(&["run", "web", "--image=none", "--namespace", "fifty"], "");
    real.feed(&["wait", "--for=condition=Ready", "pod/web", "--namespace", "fifty", "--timeout=60s"], "");
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice));
    let path = "/api/v1/namespaces/fifty/pods/web/log?follow=true";
    let mut running = kwasm.start("wasi3", &["follow-many", path, "50", "7"]);
    running.line_with("let go of 7");
    real.say("after that");
    let (mut heard, mut ticks) = (BTreeSet::new(), 0);
    while heard.len() < 49 {
        let line = running.line();
        match line.split_once(' ') {
            Some(("tick", _)) => ticks += 1,
            Some((number, "after that")) => assert!(heard.insert(number.to_owned()), "{number} twice"),
            _ => {}
        }
    }
    // Then the clock goes on, and of the one that was let go nothing comes.
    while ticks < 5 {
        let line = running.line();
        assert_ne!(line, "7 after that");
        ticks += usize::from(line.starts_with("tick "));
    }
    assert!(!heard.contains("7"), "{heard:?}");
    running.signal("INT");
    assert_eq!(running.end().code, Some(130));
}

/// Python's interpreter imports 0.2 beside the 0.3 of its program, by which it does what the guest in Rust does.
#[cfg(unix)]
#[test]
fn a_guest_in_python_lists_watches_and_uploads_as_one_in_rust() {
    let test = "a_guest_in_python_lists_watches_and_uploads_as_one_in_rust";
    let Some(python) = foreign("python-wasi3") else { return };
    let Some(real) = real(test) else { return };
    let path = "/api/v1/namespaces/python/configmaps";
    let create =
        |name: &str| real.feed(&["create", "configmap", name, "--from-literal=a=b", "-n", "python"], "");
    real.feed(&["create", "namespace", "python"], "");
    create("one");
    for (policy, kind) in [("cluster", "ConfigMapList"), ("none", "Status")] {
        let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice)).policy(policy);
        // The version of a list changes with whatever else is written to the cluster.
        let got = |run: Run| {
            let mut answer: Value = serde_json::from_str(&run.success().stdout).unwrap();
            answer["metadata"].take();
            answer
        };
        let one = format!("{path}?fieldSelector=metadata.name=one");
        let listed = got(Run::of(&mut kwasm.plugin(&python, &["get", &one])));
        assert_eq!(listed["kind"], kind, "{policy}");
        assert_eq!(listed, got(kwasm.run("wasi3", &["get", &one])), "{policy}");
    }
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice));
    let watch = format!("{path}?watch=true&fieldSelector=metadata.name!=kube-root-ca.crt");
    let mut both = [kwasm.plugin(&python, &["follow", &watch]), kwasm.guest("wasi3", &["follow", &watch])]
        .map(Running::of);
    for name in ["one", "two", "three"] {
        if name != "one" {
            create(name);
        }
        for running in &mut both {
            assert_eq!(running.line(), name);
        }
    }
    for running in both {
        running.signal("INT");
        assert_eq!(running.end().code, Some(130));
    }
    // The API server has no place for so long a body.
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let run = Run::of(&mut kwasm.plugin(&python, &["upload", "/sink", "5000000"])).success();
    assert_eq!((run.stdout.as_str(), server.uploads()[0].bytes), ("status 200\n", 5_000_000));
}
