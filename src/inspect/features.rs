//! The WebAssembly features that a component or core module needs, and those that kwasm runs.
//!
//! kwasm runs exactly the features that [wasmtime][1] enables by default: proposals that upstream calls
//! finished, tested and fuzzed, or that real toolchains emit today. `components/README.md` has the same table
//! with its reasons; one test compares the two, and another compares this table with the engine.
//!
//! [1]: https://docs.wasmtime.dev/stability-wasm-proposals.html

use std::collections::BTreeSet;

use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use super::feature::Feature;
use super::{Error, Outline, scan};

/// The features that wasmtime validates by default, as built into kwasm.
pub(super) const VALID: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::COMPONENT_MODEL)
    .union(WasmFeatures::CM_ASYNC);

/// Returns a number that identifies the rules of [`validate`]. It changes whenever one of them does.
#[must_use]
pub fn rules() -> u64 {
    VALID.bits()
}

/// Lists the features that a binary needs, at any depth.
///
/// Takes the bytes of a component or core module and reads all of its code, which costs as much as validating
/// it.
///
/// # Errors
/// [`Error::Broken`].
pub fn needed(bytes: &[u8]) -> Result<BTreeSet<Feature>, Error> {
    Ok(scan::scan(bytes)?)
}

/// Validates a binary by the features that kwasm runs, so that it is refused before seconds are spent on
/// compiling it.
///
/// # Errors
/// [`Error::Features`] or [`Error::UnnamedFeature`] if it needs features that kwasm does not run, otherwise
/// [`Error::Broken`].
pub fn validate(bytes: &[u8]) -> Result<(), Error> {
    // Valid by wasmtime's rules, and then refused by its settings.
    if Outline::read(bytes)?.shares_memory {
        return Err(Error::Features(vec![Feature::SharedMemory]));
    }
    let Err(error) = Validator::new_with_features(VALID).validate_all(bytes) else { return Ok(()) };
    let missing: Vec<Feature> = match needed(bytes) {
        Ok(features) => features.into_iter().filter(|feature| !feature.runs()).collect(),
        Err(_) => Vec::new(),
    };
    Err(match missing.is_empty() {
        false => Error::Features(missing),
        // By all rules that there are it is valid: what it needs has no name of its own here.
        true if Validator::new_with_features(WasmFeatures::all()).validate_all(bytes).is_ok() => {
            Error::UnnamedFeature(error.to_string())
        }
        true => error.into(),
    })
}

/// Counts the functions to compile, at any depth. Returns zero if the count cannot be determined.
#[must_use]
pub fn functions(bytes: &[u8]) -> u64 {
    let counts = Parser::new(0).parse_all(bytes).map_while(Result::ok).map(|payload| match payload {
        Payload::CodeSectionStart { count, .. } => u64::from(count),
        _ => 0,
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest module or component that needs each feature.
    const NEEDING: &[(Feature, &str)] = &[
        (
            Feature::BulkMemory,
            "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))",
        ),
        (Feature::ComponentModelAsync, "(component (core func (canon task.cancel)))"),
        (Feature::ComponentModelErrorContext, "(component (core func (canon error-context.drop)))"),
        (Feature::ComponentModelThreading, "(component (core func (canon thread.index)))"),
        (Feature::CustomPageSizes, "(module (memory 1 (pagesize 1)))"),
        (Feature::ExceptionHandling, "(module (tag) (func (throw 0)))"),
        (Feature::ExtendedConst, "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))"),
        (
            Feature::FunctionReferences,
            "(module (type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0))))",
        ),
        (Feature::Gc, "(module (type $t (struct (field i32))) (func (drop (struct.new_default $t))))"),
        (Feature::LegacyExceptions, "(module (func try catch_all end))"),
        (Feature::Memory64, "(module (memory i64 1))"),
        (Feature::MemoryControl, "(module (memory 1) (func (memory.discard (i32.const 0) (i32.const 0))))"),
        (Feature::MultiMemory, "(module (memory 1) (memory 1))"),
        (Feature::MultiValue, "(module (func (result i32 i32) (i32.const 0) (i32.const 0)))"),
        (Feature::MutableGlobals, "(module (global (export \"g\") (mut i32) (i32.const 0)))"),
        (Feature::NontrappingFptoint, "(module (func (drop (i32.trunc_sat_f32_s (f32.const 0)))))"),
        (Feature::ReferenceTypes, "(module (table 1 externref))"),
        (
            Feature::RelaxedSimd,
            "(module (func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))))",
        ),
        (
            Feature::SharedEverythingThreads,
            "(module (global i32 (i32.const 0)) (func (drop (global.atomic.get seq_cst 0))))",
        ),
        (Feature::SharedMemory, "(module (memory 1 1 shared))"),
        (Feature::SignExtensionOps, "(module (func (drop (i32.extend8_s (i32.const 0)))))"),
        (Feature::Simd, "(module (func (param v128)))"),
        (
            Feature::StackSwitching,
            "(module (type $f (func)) (type $c (cont $f)) (func $g) (elem declare func $g) (func (drop (cont.new $c (ref.func $g)))))",
        ),
        (Feature::TailCall, "(module (func (return_call 0)))"),
        (Feature::Threads, "(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))"),
        (
            Feature::WideArithmetic,
            "(module (func (result i64 i64) (i64.add128 (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0))))",
        ),
    ];

    #[test]
    fn each_feature_is_found_in_what_needs_it_and_refused_where_it_does_not_run() {
        for (feature, text) in NEEDING {
            let bytes = wat::parse_str(text).unwrap();
            assert!(needed(&bytes).unwrap().contains(feature), "{feature}");
            match validate(&bytes) {
                Ok(()) => assert!(feature.runs(), "{feature}"),
                Err(Error::Features(missing)) => {
                    assert!(!feature.runs() && missing.contains(feature), "{feature}: {missing:?}");
                }
                Err(error) => panic!("{feature}: {error}"),
            }
        }
        let tested: BTreeSet<_> = NEEDING.iter().map(|(feature, _)| *feature).collect();
        let untested: Vec<_> = Feature::ALL.iter().filter(|feature| !tested.contains(feature)).collect();
        // No text of it can be written yet without a whole hierarchy of types.
        assert_eq!(untested, [&Feature::CustomDescriptors]);
    }

    #[test]
    fn a_plain_module_needs_nothing() {
        let bytes =
            wat::parse_str("(module (memory 1) (func (export \"_start\") (drop (i32.load (i32.const 0)))))");
        assert_eq!(needed(&bytes.unwrap()).unwrap(), BTreeSet::new());
    }

    #[test]
    fn features_are_found_in_the_modules_of_a_component() {
        let bytes = wat::parse_str("(component (component (core module (memory 1 1 shared))))").unwrap();
        assert!(needed(&bytes).unwrap().contains(&Feature::SharedMemory));
        assert!(
            matches!(validate(&bytes), Err(Error::Features(missing)) if missing == [Feature::SharedMemory])
        );
    }

    #[test]
    fn what_breaks_the_rules_is_broken_and_lacks_no_feature() {
        let bytes = wat::parse_str("(module (func (result i32)))").unwrap();
        assert!(matches!(validate(&bytes), Err(Error::Broken(_))));
    }
}
