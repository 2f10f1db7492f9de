//! The manual and the completions: made of the command line's own definition, and taken by the programs they are for.

use crate::support::{Kwasm, Run, files, skip};

const COMMANDS: [&str; 16] = [
    "completion",
    "doctor",
    "inspect",
    "install",
    "list",
    "load",
    "man",
    "outdated",
    "policy",
    "publish",
    "run",
    "save",
    "uninstall",
    "upgrade",
    "verify",
    "policy-explain",
];

#[test]
fn there_is_a_page_for_each_command_and_man_reads_it() {
    let kwasm = Kwasm::new();
    let folder = kwasm.home().join("man").join("man1");
    kwasm.call(["man", "--dir", kwasm.home().join("man").to_str().unwrap()]).success();
    let pages = files(&folder);
    for command in COMMANDS {
        assert!(pages.contains(&format!("kwasm-{command}.1")), "{command}: {pages:?}");
    }
    let page = kwasm.call(["man", "install"]).success().stdout;
    assert_eq!(page, std::fs::read_to_string(folder.join("kwasm-install.1")).unwrap());
    assert!(page.contains(".TH kwasm-install 1"), "{page}");
    let run = kwasm.call(["man", "instal"]).fails(2);
    assert_eq!(run.stderr, "kwasm: there is no command `instal`, so there is no page about it\n");
    for page in pages {
        let mut groff = kwasm.program("groff");
        groff.args(["-man", "-Tutf8", "-P-cbou", "-ww"]).arg(folder.join(&page));
        let Ok(output) = groff.output() else {
            return skip("manual::there_is_a_page_for_each_command", "there is no groff");
        };
        let run = Run::from(output).success();
        assert_eq!(run.stderr, "", "{page}");
        assert!(run.stdout.contains("SYNOPSIS"), "{page}: {}", run.stdout);
    }
}

#[test]
fn a_shell_takes_its_completions_and_completes_with_them() {
    let kwasm = Kwasm::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = kwasm.call(["completion", shell]).success().stdout;
        for word in ["outdated", "publish", "--policy"] {
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
    let script = kwasm.call(["completion", "bash"]).success().stdout;
    let ask = r#"COMP_WORDS=(kwasm out); COMP_CWORD=1; _kwasm kwasm out kwasm; echo "${COMPREPLY[@]}""#;
    let mut bash = kwasm.program("bash");
    match bash.args(["--norc", "-c", &format!("{script}\n{ask}")]).output() {
        Ok(output) => assert_eq!(Run::from(output).success().stdout, "outdated\n"),
        Err(_) => skip("manual::a_shell_takes_its_completions", "there is no bash"),
    }
    kwasm.call(["completion", "cmd"]).fails(2);
}
