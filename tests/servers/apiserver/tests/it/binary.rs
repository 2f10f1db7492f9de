//! The program: one line out, and nothing left when its input ends.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

#[test]
fn the_program_tells_where_it_is_and_ends_with_its_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kwasm-apiserver"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let place: Value = serde_json::from_str(&line).unwrap();
    let folder = place["dir"].as_str().unwrap();
    for kind in ["certificate", "token"] {
        let path = Path::new(place["kubeconfigs"][kind].as_str().unwrap());
        let text = std::fs::read_to_string(path).unwrap();
        assert!(path.starts_with(folder) && text.contains(place["url"].as_str().unwrap()), "{text}");
        assert!(text.contains("namespace: \"shop\""));
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(output.read_line(&mut line).unwrap(), 0, "more than one line: {line}");
    assert!(!Path::new(folder).exists());
}
