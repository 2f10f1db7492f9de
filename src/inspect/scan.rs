//! Scans a whole binary for the features that it needs: instructions by the proposal under which
//! [`wasmparser`] files them, types and sections one by one.

use std::collections::BTreeSet;

use wasmparser::{
    BinaryReaderError, CanonicalFunction, CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind,
    ExternalKind, FunctionBody, HeapType, MemoryType, Operator, OperatorsReader, Parser, Payload, RefType,
    TypeRef, ValType, VisitOperator, VisitSimdOperator,
};

use super::feature::Feature;

type Result<T> = std::result::Result<T, BinaryReaderError>;

/// Lists the features that a component or core module needs.
///
/// # Errors
/// If its encoding is malformed. Validity is not checked.
pub(super) fn scan(bytes: &[u8]) -> Result<BTreeSet<Feature>> {
    let mut scan = Scan::default();
    for payload in Parser::new(0).parse_all(bytes) {
        scan.payload(payload?)?;
    }
    Ok(scan.found)
}

#[derive(Default)]
struct Scan {
    found: BTreeSet<Feature>,
    /// The number of memories of the module being read.
    memories: usize,
    /// Whether each global of the module being read is mutable, imported ones included.
    globals: Vec<bool>,
}

impl Scan {
    fn saw(&mut self, feature: Feature) {
        self.found.insert(feature);
    }

    fn payload(&mut self, payload: Payload<'_>) -> Result<()> {
        match payload {
            Payload::Version { .. } => (self.memories, self.globals) = (0, Vec::new()),
            Payload::TypeSection(types) => {
                for group in types {
                    self.group(&group?);
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    self.import(import?.ty);
                }
            }
            Payload::TableSection(tables) => {
                for (index, table) in tables.into_iter().enumerate() {
                    self.table(index, table?.ty.element_type);
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    self.memory(memory?);
                }
            }
            Payload::TagSection(_) => self.saw(Feature::ExceptionHandling),
            Payload::GlobalSection(globals) => {
                for global in globals {
                    let global = global?;
                    self.globals.push(global.ty.mutable);
                    self.value(global.ty.content_type);
                    self.constant(&global.init_expr)?;
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    let changes = self.globals.get(export.index as usize).copied().unwrap_or_default();
                    if export.kind == ExternalKind::Global && changes {
                        self.saw(Feature::MutableGlobals);
                    }
                }
            }
            Payload::ElementSection(elements) => {
                for element in elements {
                    self.element(&element?)?;
                }
            }
            Payload::DataCountSection { .. } => self.saw(Feature::BulkMemory),
            Payload::DataSection(segments) => {
                for segment in segments {
                    match segment?.kind {
                        DataKind::Passive => self.saw(Feature::BulkMemory),
                        DataKind::Active { offset_expr, .. } => self.constant(&offset_expr)?,
                    }
                }
            }
            Payload::CodeSectionEntry(body) => self.body(&body)?,
            Payload::ComponentCanonicalSection(functions) => {
                for function in functions {
                    self.canonical(&function?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn group(&mut self, group: &wasmparser::RecGroup) {
        if group.is_explicit_rec_group() {
            self.saw(Feature::Gc);
        }
        for ty in group.types() {
            if !ty.is_final || ty.supertype_idx.is_some() {
                self.saw(Feature::Gc);
            }
            if ty.composite_type.shared {
                self.saw(Feature::SharedEverythingThreads);
            }
            if ty.composite_type.describes_idx.is_some() || ty.composite_type.descriptor_idx.is_some() {
                self.saw(Feature::CustomDescriptors);
            }
            match &ty.composite_type.inner {
                CompositeInnerType::Func(function) => {
                    if function.results().len() > 1 {
                        self.saw(Feature::MultiValue);
                    }
                    for value in function.params().iter().chain(function.results()) {
                        self.value(*value);
                    }
                }
                CompositeInnerType::Array(_) | CompositeInnerType::Struct(_) => self.saw(Feature::Gc),
                CompositeInnerType::Cont(_) => self.saw(Feature::StackSwitching),
            }
        }
    }

    fn import(&mut self, ty: TypeRef) {
        match ty {
            TypeRef::Memory(memory) => self.memory(memory),
            TypeRef::Table(table) => self.reference(table.element_type),
            TypeRef::Tag(_) => self.saw(Feature::ExceptionHandling),
            TypeRef::Global(global) => {
                if global.mutable {
                    self.saw(Feature::MutableGlobals);
                }
                self.globals.push(global.mutable);
                self.value(global.content_type);
            }
            TypeRef::Func(_) | TypeRef::FuncExact(_) => {}
        }
    }

    fn table(&mut self, index: usize, element: RefType) {
        // Version 1 has one table.
        if index > 0 {
            self.saw(Feature::ReferenceTypes);
        }
        self.reference(element);
    }

    fn memory(&mut self, memory: MemoryType) {
        self.memories += 1;
        let facts = [
            (self.memories > 1, Feature::MultiMemory),
            (memory.memory64, Feature::Memory64),
            (memory.shared, Feature::SharedMemory),
            (memory.page_size_log2.is_some(), Feature::CustomPageSizes),
        ];
        self.found.extend(facts.into_iter().filter_map(|(is, feature)| is.then_some(feature)));
    }

    fn value(&mut self, value: ValType) {
        match value {
            ValType::V128 => self.saw(Feature::Simd),
            ValType::Ref(reference) => {
                self.saw(Feature::ReferenceTypes);
                self.reference(reference);
            }
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 => {}
        }
    }

    /// Records the features that a reference type needs beyond references to functions.
    fn reference(&mut self, reference: RefType) {
        if reference == RefType::FUNCREF {
            return;
        }
        self.saw(Feature::ReferenceTypes);
        if !reference.is_nullable() {
            self.saw(Feature::FunctionReferences);
        }
        match reference.heap_type() {
            HeapType::Concrete(_) | HeapType::Exact(_) => self.saw(Feature::FunctionReferences),
            HeapType::Abstract { shared, ty } => {
                use wasmparser::AbstractHeapType as Heap;
                if shared {
                    self.saw(Feature::SharedEverythingThreads);
                }
                match ty {
                    Heap::Func | Heap::Extern => {}
                    Heap::Exn | Heap::NoExn => self.saw(Feature::ExceptionHandling),
                    Heap::Cont | Heap::NoCont => self.saw(Feature::StackSwitching),
                    _ => self.saw(Feature::Gc),
                }
            }
        }
    }

    fn element(&mut self, element: &wasmparser::Element<'_>) -> Result<()> {
        match &element.kind {
            ElementKind::Active { offset_expr, .. } => self.constant(offset_expr)?,
            ElementKind::Passive | ElementKind::Declared => self.saw(Feature::BulkMemory),
        }
        if let ElementItems::Expressions(ty, expressions) = &element.items {
            self.saw(Feature::ReferenceTypes);
            self.reference(*ty);
            for expression in expressions.clone() {
                self.constant(&expression?)?;
            }
        }
        Ok(())
    }

    fn constant(&mut self, expression: &ConstExpr<'_>) -> Result<()> {
        let mut operators = expression.get_operators_reader();
        while !operators.eof() {
            if is_arithmetic(&operators.clone().read()?) {
                self.saw(Feature::ExtendedConst);
            }
            operators.visit_operator(self)?;
        }
        Ok(())
    }

    fn body(&mut self, body: &FunctionBody<'_>) -> Result<()> {
        let mut locals = body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            self.value(locals.read()?.1);
        }
        let mut operators = OperatorsReader::new(locals.get_binary_reader());
        while !operators.eof() {
            operators.visit_operator(self)?;
        }
        Ok(())
    }

    fn canonical(&mut self, function: &CanonicalFunction) {
        use CanonicalFunction as F;
        let feature = match function {
            F::Lift { .. }
            | F::Lower { .. }
            | F::ResourceNew { .. }
            | F::ResourceRep { .. }
            | F::ResourceDrop { .. } => return,
            F::ThreadSpawnRef { .. } | F::ThreadSpawnIndirect { .. } | F::ThreadAvailableParallelism => {
                Feature::SharedEverythingThreads
            }
            F::ErrorContextNew { .. } | F::ErrorContextDebugMessage { .. } | F::ErrorContextDrop => {
                Feature::ComponentModelErrorContext
            }
            F::ThreadIndex
            | F::ThreadNewIndirect { .. }
            | F::ThreadResumeLater
            | F::ThreadSuspend { .. }
            | F::ThreadSuspendThenResume { .. }
            | F::ThreadYieldThenResume { .. }
            | F::ThreadSuspendThenPromote { .. }
            | F::ThreadYieldThenPromote { .. } => Feature::ComponentModelThreading,
            _ => Feature::ComponentModelAsync,
        };
        self.saw(feature);
    }
}

fn is_arithmetic(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(operator, O::I32Add | O::I32Sub | O::I32Mul | O::I64Add | O::I64Sub | O::I64Mul)
}

/// The feature that an instruction needs, by the name under which `wasmparser` files it.
macro_rules! feature {
    ($scan:ident mvp) => {};
    ($scan:ident bulk_memory) => {
        $scan.saw(Feature::BulkMemory)
    };
    ($scan:ident custom_descriptors) => {
        $scan.saw(Feature::CustomDescriptors)
    };
    ($scan:ident exceptions) => {
        $scan.saw(Feature::ExceptionHandling)
    };
    ($scan:ident function_references) => {
        $scan.saw(Feature::FunctionReferences)
    };
    ($scan:ident gc) => {
        $scan.saw(Feature::Gc)
    };
    ($scan:ident legacy_exceptions) => {
        $scan.saw(Feature::LegacyExceptions)
    };
    ($scan:ident memory_control) => {
        $scan.saw(Feature::MemoryControl)
    };
    ($scan:ident reference_types) => {
        $scan.saw(Feature::ReferenceTypes)
    };
    ($scan:ident relaxed_simd) => {
        $scan.saw(Feature::RelaxedSimd)
    };
    ($scan:ident saturating_float_to_int) => {
        $scan.saw(Feature::NontrappingFptoint)
    };
    ($scan:ident shared_everything_threads) => {
        $scan.saw(Feature::SharedEverythingThreads)
    };
    ($scan:ident sign_extension) => {
        $scan.saw(Feature::SignExtensionOps)
    };
    ($scan:ident simd) => {
        $scan.saw(Feature::Simd)
    };
    ($scan:ident stack_switching) => {
        $scan.saw(Feature::StackSwitching)
    };
    ($scan:ident tail_call) => {
        $scan.saw(Feature::TailCall)
    };
    ($scan:ident threads) => {
        $scan.saw(Feature::Threads)
    };
    ($scan:ident wide_arithmetic) => {
        $scan.saw(Feature::WideArithmetic)
    };
}

// A block's own type is not checked: the instruction that leaves a value of this type in the block was.
macro_rules! visit {
    ($( @$proposal:ident $op:ident $({ $($argument:ident: $ty:ty),* })? => $visit:ident ($($note:tt)*))*) => {$(
        fn $visit(&mut self $($(, _: $ty)*)?) {
            feature!(self $proposal);
        }
    )*};
}

impl<'a> VisitOperator<'a> for Scan {
    type Output = ();

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = ()>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(visit);
}

impl VisitSimdOperator<'_> for Scan {
    wasmparser::for_each_visit_simd_operator!(visit);
}
