//! The flags of `go build`: the user's, of the command line and of GOFLAGS, together with those of a build
//! for WASI.

use super::Fault;
use crate::build::Error;

/// The flags of `go build` with a value, which may be the next argument (`go help build`).
const VALUED: [&str; 19] = [
    "C",
    "asmflags",
    "buildmode",
    "compiler",
    "covermode",
    "coverpkg",
    "gccgoflags",
    "gcflags",
    "installsuffix",
    "ldflags",
    "mod",
    "modfile",
    "o",
    "overlay",
    "p",
    "pgo",
    "pkgdir",
    "tags",
    "toolexec",
];

/// The flag of the linker for a program without DWARF, should a release of Go write any for WASI.
const LINKED: &str = "-w";

/// What follows the user's flags of the linker: the names of functions are written in any case, since their order follows from
/// them, and left out later (`order.rs`). Go's own panics show names and lines without them.
const NAMED: &str = "-s=false";

/// The build tag by which a program has the time zones in itself: it cannot read those of the machine.
const TAG: &str = "timetzdata";

/// The flags of a build.
pub(super) struct Flags {
    given: Vec<Flag>,
    /// The value of `-ldflags` in GOFLAGS, which counts if it is not among the arguments.
    linker: Option<String>,
    /// The build tags.
    tags: Vec<String>,
}

/// A flag, or another argument, which has no name.
#[derive(Debug, Eq, PartialEq)]
struct Flag {
    /// Its name, without dashes.
    name: Option<String>,
    value: Option<String>,
    /// The arguments that are the flag.
    words: Vec<String>,
}

impl Flags {
    /// Reads the arguments for `go build` and the flags in GOFLAGS.
    ///
    /// # Errors
    /// If one of them would spoil the build: kwasm sets it itself, or the result is not a program.
    pub(super) fn read(arguments: &[String], goflags: &str) -> Result<Self, Error> {
        let given = parsed(arguments);
        if let Some((flag, (why, cure))) = given.iter().find_map(|flag| Some((flag, flag.spoils()?))) {
            return Err(Error::Argument { tool: "go build", argument: flag.words.join(" "), why, cure });
        }
        let preset = parsed(&split(goflags));
        if let Some((flag, (why, _))) = preset.iter().find_map(|flag| Some((flag, flag.spoils()?))) {
            return Err(Fault::Flag { flag: flag.words.join(" "), why }.into());
        }
        let last = |flags: &[Flag], name: &str| {
            flags.iter().rfind(|flag| flag.is(name)).and_then(|flag| flag.value.clone())
        };
        // Of two lists, the one of the arguments counts alone. It may be separated by spaces instead of commas.
        let tags = last(&given, "tags").or_else(|| last(&preset, "tags")).unwrap_or_default();
        let separates = |c: char| c == ',' || c.is_whitespace();
        let tags = tags.split(separates).filter(|tag| !tag.is_empty()).chain([TAG]).map(str::to_owned);
        Ok(Self { linker: last(&preset, "ldflags"), tags: tags.collect(), given })
    }

    /// Returns the arguments of `go build`.
    pub(super) fn of_build(&self) -> Vec<String> {
        let mut arguments = vec![self.tags(), format!("-ldflags={}", stripped(self.linker.as_deref()))];
        for flag in self.given.iter().filter(|flag| !flag.is("tags")) {
            match &flag.value {
                Some(value) if flag.is("ldflags") => {
                    arguments.push(format!("-ldflags={}", stripped(Some(value))));
                }
                _ => arguments.extend_from_slice(&flag.words),
            }
        }
        arguments
    }

    /// Returns whether the names of functions are to stay in the program: where the user asks for them, and where flags of
    /// the linker for some packages may be for the program itself.
    pub(super) fn keeps_names(&self) -> bool {
        let given = self.given.iter().rfind(|flag| flag.is("ldflags")).map(|flag| flag.value.as_deref());
        given.unwrap_or(self.linker.as_deref()).is_some_and(|given| {
            let mut words = given.split_whitespace().map(|word| word.trim_start_matches('-'));
            let last = words.rfind(|word| *word == "s" || word.starts_with("s="));
            is_for_others(given) || last.is_some_and(|last| ["s=false", "s=0", "s=f", "s=F"].contains(&last))
        })
    }

    /// Returns the arguments of `go list`, for the same files and modules.
    pub(super) fn of_list(&self) -> Vec<String> {
        let modules = self.given.iter().filter(|flag| flag.is("mod"));
        modules.flat_map(|flag| flag.words.clone()).chain([self.tags()]).collect()
    }

    fn tags(&self) -> String {
        format!("-tags={}", self.tags.join(","))
    }
}

impl Flag {
    fn is(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }

    /// Returns why the flag spoils a build, and what to do instead.
    fn spoils(&self) -> Option<(&'static str, &'static str)> {
        let ours = "kwasm sets it itself";
        match (self.name.as_deref()?, self.value.as_deref()) {
            ("o", _) => Some((ours, "name the file before the two dashes: kwasm build -o FILE")),
            ("overlay" | "modfile", _) => Some((ours, "leave it out")),
            ("buildmode", Some("default" | "exe"))
            | ("asan" | "cover" | "msan" | "race", Some("false"))
            | ("compiler", Some("gc") | None) => None,
            ("buildmode", _) => Some(("a plugin is a program", "leave it out")),
            ("C", _) => Some(("kwasm chooses the folder", "name the folder: kwasm build ./FOLDER")),
            ("n", _) => Some(("it builds nothing", "-x shows the commands while they run")),
            ("asan" | "cover" | "msan" | "race", _) => {
                Some(("it instruments native programs only", "leave it out"))
            }
            ("compiler", _) => Some(("only Go's own compiler makes WebAssembly", "leave it out")),
            _ => None,
        }
    }
}

/// Returns the flags of the linker for a program: without DWARF, unless the user's flags are for other
/// packages, or empty.
fn stripped(given: Option<&str>) -> String {
    match given.map(str::trim) {
        None => LINKED.to_owned(),
        Some(given) if is_for_others(given) => given.to_owned(),
        Some(given) => format!("{LINKED} {given} {NAMED}"),
    }
}

/// Returns whether flags of the linker have a pattern of packages before them, or are none at all, by which symbols are kept.
fn is_for_others(given: &str) -> bool {
    !given.trim().starts_with('-')
}

fn parsed(arguments: &[String]) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let dashed =
            word.strip_prefix("--").or_else(|| word.strip_prefix('-')).filter(|rest| !rest.is_empty());
        let mut words = vec![word.clone()];
        let (name, value) = match dashed.map(|flag| (flag, flag.split_once('='))) {
            None => (None, None),
            Some((_, Some((name, value)))) => (Some(name.to_owned()), Some(value.to_owned())),
            Some((name, None)) if VALUED.contains(&name) => {
                let value = rest.next().cloned();
                words.extend(value.clone());
                (Some(name.to_owned()), value)
            }
            Some((name, None)) => (Some(name.to_owned()), None),
        };
        flags.push(Flag { name, value, words });
    }
    flags
}

/// Splits GOFLAGS as Go does (`cmd/internal/quoted`): at white space, except in words that begin with a
/// quotation mark, which have no escapes.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = if first == '"' || first == '\'' {
            rest[1..].split_once(first).unwrap_or((&rest[1..], ""))
        } else {
            rest.split_once(char::is_whitespace).unwrap_or((rest, ""))
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(arguments: &[&str], goflags: &str) -> Result<Flags, String> {
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Flags::read(&arguments, goflags).map_err(|error| error.to_string())
    }

    #[test]
    fn a_program_is_linked_with_the_users_flags() {
        for (arguments, goflags, built) in [
            (&[][..], "", &["-ldflags=-w"][..]),
            (&["-ldflags=-X main.v=1"], "", &["-ldflags=-w", "-ldflags=-w -X main.v=1 -s=false"]),
            (&["-ldflags", "-X main.v=1"], "", &["-ldflags=-w", "-ldflags=-w -X main.v=1 -s=false"]),
            (&["-ldflags=-s"], "", &["-ldflags=-w", "-ldflags=-w -s -s=false"]),
            (&["-ldflags=-s -s=false"], "", &["-ldflags=-w", "-ldflags=-w -s -s=false -s=false"]),
            (&["--ldflags="], "", &["-ldflags=-w", "-ldflags="]),
            (&["-ldflags=all=-X a.b=1"], "", &["-ldflags=-w", "-ldflags=all=-X a.b=1"]),
            (&["-v"], "", &["-ldflags=-w", "-v"]),
            (&[], "-v '-ldflags=-X main.v=2 -X main.w=3'", &["-ldflags=-w -X main.v=2 -X main.w=3 -s=false"]),
        ] {
            let flags = flags(arguments, goflags).unwrap();
            let keeping = ["-ldflags=", "-ldflags=all=-X a.b=1", "-ldflags=-w -s -s=false -s=false"];
            let keeps_names = built.last().is_some_and(|last| keeping.contains(last));
            assert_eq!(flags.keeps_names(), keeps_names, "{arguments:?} {goflags}");
            assert_eq!(flags.of_build()[1..], *built, "{arguments:?} {goflags}");
        }
    }

    #[test]
    fn a_program_has_the_users_tags_and_the_time_zones() {
        for (arguments, goflags, tags) in [
            (&[][..], "", "-tags=timetzdata"),
            (&["-tags", "x,y"], "-tags=z", "-tags=x,y,timetzdata"),
            (&["-tags=x y"], "", "-tags=x,y,timetzdata"),
            (&["-v"], "-tags=z", "-tags=z,timetzdata"),
        ] {
            let flags = flags(arguments, goflags).unwrap();
            assert_eq!(flags.of_build()[0], tags);
            assert_eq!(flags.of_list(), [tags]);
            assert_eq!(flags.of_build().iter().filter(|flag| flag.contains("tags")).count(), 1);
        }
        let flags = flags(&["-v", "--mod=vendor", "-ldflags", "-mod"], "").unwrap();
        assert_eq!(flags.of_list(), ["--mod=vendor", "-tags=timetzdata"]);
    }

    #[test]
    fn a_flag_that_would_spoil_the_build_is_refused_wherever_it_is() {
        for flag in [
            "-o=x",
            "--o",
            "-overlay=x",
            "-modfile=x",
            "-buildmode=c-shared",
            "-C=x",
            "-n",
            "-compiler=gccgo",
            "-race",
        ] {
            let refused = flags(&[flag], "").err().unwrap();
            assert!(
                refused.starts_with(&format!("go build: the argument {flag} cannot be used")),
                "{refused}"
            );
            let refused = flags(&[], &format!("-v {flag}")).err().unwrap();
            assert!(refused.starts_with(&format!("GOFLAGS: the flag {flag} cannot be used")), "{refused}");
        }
        for flag in ["-v", "-buildmode=exe", "-compiler=gc", "-x", "-mod=mod", "-trimpath", "-buildvcs=false"]
        {
            assert!(flags(&[flag], flag).is_ok(), "{flag}");
        }
        // The value of another flag.
        assert!(flags(&["-ldflags", "-o"], "'-ldflags=-o x'").is_ok());
    }

    #[test]
    fn goflags_are_split_as_go_splits_them() {
        assert_eq!(split(" -a  '-b=c d' \"-e='f' g\"\t-h=\"i "), ["-a", "-b=c d", "-e='f' g", "-h=\"i"]);
        assert_eq!(split("'unfinished x"), ["unfinished x"]);
        assert!(split("  ").is_empty());
    }
}
