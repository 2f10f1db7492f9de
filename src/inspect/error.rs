//! Errors about binaries that cannot run, and their hints.

use super::Feature;
use super::request::RequestError;
use crate::message::Explain;

/// The reason why a binary cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The binary does not begin with WebAssembly's magic number.
    #[error("it is not WebAssembly but {0}")]
    Alien(&'static str),
    /// The binary begins as WebAssembly but is not valid, with the validator's message.
    #[error("it is invalid WebAssembly: {0}")]
    Broken(String),
    /// The binary needs WebAssembly features that kwasm does not run.
    #[error("it needs the WebAssembly feature{} {}, which kwasm does not run", plural(.0), names(.0))]
    Features(Vec<Feature>),
    /// A core module with imports that kwasm does not provide.
    #[error(
        "it is a core module that imports {imports}, and kwasm has only the functions of wasi_snapshot_preview1"
    )]
    ForeignImports {
        /// A description of its imports.
        imports: String,
        /// The source language, if its producers section names it.
        language: Option<String>,
    },
    /// A core module that does not export its memory.
    #[error("it is a core module that does not export its memory, through which WASI passes everything")]
    HiddenMemory,
    /// A WIT package in binary form.
    #[error("it is a package of interfaces (WIT) in binary form: there is no code in it")]
    Interfaces,
    /// A component that is not a command.
    #[error("it is a component without a command: it exports {exports}, and not wasi:cli/run")]
    NoCommand {
        /// Its exports, or `nothing`.
        exports: String,
        /// The source language, if its producers section names it.
        language: Option<String>,
    },
    /// A core module that is a library.
    #[error("it is a core module without `_start`: a library, not a command")]
    NoStart {
        /// The source language, if its producers section names it.
        language: Option<String>,
    },
    /// A core module for the WASI draft before preview 1.
    #[error("it is made for wasi_unstable, an early draft of WASI from before wasi_snapshot_preview1")]
    Preview0 {
        /// The source language, if its producers section names it.
        language: Option<String>,
    },
    /// A component made for a draft of WASI 0.3, with the name of one of its interfaces.
    #[error("it is made for a draft of WASI 0.3 (`{0}`), and kwasm runs the release")]
    Draft(String),
    /// A component that uses an interface which the WASI 0.3 of this kwasm does not have, with its name.
    #[error("it uses `{0}`, which the WASI 0.3 of this kwasm does not have")]
    UnknownInterface(String),
    /// A binary whose request cannot be read.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A component that answers requests and has no main function.
    #[error("it is a server, and no command")]
    Server,
    /// A core module that the preview 1 adapter does not fit.
    #[error("it is a core module that cannot be made into a component: {0}")]
    Unadaptable(String),
    /// A core module that imports a function unknown to preview 1, with its name.
    #[error("it imports `{0}` of wasi_snapshot_preview1, which has no such function")]
    UnknownFunction(String),
    /// The binary needs a feature that is too new to have a name here.
    #[error("it needs a feature of WebAssembly that kwasm does not run: {0}")]
    UnnamedFeature(String),
    /// A core module from which a component is still to be made.
    #[error("it is a core module that still has to be made into a component")]
    Unfinished,
}

impl From<wasmparser::BinaryReaderError> for Error {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        let command = "a plugin is a program with a main function";
        match self {
            Self::Features(features) => features.iter().find_map(|feature| switch(*feature)).map(str::to_owned),
            Self::ForeignImports { language, .. } => Some(match target(language.as_deref()) {
                Some(target) => format!("it was made for another host, such as a browser; for kwasm: {target}"),
                None => "it was made for another host, such as a browser or Node.js: look for a build of it for WASI"
                    .to_owned(),
            }),
            Self::NoCommand { language, .. } | Self::NoStart { language } => {
                Some(match target(language.as_deref()) {
                    Some(target) => format!("{command}: {target}"),
                    None => format!("{command}, built for WASI"),
                })
            }
            Self::Preview0 { language } => Some(match target(language.as_deref()) {
                Some(target) => format!("rebuild it with today's tools: {target}"),
                None => "rebuild it with a current compiler, or look for a newer release of it".to_owned(),
            }),
            Self::HiddenMemory => Some("export it under the name `memory`".to_owned()),
            Self::Interfaces => Some("look for the component that implements them".to_owned()),
            Self::Draft(_) => Some("build it with tools that make WASI 0.3.0, or for WASI 0.2".to_owned()),
            Self::UnknownInterface(name) if name.starts_with("wasi:http/handler@") => {
                Some("a command sends its requests through wasi:http/client".to_owned())
            }
            Self::UnknownInterface(_) => Some("build it against WASI 0.3.0, or take a newer kwasm".to_owned()),
            Self::Request(error) => error.hint(),
            Self::Server => Some("kwasm serve runs it".to_owned()),
            Self::Unfinished => {
                Some("make the component: wasm-tools component new FILE -o COMPONENT.wasm".to_owned())
            }
            Self::Alien(_)
            | Self::Broken(_)
            | Self::Unadaptable(_)
            | Self::UnknownFunction(_)
            | Self::UnnamedFeature(_) => None,
        }
    }
}

/// Returns the command that builds a WASI command in this language.
fn target(language: Option<&str>) -> Option<&'static str> {
    match language? {
        "Rust" => Some("cargo build --target wasm32-wasip2"),
        "Go" => Some("GOOS=wasip1 GOARCH=wasm go build"),
        "C11" | "C" | "C++" | "C_plus_plus_11" | "C_plus_plus_14" => Some("clang --target=wasm32-wasi"),
        _ => None,
    }
}

/// Returns how to build a program without a feature.
fn switch(feature: Feature) -> Option<&'static str> {
    match feature {
        Feature::SharedMemory | Feature::SharedEverythingThreads => {
            Some("build it without threads: without -pthread, and not for wasm32-wasip1-threads")
        }
        Feature::LegacyExceptions => {
            Some("build it with the exceptions of the standard: -mllvm -wasm-use-legacy-eh=false")
        }
        Feature::WideArithmetic => Some("build it without -mwide-arithmetic"),
        _ => None,
    }
}

fn plural<T>(list: &[T]) -> &'static str {
    if list.len() == 1 { "" } else { "s" }
}

fn names(features: &[Feature]) -> String {
    features.iter().map(|feature| format!("`{feature}`")).collect::<Vec<_>>().join(", ")
}
