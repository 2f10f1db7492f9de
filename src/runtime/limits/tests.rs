use wasm_encoder::{
    BlockType, CanonicalOption, CodeSection, ComponentBuilder, ComponentExportKind, ComponentTypeRef,
    ComponentValType, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    InstructionSink, MemorySection, MemoryType, Module, ModuleArg, PrimitiveValType, RefType, TableSection,
    TableType, TypeSection, ValType,
};
use wasmtime::component::{Component, Linker};
use wasmtime_wasi::p2::bindings::random;

use super::*;

fn meter() -> Meter {
    Meter::new(Limits::default())
}

/// Runs a component and returns the limit that it reached.
#[track_caller]
fn met(component: ComponentBuilder) -> Limit {
    let engine = super::super::engine::compiler(super::super::tier::Tier::Optimized).unwrap();
    let component = Component::new(&engine, component.finish()).unwrap();
    let mut linker = Linker::new(&engine);
    linker.root().func_wrap("take", |_, (_,): (Vec<u8>,)| Ok(())).unwrap();
    let mut store = Store::new(&engine, meter());
    store.limiter(|meter| meter);
    store.set_epoch_deadline(1);
    bound(&mut store, Kind::Component);
    let ended = linker
        .instantiate(&mut store, &component)
        .and_then(|instance| instance.get_typed_func::<(), ()>(&mut store, "run"))
        .and_then(|run| run.call(&mut store, ()));
    let error = ended.unwrap_err();
    let meter = store.data();
    meter.limit(&error).or(meter.met()).unwrap_or_else(|| panic!("it is no limit: {error:?}"))
}

/// Returns a module that exports `run`, with an imported function of this many parameters and results.
fn program(import: Option<(usize, usize)>, body: fn(&mut InstructionSink<'_>)) -> Module {
    let mut types = TypeSection::new();
    let (parameters, results) = import.unwrap_or_default();
    types.ty().function(vec![ValType::I32; parameters], vec![ValType::I32; results]);
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    if import.is_some() {
        imports.import("", "", EntityType::Function(0));
    }
    let mut functions = FunctionSection::new();
    functions.function(1);
    let mut exports = ExportSection::new();
    exports.export("run", ExportKind::Func, u32::from(import.is_some()));
    let mut function = Function::new([]);
    body(&mut function.instructions());
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
    module
}

/// Exports a module's `run` from a component; `import` is the core function that it gets.
fn lift(component: &mut ComponentBuilder, module: &Module, import: Option<u32>) {
    let module = component.core_module(None, module);
    let arguments = import.map(|function| {
        (
            "",
            ModuleArg::Instance(component.core_instantiate_exports(None, [("", ExportKind::Func, function)])),
        )
    });
    let instance = component.core_instantiate(None, module, arguments.into_iter().collect::<Vec<_>>());
    let core = component.core_alias_export(None, instance, "run", ExportKind::Func);
    let (kind, mut encoder) = component.type_function(None);
    encoder.params::<_, ComponentValType>([] as [(&str, ComponentValType); 0]).result(None);
    let run = component.lift_func(None, core, kind, []);
    component.export("run", ComponentExportKind::Func, run, None);
}

/// Returns a component of this many instances of one module.
fn copies(number: usize, module: &Module) -> ComponentBuilder {
    let mut component = ComponentBuilder::default();
    let module = component.core_module(None, module);
    for _ in 0..number {
        component.core_instantiate(None, module, [] as [(&str, ModuleArg); 0]);
    }
    component
}

fn with_memory(pages: u64) -> Module {
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: pages,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    let mut module = Module::new();
    module.section(&memories).section(&exports);
    module
}

fn with_table(elements: u64) -> Module {
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: elements,
        maximum: None,
        shared: false,
    });
    let mut module = Module::new();
    module.section(&tables);
    module
}

#[test]
fn handles_without_end_are_told_as_that() {
    let mut component = ComponentBuilder::default();
    let resource = component.type_resource(None, ValType::I32, None);
    let new = component.resource_new(resource);
    let endless = program(Some((1, 1)), |body| {
        body.loop_(BlockType::Empty).i32_const(0).call(0).drop().br(0).end().end();
    });
    lift(&mut component, &endless, Some(new));
    assert_eq!(met(component), Limit::Handles(HANDLES));
}

#[test]
fn resources_without_end_are_told_as_that() {
    let mut table = ResourceTable::new();
    bound_resources(&mut table);
    let error = loop {
        if let Err(error) = table.push(()) {
            break wasmtime::Error::from(error).context("as upstream adds it");
        }
    };
    assert_eq!(meter().limit(&error), Some(Limit::Handles(RESOURCES)));
}

#[test]
fn a_call_that_hands_over_too_much_is_told_as_that() {
    let mut component = ComponentBuilder::default();
    let (bytes, encoder) = component.type_defined(None);
    encoder.list(ComponentValType::Primitive(PrimitiveValType::U8));
    let (kind, mut encoder) = component.type_function(None);
    encoder.params([("bytes", ComponentValType::Type(bytes))]).result(None);
    let take = component.import("take", ComponentTypeRef::Func(kind));
    let module = component.core_module(None, &with_memory(512));
    let instance = component.core_instantiate(None, module, [] as [(&str, ModuleArg); 0]);
    let memory = component.core_alias_export(None, instance, "memory", ExportKind::Memory);
    let take = component.lower_func(None, take, [CanonicalOption::Memory(memory)]);
    let generous = program(Some((2, 0)), |body| {
        body.i32_const(0).i32_const((16 << 20) + 1).call(0).end();
    });
    lift(&mut component, &generous, Some(take));
    assert_eq!(met(component), Limit::HostCall);
}

#[test]
fn too_many_random_bytes_are_told_as_that() {
    let mut context = wasmtime_wasi::WasiCtx::builder().max_random_size(RANDOM).build();
    assert!(random::random::Host::get_random_bytes(context.random(), RANDOM).is_ok());
    let error = random::random::Host::get_random_bytes(context.random(), RANDOM + 1).unwrap_err();
    assert_eq!(meter().limit(&error), Some(Limit::Random));
    let error = random::insecure::Host::get_insecure_random_bytes(context.random(), RANDOM + 1).unwrap_err();
    assert_eq!(meter().limit(&error), Some(Limit::Random));
}

#[test]
fn too_many_parts_are_told_as_that() {
    assert_eq!(met(copies(INSTANCES + 1, &Module::new())), Limit::Instances);
    assert_eq!(met(copies(MEMORIES + 1, &with_memory(0))), Limit::Instances);
    assert_eq!(met(copies(TABLES + 1, &with_table(0))), Limit::Tables);
}

#[test]
fn what_is_too_large_from_the_start_is_told_as_that() {
    assert_eq!(met(copies(1, &with_memory(8193))), Limit::Memory(512 << 20));
    assert_eq!(met(copies(2, &with_table(600_000))), Limit::Tables);
}

#[test]
fn calls_without_end_are_told_as_that() {
    let mut component = ComponentBuilder::default();
    let endless = program(None, |body| {
        body.call(0).end();
    });
    lift(&mut component, &endless, None);
    assert_eq!(met(component), Limit::Stack(Limits::default().stack));
}

#[test]
fn headers_that_are_too_many_or_too_large_are_told_as_that() {
    let limit = |error: FieldMapError| meter().limit(&error.into());
    assert_eq!(limit(FieldMapError::TooManyFields), Some(Limit::HeaderCount));
    assert_eq!(limit(FieldMapError::TotalSizeTooBig), Some(Limit::Headers(128 << 10)));
}

#[test]
fn what_is_no_limit_is_none() {
    assert_eq!(meter().limit(&Trap::UnreachableCodeReached.into()), None);
    assert_eq!(meter().limit(&FieldMapError::Immutable.into()), None);
}

const MEMORY: usize = 512 << 20;

#[test]
fn all_memories_of_a_guest_count_together() {
    let mut meter = meter();
    assert!(meter.memory_growing(0, MEMORY / 2, None).unwrap());
    assert!(meter.memory_growing(0, MEMORY / 2, None).unwrap());
    assert_eq!(meter.met(), None);
    assert!(!meter.memory_growing(0, 1, None).unwrap());
    assert_eq!(meter.met(), Some(Limit::Memory(512 << 20)));
    // A refused growth does not count.
    assert_eq!(meter.memory, MEMORY);
}

#[test]
fn a_memory_that_may_not_grow_by_its_own_declaration_meets_no_limit() {
    let mut meter = meter();
    assert!(!meter.memory_growing(0, 2 * MEMORY, Some(MEMORY)).unwrap());
    assert!(!meter.table_growing(0, 2 * ELEMENTS, Some(10)).unwrap());
    assert_eq!((meter.met(), meter.memory, meter.elements), (None, 0, 0));
}

#[test]
fn all_tables_of_a_guest_count_together() {
    let mut meter = meter();
    assert!(meter.table_growing(0, ELEMENTS, None).unwrap());
    assert!(!meter.table_growing(0, 1, None).unwrap());
    assert_eq!(meter.met(), Some(Limit::Tables));
}
