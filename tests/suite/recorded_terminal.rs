//! The README's picture is what a terminal shows: `KWASM_RECORD=1 cargo xtask test -- recorded_terminal` draws it anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use kwasm_apiserver::User;

use crate::support::{component, on_terminal_whole, real, seed};

const PICTURE: &str = ".github/first-minute.svg";

/// Each command with the code that it ends with.
const SESSION: [(&str, i32); 3] = [
    ("kwasm install target/components/decoder.wasm --policy decoder", 0),
    ("kubectl decoder secret db -n shop", 0),
    ("kwasm run target/components/dials.wasm -- 'https://collector.example/?password=hunter2'", 1),
];

#[test]
fn the_readmes_picture_is_what_a_terminal_shows() {
    let Some(real) = real("the_readmes_picture_is_what_a_terminal_shows") else { return };
    let server = seed();
    let kwasm = crate::support::Kwasm::new().kubeconfig(server.kubeconfig(User::Certificate));
    let link = |program: &Path, name: &str| {
        std::os::unix::fs::symlink(program, kwasm.home().join(name)).unwrap();
    };
    fs::create_dir_all(kwasm.links()).unwrap();
    fs::create_dir(kwasm.home().join("target")).unwrap();
    link(Path::new(env!("CARGO_BIN_EXE_kwasm")), "bin/kwasm");
    link(&real.kubectl_program(), "bin/kubectl");
    link(component("decoder").parent().unwrap(), "target/components");
    let mut transcript = String::new();
    for (command, code) in SESSION {
        let mut shell: Command = kwasm.program("sh");
        let (ended, shown) = on_terminal_whole(shell.args(["-c", command]), 80);
        assert_eq!(ended, Some(code), "$ {command}\n{shown}");
        // Prompt and command as shells show them; the rest is as it was printed.
        let shown = without_digests(&shown);
        transcript.extend(["\x1b[32m$\x1b[0m \x1b[1m", command, "\x1b[0m\n", &shown, "\n"]);
    }
    let picture =
        anstyle_svg::Term::new().palette(anstyle_svg::WIN10_CONSOLE).render_svg(transcript.trim_end());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PICTURE);
    if std::env::var_os("KWASM_RECORD").is_some() {
        fs::write(&path, &picture).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, picture, "{PICTURE} is not what a terminal shows now: KWASM_RECORD=1 draws it anew");
}

/// Returns a text without the parts that another compiler's build of a plugin changes.
fn without_digests(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole.push_str("sha256:…");
        whole.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    whole
}
