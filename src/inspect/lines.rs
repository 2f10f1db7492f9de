//! Source lines of a binary's instructions, from the DWARF in it.
//!
//! [DWARF for WebAssembly](https://yurydelendik.github.io/webassembly-dwarf/) is in custom sections of a core module, and
//! its addresses begin at the contents of that module's code section.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use addr2line::Context;
use addr2line::gimli::{self, Dwarf, EndianSlice, LittleEndian};
use wasmparser::{Parser, Payload};

/// A source line that an instruction belongs to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Line {
    /// The function's name, as its compiler mangled it.
    pub function: Option<String>,
    /// The file.
    pub file: Option<String>,
    /// The number of the line, from 1.
    pub line: Option<u32>,
    /// The number of the column, from 1.
    pub column: Option<u32>,
}

/// The largest number of functions that are inlined into each other at one instruction.
const INLINED: usize = 32;

/// The deepest nesting of DWARF's entries that is read, since addr2line reads them recursively. Compilers make some
/// dozen levels.
const DEPTH: isize = 300;

/// About the largest number of bytes of what addr2line makes of the line tables, whose files it writes out with their
/// folders. A large program has some ten million bytes of them.
const EXPANDED: usize = 512 << 20;

/// The longest name or path that is taken, in bytes.
const LONGEST: usize = 8 << 10;

/// The bytes of DWARF's sections.
type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// Returns the source lines for instructions, each given by its offset in the binary: the innermost function first,
/// followed by those that it is inlined into. Empty for an instruction that the DWARF says nothing about, or if
/// there is none or it is broken.
///
/// Broken DWARF can keep this busy for long: the caller has to bound the time.
#[must_use]
pub fn lines(binary: &[u8], offsets: &[usize]) -> Vec<Vec<Line>> {
    let mut found = vec![Vec::new(); offsets.len()];
    for module in modules(binary) {
        let asked = offsets.iter().zip(&mut found).filter(|(offset, _)| module.code.contains(*offset));
        let mut asked = asked.peekable();
        if asked.peek().is_none() {
            continue;
        }
        let Some(context) = module.context() else { continue };
        for (offset, lines) in asked {
            *lines = at(&context, offset - module.code.start).unwrap_or_default();
        }
    }
    found
}

/// A core module, at any depth of a binary.
struct Module<'a> {
    /// The contents of its code section.
    code: Range<usize>,
    /// The sections of its DWARF, by name.
    sections: BTreeMap<&'a str, &'a [u8]>,
}

impl<'a> Module<'a> {
    fn context(&self) -> Option<Context<Bytes<'a>>> {
        let section = |id: gimli::SectionId| {
            let bytes = self.sections.get(id.name()).copied().unwrap_or_default();
            Ok::<_, gimli::Error>(EndianSlice::new(bytes, LittleEndian))
        };
        let mut dwarf = Dwarf::load(section).ok()?;
        // Otherwise each unit would read them anew.
        dwarf.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
        if !has_bounded_depth(&dwarf).unwrap_or(false)
            || expanded(&dwarf).is_none_or(|bytes| bytes > EXPANDED)
        {
            return None;
        }
        Context::from_dwarf(dwarf).ok()
    }
}

/// Returns the modules of a valid binary that have DWARF.
fn modules(binary: &[u8]) -> Vec<Module<'_>> {
    let mut modules = Vec::new();
    // Of each module or component that encloses the next section.
    let mut open = Vec::new();
    for payload in Parser::new(0).parse_all(binary) {
        match payload {
            Ok(Payload::Version { .. }) => open.push(Module { code: 0..0, sections: BTreeMap::new() }),
            Ok(Payload::CodeSectionStart { range, .. }) => {
                if let Some(module) = open.last_mut() {
                    module.code = range;
                }
            }
            Ok(Payload::CustomSection(section)) if section.name().starts_with(".debug_") => {
                if let Some(module) = open.last_mut() {
                    module.sections.insert(section.name(), section.data());
                }
            }
            Ok(Payload::End(_)) => {
                modules.extend(open.pop().filter(|module| !module.sections.is_empty()));
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    modules
}

/// Returns whether no entry is nested too deeply.
fn has_bounded_depth(dwarf: &Dwarf<Bytes<'_>>) -> gimli::Result<bool> {
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() {
            if entries.next_depth() > DEPTH {
                return Ok(false);
            }
            if let Some(abbreviation) = entries.read_abbreviation()? {
                entries.skip_attributes(abbreviation.attributes())?;
            }
        }
    }
    Ok(true)
}

/// Returns about the number of bytes that all line tables take when they are read: a row for each byte of a program, and for
/// each file its name with its folder and its unit's.
fn expanded(dwarf: &Dwarf<Bytes<'_>>) -> Option<usize> {
    const ROW: usize = 24;
    let mut expanded = 0_usize;
    let mut units = dwarf.units();
    while let Some(header) = units.next().ok()? {
        let unit = dwarf.unit(header).ok()?;
        let Some(program) = &unit.line_program else { continue };
        let header = program.header();
        let length = |value: &gimli::AttributeValue<Bytes<'_>>| {
            dwarf.attr_string(&unit, *value).map_or(0, |text| text.slice().len())
        };
        let folder = header.include_directories().iter().map(length).max().unwrap_or_default();
        let above = ROW + folder + unit.comp_dir.map_or(0, |folder| folder.slice().len());
        for file in header.file_names() {
            expanded = expanded.saturating_add(above + length(&file.path_name()));
        }
        expanded = expanded.saturating_add(header.raw_program_buf().slice().len().saturating_mul(ROW));
    }
    Some(expanded)
}

fn at(context: &Context<Bytes<'_>>, address: usize) -> Option<Vec<Line>> {
    let mut frames = context.find_frames(u64::try_from(address).ok()?).skip_all_loads().ok()?;
    let mut lines = Vec::new();
    while lines.len() < INLINED
        && let Ok(Some(frame)) = frames.next()
    {
        let name = frame.function.as_ref().and_then(|function| function.raw_name().ok());
        let location = frame.location.as_ref();
        let number = |number: Option<u32>| number.filter(|number| *number > 0);
        lines.push(Line {
            function: name.filter(|name| name.len() <= LONGEST).map(Cow::into_owned),
            file: location
                .and_then(|place| place.file)
                .filter(|file| file.len() <= LONGEST)
                .map(str::to_owned),
            line: number(location.and_then(|place| place.line)),
            column: number(location.and_then(|place| place.column)),
        });
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_dwarf_names_no_lines() {
        let hostile = |text: &str| wat::parse_str(text).unwrap();
        for binary in [
            Vec::new(),
            b"\0asm".to_vec(),
            hostile("(module (func nop))"),
            hostile("(component (core module (func nop)))"),
            hostile(
                r#"(module (func nop) (@custom ".debug_info" "\ff\ff\ff\ff") (@custom ".debug_abbrev" "\01"))"#,
            ),
        ] {
            let offsets: Vec<usize> = (0..binary.len()).collect();
            assert!(lines(&binary, &offsets).iter().all(Vec::is_empty));
        }
    }

    /// An entry without attributes that has children, a hundred thousand times, in each other.
    #[test]
    fn entries_that_are_nested_without_end_are_not_read() {
        let entries = 100_000_u32;
        let mut info = (entries + 7).to_le_bytes().to_vec();
        // Version 4, abbreviations at 0, addresses of four bytes.
        info.extend([4, 0, 0, 0, 0, 0, 4]);
        info.extend(std::iter::repeat_n(1, entries as usize));
        // DW_TAG_inlined_subroutine with children.
        let abbreviations = [1_u8, 0x1d, 1, 0, 0, 0];
        let sections =
            BTreeMap::from([(".debug_info", info.as_slice()), (".debug_abbrev", abbreviations.as_slice())]);
        assert!(Module { code: 0..1, sections }.context().is_none());
    }
}
