//! Errors of builds, and their hints.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use super::go::Fault;
use super::language::Language;
use crate::inspect;
use crate::message::Explain;

/// The reason why a project was not built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An answer of a tool that cannot be read.
    #[error("{call}: its output cannot be read: {why}")]
    Answer {
        /// The tool and its first arguments.
        call: String,
        /// The reason.
        why: String,
    },
    /// An argument for a tool that would spoil the build.
    #[error("{tool}: the argument {argument} cannot be used with kwasm build: {why}")]
    Argument {
        /// The tool.
        tool: &'static str,
        /// The argument.
        argument: String,
        /// The reason.
        why: &'static str,
        /// What to do instead.
        cure: &'static str,
    },
    /// A result that is not a plugin.
    #[error("the program cannot be made into a component")]
    Component(#[source] inspect::Error),
    /// A tool that failed, after its own messages.
    #[error("{call}: it failed ({status})")]
    Failed {
        /// The tool and its first arguments.
        call: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// An error about a project in Go.
    #[error(transparent)]
    Go(#[from] Fault),
    /// The user ended the build.
    #[error("interrupted")]
    Interrupted,
    /// Something that the project's tools need and that is not installed.
    #[error("{what}: {why}")]
    Lacking {
        /// The missing thing.
        what: String,
        /// Where it was looked for.
        why: String,
        /// How to install it.
        cure: String,
    },
    /// A project's own file that does not say what to build.
    #[error("{}: {why}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
        /// What to write into it.
        cure: &'static str,
    },
    /// A folder that cannot be read.
    #[error("{}: it cannot be read", path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A folder that belongs to no project.
    #[error("{}: neither it nor a folder above it has {}", folder.display(), files(*wanted))]
    NoProject {
        /// The folder.
        folder: PathBuf,
        /// The only language that was asked for.
        wanted: Option<Language>,
    },
    /// A tool that is not installed.
    #[error("{tool}: it is not on PATH, and {language} needs it")]
    NoTool {
        /// The tool.
        tool: &'static str,
        /// The language of the project.
        language: Language,
        /// How to install it.
        cure: &'static str,
    },
    /// A program whose name is not one of a file.
    #[error("{0:?}: a program of this name has no file name of its own")]
    Name(String),
    /// A project with other than one program.
    #[error("{}: it has {} programs, and kwasm builds one: {}", path.display(), programs.len(), programs.join(", "))]
    Programs {
        /// The project's file.
        path: PathBuf,
        /// The names of the programs.
        programs: Vec<String>,
        /// How to name one.
        cure: &'static str,
    },
    /// A folder that is a project of several languages.
    #[error("{}: it is a project of {}", root.display(), several(languages))]
    SeveralProjects {
        /// The folder.
        root: PathBuf,
        /// The languages.
        languages: Vec<Language>,
    },
    /// The system does not let kwasm run a tool or wait for it.
    #[error("{call}: it cannot be run")]
    System {
        /// The tool and its first arguments.
        call: String,
        /// The reason.
        source: io::Error,
    },
    /// Files for a tool that cannot be written.
    #[error("{}: it cannot be written", path.display())]
    Temporary {
        /// The file, in a temporary folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A tool with more output than it can need.
    #[error("{call}: its output has more than {limit} bytes")]
    TooMuch {
        /// The tool and its first arguments.
        call: String,
        /// The limit.
        limit: u64,
    },
    /// A file of the project that cannot be read.
    #[error("{}: it cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A language that kwasm does not build yet.
    #[error("{}: kwasm does not build projects of {language}", root.display())]
    Unsupported {
        /// The project.
        root: PathBuf,
        /// The language.
        language: Language,
    },
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Argument { cure, .. }
            | Self::Manifest { cure, .. }
            | Self::NoTool { cure, .. }
            | Self::Programs { cure, .. } => Some((*cure).to_owned()),
            Self::Lacking { cure, .. } => Some(cure.clone()),
            Self::Name(_) => Some("name the file: kwasm build -o FILE".to_owned()),
            Self::Component(error) => error.hint(),
            Self::Go(fault) => fault.hint(),
            Self::NoProject { .. } => Some(
                "run it in the project's folder, or name the folder: kwasm build ./FOLDER; a published Go program is named by its module: kwasm build MODULE/PATH@VERSION"
                    .to_owned(),
            ),
            Self::SeveralProjects { languages, .. } => {
                let options: Vec<_> = languages.iter().map(|language| format!("--lang {}", language.name())).collect();
                Some(format!("say which: kwasm build {}", options.join(", or ")))
            }
            Self::Temporary { .. } => Some("check the space in the folder for temporary files (TMPDIR)".to_owned()),
            Self::Answer { .. }
            | Self::Failed { .. }
            | Self::Interrupted
            | Self::NoFolder { .. }
            | Self::System { .. }
            | Self::TooMuch { .. }
            | Self::Unreadable { .. }
            | Self::Unsupported { .. } => None,
        }
    }
}

fn files(wanted: Option<Language>) -> String {
    if let Some(language) = wanted {
        return format!("a {}", language.file());
    }
    let [first @ .., last] = Language::ALL.map(Language::file);
    format!("a project file: {} or {last}", first.join(", "))
}

fn several(languages: &[Language]) -> String {
    let named: Vec<_> =
        languages.iter().map(|language| format!("{language} ({})", language.file())).collect();
    named.join(" and of ")
}
