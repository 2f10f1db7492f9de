//! Reads what a component asks for, executing nothing. Pure: bytes in, facts out.

mod facts;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wasmparser::{Encoding, Parser, Payload};

pub use self::facts::Facts;

/// What was found in some bytes that are worth running.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inspected {
    kind: Kind,
    /// The interfaces it imports, e.g. `wasi:http/outgoing-handler@0.2.12`; of a core module, none but WASI's.
    imports: Vec<String>,
}

/// In which of the two forms a plugin came.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A WASI 0.2 command component.
    Component,
    /// A core module for WASI's preview 1, which runs once it is adapted.
    Core,
}

/// Why some bytes are nothing that can run here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not begin as WebAssembly does.
    #[error("it is no WebAssembly but {0}")]
    Alien(&'static str),
    /// It begins as WebAssembly does, and then breaks its rules.
    #[error("it is broken WebAssembly")]
    Broken(#[source] wasmparser::BinaryReaderError),
    /// A component that is no command.
    #[error("it is a component without a command to run: it exports {0}, and not wasi:cli/run@0.2")]
    NoCommand(String),
    /// A component made for WASI 0.3.
    #[error("it is made for WASI 0.3, and kwasm runs WASI 0.2")]
    Preview3,
    /// A core module that needs functions which nobody has here.
    #[error(
        "it is a core module that imports functions of `{0}`, and kwasm has only those of wasi_snapshot_preview1"
    )]
    ForeignImport(String),
    /// A core module that is a library.
    #[error("it is a core module without `_start`: a library, not a command")]
    NoStart,
    /// A core module that the adapter does not fit.
    #[error("it is a core module that cannot be made a component: {0}")]
    Unadaptable(String),
}

impl Inspected {
    /// Reads what `bytes` are and what they import.
    ///
    /// # Errors
    /// When they are neither a command component nor a command module. What is found to be well-formed here is
    /// still validated whole when it is compiled.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if !bytes.starts_with(b"\0asm") {
            return Err(Error::Alien(guess(bytes)));
        }
        let outline = Outline::read(bytes).map_err(Error::Broken)?;
        match outline.encoding {
            Encoding::Component => outline.component(),
            Encoding::Module => outline.core(),
        }
    }

    /// The form it came in.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The interfaces it imports.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Tells whether it can send anything at all: only then is a kubeconfig read for it.
    #[must_use]
    pub fn uses_network(&self) -> bool {
        self.imports_any_of("wasi:http") || self.imports_any_of("wasi:sockets")
    }

    /// Tells whether it imports an interface of `package`, e.g. `wasi:http`.
    #[must_use]
    pub fn imports_any_of(&self, package: &str) -> bool {
        self.imports.iter().any(|name| name.strip_prefix(package).is_some_and(|rest| rest.starts_with('/')))
    }
}

/// The component in `bytes`: they themselves, or what the preview 1 adapter makes of a core module.
///
/// # Errors
/// [`Error::Unadaptable`] when the adapter does not fit the module.
pub fn component<'a>(bytes: &'a [u8], inspected: &Inspected) -> Result<Cow<'a, [u8]>, Error> {
    if inspected.kind == Kind::Component {
        return Ok(Cow::Borrowed(bytes));
    }
    wit_component::ComponentEncoder::default()
        .module(bytes)
        .and_then(|encoder| {
            encoder
                .validate(true)
                .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER)
        })
        .and_then(|mut encoder| encoder.encode())
        .map(Cow::Owned)
        .map_err(|error| Error::Unadaptable(format!("{error:#}")))
}

/// The names at the outermost level of a binary.
struct Outline {
    encoding: Encoding,
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Outline {
    fn read(bytes: &[u8]) -> Result<Self, wasmparser::BinaryReaderError> {
        let mut outline = Self { encoding: Encoding::Module, imports: Vec::new(), exports: Vec::new() };
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::Version { encoding, .. } if depth == 0 => outline.encoding = encoding,
                // What a component holds inside is its own business: only its outermost names are requests.
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        outline.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        outline.exports.push(export?.name.name.to_owned());
                    }
                }
                Payload::ImportSection(section) if depth == 0 => {
                    for import in section.into_imports() {
                        outline.imports.push(import?.module.to_owned());
                    }
                }
                Payload::ExportSection(section) if depth == 0 => {
                    for export in section {
                        outline.exports.push(export?.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        outline.imports.dedup();
        Ok(outline)
    }

    fn component(self) -> Result<Inspected, Error> {
        let runs = |version: &str| {
            self.exports.iter().any(|name| name.starts_with(&format!("wasi:cli/run@{version}")))
        };
        if runs("0.3") || self.imports.iter().any(|name| name.starts_with("wasi:") && name.contains("@0.3")) {
            return Err(Error::Preview3);
        }
        if !runs("0.2") {
            let list = if self.exports.is_empty() { "nothing".to_owned() } else { self.exports.join(", ") };
            return Err(Error::NoCommand(list));
        }
        Ok(Inspected { kind: Kind::Component, imports: self.imports })
    }

    fn core(self) -> Result<Inspected, Error> {
        if let Some(foreign) = self.imports.iter().find(|name| *name != WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME) {
            return Err(Error::ForeignImport(foreign.clone()));
        }
        if !self.exports.iter().any(|name| name == "_start") {
            return Err(Error::NoStart);
        }
        Ok(Inspected { kind: Kind::Core, imports: Vec::new() })
    }
}

/// Says what bytes that are no WebAssembly most likely are, so that the mistake is seen at once.
fn guess(bytes: &[u8]) -> &'static str {
    let text = std::str::from_utf8(&bytes[..bytes.len().min(1024)]).map(str::trim_start);
    match (bytes, text) {
        ([], _) => "an empty file",
        (
            [0x7f, b'E', b'L', b'F', ..]
            | [b'M', b'Z', ..]
            | [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..]
            | [0xca, 0xfe, 0xba, 0xbe, ..],
            _,
        ) => "a native program",
        ([0x1f, 0x8b, ..] | [b'P', b'K', 3, 4, ..], _) => "an archive: unpack it first",
        (_, Ok(text)) if text.starts_with("(module") || text.starts_with("(component") => {
            "its text form: compile it with `wasm-tools parse`"
        }
        (_, Ok(text)) if text.starts_with('<') => "a web page",
        (_, Ok(_)) => "text",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{
        CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
        MemorySection, MemoryType, Module, TypeSection,
    };

    fn core(import: Option<&str>, export: Option<&str>) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut module = Module::new();
        module.section(&types);
        let mut index = 0;
        if let Some(name) = import {
            module.section(ImportSection::new().import(name, "f", EntityType::Function(0)));
            index = 1;
        }
        module.section(FunctionSection::new().function(0));
        let memory =
            MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
        module.section(MemorySection::new().memory(memory));
        if let Some(name) = export {
            module.section(ExportSection::new().export("memory", ExportKind::Memory, 0).export(
                name,
                ExportKind::Func,
                index,
            ));
        }
        let mut body = Function::new([]);
        body.instructions().end();
        module.section(CodeSection::new().function(&body));
        module.finish()
    }

    #[test]
    fn a_command_module_is_found_and_adapted() {
        let bytes = core(None, Some("_start"));
        let inspected = Inspected::read(&bytes).unwrap();
        assert_eq!(inspected.kind(), Kind::Core);
        assert!(!inspected.uses_network());
        let adapted = component(&bytes, &inspected).unwrap();
        assert_eq!(Inspected::read(&adapted).unwrap().kind(), Kind::Component);
    }

    #[test]
    fn a_module_without_a_start_or_with_foreign_imports_is_refused() {
        assert!(matches!(Inspected::read(&core(None, None)), Err(Error::NoStart)));
        let foreign = core(Some("wasi-outbound-http"), Some("_start"));
        assert!(
            matches!(Inspected::read(&foreign), Err(Error::ForeignImport(name)) if name == "wasi-outbound-http")
        );
    }

    #[test]
    fn what_is_no_webassembly_is_called_by_its_name() {
        for (bytes, name) in [
            (&b""[..], "an empty file"),
            (b"\x7fELF\x02", "a native program"),
            (b"<html>", "a web page"),
            (b"hello", "text"),
            (b"(component)", "its text form: compile it with `wasm-tools parse`"),
            (b"\xff\xfe\x00", "something else"),
        ] {
            assert!(matches!(Inspected::read(bytes), Err(Error::Alien(found)) if found == name), "{name}");
        }
    }

    #[test]
    fn a_component_without_a_command_is_refused() {
        let bytes = b"\0asm\x0d\0\x01\0";
        assert!(matches!(Inspected::read(bytes), Err(Error::NoCommand(list)) if list == "nothing"));
    }

    #[test]
    fn a_cut_binary_is_broken_wherever_it_is_cut() {
        let whole = core(None, Some("_start"));
        for length in 4..whole.len() {
            assert!(Inspected::read(&whole[..length]).is_err(), "{length}");
        }
    }
}
