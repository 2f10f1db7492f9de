//! Takes a component apart into the libraries that it brings and what is its own, so that each is compiled by itself.
//!
//! Tools that link dynamically, as componentize-py does, put the same libraries into each component, to the byte: an interpreter,
//! a C library. What differs is one module more, with the program's memory. A core module that a component contains and one
//! that it imports are the same to it ([the component model's binary format][1]): in what is left of the component, each
//! library is an import at the place at which it was contained, and no index changes.
//!
//! [1]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md

use std::ops::Range;

use wasm_encoder::{
    ComponentImportSection, ComponentSection, ComponentTypeRef, CoreTypeSection, EntityType, ModuleType,
};
use wasmparser::{
    BinaryReaderError, CompositeInnerType, ExternalKind, Parser, Payload, RecGroup, TypeRef, Validator,
};

use super::features::VALID;

/// A component that is taken apart.
#[derive(Debug, Eq, PartialEq)]
pub struct Apart {
    /// The component, with imports in place of its libraries.
    pub rest: Vec<u8>,
    /// The places of the libraries in the component, in the order of their imports.
    pub libraries: Vec<Range<usize>>,
}

/// The size in bytes from which a library is worth a file of its own.
const WORTHWHILE: usize = 64 << 10;

/// The largest number of libraries. Each is a file to map.
const MOST: usize = 32;

/// The beginning of the names of the imports.
const IMPORT: &str = "kwasm-library-n";

/// Returns the name of the import that stands for the library with this number.
#[must_use]
pub fn library_name(number: usize) -> String {
    format!("{IMPORT}{number}")
}

/// Takes a valid component apart. Returns `None` if it brings no library, or one in a form that is not known here: it is
/// then compiled as a whole.
#[must_use]
pub fn apart(component: &[u8]) -> Option<Apart> {
    let apart = take_apart(component).ok()??;
    // What is left is a component by the same rules, or nothing is gained.
    Validator::new_with_features(VALID).validate_all(&apart.rest).ok()?;
    Some(apart)
}

fn take_apart(component: &[u8]) -> Result<Option<Apart>, BinaryReaderError> {
    let mut apart = Apart { rest: Vec::new(), libraries: Vec::new() };
    // The end of what is in `rest`, and of the section before this one.
    let (mut copied, mut previous) = (0, 0);
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        let section_start = previous;
        if let (0, Some((_, range))) = (depth, payload.as_section()) {
            previous = range.end;
        }
        match payload {
            Payload::Version { range, .. } if depth == 0 => previous = range.end,
            // Types of its own would have other numbers after those of the libraries.
            Payload::CoreTypeSection(_) if depth == 0 => return Ok(None),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    if import?.name.name.starts_with(IMPORT) {
                        return Ok(None);
                    }
                }
            }
            Payload::ModuleSection { unchecked_range: module, .. } => {
                let is_worthwhile = depth == 0 && module.len() >= WORTHWHILE && apart.libraries.len() < MOST;
                depth += 1;
                let ty = is_worthwhile.then(|| library(&component[module.clone()])).transpose()?.flatten();
                let Some(ty) = ty else { continue };
                apart.rest.extend_from_slice(&component[copied..section_start]);
                import(&mut apart, &ty);
                apart.libraries.push(module.clone());
                copied = module.end;
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    apart.rest.extend_from_slice(&component[copied..]);
    Ok((!apart.libraries.is_empty()).then_some(apart))
}

/// Puts an import of the next library into what is left of the component.
fn import(apart: &mut Apart, ty: &ModuleType) {
    let number = apart.libraries.len();
    let mut types = CoreTypeSection::new();
    types.ty().module(ty);
    types.append_to_component(&mut apart.rest);
    let mut imports = ComponentImportSection::new();
    // It brings no types of its own, so those of the libraries are counted from 0.
    let index = u32::try_from(number).unwrap_or(u32::MAX);
    imports.import(library_name(number).as_str(), ComponentTypeRef::Module(index));
    imports.append_to_component(&mut apart.rest);
}

/// Returns the type of a module that is a library: it imports its memory, which is its user's. Returns `None` for any other
/// module, and for one whose type takes more than functions of numbers, memories, tables and globals.
fn library(module: &[u8]) -> Result<Option<ModuleType>, BinaryReaderError> {
    let mut library = Library::default();
    for payload in Parser::new(0).parse_all(module) {
        if library.take(&payload?)?.is_none() {
            return Ok(None);
        }
    }
    Ok(library.imports_memory.then_some(library.ty))
}

/// What is known of a module while its sections are read.
#[derive(Default)]
struct Library {
    ty: ModuleType,
    imports_memory: bool,
    functions: Vec<EntityType>,
    tables: Vec<EntityType>,
    memories: Vec<EntityType>,
    globals: Vec<EntityType>,
}

impl Library {
    /// Reads a section. Returns `None` if it has something in it that is not known here.
    fn take(&mut self, payload: &Payload<'_>) -> Result<Option<()>, BinaryReaderError> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section.clone() {
                    let Some(function) = function(&group?) else { return Ok(None) };
                    self.ty.ty().func_type(&function);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    let import = import?;
                    let Some(entity) = self.define(import.ty) else { return Ok(None) };
                    self.imports_memory |= matches!(import.ty, TypeRef::Memory(_));
                    self.ty.import(import.module, import.name, entity);
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section.clone() {
                    self.functions.push(EntityType::Function(ty?));
                }
            }
            Payload::TableSection(section) => {
                return self.define_all(section.clone(), |table| TypeRef::Table(table.ty));
            }
            Payload::MemorySection(section) => return self.define_all(section.clone(), TypeRef::Memory),
            Payload::GlobalSection(section) => {
                return self.define_all(section.clone(), |global| TypeRef::Global(global.ty));
            }
            Payload::TagSection(_) => return Ok(None),
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    let Some(entity) = self.exported(export.kind, export.index) else { return Ok(None) };
                    self.ty.export(export.name, entity);
                }
            }
            _ => {}
        }
        Ok(Some(()))
    }

    fn define_all<'a, T: wasmparser::FromReader<'a>>(
        &mut self,
        section: wasmparser::SectionLimited<'a, T>,
        ty: impl Fn(T) -> TypeRef,
    ) -> Result<Option<()>, BinaryReaderError> {
        for defined in section {
            if self.define(ty(defined?)).is_none() {
                return Ok(None);
            }
        }
        Ok(Some(()))
    }

    fn define(&mut self, ty: TypeRef) -> Option<EntityType> {
        let entity = EntityType::try_from(ty).ok()?;
        match ty {
            TypeRef::Func(_) => self.functions.push(entity),
            TypeRef::Table(_) => self.tables.push(entity),
            TypeRef::Memory(_) => self.memories.push(entity),
            TypeRef::Global(_) => self.globals.push(entity),
            TypeRef::Tag(_) | TypeRef::FuncExact(_) => return None,
        }
        Some(entity)
    }

    fn exported(&self, kind: ExternalKind, index: u32) -> Option<EntityType> {
        let space = match kind {
            ExternalKind::Func => &self.functions,
            ExternalKind::Table => &self.tables,
            ExternalKind::Memory => &self.memories,
            ExternalKind::Global => &self.globals,
            ExternalKind::Tag | ExternalKind::FuncExact => return None,
        };
        space.get(usize::try_from(index).ok()?).copied()
    }
}

/// Returns the type of a function as every program has it, alone in its group.
fn function(group: &RecGroup) -> Option<wasm_encoder::FuncType> {
    let mut types = group.types();
    let (ty, None) = (types.next()?, types.next()) else { return None };
    let is_plain = ty.is_final && ty.supertype_idx.is_none() && !ty.composite_type.shared;
    match &ty.composite_type.inner {
        CompositeInnerType::Func(function) if is_plain && !group.is_explicit_rec_group() => {
            function.clone().try_into().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a module's text: a library if it imports its memory, and as large as this.
    fn module(memory: &str, size: usize, more: &str) -> String {
        format!(
            r#"(core module $library
                (type $f (func (param i32) (result i32)))
                (import "env" "callback" (func $callback (type $f)))
                {memory}
                (global (export "answer") (mut i32) (i32.const 42))
                (table (export "table") 1 funcref)
                (func (export "twice") (type $f) local.get 0 call $callback)
                (data "{}")
                {more})"#,
            "x".repeat(size)
        )
    }

    const IMPORTED: &str = r#"(import "env" "memory" (memory 1))"#;

    fn component(libraries: &[String], more: &str) -> Vec<u8> {
        let text =
            format!("(component (core module $first) {} (core module $last) {more})", libraries.concat());
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn a_library_is_a_large_module_that_imports_its_memory() {
        let whole = component(&[module(IMPORTED, WORTHWHILE, "")], "");
        let found = apart(&whole).unwrap();
        let [library] = &found.libraries[..] else { panic!("{:?}", found.libraries) };
        assert!(whole[library.clone()].starts_with(b"\0asm"));
        assert!(found.rest.len() < whole.len() - WORTHWHILE);
        for other in [
            module(r#"(memory (export "memory") 1)"#, WORTHWHILE, ""),
            module(IMPORTED, WORTHWHILE / 2, ""),
            module(IMPORTED, WORTHWHILE, "(type (struct))"),
            module(IMPORTED, WORTHWHILE, "(tag (param i32))"),
        ] {
            assert_eq!(apart(&component(&[other], "")), None);
        }
        assert_eq!(apart(b"\0asm\x01\0\0\0"), None);
    }

    #[test]
    fn what_is_left_is_a_component_that_uses_the_imports_as_it_did_the_modules() {
        let library = module(IMPORTED, WORTHWHILE, "");
        let use_it = r#"
            (core module $user
                (memory (export "memory") 1)
                (func (export "callback") (param i32) (result i32) local.get 0))
            (core instance $env (instantiate $user))
            (core instance $linked (instantiate $library (with "env" (instance $env))))
            (func (export "run") (param "x" u32) (result u32) (canon lift (core func $linked "twice")))"#;
        // A name is in the module, too.
        let whole = component(&[library.clone(), library.replace("$library", "$another")], use_it);
        let found = apart(&whole).unwrap();
        assert_eq!(found.libraries.len(), 2);
        assert_eq!(whole[found.libraries[0].clone()].len(), whole[found.libraries[1].clone()].len());
        let text = wasmparser::Parser::new(0).parse_all(&found.rest).filter_map(|payload| match payload {
            Ok(Payload::ComponentImportSection(section)) => {
                Some(section.into_iter().next()?.ok()?.name.name.to_owned())
            }
            _ => None,
        });
        assert_eq!(text.collect::<Vec<_>>(), [library_name(0), library_name(1)]);
    }

    #[test]
    fn a_component_with_types_or_imports_in_the_way_is_left_whole() {
        let library = [module(IMPORTED, WORTHWHILE, "")];
        assert!(apart(&component(&library, r#"(import "wasi:cli/exit@0.2.3" (instance))"#)).is_some());
        assert_eq!(apart(&component(&library, "(core type (func))")), None);
        let import = format!(r#"(import "{}" (core module))"#, library_name(0));
        assert_eq!(apart(&component(&library, &import)), None);
    }
}
