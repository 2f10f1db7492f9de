//! whoami, on the real control plane.

use kwasm_cluster::User;

use crate::support::{Kwasm, real};

#[test]
fn whoami_says_whom_the_api_server_takes_you_for() {
    let Some(real) = real("whoami_says_whom_the_api_server_takes_you_for") else { return };
    // A certificate, a token, and a certificate inside the file.
    for (user, name) in [(User::Alice, "alice"), (User::Bob, "bob"), (User::Carol, "carol")] {
        let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(user)).policy("whoami");
        let run = kwasm.run("whoami", &[]).success();
        assert_eq!((run.stdout, run.stderr), (format!("{name}\n"), String::new()));
        let all = kwasm.run("whoami", &["--all"]).success().stdout;
        for group in ["dev", "system:authenticated"] {
            assert!(all.lines().any(|line| line.starts_with("Group") && line.ends_with(group)), "{all}");
        }
        let document: serde_json::Value =
            serde_json::from_str(&kwasm.run("whoami", &["-o", "json"]).success().stdout).unwrap();
        assert_eq!(document["username"], name);
    }
}

#[test]
fn whoami_is_somebody_else_with_as() {
    let Some(real) = real("whoami_is_somebody_else_with_as") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin)).policy("whoami");
    let run = kwasm.run("whoami", &["--as", "eve", "--as-group", "guests", "--all"]).success();
    assert!(run.stdout.contains("eve") && run.stdout.contains("guests"), "{}", run.shown());
}

#[test]
fn whoami_without_its_only_rule_says_that_it_was_refused() {
    let Some(real) = real("whoami_without_its_only_rule_says_that_it_was_refused") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice)).policy("none");
    let run = kwasm.run("whoami", &[]).fails(1);
    assert!(run.stderr.contains("whoami: review: refused by kwasm"), "{}", run.shown());
    assert_eq!(run.stdout, "");
}
