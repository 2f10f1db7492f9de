//! Puts the functions side by side with which every run of a Go program begins.
//!
//! Before its main function, a program initialises all of its packages: hundreds, each where the linker put its package. Compiled
//! code is mapped from a file, and for each instruction that is not there yet the kernel brings in 64 KiB of it, so that
//! a program that only starts is almost wholly in memory. The order of a module's functions says nothing else about it:
//! whatever refers to one does so by its index, which is changed here.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error as Failure, Reencode, utils};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, FunctionBody, FunctionSectionReader, KnownCustom, Name, Parser,
    Payload, TypeRef,
};

use crate::inspect::Error;

/// Returns the module in that order. Its name section, by which the order is found out, is left out.
///
/// # Errors
/// If the module is not valid.
pub(super) fn by_start(module: &[u8]) -> Result<Vec<u8>, Error> {
    let mut order = Order::new(&starts(module)?);
    let mut ordered = Module::new();
    order.parse_core_module(&mut ordered, Parser::new(0), module).map_err(|error| match error {
        Failure::ParseError(error) => error.into(),
        error => Error::Unadaptable(error.to_string()),
    })?;
    Ok(ordered.finish())
}

/// What is known of a module's functions, in the order of their indices.
#[derive(Debug, Default, Eq, PartialEq)]
struct Starts {
    /// How many of them are imported.
    imported: usize,
    /// Whether each that the module defines initialises a package.
    initialises: Vec<bool>,
}

fn starts(module: &[u8]) -> Result<Starts, Error> {
    let mut starts = Starts::default();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    starts.imported += usize::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::FunctionSection(functions) => {
                starts.initialises = vec![false; functions.count() as usize];
            }
            Payload::CustomSection(section) => {
                let KnownCustom::Name(names) = section.as_known() else { continue };
                for name in names {
                    let Name::Function(functions) = name? else { continue };
                    for function in functions {
                        let function = function?;
                        let place = (function.index as usize).checked_sub(starts.imported);
                        if let Some(known) = place.and_then(|place| starts.initialises.get_mut(place)) {
                            *known = initialises(function.name);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(starts)
}

/// Returns whether the function of this name initialises a package: `PACKAGE.init` and its parts, such as `.init.0` and
/// `.map.init.1` (Go's `cmd/compile/internal/pkginit`). A method of this name is taken for one too, which does no harm.
fn initialises(name: &str) -> bool {
    name.split('.').any(|part| part == "init")
}

/// Another order of a module's functions.
struct Order {
    /// The old places of the functions that the module defines, in their new order.
    places: Vec<usize>,
    /// The new index of each function by its old one, those that are imported among them.
    indices: Vec<u32>,
}

impl Order {
    fn new(starts: &Starts) -> Self {
        let mut places: Vec<usize> = (0..starts.initialises.len()).collect();
        places.sort_by_key(|&place| !starts.initialises[place]);
        let mut indices: Vec<u32> = (0..).take(starts.imported + places.len()).collect();
        for (place, index) in places.iter().zip((0..).skip(starts.imported)) {
            indices[starts.imported + place] = index;
        }
        Self { places, indices }
    }

    /// Returns the entries of a section with one for each function that the module defines, in their new order.
    fn sorted<T>(&self, entries: impl Iterator<Item = wasmparser::Result<T>>) -> wasmparser::Result<Vec<T>> {
        let mut entries = entries.map(|entry| entry.map(Some)).collect::<Result<Vec<_>, _>>()?;
        Ok(self.places.iter().filter_map(|&place| entries.get_mut(place)?.take()).collect())
    }
}

impl Reencode for Order {
    type Error = Infallible;

    fn function_index(&mut self, index: u32) -> Result<u32, Failure> {
        // What is out of range stays so.
        Ok(self.indices.get(index as usize).copied().unwrap_or(index))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Failure> {
        for ty in self.sorted(section.into_iter())? {
            functions.function(ty);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Failure> {
        for body in self.sorted::<FunctionBody<'_>>(section.into_iter())? {
            self.parse_function_body(code, body)?;
        }
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Failure> {
        if let KnownCustom::Name(_) = section.as_known() {
            return Ok(());
        }
        utils::parse_custom_section(self, module, section)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Functions that call each other directly, by the table and by an export.
    const PROGRAM: &str = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (type $number (func (result i64)))
        (table 4 funcref)
        (elem (i32.const 1) func $a.run $b.init $b.init.0)
        (memory (export "memory") 1)
        (export "run" (func $a.run))
        (func $a.run (type $number) i64.const 1)
        (func $a.initial (param i32) (result i32) local.get 0)
        (func $b.init (type $number) call $b.map.init.1 call $a.run i64.add)
        (func $b.init.0 (type $number) i64.const 3)
        (func $b.map.init.1 (type $number) i64.const 4)
        (func (export "_start") (result i64) (call_indirect (type $number) (i32.const 2))))"#;

    #[test]
    fn initialisers_come_first_and_everything_refers_to_the_same_as_before() {
        let module = wat::parse_str(PROGRAM).unwrap();
        assert_eq!(
            starts(&module).unwrap(),
            Starts { imported: 1, initialises: vec![false, false, true, true, true, false] }
        );
        let ordered = by_start(&module).unwrap();
        wasmparser::validate(&ordered).unwrap();
        let [run, initial] = [
            "(func $a.run (type $number) i64.const 1)\n",
            "(func $a.initial (param i32) (result i32) local.get 0)\n",
        ];
        let others = PROGRAM.replace(run, "").replace(initial, "");
        let expected = others.replace("(func (export", &format!("{run}{initial}(func (export"));
        // Nothing but the names is left to be changed in it.
        assert_eq!(ordered, by_start(&wat::parse_str(expected).unwrap()).unwrap());
    }

    #[test]
    fn names_go_and_nothing_else_changes_without_them() {
        let module = wat::parse_str(PROGRAM).unwrap();
        let nameless = by_start(&module).unwrap();
        assert_eq!(starts(&nameless).unwrap().initialises, [false; 6]);
        assert_eq!(by_start(&nameless).unwrap(), nameless);
    }

    #[test]
    fn what_is_not_a_module_is_an_error() {
        assert!(by_start(b"\0asm").is_err());
        assert!(by_start(&wat::parse_str("(component)").unwrap()).is_err());
    }
}
