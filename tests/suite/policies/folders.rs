//! Folders and environment variables.

use insta::assert_snapshot;

use super::{check, told, with_spec};

/// Returns a policy with this folder, in line 6.
fn folder(entry: &str) -> String {
    with_spec(&format!("  files:\n    - {entry}"))
}

/// Returns a policy with this variable, in line 5.
fn variable(name: &str) -> String {
    with_spec(&format!("  environment: [{name}]"))
}

#[test]
fn a_folder_has_a_path_whose_meaning_is_certain() {
    let told = told(&[
        ("files that are a map", with_spec("  files: {path: .}")),
        ("a path alone", folder("./out")),
        ("no path", folder("{access: read-only}")),
        ("a path that is nothing", folder("{path: ~}")),
        ("an empty path", folder("{path: \"\"}")),
        ("a path that is a number", folder("{path: 1}")),
        ("a path that climbs", folder("{path: ../x}")),
        ("a path of another user", folder("{path: ~root/x}")),
        ("another variable", folder("{path: $HOME/x}")),
        ("all of a folder of XDG", folder("{path: $XDG_CONFIG_HOME}")),
        ("an access that is none", folder("{path: ., access: write}")),
        ("a key that is none", folder("{path: ., mode: ro}")),
        ("too many", with_spec(&format!("  files: [{}]", vec!["{path: x}"; 65].join(", ")))),
    ]);
    assert_snapshot!(told, @r#"
    # files that are a map
    kwasm: bad.yaml:5: spec.files: it is a map, not a list
    hint: each folder begins with a dash
    # a path alone
    kwasm: bad.yaml:6: spec.files[0]: it is a single value, not a map
    hint: its keys are path, access
    # no path
    kwasm: bad.yaml:6: spec.files[0].path: it is missing
    hint: write a folder, e.g. `path: .` for the working directory
    # a path that is nothing
    kwasm: bad.yaml:6: spec.files[0].path: YAML reads it as nothing
    hint: the home directory is "~", in quotes
    # an empty path
    kwasm: bad.yaml:6: spec.files[0].path: it is empty
    hint: the working directory is `.`
    # a path that is a number
    kwasm: bad.yaml:6: spec.files[0].path: YAML reads it as a number
    hint: put it in quotes
    # a path that climbs
    kwasm: bad.yaml:6: spec.files[0].path: it climbs by `..`
    hint: write where it leads to, from there, from ~ or from /
    # a path of another user
    kwasm: bad.yaml:6: spec.files[0].path: `~root` has no meaning in a policy
    hint: write the path from / or from ~
    # another variable
    kwasm: bad.yaml:6: spec.files[0].path: `$HOME` is not a variable that begins a path
    hint: use $XDG_CONFIG_HOME, $XDG_DATA_HOME, $XDG_CACHE_HOME, $XDG_STATE_HOME, $XDG_RUNTIME_DIR or ~
    # all of a folder of XDG
    kwasm: bad.yaml:6: spec.files[0].path: it is the folder of all programs
    hint: write a folder in it, e.g. $XDG_CONFIG_HOME/NAME
    # an access that is none
    kwasm: bad.yaml:6: spec.files[0].access: there is no access `write`
    hint: write read-only or read-write
    # a key that is none
    kwasm: bad.yaml:6: spec.files[0].mode: there is no such key
    hint: its keys are path, access
    # too many
    kwasm: bad.yaml:5: spec.files: it lists more than 64 folders
    hint: list a folder that contains several
    "#);
}

#[test]
fn a_variable_has_a_name_and_no_pattern_is_for_credentials() {
    let told = told(&[
        ("variables that are a map", with_spec("  environment: {EDITOR: ed}")),
        ("a value", variable("EDITOR=ed")),
        ("all of them", variable("\"*\"")),
        ("a beginning without its end", variable("\"MY*\"")),
        ("a pattern for credentials", variable("\"AWS_*\"")),
        ("kwasm's own", variable("KUBECONFIG")),
    ]);
    assert_snapshot!(told, @r#"
    # variables that are a map
    kwasm: bad.yaml:5: spec.environment: it is a map, not a list
    hint: write it as a list: in brackets, with commas
    # a value
    kwasm: bad.yaml:5: spec.environment[0]: `EDITOR=ed` is not the name of a variable
    hint: write NAME, or "PREFIX_*"
    # all of them
    kwasm: bad.yaml:5: spec.environment[0]: `*` is not the name of a variable
    hint: write NAME, or "PREFIX_*"
    # a beginning without its end
    kwasm: bad.yaml:5: spec.environment[0]: `MY*` is not the name of a variable
    hint: write NAME, or "PREFIX_*"
    # a pattern for credentials
    kwasm: bad.yaml:5: spec.environment[0]: variables that begin with `AWS_` may hold credentials, which no pattern passes
    hint: name each one that the plugin needs in full
    # kwasm's own
    kwasm: bad.yaml:5: spec.environment[0]: kwasm sets `KUBECONFIG` for the plugin itself
    hint: remove KUBECONFIG
    "#);
    // The nearest ones that are.
    for name in ["EDITOR", "\"MY_*\"", "AWS_REGION", "KUBE_EDITOR"] {
        check(variable(name)).success();
    }
}
