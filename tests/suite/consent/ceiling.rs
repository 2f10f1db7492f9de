//! An administrator's ceiling limits every plugin, and one that cannot be relied on stops all of them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use kwasm_apiserver::User;

use super::{effective, shown, spec};
use crate::support::{Kwasm, Run, component, kubeconfig, seed, skip};

/// A change that makes a ceiling unusable.
type Break = fn(&Path);

/// Returns a kwasm under a ceiling of its own, and the file; `None` if only root can make one.
fn under(test: &str, ceiling: &str) -> Option<(Kwasm, PathBuf)> {
    let kwasm = Kwasm::new();
    let folder = kwasm.home().join("etc");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let file = folder.join("ceiling.yaml");
    fs::write(&file, ceiling).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    if fs::metadata(&file).unwrap().uid() != 0 {
        skip(test, "only root makes a file that belongs to root");
        return None;
    }
    let kwasm = kwasm.without(&format!("ceiling={}", file.display()));
    Some((kwasm, file))
}

const VERSION: &str = "{kubernetes: {contexts: '*', rules: [{nonResourceURLs: [/version], verbs: [get]}]}, limits: {memory: 64Mi}}";

fn dial(kwasm: &Kwasm, url: &str) -> Run {
    kwasm.call(["run", component("dials").to_str().unwrap(), "--policy", "cluster", "--", url])
}

#[test]
fn what_the_ceiling_does_not_allow_no_grant_allows() {
    let Some((kwasm, file)) = under("consent::what_the_ceiling_does_not_allow", &spec(VERSION)) else {
        return;
    };
    let server = seed();
    let kwasm = kwasm.kubeconfig(kubeconfig(&server, User::Token));
    assert!(dial(&kwasm, "http://192.0.2.1/version").stdout.starts_with("status 200"));
    let refused = dial(&kwasm, "http://192.0.2.1/healthz");
    assert!(refused.stdout.starts_with("status 403"), "{}", refused.shown());
    let told = refused.stderr.replace(file.to_str().unwrap(), "CEILING");
    insta::assert_snapshot!(told, @r"
    kwasm: refused: get /healthz: the administrator's ceiling CEILING does not allow it
    hint: an administrator of this machine can add this rule to CEILING: {nonResourceURLs: [/healthz], verbs: [get]}
    ");
    kwasm.call(["install", component("dials").to_str().unwrap(), "--policy", "cluster"]).success();
    assert_eq!(effective(&kwasm, "dials"), ["{nonResourceURLs: [/version], verbs: [get]}"]);
    assert_eq!(shown(&kwasm, "dials")["effective"][0]["policies"][0], "ceiling");
}

#[test]
fn a_ceiling_that_allows_only_what_is_stable_keeps_plugins_for_wasi_0_3_from_being_installed_and_run() {
    let test = "consent::a_ceiling_that_allows_only_what_is_stable";
    let Some((kwasm, file)) = under(test, &spec("{stableOnly: true}")) else { return };
    let (unstable, stable) = (component("hello-wasi3"), component("hello"));
    for verb in ["install", "run"] {
        let refused = kwasm.call([verb, unstable.to_str().unwrap()]).fails(126);
        assert_eq!(
            refused.stderr.replace(file.to_str().unwrap(), "CEILING"),
            "kwasm: `hello-wasi3` uses WASI 0.3, and the policy CEILING allows only what wasmtime calls stable\n\
             hint: use a build of it for WASI 0.2, or a policy without `stableOnly: true`\n"
        );
        assert_eq!(refused.stdout, "");
        kwasm.call([verb, stable.to_str().unwrap()]).success();
    }
    // One that was installed before does not run any more, and runs again without it.
    fs::write(&file, spec("{}")).unwrap();
    kwasm.call(["install", unstable.to_str().unwrap()]).success();
    fs::write(&file, spec("{stableOnly: true}")).unwrap();
    kwasm.call(["run", "hello-wasi3"]).fails(126);
    fs::write(&file, spec("{stableOnly: false}")).unwrap();
    kwasm.call(["run", "hello-wasi3"]).success();
}

#[test]
fn a_ceiling_that_is_not_roots_alone_or_no_policy_is_an_error_and_never_passed_over() {
    let test = "consent::a_ceiling_that_is_not_roots";
    let breaks: &[(&str, Break)] = &[
        ("it does not belong to root", |file| chown(file, Some(65534), None).unwrap()),
        ("it can be changed by other users than root", |file| {
            fs::set_permissions(file, fs::Permissions::from_mode(0o664)).unwrap();
        }),
        ("its folder does not belong to root", |file| {
            chown(file.parent().unwrap(), Some(65534), None).unwrap();
        }),
        ("its folder can be changed by other users than root", |file| {
            fs::set_permissions(file.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
        }),
        ("it is not a file", |file| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        }),
        ("No such file", |file| {
            fs::remove_file(file).unwrap();
            std::os::unix::fs::symlink("nowhere", file).unwrap();
        }),
        ("spec: it is missing", |file| {
            fs::write(file, "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: x}\n").unwrap();
        }),
        ("it is not UTF-8 text", |file| fs::write(file, b"\xff").unwrap()),
    ];
    for (why, broken) in breaks {
        let Some((kwasm, file)) = under(test, &spec(VERSION)) else { return };
        let hello = component("hello");
        kwasm.call(["run", hello.to_str().unwrap()]).success();
        broken(&file);
        let run = kwasm.call(["run", hello.to_str().unwrap()]);
        assert_ne!(run.code, Some(0), "{why}: {}", run.shown());
        assert!(run.stdout.is_empty() && run.stderr.contains(why), "{why}: {}", run.shown());
    }
}

#[test]
fn without_a_ceiling_nothing_is_limited() {
    let test = "consent::without_a_ceiling";
    let Some((kwasm, file)) = under(test, &spec(VERSION)) else { return };
    fs::remove_file(&file).unwrap();
    let server = seed();
    let kwasm = kwasm.kubeconfig(kubeconfig(&server, User::Token));
    assert!(dial(&kwasm, "http://192.0.2.1/healthz").stdout.starts_with("status 200"));
}
