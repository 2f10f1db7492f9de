//! The features of WebAssembly by name, and which of them kwasm runs.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! features {
    ($($(#[$doc:meta])+ $feature:ident = $name:literal, $runs:literal;)+) => {
        /// A WebAssembly feature beyond the first version of the standard, by the name of its proposal.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum Feature {
            $($(#[$doc])+ #[serde(rename = $name)] $feature,)+
        }

        impl Feature {
            /// Every feature, in the order in which they are listed.
            pub const ALL: &[Self] = &[$(Self::$feature),+];

            /// Returns the name of the proposal, e.g. `tail-call`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$feature => $name,)+ }
            }

            /// Returns whether kwasm runs binaries that need it.
            #[must_use]
            pub const fn runs(self) -> bool {
                match self { $(Self::$feature => $runs,)+ }
            }
        }
    };
}

features! {
    /// Bulk copies, passive data and element segments.
    BulkMemory = "bulk-memory", true;
    /// Canonical built-ins of asynchronous components.
    ComponentModelAsync = "component-model-async", true;
    /// Canonical built-ins for error contexts.
    ComponentModelErrorContext = "component-model-error-context", false;
    /// Canonical built-ins for threads inside a component.
    ComponentModelThreading = "component-model-threading", false;
    /// Types with descriptors made by the program.
    CustomDescriptors = "custom-descriptors", false;
    /// Memories whose pages are not 64 KiB.
    CustomPageSizes = "custom-page-sizes", false;
    /// Exceptions with `try_table`.
    ExceptionHandling = "exception-handling", true;
    /// Arithmetic in constant expressions.
    ExtendedConst = "extended-const", true;
    /// References to functions that have a type.
    FunctionReferences = "function-references", true;
    /// Structs and arrays that the host collects.
    Gc = "gc", true;
    /// Exceptions with `try`, `catch` and `delegate`, as they were before they became a standard.
    LegacyExceptions = "legacy-exceptions", false;
    /// Memories of 64-bit addresses.
    Memory64 = "memory64", true;
    /// Discarding pages of a memory.
    MemoryControl = "memory-control", false;
    /// Several memories in one module.
    MultiMemory = "multi-memory", true;
    /// Several results of one function or block.
    MultiValue = "multi-value", true;
    /// Imported and exported globals that change.
    MutableGlobals = "mutable-globals", true;
    /// Conversions from floating point that saturate.
    NontrappingFptoint = "nontrapping-fptoint", true;
    /// References to functions and to values of the host.
    ReferenceTypes = "reference-types", true;
    /// Vector operations whose result the processor chooses.
    RelaxedSimd = "relaxed-simd", true;
    /// Threads that share more than memory.
    SharedEverythingThreads = "shared-everything-threads", false;
    /// A memory that several threads share.
    SharedMemory = "shared-memory", false;
    /// Sign extension of integers.
    SignExtensionOps = "sign-extension-ops", true;
    /// Vector operations.
    Simd = "simd", true;
    /// Continuations.
    StackSwitching = "stack-switching", false;
    /// Calls that replace their caller.
    TailCall = "tail-call", true;
    /// Atomic operations, on memory that is not shared.
    Threads = "threads", true;
    /// Arithmetic of 128 bits.
    WideArithmetic = "wide-arithmetic", false;
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
