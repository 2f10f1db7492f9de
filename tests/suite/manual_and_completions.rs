//! The manual and the completions: made of the command line's own definition, and taken by the programs they are for.

use crate::support::{Kwasm, Run, files, skip};

/// Every command and subcommand with its help, as the help of the command above it lists them.
fn help_of_all(kwasm: &Kwasm) -> Vec<(Vec<String>, String)> {
    let mut found: Vec<(Vec<String>, String)> = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(words) = open.pop() {
        let words: Vec<String> = words;
        let help = kwasm.call(words.iter().map(String::as_str).chain(["--help"])).success().stdout;
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        let named = listed.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
        let mut below: Vec<Vec<String>> = named
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| *name != "help")
            .map(|name| words.iter().cloned().chain([name.to_owned()]).collect())
            .collect();
        below.reverse();
        open.append(&mut below);
        found.push((words, help));
    }
    found
}

#[test]
fn all_help_is_as_it_was_reviewed() {
    let kwasm = Kwasm::new().variable("COLUMNS", "80");
    let pages = help_of_all(&kwasm);
    assert!(pages.len() > 15, "{}", pages.len());
    let whole: Vec<String> = pages
        .iter()
        .map(|(words, help)| {
            format!("$ kwasm {}\n{help}", [words.join(" "), "--help".to_owned()].join(" ").trim())
        })
        .collect();
    for line in whole.iter().flat_map(|page| page.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!("help", whole.join("\n"));
}

#[test]
fn there_is_a_page_for_each_command_and_man_reads_it() {
    let kwasm = Kwasm::new();
    let folder = kwasm.home().join("man").join("man1");
    kwasm.call(["man", "--dir", kwasm.home().join("man").to_str().unwrap()]).success();
    let pages = files(&folder);
    for (words, _) in help_of_all(&kwasm) {
        let name: Vec<&str> = ["kwasm"].into_iter().chain(words.iter().map(String::as_str)).collect();
        assert!(pages.contains(&format!("{}.1", name.join("-"))), "{name:?}: {pages:?}");
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
