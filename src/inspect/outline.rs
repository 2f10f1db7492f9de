//! The names at the outermost level of a binary, and the few facts from inside it that decide whether it can
//! run.

use std::collections::BTreeMap;

use wasmparser::{BinaryReaderError, Encoding, ExternalKind, KnownCustom, Parser, Payload, TypeRef};

use super::request::{self, RequestError};

/// The facts about a binary that are known without reading its code.
pub(super) struct Outline {
    pub(super) encoding: Encoding,
    pub(super) imports: Vec<Import>,
    pub(super) exports: Vec<Export>,
    /// Whether it contains code. A package of interfaces in binary form does not.
    pub(super) has_code: bool,
    /// Whether a memory at any depth is shared between threads.
    pub(super) shares_memory: bool,
    /// Whether it describes a component that is still to be made from it, as the output of `wit-bindgen`
    /// does.
    pub(super) describes_component: bool,
    /// The source language that it names, e.g. `Rust`.
    pub(super) language: Option<String>,
    /// The text of its request, if it has one.
    pub(super) request: Result<Option<String>, RequestError>,
}

/// An import at the outermost level.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Import {
    /// The name of the module, or of the interface.
    pub(super) module: String,
    /// The name of the import within the module; empty for an interface.
    pub(super) name: String,
    /// The kind of the import, in words.
    pub(super) kind: &'static str,
}

/// An export at the outermost level.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Export {
    pub(super) name: String,
    /// The kind of the export; `None` for a component's.
    pub(super) kind: Option<ExternalKind>,
}

impl Outline {
    /// Reads all sections but the code.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut outline = Self {
            encoding: Encoding::Module,
            imports: Vec::new(),
            exports: Vec::new(),
            has_code: false,
            shares_memory: false,
            describes_component: false,
            language: None,
            request: Ok(None),
        };
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::Version { encoding, .. } if depth == 0 => outline.encoding = encoding,
                // What a component holds inside is its own business: only its outermost names are requests.
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                payload => outline.take(&payload, depth == 0)?,
            }
        }
        Ok(outline)
    }

    fn take(&mut self, payload: &Payload<'_>, outermost: bool) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::ComponentImportSection(section) if outermost => {
                for import in section.clone() {
                    let module = import?.name.name.to_owned();
                    self.imports.push(Import { module, name: String::new(), kind: "an interface" });
                }
            }
            Payload::ComponentExportSection(section) if outermost => {
                for export in section.clone() {
                    self.exports.push(Export { name: export?.name.name.to_owned(), kind: None });
                }
            }
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    let import = import?;
                    self.shares_memory |= matches!(import.ty, TypeRef::Memory(memory) if memory.shared);
                    if outermost {
                        let (module, name) = (import.module.to_owned(), import.name.to_owned());
                        self.imports.push(Import { module, name, kind: kind(import.ty) });
                    }
                }
            }
            Payload::ExportSection(section) if outermost => {
                for export in section.clone() {
                    let export = export?;
                    self.exports.push(Export { name: export.name.to_owned(), kind: Some(export.kind) });
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    self.shares_memory |= memory?.shared;
                }
            }
            Payload::CodeSectionStart { .. } => self.has_code = true,
            Payload::CustomSection(section) if section.name() == request::SECTION => {
                request::note(&mut self.request, section.data(), outermost);
            }
            Payload::CustomSection(section) if outermost => {
                self.describes_component |= section.name().starts_with("component-type");
                if let KnownCustom::Producers(producers) = section.as_known() {
                    self.language = language(producers);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns whether a core module exports an item of this name and kind.
    pub(super) fn exports(&self, name: &str, kind: ExternalKind) -> bool {
        self.exports.iter().any(|export| export.name == name && export.kind == Some(kind))
    }

    /// Returns the exported names.
    pub(super) fn exported(&self) -> Vec<String> {
        self.exports.iter().map(|export| export.name.clone()).collect()
    }

    /// Returns the imported names, by module or interface.
    pub(super) fn imported(&self) -> BTreeMap<String, Vec<String>> {
        let mut modules = BTreeMap::<_, Vec<_>>::new();
        for Import { module, name, .. } in &self.imports {
            let names = modules.entry(module.clone()).or_default();
            if !name.is_empty() {
                names.push(name.clone());
            }
        }
        modules
    }

    /// Describes the imports from modules other than `own`, such as a memory from `env`. Returns `None` if
    /// there are none.
    pub(super) fn foreign(&self, own: &str) -> Option<String> {
        let mut kinds = BTreeMap::<(&str, &str), usize>::new();
        for import in self.imports.iter().filter(|import| import.module != own) {
            *kinds.entry((&import.module, import.kind)).or_default() += 1;
        }
        let shown = kinds.iter().take(SHOWN).map(|((module, kind), count)| match count {
            1 => format!("{kind} of `{module}`"),
            _ => format!("{} of `{module}`", plural(kind)),
        });
        let mut shown: Vec<String> = shown.collect();
        if kinds.len() > SHOWN {
            shown.push("others".to_owned());
        }
        (!shown.is_empty()).then(|| shown.join(", "))
    }
}

/// The largest number of kinds of foreign imports that are listed. A program for another host has one or two.
const SHOWN: usize = 4;

fn kind(ty: TypeRef) -> &'static str {
    match ty {
        TypeRef::Func(_) | TypeRef::FuncExact(_) => "a function",
        TypeRef::Table(_) => "a table",
        TypeRef::Memory(_) => "a memory",
        TypeRef::Global(_) => "a global",
        TypeRef::Tag(_) => "a tag",
    }
}

fn plural(kind: &str) -> &'static str {
    match kind {
        "a function" => "functions",
        "a table" => "tables",
        "a memory" => "memories",
        "a global" => "globals",
        _ => "tags",
    }
}

/// Reads the language of the [producers section][1]. A section that cannot be read names none.
///
/// [1]: https://github.com/WebAssembly/tool-conventions/blob/main/ProducersSection.md
fn language(producers: wasmparser::ProducersSectionReader<'_>) -> Option<String> {
    let mut fields = producers.into_iter().flatten();
    let field = fields.find(|field| field.name == "language")?;
    field.values.into_iter().flatten().next().map(|value| value.name.to_owned())
}
