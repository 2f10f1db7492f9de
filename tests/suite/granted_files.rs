//! Tests of the folders that a policy grants: a plugin finds them under the paths that its user types, and what
//! cannot be granted is reported before it starts.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use insta::assert_snapshot;

use crate::support::{Kwasm, Run, component};

/// The guest, as a component and as a core module: both get the same.
const FORMS: [&str; 2] = ["keeps-files", "keeps-files-core"];

/// Returns a kwasm with this policy, in whose home are folders and files, each with its path as its content.
fn home(spec: &str, paths: &[&str]) -> Kwasm {
    let kwasm = Kwasm::new().spec(spec);
    for path in paths {
        let path = kwasm.home().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, path.file_name().unwrap().to_str().unwrap()).unwrap();
    }
    kwasm
}

/// Runs the guest in a folder of the home.
fn run_in(kwasm: &Kwasm, folder: &str, guest: &str, arguments: &[&str]) -> Run {
    Run::of(kwasm.guest(guest, arguments).current_dir(kwasm.home().join(folder)))
}

#[track_caller]
fn reads(kwasm: &Kwasm, folder: &str, path: &str) {
    for form in FORMS {
        let run = run_in(kwasm, folder, form, &["read", path]).success();
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        assert_eq!(run.stdout, name, "{form}: {}", run.shown());
    }
}

#[track_caller]
fn cannot(kwasm: &Kwasm, folder: &str, arguments: &[&str], why: &str) {
    for form in FORMS {
        let run = run_in(kwasm, folder, form, arguments).fails(1);
        assert!(run.stderr.contains(why), "{form}: {}", run.shown());
    }
}

/// Returns the message about a policy that cannot be granted, without the parts that differ.
fn refused(kwasm: &Kwasm, folder: &str) -> String {
    let run = run_in(kwasm, folder, "keeps-files", &["read", "x"]).fails(126);
    assert_eq!(run.stdout, "");
    let home = kwasm.home().canonicalize().unwrap();
    run.stderr.replace(home.to_str().unwrap(), "HOME").replace(kwasm.home().to_str().unwrap(), "HOME")
}

#[test]
fn the_working_directory_is_found_by_relative_and_absolute_paths() {
    let kwasm = home("{files: [{path: .}]}", &["project/notes", "project/inner/notes", "notes"]);
    let absolute = kwasm.home().canonicalize().unwrap().join("project/notes");
    for path in ["notes", "./notes", "inner/notes", "inner/../notes", absolute.to_str().unwrap()] {
        reads(&kwasm, "project", path);
    }
    for path in ["../notes", "inner/../../notes"] {
        cannot(&kwasm, "project", &["read", path], "Operation not permitted");
    }
    let above = kwasm.home().join("notes");
    cannot(&kwasm, "project", &["read", above.to_str().unwrap()], "No such file or directory");
    for change in [&["write", "notes", "x"][..], &["remove", "notes"], &["rename", "notes", "x"]] {
        cannot(&kwasm, "project", change, "Operation not permitted");
    }
    // In another folder, it is another one.
    reads(&kwasm, "project/inner", "notes");
}

#[test]
fn the_working_directory_is_found_by_the_path_that_a_shell_shows() {
    let kwasm = home("{files: [{path: .}]}", &["disk/project/notes"]);
    symlink("disk", kwasm.home().join("work")).unwrap();
    let shown = kwasm.home().join("work/project");
    let read = |directory: &Path| {
        let path = shown.join("notes");
        let mut command = kwasm.guest("keeps-files", &["read", path.to_str().unwrap()]);
        Run::of(command.current_dir(&shown).env("PWD", directory))
    };
    assert_eq!(read(&shown).success().stdout, "notes");
    // Another folder is not the working directory, whatever the variable says.
    assert!(read(kwasm.home()).fails(1).stderr.contains("No such file or directory"));
}

#[test]
fn a_folder_of_the_working_directory_is_all_that_is_granted() {
    let spec = "{files: [{path: ./out/, access: read-write}]}";
    let kwasm = home(spec, &["project/notes", "project/out/notes"]);
    reads(&kwasm, "project", "out/notes");
    reads(&kwasm, "project", "./out/notes");
    cannot(&kwasm, "project", &["read", "notes"], "No such file or directory");
    cannot(&kwasm, "project", &["read", "out/../notes"], "Operation not permitted");
}

#[test]
fn a_folder_that_may_be_written_to_lies_in_one_that_may_be_read() {
    let spec = "{files: [{path: .}, {path: out, access: read-write}]}";
    let kwasm = home(spec, &["project/notes", "project/out/notes"]);
    for form in FORMS {
        run_in(&kwasm, "project", form, &["write", "out/new", "new"]).success();
        reads(&kwasm, "project", "out/new");
        run_in(&kwasm, "project", form, &["rename", "out/new", "out/newer"]).success();
        run_in(&kwasm, "project", form, &["remove", "out/newer"]).success();
    }
    assert!(!kwasm.home().join("project/out/newer").exists());
    cannot(&kwasm, "project", &["write", "notes", "x"], "Operation not permitted");
    cannot(&kwasm, "project", &["rename", "out/notes", "notes"], "Operation not permitted");
    cannot(&kwasm, "project", &["rename", "notes", "out/more"], "Operation not permitted");
    assert_eq!(fs::read_to_string(kwasm.home().join("project/notes")).unwrap(), "notes");
}

#[test]
fn a_folder_of_the_home_directory_is_found_by_its_path_in_the_policy_and_its_own() {
    let kwasm = home("{files: [{path: ~/.config/tool}]}", &[".config/tool/notes", ".config/other/notes"]);
    let own = kwasm.home().join(".config/tool/notes");
    reads(&kwasm, "", "~/.config/tool/notes");
    reads(&kwasm, "", own.to_str().unwrap());
    let other = kwasm.home().join(".config/other/notes");
    cannot(&kwasm, "", &["read", other.to_str().unwrap()], "No such file or directory");
    cannot(&kwasm, "", &["read", "~/.config/tool/../other/notes"], "Operation not permitted");
}

#[test]
fn the_folders_of_xdg_are_where_their_variables_say_and_else_where_the_specification_says() {
    let spec = "{files: [{path: $XDG_CONFIG_HOME/tool}, {path: $XDG_STATE_HOME/tool, access: read-write}]}";
    let files = [".config/tool/notes", ".local/state/tool/notes", "elsewhere/tool/notes"];
    let kwasm = home(spec, &files);
    reads(&kwasm, "", kwasm.home().join(".config/tool/notes").to_str().unwrap());
    reads(&kwasm, "", "$XDG_STATE_HOME/tool/notes");
    let elsewhere = kwasm.home().join("elsewhere");
    let relative = kwasm.variable("XDG_CONFIG_HOME", "relative");
    reads(&relative, "", relative.home().join(".config/tool/notes").to_str().unwrap());
    let set = relative.variable("XDG_CONFIG_HOME", &elsewhere);
    reads(&set, "", elsewhere.join("tool/notes").to_str().unwrap());
    let usual = set.home().join(".config/tool/notes");
    cannot(&set, "", &["read", usual.to_str().unwrap()], "No such file or directory");
}

#[test]
fn links_lead_to_what_is_in_the_same_folder_and_nowhere_else() {
    let kwasm = home("{files: [{path: .}]}", &["project/inner/notes", "outside/notes"]);
    let at = |path: &str| kwasm.home().join("project").join(path);
    symlink("inner/notes", at("relative")).unwrap();
    symlink("inner", at("folder")).unwrap();
    symlink("../outside/notes", at("climbing")).unwrap();
    symlink(kwasm.home().join("outside/notes"), at("absolute")).unwrap();
    symlink(at("inner/notes"), at("absolute-inside")).unwrap();
    symlink("/proc/self/environ", at("environ")).unwrap();
    symlink("loop", at("loop")).unwrap();
    reads(&kwasm, "project", "folder/notes");
    for form in FORMS {
        assert_eq!(run_in(&kwasm, "project", form, &["read", "relative"]).success().stdout, "notes");
    }
    for path in ["climbing", "absolute", "absolute-inside", "environ"] {
        cannot(&kwasm, "project", &["read", path], "Operation not permitted");
    }
    cannot(&kwasm, "project", &["read", "loop"], "os error");
}

/// A hard link is the file itself, put there by someone who could read it.
#[test]
fn a_hard_link_in_a_granted_folder_is_a_file_of_it() {
    let kwasm = home("{files: [{path: .}]}", &["project/notes", "outside/diary"]);
    fs::hard_link(kwasm.home().join("outside/diary"), kwasm.home().join("project/diary")).unwrap();
    reads(&kwasm, "project", "diary");
    cannot(&kwasm, "project", &["write", "diary", "x"], "Operation not permitted");
    assert_eq!(fs::read_to_string(kwasm.home().join("outside/diary")).unwrap(), "diary");
}

#[test]
fn a_name_may_have_a_line_end() {
    let file = "pro\nject/no\ntes\u{202e}";
    let kwasm = home("{files: [{path: \"pro\\nject\"}]}", &[file]);
    reads(&kwasm, "", file);
    for form in FORMS {
        let run = run_in(&kwasm, "", form, &["list", "pro\nject"]).success();
        assert_eq!(run.stdout, "\"no\\ntes\\xe2\\x80\\xae\"\n");
    }
    // In kwasm's own messages it begins no line.
    let missing = home("{files: [{path: \"pro\\nkwasm: installed x\"}]}", &[]);
    assert_snapshot!(refused(&missing, ""), @r"
    kwasm: pro\u{a}kwasm: installed x: this folder does not exist
    hint: mkdir -p 'HOME/pro\u{a}kwasm: installed x'
    ");
}

#[test]
fn what_is_not_a_folder_is_reported_before_the_plugin_starts() {
    let of = |spec: &str| refused(&home(spec, &["project/notes"]), "project");
    assert_snapshot!(of("{files: [{path: out}]}"), @r"
    kwasm: out: this folder does not exist
    hint: mkdir -p HOME/project/out
    ");
    assert_snapshot!(of("{files: [{path: notes}]}"), @r"
    kwasm: notes: it is not a folder, and a plugin gets folders as a whole
    hint: grant the folder that contains it, or move it into one of its own
    ");
    assert_snapshot!(of("{files: [{path: $XDG_RUNTIME_DIR/x}]}"), @r"
    kwasm: $XDG_RUNTIME_DIR/x: XDG_RUNTIME_DIR is not set to an absolute path
    hint: set XDG_RUNTIME_DIR, or grant the folder by its absolute path
    ");
}

#[test]
fn a_link_does_not_make_a_folder_another_one() {
    let kwasm = home("{files: [{path: out}]}", &["project/notes", "elsewhere/notes"]);
    symlink("../elsewhere", kwasm.home().join("project/out")).unwrap();
    assert_snapshot!(refused(&kwasm, "project"), @r"
    kwasm: out: a link on its way leads to HOME/elsewhere
    hint: name that folder in the policy, if the plugin may have it
    ");
    // Named by its own path, a link is followed, since only its user can have put it there.
    let spec = format!("{{files: [{{path: {}}}]}}", kwasm.home().join("project/out").display());
    reads(&kwasm.spec(&spec), "project", &spec_path(&spec, "notes"));
}

/// Returns the path of a file in the folder that a spec grants.
fn spec_path(spec: &str, file: &str) -> String {
    let path = spec.trim_start_matches("{files: [{path: ").trim_end_matches("}]}");
    format!("{path}/{file}")
}

#[test]
fn what_holds_credentials_is_given_in_no_way() {
    let of =
        |spec: &str, folder: &str| refused(&home(spec, &["project/notes", ".ssh/id", ".aws/cli/x"]), folder);
    assert_snapshot!(of("{files: [{path: \"~\"}]}", "project"), @r"
    kwasm: ~: it contains HOME/.kube/config, which may hold credentials
    hint: grant a folder below it, the one that the plugin needs
    ");
    assert_snapshot!(of("{files: [{path: .}]}", ""), @r"
    kwasm: .: it contains HOME/.kube/config, which may hold credentials
    hint: start the plugin in another folder, or grant it one below this
    ");
    assert_snapshot!(of("{files: [{path: ~/.ssh}]}", "project"), @r"
    kwasm: ~/.ssh: it is HOME/.ssh, which may hold credentials
    hint: copy what the plugin needs into another folder
    ");
    assert_snapshot!(of("{files: [{path: ~/.aws/cli, access: read-write}]}", "project"), @r"
    kwasm: ~/.aws/cli: it lies in HOME/.aws, which may hold credentials
    hint: copy what the plugin needs into another folder
    ");
    assert_snapshot!(of("{files: [{path: /}]}", "project"), @r"
    kwasm: /: it contains HOME/.kube/config, which may hold credentials
    hint: grant a folder below it, the one that the plugin needs
    ");
    #[cfg(target_os = "linux")]
    assert_snapshot!(of("{files: [{path: /dev}]}", "project"), @r"
    kwasm: /dev: it is /dev, which belongs to the system
    hint: copy what the plugin needs into another folder
    ");
}

#[test]
fn a_kubeconfig_in_the_working_directory_is_not_given_away_with_it() {
    let kwasm = home("{files: [{path: .}]}", &["project/notes", "keys/client.key", "keys/token"]);
    let user = |text: &str| {
        let text = format!("apiVersion: v1\nkind: Config\nusers: [{{name: u, user: {{{text}}}}}]\n");
        fs::write(kwasm.home().join("project/kubeconfig"), text).unwrap();
    };
    user("token: x");
    let at = |path: &str| kwasm.home().join(path);
    let of = |kubeconfig: &Path, folder: &str, guest: &str| {
        let mut command = kwasm.guest(guest, &["read", "notes"]);
        Run::of(command.env("KUBECONFIG", kubeconfig).current_dir(at(folder)))
    };
    for guest in FORMS {
        let run = of(&at("project/kubeconfig"), "project", guest).fails(126);
        assert!(run.stderr.contains("project/kubeconfig, which may hold credentials"), "{}", run.shown());
        // A relative path is the same file.
        of(Path::new("./kubeconfig"), "project", guest).fails(126);
        of(&at("none"), "project", guest).success();
        // So are the files that it names.
        user("client-key: ../keys/client.key");
        of(&at("project/kubeconfig"), "keys", guest).fails(126);
        user("token: x");
    }
}

#[test]
fn kwasms_own_files_and_programs_are_not_given() {
    let of = |spec: &str| refused(&home(spec, &["data/x/y", "bin/x/y", "project/notes"]), "project");
    assert_snapshot!(of("{files: [{path: ~/data}]}"), @r"
    kwasm: ~/data: it is HOME/data, which belongs to kwasm
    hint: copy what the plugin needs into another folder
    ");
    assert_snapshot!(of("{files: [{path: ~/bin/x, access: read-write}]}"), @r"
    kwasm: ~/bin/x: it lies in HOME/bin, which may hold programs that you run
    hint: copy what the plugin needs into another folder
    ");
    // They may be read.
    let kwasm = home("{files: [{path: ~/bin/x}]}", &["bin/x/notes"]);
    reads(&kwasm, "", "~/bin/x/notes");
}

#[test]
fn an_installed_plugin_has_the_folders_that_it_was_granted() {
    let kwasm = Kwasm::new();
    let policy =
        "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: files}\nspec: {files: [{path: .}]}\n";
    fs::create_dir(kwasm.home().join("project")).unwrap();
    fs::write(kwasm.home().join("project/notes"), "notes").unwrap();
    fs::write(kwasm.home().join("files.yaml"), policy).unwrap();
    let guest = component("keeps-files");
    kwasm.call(["install", guest.to_str().unwrap(), "--policy", "./files.yaml"]).success();
    let run = |folder: &str| {
        let mut command = kwasm.program(kwasm.links().join("kubectl-keeps_files"));
        Run::of(command.args(["read", "notes"]).current_dir(kwasm.home().join(folder)))
    };
    assert_eq!(run("project").success().stdout, "notes");
    run("").fails(126);
}

#[test]
fn a_plugin_with_a_policy_of_kwasms_own_has_no_folder() {
    for policy in ["cluster", "read-only", "none"] {
        let kwasm = home("{}", &["project/notes"]).policy(policy);
        cannot(&kwasm, "project", &["read", "notes"], "os error");
    }
}
