//! Parses the arguments into one command.

use std::ffi::OsString;

use anyhow::{Result, bail};
use lexopt::prelude::*;

use crate::{bench, dist, lint, node, platforms};

/// The parsed command line.
#[derive(Debug, PartialEq)]
pub(crate) enum Parsed {
    Command(Command),
    /// A help text, to be printed instead of running anything.
    Help(&'static str),
}

/// A command with its options.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Bench(bench::Options),
    Cluster {
        arguments: Vec<OsString>,
    },
    /// Compile the named guests, or all.
    Components {
        install: bool,
        names: Vec<String>,
    },
    Demo,
    Dist(dist::Options),
    Idle {
        minutes: u64,
    },
    Image,
    Languages,
    Lint(lint::Options),
    Node(node::Options),
    /// Compile and run kwasm for the named targets, or all.
    Platforms {
        targets: Vec<String>,
    },
    Release,
    Test {
        quick: bool,
        arguments: Vec<OsString>,
    },
}

const COMMANDS: [(&str, &str); 13] = [
    ("bench", BENCH),
    ("cluster", CLUSTER),
    ("components", COMPONENTS),
    ("demo", DEMO),
    ("dist", dist::HELP),
    ("idle", IDLE),
    ("image", IMAGE),
    ("languages", LANGUAGES),
    ("lint", lint::HELP),
    ("node", NODE),
    ("platforms", platforms::HELP),
    ("release", RELEASE),
    ("test", TEST),
];

const HELP: &str = "\
Builds, demonstrates, tests and measures kwasm.

Usage: cargo xtask COMMAND [OPTION…]

Commands:
  demo        build everything, then run a plugin against an embedded API server
  test        run every test that this machine can run; report what was skipped, and why
  lint        formatting, clippy, documentation, dependencies, house rules
  bench       measure kwasm against its peers, each as a ratio in the same run
  release     build kwasm as it is released
  dist        build all that is published of a release
  idle        check that an idle watch and an idle log stay open
  image       write the image of kwasm that pods run
  node        run what `kwasm deploy` prints on a real node
  components  compile the guests to WebAssembly
  languages   build and run a new project in each language
  platforms   compile kwasm for macOS, Windows and Linux on ARM, and run what can run here
  cluster     start and stop a real Kubernetes control plane

`cargo xtask COMMAND --help` shows more.

Environment:
  KWASM_DEV_CACHE   tools and control planes, built once per version
                    [default: kwasm-dev in the user's cache directory]
  CARGO_TARGET_DIR  as for cargo
  CI=true           nothing may be skipped; missing toolchains are installed";

const DEMO: &str = "\
Builds kwasm, two plugins and the embedded API server, installs the plugin `decoder` into a
temporary home and runs it as kubectl would, then shows what a plugin cannot do.

Usage: cargo xtask demo

Runs it through kubectl where there is one on PATH, else through the link itself.";

const TEST: &str = "\
Runs every test that this machine can run. Builds the guests and, where Go or
$KUBEBUILDER_ASSETS is there, the real control plane (6 minutes, once per version). For
the tests of registries it uses cosign, docker-registry, oras, skopeo and wkg from PATH;
what PATH does not have in the required version, except skopeo, it builds with Go
and cargo, or unpacks from Debian's packages (5 minutes, once per version).

Usage: cargo xtask test [--quick] [-- ARG…]

Options:
  --quick  only what needs neither a control plane nor other tools, and only what says most for
           its time: unit tests, documentation, policies, hostile guests (3 minutes, once built)

Arguments:
  ARG…  for the test programs, such as a part of a test's name, or --nocapture

At the end it reports what was skipped and why; with CI=true that is a failure.";

const RELEASE: &str = "\
Builds kwasm with optimisations (20 minutes on two cores), and prints where it is.

Usage: cargo xtask release

On Linux on x86-64, functions that runs of a plugin use lie side by side in it, in the order of their
first use, which takes less memory and time than what `cargo build --release` makes of the same. To
find that order out, the linker runs kwasm and watches it (ptrace).";

const BENCH: &str = "\
Measures kwasm against its peers in the same run, alternating between the two; a row passes when
the ratio of the medians is within its bar.

Usage: cargo xtask bench [OPTION…] [ROW…]

Rows (all of them unless named):
  hello            kwasm run, warm, against wasmtime run --allow-precompiled
  hello-wasi3      the same by WASI 0.3
  installed-hello  the component of hello installed, through its link
  installed-big    18 MB installed, through its link
  first-run        a component of 10 to 60 MB that is new, to its first byte, against optimizing it first;
                   and a second one in the same language against the first
  install          18 MB from a registry on loopback against oras pull + wasmtime compile
  many             run, list and uninstall where 1,000 plugins are installed against fewer
  search           among 10,000 plugins of an index
  serve            requests a second of kwasm serve, with an instance each and with instances reused,
                   against wasmtime serve and hyper natively
  secret           kubectl decoder secret against kubectl get secret -o json, real control plane
  kube-rs          a typed list of 5,000 pods, 1,000 requests, against the same source natively, the same
  watch            kubectl timeline --watch against kubectl get events -w, the same
  watch-1k         1,000 events a second through each door against kubectl get configmaps -w, the same
  watch-10k        10,000 a second from the embedded API server
  watches          the memory of a guest with 1,000 watches at once, real control plane
  list             a list of 100 MB through each door against curl, the same
  exec             1 GiB each way to a command in a pod against kubectl exec, the same
  port-forward     1 GiB each way to one behind a port against kubectl port-forward, the same
  growth           how time and memory grow with components, rules, plugins, lists and watches

Options:
  --runs N       runs of each side of the first rows, at most 20 of those that compile [default: 200]
  --check        exit with 1 if a row misses its bar
  --kwasm FILE   measure this program, such as that of `cargo xtask dist`, and build none
  --compare REV  build that revision, too, and compare start, first run, a request and a list with
                 it, instead of the rows (20 minutes, once for a revision)";

const IDLE: &str = "\
Opens a watch and a followed log through each door of a real control plane, waits while nothing happens,
then causes an event and checks that each of them delivers it. Shows how much memory they used.

Usage: cargo xtask idle [--minutes N]

Options:
  --minutes N  how long nothing happens [default: 15]";

const IMAGE: &str = "\
Builds kwasm as it is released, and writes its image to TARGET/image/kwasm.tar, an archive of an OCI layout.

Usage: cargo xtask image

The image has kwasm, the shared libraries of this machine that it is linked to, and the authorities that
this machine trusts; it runs as a user that is not root. Nothing of it but these depends on when and where it
is made. `skopeo copy oci-archive:kwasm.tar docker://…` pushes it.";

const NODE: &str = "\
Starts a Kubernetes cluster with a real node (kubelet, kube-proxy, containerd) on this machine, and runs on
it what `kwasm deploy` prints. Builds its programs first, once for each version (5 minutes).

Usage: cargo xtask node [--built TARGET] [CHECK…]

Checks (all of them unless named):
  jobs     a plugin as a Job prints what it prints on a laptop, by an init container and by an image volume, and
           can do no more than its policy says: by kwasm, and where that is taken away by the API server
  webhook  an admission webhook denies, warns and patches, and loses no request while its pods are replaced
  forward  a plugin that forwards a port where nobody listens is told so

Options:
  --built TARGET  take kwasm, kwasm-faults and the components of a target folder, and build none of them

Needs Linux, root, Go, iproute2, iptables, skopeo, util-linux, and Debian's package archive. All of it is in
namespaces of its own, and goes with them: of the machine's network, mounts and settings nothing is changed.";

const COMPONENTS: &str = "\
Compiles what is in components/ and tests/guests/ to TARGET/components/NAME.wasm.

Usage: cargo xtask components [--install] [NAME…]

Arguments:
  NAME…  such as decoder, timeline or hello [default: all of them, test guests too]

Options:
  --install  on Debian, as root: install Debian's own compiler for WebAssembly where rustup
             cannot add the targets (done without a prompt with CI=true)";

const LANGUAGES: &str = "\
Makes a new project in each language (kwasm new), builds it (kwasm build), and runs it against a
real control plane: it has to print what kubectl prints, and report when it is refused. Then shows
how large each is and how long it takes.

Usage: cargo xtask languages

Builds kwasm with optimisations. Needs Go, Node.js with npm, Python with venv, and their package
registries. The suite builds the same projects, without measuring them.";

const CLUSTER: &str = "\
Starts and stops a real Kubernetes control plane on loopback: etcd, kube-apiserver with RBAC and
audit log, controllers, scheduler, and kwok as the kubelet.

Usage: cargo xtask cluster up | down | kubeconfig USER | build

  up               start it in the background and print its kubeconfigs
  down             stop it
  kubeconfig USER  the path of a user's kubeconfig: admin, alice, bob or carol
  build            only build or find its programs ($KUBEBUILDER_ASSETS, else Go)";

/// Reads the arguments after the program's name.
///
/// # Errors
/// A usage error that names the accepted values.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Parsed> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let name = match parser.next()? {
        None => bail!("no command given\n\n{HELP}"),
        Some(Short('h') | Long("help")) => return Ok(Parsed::Help(HELP)),
        Some(Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    if name == "help" {
        return match parser.next()? {
            Some(Value(topic)) => help_of(&topic.string()?).map(Parsed::Help),
            _ => Ok(Parsed::Help(HELP)),
        };
    }
    let help = help_of(&name)?;
    let parsed = match name.as_str() {
        "bench" => bench_options(&mut parser)?.map(Command::Bench),
        "cluster" => cluster_arguments(&mut parser)?.map(|arguments| Command::Cluster { arguments }),
        "components" => component_arguments(&mut parser)?,
        "demo" => flag(&mut parser, "")?.map(|_| Command::Demo),
        "dist" => dist_options(&mut parser)?.map(Command::Dist),
        "image" => flag(&mut parser, "")?.map(|_| Command::Image),
        "idle" => minutes(&mut parser)?.map(|minutes| Command::Idle { minutes }),
        "languages" => flag(&mut parser, "")?.map(|_| Command::Languages),
        "lint" => lint_options(&mut parser)?.map(Command::Lint),
        "node" => node_options(&mut parser)?.map(Command::Node),
        "platforms" => platform_arguments(&mut parser)?,
        "release" => flag(&mut parser, "")?.map(|_| Command::Release),
        _ => test_arguments(&mut parser)?,
    };
    Ok(parsed.map_or(Parsed::Help(help), Parsed::Command))
}

fn help_of(command: &str) -> Result<&'static str> {
    if let Some((_, help)) = COMMANDS.iter().find(|(name, _)| *name == command) {
        return Ok(help);
    }
    let nearest = COMMANDS
        .iter()
        .map(|(name, _)| (distance(name, command), *name))
        .filter(|(distance, name)| *distance <= name.len() / 2)
        .min();
    if let Some((_, name)) = nearest {
        bail!("no command `{command}`; did you mean `{name}`?");
    }
    let names: Vec<_> = COMMANDS.iter().map(|(name, _)| *name).collect();
    bail!("no command `{command}`; there are {}", names.join(", "))
}

// Each of the readers below returns `None` if help is requested.

fn flag(parser: &mut lexopt::Parser, name: &str) -> Result<Option<bool>> {
    let mut given = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long(long) if long == name && !name.is_empty() => given = true,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(given))
}

fn dist_options(parser: &mut lexopt::Parser) -> Result<Option<dist::Options>> {
    let mut options = dist::Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("join") => options.join = Some(parser.value()?.into()),
            Long("order") => options.order = Some(parser.value()?.into()),
            Long("tag") => options.tag = Some(parser.value()?.string()?),
            Value(target) => options.targets.push(target.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}

fn component_arguments(parser: &mut lexopt::Parser) -> Result<Option<Command>> {
    let (mut install, mut names) = (false, Vec::new());
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("install") => install = true,
            Value(name) => names.push(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(Command::Components { install, names }))
}

fn platform_arguments(parser: &mut lexopt::Parser) -> Result<Option<Command>> {
    let mut targets = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Value(target) => targets.push(target.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(Command::Platforms { targets }))
}

fn lint_options(parser: &mut lexopt::Parser) -> Result<Option<lint::Options>> {
    let mut options = lint::Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("advisories") => options.advisories = true,
            Value(check) => options.checks.push(check.string()?.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}

fn bench_options(parser: &mut lexopt::Parser) -> Result<Option<bench::Options>> {
    let mut options = bench::Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("check") => options.check = true,
            Long("compare") => options.compare = Some(parser.value()?.string()?),
            Long("kwasm") => options.kwasm = Some(parser.value()?.into()),
            Long("runs") => options.runs = parser.value()?.parse()?,
            Value(row) => options.rows.push(row.string()?.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.runs < 2 {
        bail!("--runs: at least 2, to measure a spread");
    }
    if options.compare.is_some() && !options.rows.is_empty() {
        bail!("--compare: measures runs of its own, no rows");
    }
    Ok(Some(options))
}

fn node_options(parser: &mut lexopt::Parser) -> Result<Option<node::Options>> {
    let mut options = node::Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("built") => options.built = Some(parser.value()?.into()),
            Value(check) => options.checks.push(check.string()?.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}

fn minutes(parser: &mut lexopt::Parser) -> Result<Option<u64>> {
    let mut minutes = 15;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("minutes") => minutes = parser.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(minutes))
}

fn cluster_arguments(parser: &mut lexopt::Parser) -> Result<Option<Vec<OsString>>> {
    let arguments: Vec<OsString> = parser.raw_args()?.collect();
    match arguments.first().and_then(|first| first.to_str()) {
        None => bail!("no action given\n\n{CLUSTER}"),
        Some("-h" | "--help") => Ok(None),
        Some("up" | "down" | "kubeconfig" | "build") => Ok(Some(arguments)),
        Some(other) => bail!("no action `{other}`; there are up, down, kubeconfig USER, build"),
    }
}

fn test_arguments(parser: &mut lexopt::Parser) -> Result<Option<Command>> {
    let mut quick = false;
    let mut arguments = parser.raw_args()?;
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--") => return Ok(Some(Command::Test { quick, arguments: arguments.collect() })),
            Some("-h" | "--help") => return Ok(None),
            Some("--quick") => quick = true,
            _ => bail!(
                "unexpected argument `{}`; arguments for the test programs come after `--`",
                argument.display()
            ),
        }
    }
    Ok(Some(Command::Test { quick, arguments: Vec::new() }))
}

/// Returns the Levenshtein distance: the number of insertions, deletions and substitutions of characters.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.chars().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Parsed> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn error(line: &str) -> String {
        parsed(line).unwrap_err().to_string()
    }

    #[test]
    fn every_command_has_help() {
        for (name, help) in COMMANDS {
            assert_eq!(parsed(&format!("{name} --help")).unwrap(), Parsed::Help(help));
            assert_eq!(parsed(&format!("help {name}")).unwrap(), Parsed::Help(help));
            assert!(HELP.contains(&format!("\n  {name} ")), "{name} is missing from the list");
        }
        assert_eq!(parsed("--help").unwrap(), Parsed::Help(HELP));
    }

    #[test]
    fn a_misspelt_command_is_suggested() {
        assert_eq!(error("componets"), "no command `componets`; did you mean `components`?");
        assert_eq!(error("tset"), "no command `tset`; did you mean `test`?");
        assert_eq!(
            error("frobnicate"),
            "no command `frobnicate`; there are bench, cluster, components, demo, dist, idle, image, languages, lint, node, platforms, release, test"
        );
    }

    #[test]
    fn arguments_of_the_tests_follow_two_dashes() {
        let expected = |quick| Command::Test { quick, arguments: vec!["gate".into(), "--nocapture".into()] };
        assert_eq!(parsed("test -- gate --nocapture").unwrap(), Parsed::Command(expected(false)));
        assert_eq!(parsed("test --quick -- gate --nocapture").unwrap(), Parsed::Command(expected(true)));
        assert!(error("test gate").contains("after `--`"));
    }

    #[test]
    fn an_unknown_flag_is_refused() {
        assert_eq!(error("demo --install"), "invalid option '--install'");
        assert_eq!(error("lint --advisory"), "invalid option '--advisory'");
    }

    #[test]
    fn an_unknown_row_or_check_names_those_that_are() {
        assert!(error("bench helo").contains("installed-hello"));
        assert_eq!(error("bench hello --compare main"), "--compare: measures runs of its own, no rows");
        assert!(error("lint fmt").contains("format, clippy"));
    }
}
