//! Makes a component of the core module of a Go program.
//!
//! The module imports functions of WASI 0.2 directly, and those of preview 1, which wasmtime's adapter
//! implements by 0.2. The adapter needs pages of the module's memory, for the first time before Go's runtime is
//! up. It gets them by a function that is added here and needs no runtime. The changed runtime leaves pages
//! alone that it did not grow itself (`edits.yaml`).

use std::fmt::Display;

use wasm_encoder::{BlockType, Encode as _, ExportKind, Function, Module, RawSection, SectionId, ValType};
use wasmparser::{BinaryReader, ExternalKind, Parser, Payload, TypeRef};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::build::wit;
use crate::inspect::{self, Error};

/// The export from which wit-component lets the adapter allocate. Without it, that is `cabi_realloc`, which
/// is a function of the guest's runtime.
const ALLOCATES: &str = "cabi_realloc_adapter";

/// The interfaces that a program may import. Those that it does not use are not imported by the component.
const WORLD: &str = "package kwasm:go;\nworld program { include wasi:cli/imports@0.2.12; }\n";

/// Returns the component.
///
/// # Errors
/// If the module is not one of a Go program.
pub(super) fn component(module: &[u8]) -> Result<Vec<u8>, Error> {
    let mut module = with_allocator(module)?;
    described(&mut module)?;
    inspect::adapt(&module)
}

/// Adds the description of the interfaces that the module may import.
fn described(module: &mut Vec<u8>) -> Result<(), Error> {
    let mut resolve = Resolve::default();
    for (name, text) in wit::PACKAGES {
        resolve.push_str(name, text).map_err(unadaptable)?;
    }
    let package = resolve.push_str("program.wit", WORLD).map_err(unadaptable)?;
    let world = resolve.select_world(&[package], None).map_err(unadaptable)?;
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF8).map_err(unadaptable)
}

fn unadaptable(error: impl Display) -> Error {
    Error::Unadaptable(format!("{error:#}"))
}

/// The numbers of what a module has, which are those of what is added.
#[derive(Default)]
struct Counts {
    types: u32,
    functions: u32,
    exports_allocator: bool,
}

impl Counts {
    fn read(module: &[u8]) -> Result<Self, Error> {
        let mut counts = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(types) => {
                    for group in types {
                        counts.types += u32::try_from(group?.types().len()).unwrap_or(u32::MAX);
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        counts.functions += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(functions) => counts.functions += functions.count(),
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        counts.exports_allocator |=
                            export.name == ALLOCATES && export.kind == ExternalKind::Func;
                    }
                }
                // Nothing that counts follows.
                Payload::CodeSectionStart { .. } => break,
                _ => {}
            }
        }
        Ok(counts)
    }
}

const TYPES: u8 = SectionId::Type as u8;
const FUNCTIONS: u8 = SectionId::Function as u8;
const EXPORTS: u8 = SectionId::Export as u8;
const CODE: u8 = SectionId::Code as u8;

/// Adds the function that allocates pages for the adapter, unless the module has one.
fn with_allocator(module: &[u8]) -> Result<Vec<u8>, Error> {
    let counts = Counts::read(module)?;
    if counts.exports_allocator {
        return Ok(module.to_owned());
    }
    let mut rebuilt = Module::new();
    let mut added = 0;
    for payload in Parser::new(0).parse_all(module) {
        let Some((id, range)) = payload?.as_section() else { continue };
        let data = &module[range];
        let entry = match id {
            TYPES => signature(),
            FUNCTIONS => encoded(counts.types),
            EXPORTS => export(counts.functions),
            CODE => allocator(),
            _ => {
                rebuilt.section(&RawSection { id, data });
                continue;
            }
        };
        added += 1;
        rebuilt.section(&RawSection { id, data: &appended(data, &entry)? });
    }
    if added == 4 {
        Ok(rebuilt.finish())
    } else {
        Err(Error::Unadaptable("it has no functions, or exports none".to_owned()))
    }
}

/// Returns a section with one more entry: the number of entries is at its beginning.
fn appended(section: &[u8], entry: &[u8]) -> Result<Vec<u8>, Error> {
    let mut reader = BinaryReader::new(section, 0);
    let count = reader.read_var_u32()?;
    let mut longer = Vec::with_capacity(section.len() + entry.len() + 1);
    count.saturating_add(1).encode(&mut longer);
    longer.extend_from_slice(&section[reader.original_position()..]);
    longer.extend_from_slice(entry);
    Ok(longer)
}

fn encoded(number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    number.encode(&mut bytes);
    bytes
}

/// Returns the type of `cabi_realloc` ([canonical ABI][1]): old address and size, alignment, new size.
///
/// [1]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md
fn signature() -> Vec<u8> {
    const FUNCTION: u8 = 0x60;
    let mut entry = vec![FUNCTION];
    [ValType::I32; 4].as_slice().encode(&mut entry);
    [ValType::I32].as_slice().encode(&mut entry);
    entry
}

fn export(function: u32) -> Vec<u8> {
    let mut entry = Vec::new();
    ALLOCATES.encode(&mut entry);
    ExportKind::Func.encode(&mut entry);
    function.encode(&mut entry);
    entry
}

/// Returns a function that allocates whole pages, and traps if there are none.
fn allocator() -> Vec<u8> {
    const SIZE: u32 = 3;
    const PAGES: u32 = 0;
    let mut function = Function::new([]);
    function
        .instructions()
        .local_get(SIZE)
        .i32_const(0xffff)
        .i32_add()
        .i32_const(16)
        .i32_shr_u()
        .memory_grow(0)
        .local_tee(PAGES)
        .i32_const(-1)
        .i32_eq()
        .if_(BlockType::Empty)
        .unreachable()
        .end()
        .local_get(PAGES)
        .i32_const(16)
        .i32_shl()
        .end();
    let mut entry = Vec::new();
    function.encode(&mut entry);
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{Inspected, Kind};

    /// A module as Go's linker makes it, as far as it matters here.
    const PROGRAM: &str = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi:cli/exit@0.2.12" "exit-with-code" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (drop (call $random (i32.const 0) (i32.const 8))) (call $exit (i32.const 7)))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable))"#;

    #[test]
    fn a_component_imports_what_the_program_uses_and_is_a_command() {
        let component = component(&wat::parse_str(PROGRAM).unwrap()).unwrap();
        let inspected = Inspected::read(&component).unwrap();
        assert_eq!(inspected.kind(), Kind::Component);
        assert!(inspected.imports_any_of("wasi:cli") && inspected.imports_any_of("wasi:random"));
        assert!(!inspected.uses_network());
    }

    #[test]
    fn a_program_gets_one_more_function_and_all_else_stays() {
        let module = wat::parse_str(PROGRAM).unwrap();
        let more = with_allocator(&module).unwrap();
        wasmparser::validate(&more).unwrap();
        let (before, after) = (Counts::read(&module).unwrap(), Counts::read(&more).unwrap());
        assert_eq!((after.types, after.functions), (before.types + 1, before.functions + 1));
        assert!(after.exports_allocator && !before.exports_allocator);
        assert_eq!(with_allocator(&more).unwrap(), more);
    }

    #[test]
    fn a_module_without_functions_is_refused() {
        for text in ["(module)", "(module (func))"] {
            assert!(with_allocator(&wat::parse_str(text).unwrap()).is_err(), "{text}");
        }
        assert!(with_allocator(b"\0asm").is_err());
    }
}
