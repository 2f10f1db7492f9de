//! What is read before anything is judged: the rules, and manifests.

use crate::rules::Rules;
use crate::{COMMAND, FILENAME, RULES, RULES_FROM, RULES_TEXT};
use kube_guest::for_terminal_line;
use plugin_kit::{Arguments, Failure};
use std::io::{self, Read};

/// The key of a `ConfigMap` that has rules.
const KEY: &str = "rules.yaml";

/// The name of standard input.
const STDIN: &str = "-";

/// Returns the rules that the command line names, or the defaults.
pub(crate) fn rules(arguments: &Arguments) -> Result<Rules, Failure> {
    let given = [&RULES, &RULES_TEXT, &RULES_FROM].map(|flag| arguments.value(flag));
    if given.iter().flatten().count() > 1 {
        return Err(Failure::usage("--rules, --rules-text, --rules-from: one of them is enough"));
    }
    let [file, text, map] = given;
    let (what, text) = if let Some(file) = file {
        if file == STDIN && arguments.values(&FILENAME).any(|file| file == STDIN) {
            return Err(Failure::usage("--rules -: standard input has the manifests already"));
        }
        (shown(file), read(file)?)
    } else if let Some(text) = text {
        ("--rules-text".to_owned(), text.to_owned())
    } else if let Some(map) = map {
        (format!("configmap {}: {KEY}", for_terminal_line(map)), plugin_kit::config_map(map, KEY)?)
    } else {
        return Ok(Rules::default());
    };
    Rules::read(&text).map_err(|why| Failure::message(format!("{what}: {}", for_terminal_line(&why))))
}

/// Returns the rules for admission: those that the arguments of the server name.
pub(crate) fn for_admission() -> Result<Rules, Failure> {
    rules(&Arguments::of(&COMMAND)?)
}

/// Returns the names and texts of files.
pub(crate) fn files(names: &[&str]) -> Result<Vec<(String, String)>, Failure> {
    if names.iter().filter(|name| **name == STDIN).count() > 1 {
        return Err(Failure::usage("-f -: once is enough"));
    }
    names.iter().map(|name| Ok((shown(name), read(name)?))).collect()
}

fn shown(file: &str) -> String {
    if file == STDIN { "stdin".to_owned() } else { for_terminal_line(file).into_owned() }
}

fn read(file: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let result = match file {
        STDIN => io::stdin().lock().read_to_string(&mut text).map(drop),
        file => std::fs::read_to_string(file).map(|read| text = read),
    };
    result.map(|()| text).map_err(|error| {
        Failure::message(format!("{}: {error}", shown(file))).with_hint(
            "a plugin reads only folders that its policy grants; standard input, `-`, needs no grant",
        )
    })
}
