//! `doctor` finds what is wrong, and its cures are commands that help.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use insta::assert_snapshot;

use crate::support::{Kwasm, Run, component};

fn installed() -> Kwasm {
    let kwasm = Kwasm::with_empty_cache();
    kwasm.call(["install", component("hello").to_str().unwrap(), "--as", "my-plug"]).success();
    kwasm
}

fn shown(kwasm: &Kwasm, run: &Run) -> String {
    let home = kwasm.home().to_str().unwrap();
    let program = env!("CARGO_BIN_EXE_kwasm");
    let component = component("hello");
    let own = (std::env::consts::ARCH, "PROCESSOR");
    let shown = run.shown_without(&[
        (home, "HOME"),
        (program, "PROGRAM"),
        (component.to_str().unwrap(), "SOURCE"),
        own,
    ]);
    // How much code there is depends on the compiler.
    let line =
        |line: &str| match line.strip_prefix("caches ").and_then(|sizes| sizes.split_once(" of compiled")) {
            Some((_, rest)) => format!("caches      SIZE of compiled{rest}"),
            None => line.to_owned(),
        };
    shown.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Returns the remedies of a `doctor` that found something.
fn cures(kwasm: &Kwasm, arguments: &[&str]) -> Vec<String> {
    let run = kwasm.call(arguments).fails(125);
    let checks: serde_json::Value =
        serde_json::from_str(&kwasm.call([arguments, &["-o", "json"]].concat()).fails(125).stdout).unwrap();
    let problems = checks.as_array().unwrap().iter().flat_map(|check| check["problems"].as_array().unwrap());
    let cures: Vec<String> = problems.map(|problem| problem["cure"].as_str().unwrap().to_owned()).collect();
    for cure in &cures {
        assert!(run.stderr.contains(&format!("hint: {cure}\n")), "{cure}: {}", run.shown());
    }
    cures
}

/// Does what the doctor says, as a user would, until nothing is wrong any more.
#[track_caller]
fn is_cured(kwasm: &Kwasm, arguments: &[&str]) {
    fs::create_dir_all(kwasm.home().join("program")).unwrap();
    let name = kwasm.home().join("program/kwasm");
    if !name.exists() {
        symlink(env!("CARGO_BIN_EXE_kwasm"), &name).unwrap();
    }
    for cure in cures(kwasm, arguments) {
        let mut shell = kwasm.program("sh");
        let path = format!("PATH=\"$PATH:{}\"; {cure}", name.parent().unwrap().display());
        Run::of(shell.args(["-c", &path])).success();
    }
    kwasm.call(arguments).success();
}

#[test]
fn a_healthy_home_is_told_in_a_line_for_each_check() {
    let kwasm = installed();
    assert_snapshot!(shown(&kwasm, &kwasm.call(["doctor", "--deep"])), @r"
    exit: 0
    --- stdout
    CHECK       FOUND
    code        Linux runs what is compiled for PROCESSOR
    path        HOME/bin is on it
    links       2 links of 1 plugin
    receipts    1 plugin
    contents    1 file that they need
    store       HOME/data is writable only by you
    caches      SIZE of compiled code, 0 B of downloads
    indexes     no index of plugins
    kubeconfig  there is none
    cluster     none is selected: kubectl config use-context NAME selects one
    registries  no logins
    trust       no trust.yaml: no signature is required
    digests     1 file unchanged
    compiled    1 plugin unchanged when compiled again
    --- stderr
    ");
    let json = kwasm.call(["doctor", "-o", "json"]).success().stdout;
    let checks: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&checks[0]["name"], &checks[0]["problems"]), (&"code".into(), &serde_json::json!([])));
    assert!(kwasm.call(["doctor", "-o", "yaml"]).success().stdout.contains("- name: path"));
    assert_eq!(kwasm.call(["doctor", "-o", "name"]).success().stdout, "");
    Kwasm::new().call(["doctor"]).success();
}

#[test]
fn a_folder_of_links_that_no_shell_looks_into_is_found() {
    let kwasm = installed();
    let run = Run::of(kwasm.command(["doctor"]).env("PATH", "/usr/bin")).fails(125);
    assert_snapshot!(shown(&kwasm, &run), @r#"
    exit: 125
    --- stdout
    CHECK       FOUND
    code        Linux runs what is compiled for PROCESSOR
    path        1 problem
    links       2 links of 1 plugin
    receipts    1 plugin
    contents    1 file that they need
    store       HOME/data is writable only by you
    caches      SIZE of compiled code, 0 B of downloads
    indexes     no index of plugins
    kubeconfig  there is none
    cluster     none is selected: kubectl config use-context NAME selects one
    registries  no logins
    trust       no trust.yaml: no signature is required
    --- stderr
    kwasm: HOME/bin: it is not on PATH, so kubectl finds no plugin there
    hint: export PATH="HOME/bin:$PATH"
    "#);
}

#[test]
fn a_link_that_is_missing_or_leads_nowhere_is_found_and_cured() {
    let kwasm = installed();
    fs::remove_file(kwasm.links().join("kubectl-my_plug")).unwrap();
    assert_snapshot!(shown(&kwasm, &kwasm.call(["doctor"])), @r"
    exit: 125
    --- stdout
    CHECK       FOUND
    code        Linux runs what is compiled for PROCESSOR
    path        HOME/bin is on it
    links       1 problem
    receipts    1 plugin
    contents    1 file that they need
    store       HOME/data is writable only by you
    caches      SIZE of compiled code, 0 B of downloads
    indexes     no index of plugins
    kubeconfig  there is none
    cluster     none is selected: kubectl config use-context NAME selects one
    registries  no logins
    trust       no trust.yaml: no signature is required
    --- stderr
    kwasm: HOME/bin/kubectl-my_plug: it is missing
    hint: ln -sf PROGRAM HOME/bin/kubectl-my_plug
    ");
    is_cured(&kwasm, &["doctor"]);
    let completion = kwasm.links().join("kubectl_complete-my_plug");
    fs::remove_file(&completion).unwrap();
    symlink("/missing/kwasm", completion).unwrap();
    is_cured(&kwasm, &["doctor"]);
    let stray = kwasm.links().join("kubectl-gone");
    symlink(env!("CARGO_BIN_EXE_kwasm"), stray).unwrap();
    is_cured(&kwasm, &["doctor"]);
}

#[test]
fn a_file_in_the_place_of_a_link_is_found_and_kept_aside() {
    let kwasm = installed();
    let link = kwasm.links().join("kubectl-my_plug");
    fs::remove_file(&link).unwrap();
    fs::write(&link, "theirs").unwrap();
    is_cured(&kwasm, &["doctor"]);
    assert_eq!(fs::read_to_string(kwasm.links().join("kubectl-my_plug.old")).unwrap(), "theirs");
}

#[test]
fn a_program_that_comes_before_a_link_is_found() {
    let kwasm = installed();
    let before = kwasm.home().join("before");
    fs::create_dir(&before).unwrap();
    let shadow = before.join("kubectl-my_plug");
    fs::write(&shadow, "#!/bin/sh\n").unwrap();
    let path = format!("{}:{}:/usr/bin", before.display(), kwasm.links().display());
    // A file that is not executable does not matter.
    Run::of(kwasm.command(["doctor"]).env("PATH", &path)).success();
    fs::set_permissions(&shadow, fs::Permissions::from_mode(0o755)).unwrap();
    let run = Run::of(kwasm.command(["doctor"]).env("PATH", &path)).fails(125);
    assert!(run.stderr.contains("before/kubectl-my_plug: it comes before"), "{}", run.shown());
}

#[test]
fn a_broken_receipt_is_found_told_by_list_and_keeps_its_content() {
    let kwasm = installed();
    kwasm.call(["install", component("prints").to_str().unwrap()]).success();
    let receipt = kwasm.home().join("data/plugins/my-plug/receipt.json");
    for broken in ["{", "{}", &" ".repeat(2 << 20)] {
        fs::write(&receipt, broken).unwrap();
        let list = kwasm.call(["list"]).fails(125);
        assert_eq!(list.stdout, "prints\n");
        assert!(
            list.stderr.contains("data/plugins/my-plug/receipt.json: the receipt is broken: "),
            "{}",
            list.shown()
        );
        assert!(cures(&kwasm, &["doctor"])[0].starts_with("kwasm uninstall my-plug"));
    }
    // The plugin to which the content belonged can no longer be determined.
    kwasm.call(["uninstall", "prints"]).success();
    let blobs = || crate::support::files(&kwasm.home().join("data/blobs")).len();
    assert_eq!(blobs(), 2);
    kwasm.call(["uninstall", "my-plug"]).success();
    assert_eq!(blobs(), 0);
    kwasm.call(["doctor"]).success();
}

#[test]
fn a_receipt_of_another_plugin_is_broken() {
    let kwasm = installed();
    let plugins = kwasm.home().join("data/plugins");
    fs::create_dir(plugins.join("copy")).unwrap();
    fs::copy(plugins.join("my-plug/receipt.json"), plugins.join("copy/receipt.json")).unwrap();
    let run = kwasm.call(["run", "copy"]).fails(125);
    assert!(run.stderr.contains("the receipt is broken: it is that of `my-plug`"), "{}", run.shown());
}

#[test]
fn content_that_is_gone_cut_short_or_changed_is_found_and_cured() {
    let kwasm = installed();
    let blobs = kwasm.home().join("data/blobs/sha256");
    let blob = blobs.join(&crate::support::files(&blobs)[0]);
    let whole = fs::read(&blob).unwrap();
    fs::remove_file(&blob).unwrap();
    is_cured(&kwasm, &["doctor"]);
    fs::write(&blob, &whole[1..]).unwrap();
    is_cured(&kwasm, &["doctor"]);
    let mut changed = whole.clone();
    changed[100] ^= 1;
    fs::write(&blob, changed).unwrap();
    kwasm.call(["doctor"]).success();
    is_cured(&kwasm, &["doctor", "--deep"]);
    assert!(fs::read(&blob).unwrap() == whole);
}

#[test]
fn code_that_is_not_what_compiling_gives_is_found_and_cured() {
    let kwasm = installed();
    let folder = kwasm.home().join("cache/kwasm/compiled");
    let code = folder.join(&crate::support::files(&folder)[0]);
    let mut bytes = fs::read(&code).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&code, &bytes).unwrap();
    kwasm.call(["doctor"]).success();
    is_cured(&kwasm, &["doctor", "--deep"]);
}

#[test]
fn what_others_may_write_is_found_and_cured() {
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let kwasm = installed();
    open(&kwasm.home().join("data"), 0o777);
    is_cured(&kwasm, &["doctor"]);
    open(&kwasm.home().join("cache/kwasm/compiled"), 0o755);
    is_cured(&kwasm, &["doctor"]);
}

/// Returns a kwasm with this kubeconfig, for `doctor`.
fn with_kubeconfig(config: &serde_json::Value) -> Kwasm {
    let kwasm = installed();
    let path = kwasm.home().join("config");
    fs::write(&path, config.to_string()).unwrap();
    kwasm.kubeconfig(path)
}

/// Returns a kubeconfig whose one user and one cluster have these entries.
fn config(cluster: &serde_json::Value, user: &serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
    })
}

#[test]
fn what_the_kubeconfig_needs_and_is_not_there_is_found() {
    use serde_json::json;
    let server = json!({"server": "https://127.0.0.1:1"});
    let well = with_kubeconfig(&config(&server, &json!({"token": "t"})));
    let run = well.call(["doctor"]).success();
    assert!(run.stdout.contains("kubeconfig  1 context in 1 file\n"), "{}", run.shown());
    assert!(run.stdout.contains("cluster     here at https://127.0.0.1:1\n"), "{}", run.shown());
    let plugin = |command: &str| {
        json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
            "command": command, "installHint": "ask for\nhelper"}})
    };
    Kwasm::new().call(["doctor"]).success();
    with_kubeconfig(&config(&server, &plugin("true"))).call(["doctor"]).success();
    let mut astray = config(&server, &json!({}));
    astray["contexts"].as_array_mut().unwrap().push(json!({"name": "gone", "context": {"cluster": "x"}}));
    for (config, told, cure) in [
        (
            astray,
            "context `gone`: the kubeconfig has no cluster `x`",
            "kubectl config delete-context gone, if no one needs it",
        ),
        (
            config(&json!({"server": "https://h", "certificate-authority": "absent"}), &json!({})),
            "HOME/absent",
            "correct certificate-authority of this cluster in the kubeconfig, or log in again",
        ),
        (
            config(&server, &json!({"client-certificate": "absent", "client-key": "absent"})),
            "HOME/absent",
            "log in again with the tool that created this kubeconfig, or correct this user in it",
        ),
        (
            config(&server, &json!({"tokenFile": "absent"})),
            "HOME/absent",
            "log in again with the tool that created this kubeconfig, or correct this user in it",
        ),
        (config(&server, &plugin("no-such-helper")), "no-such-helper", "ask for helper"),
    ] {
        let kwasm = with_kubeconfig(&config);
        let run = kwasm.call(["doctor"]).fails(125);
        let stderr = run.stderr.replace(kwasm.home().to_str().unwrap(), "HOME");
        assert!(
            stderr.contains(told) && stderr.contains(&format!("hint: {cure}\n")),
            "{told}: {}",
            run.shown()
        );
    }
}

#[test]
fn a_client_certificate_that_has_expired_is_found() {
    let server = kwasm_apiserver::ApiServer::builder().start().unwrap();
    let kwasm = installed().kubeconfig(server.kubeconfig(kwasm_apiserver::User::ExpiredCertificate));
    let run = kwasm.call(["doctor"]).fails(125);
    assert!(run.stderr.contains("the client certificate of user"), "{}", run.shown());
    assert!(run.stderr.contains("it expired on "), "{}", run.shown());
    let kwasm = installed().kubeconfig(server.kubeconfig(kwasm_apiserver::User::Certificate));
    kwasm.call(["doctor"]).success();
}

#[test]
fn a_kubeconfig_that_cannot_be_read_is_found() {
    let kwasm = installed();
    fs::write(kwasm.home().join("config"), "clusters: [").unwrap();
    let kwasm = {
        let path = kwasm.home().join("config");
        kwasm.kubeconfig(path)
    };
    let run = kwasm.call(["doctor"]).fails(125);
    assert!(run.stderr.contains("it is not a valid kubeconfig"), "{}", run.shown());
}

#[test]
fn what_is_wrong_and_why_are_apart_whatever_is_in_a_name() {
    use serde_json::json;
    let config = json!({
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "a: b", "user": {"tokenFile": "absent"}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "a: b"}}],
    });
    let kwasm = with_kubeconfig(&config);
    let data: serde_json::Value =
        serde_json::from_str(&kwasm.call(["doctor", "-o", "json"]).fails(125).stdout).unwrap();
    let check = data.as_array().unwrap().iter().find(|check| check["name"] == "cluster").unwrap();
    let problem = &check["problems"][0];
    assert_eq!(problem["what"], "the token of user `a: b`");
    assert!(
        problem["why"].as_str().unwrap().ends_with("No such file or directory (os error 2)"),
        "{problem}"
    );
}
