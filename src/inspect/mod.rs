//! Reads the requirements of a component or core module without executing it. Pure: bytes in, facts out.

mod adapt;
mod embed;
mod error;
mod facts;
mod feature;
mod features;
mod libraries;
mod lines;
mod names;
mod outline;
mod request;
mod scan;
mod wasi;

use std::mem;

use serde::{Deserialize, Serialize};
use wasmparser::{Encoding, ExternalKind};

pub use self::adapt::adapt;
pub use self::embed::embed;
pub use self::error::Error;
pub use self::facts::Facts;
pub use self::feature::Feature;
pub use self::features::{functions, needed, rules, validate};
pub use self::libraries::{Apart, apart, library_name};
pub use self::lines::{Line, lines};
pub use self::names::readable;
use self::outline::Outline;
pub use self::request::{LONGEST as LONGEST_REQUEST, RequestError, SECTION as REQUEST_SECTION};
pub use self::wasi::Wasi;

/// The only module from which a core module may import functions: WASI's preview 1.
const PREVIEW1: &str = "wasi_snapshot_preview1";

/// The functions of preview 1 ([the witx document][1]).
///
/// [1]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/witx/wasi_snapshot_preview1.witx
const FUNCTIONS: [&str; 46] = [
    "args_get",
    "args_sizes_get",
    "clock_res_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_advise",
    "fd_allocate",
    "fd_close",
    "fd_datasync",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_fdstat_set_rights",
    "fd_filestat_get",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "fd_pread",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_pwrite",
    "fd_read",
    "fd_readdir",
    "fd_renumber",
    "fd_seek",
    "fd_sync",
    "fd_tell",
    "fd_write",
    "path_create_directory",
    "path_filestat_get",
    "path_filestat_set_times",
    "path_link",
    "path_open",
    "path_readlink",
    "path_remove_directory",
    "path_rename",
    "path_symlink",
    "path_unlink_file",
    "poll_oneoff",
    "proc_exit",
    "proc_raise",
    "random_get",
    "sched_yield",
    "sock_accept",
    "sock_recv",
    "sock_send",
    "sock_shutdown",
];

/// The result of inspecting a binary that is worth running.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inspected {
    kind: Kind,
    /// The interfaces that it imports, e.g. `wasi:http/outgoing-handler@0.2.12`. Empty for a core module,
    /// which has only the functions of preview 1 that need no network.
    imports: Vec<String>,
    /// The version of WASI whose `run` it exports, if it is a command.
    #[serde(default = "Wasi::of_commands", skip_serializing_if = "Wasi::is_of_commands")]
    run: Option<Wasi>,
    /// The version of WASI whose handler of requests it exports, if it is a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    serves: Option<Wasi>,
    /// The text of its request, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<String>,
}

/// The two forms of a plugin.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A command component.
    Component,
    /// A core module for WASI's preview 1.
    Core,
}

impl Inspected {
    /// Reads the kind, the imports and the request of a binary.
    ///
    /// # Errors
    /// If `bytes` are neither a component that is a command or a server, nor a command module, or [`Error::Request`]. A binary that
    /// passes is still validated as a whole before it is compiled ([`validate`]).
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if !bytes.starts_with(b"\0asm") {
            return Err(Error::Alien(guess(bytes)));
        }
        let mut outline = Outline::read(bytes)?;
        // Found out here, it costs nothing.
        if outline.shares_memory {
            return Err(Error::Features(vec![Feature::SharedMemory]));
        }
        let request = mem::replace(&mut outline.request, Ok(None));
        let inspected = match outline.encoding {
            Encoding::Component => component(outline)?,
            Encoding::Module => core(&outline)?,
        };
        Ok(Self { request: request?, ..inspected })
    }

    /// Returns the result of inspecting a core module that has no request.
    #[must_use]
    pub fn core() -> Self {
        Self { kind: Kind::Core, imports: Vec::new(), run: Some(Wasi::Two), serves: None, request: None }
    }

    /// Returns the form of the plugin.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the imported interfaces.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Returns the version of WASI whose `run` it exports, if it is a command; [`Wasi::Two`] for a core module.
    #[must_use]
    pub fn run(&self) -> Option<Wasi> {
        self.run
    }

    /// Returns the version of WASI whose handler of requests it exports, if it is a server.
    #[must_use]
    pub fn serves(&self) -> Option<Wasi> {
        self.serves
    }

    /// Checks that it can run as a command.
    ///
    /// # Errors
    /// [`Error::Server`] if it only answers requests.
    pub fn is_command(&self) -> Result<(), Error> {
        if self.run.is_some() { Ok(()) } else { Err(Error::Server) }
    }

    /// Returns whether it imports an interface of WASI 0.2.
    #[must_use]
    pub fn imports_wasi2(&self) -> bool {
        self.imports.iter().any(|name| Wasi::Two.has(name))
    }

    /// Returns whether it imports an interface of WASI 0.3.
    #[must_use]
    pub fn imports_wasi3(&self) -> bool {
        self.imports.iter().any(|name| Wasi::Three.has(name))
    }

    /// Returns whether it uses what upstream calls unstable, and gives no patches for: WASI 0.3.
    #[must_use]
    pub fn is_unstable(&self) -> bool {
        [self.run, self.serves].contains(&Some(Wasi::Three)) || self.imports_wasi3()
    }

    /// Returns the text of its request, the policy that it asks for. Whether it is one is not known yet.
    #[must_use]
    pub fn request(&self) -> Option<&str> {
        self.request.as_deref()
    }

    /// Returns whether it can send anything at all. Only then it gets a kubeconfig.
    #[must_use]
    pub fn uses_network(&self) -> bool {
        self.imports_any_of("wasi:http") || self.imports_any_of("wasi:sockets")
    }

    /// Returns whether it can use files at all.
    #[must_use]
    pub fn uses_files(&self) -> bool {
        self.kind == Kind::Core || self.imports_any_of("wasi:filesystem")
    }

    /// Returns whether it imports an interface of `package`, e.g. `wasi:http`.
    #[must_use]
    pub fn imports_any_of(&self, package: &str) -> bool {
        self.imports.iter().any(|name| name.strip_prefix(package).is_some_and(|rest| rest.starts_with('/')))
    }
}

fn component(outline: Outline) -> Result<Inspected, Error> {
    let exported = outline.exported();
    // Of both, the one that upstream calls stable.
    let first = |is: fn(Wasi, &str) -> bool| {
        [Wasi::Two, Wasi::Three].into_iter().find(|wasi| exported.iter().any(|name| is(*wasi, name)))
    };
    let (run, serves) = (first(Wasi::is_run), first(Wasi::is_handler));
    let imports: Vec<String> = outline.imports.into_iter().map(|import| import.module).collect();
    wasi::check(imports.iter().chain(exported.iter().filter(|name| Wasi::Three.is_run(name))))?;
    wasi::check_handlers(&exported)?;
    if run.is_some() || serves.is_some() {
        return Ok(Inspected { kind: Kind::Component, imports, run, serves, request: None });
    }
    if !outline.has_code && !exported.is_empty() {
        return Err(Error::Interfaces);
    }
    let exports = if exported.is_empty() { "nothing".to_owned() } else { exported.join(", ") };
    Err(Error::NoCommand { exports, language: outline.language })
}

fn core(outline: &Outline) -> Result<Inspected, Error> {
    let imports = |module: &str| outline.imports.iter().any(|import| import.module == module);
    if imports("wasi_unstable") {
        return Err(Error::Preview0 { language: outline.language.clone() });
    }
    let foreign = outline.foreign(PREVIEW1);
    let starts = outline.exports("_start", ExternalKind::Func);
    // A program for preview 1 may carry the description of a library that it does not use.
    if outline.describes_component && (foreign.is_some() || !starts) {
        return Err(Error::Unfinished);
    }
    if let Some(imports) = foreign {
        return Err(Error::ForeignImports { imports, language: outline.language.clone() });
    }
    if !starts {
        return Err(Error::NoStart { language: outline.language.clone() });
    }
    let unknown = outline.imports.iter().find(|import| !FUNCTIONS.contains(&import.name.as_str()));
    if let Some(import) = unknown {
        return Err(Error::UnknownFunction(import.name.clone()));
    }
    if imports(PREVIEW1) && !outline.exports("memory", ExternalKind::Memory) {
        return Err(Error::HiddenMemory);
    }
    Ok(Inspected::core())
}

/// Guesses the format of bytes that are not WebAssembly, so that the mistake is obvious.
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
    fn read(text: &str) -> Result<Inspected, String> {
        Inspected::read(&wat::parse_str(text).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_module_is_found_and_can_be_adapted() {
        let bytes =
            wat::parse_str("(module (memory (export \"memory\") 1) (func (export \"_start\")))").unwrap();
        let inspected = Inspected::read(&bytes).unwrap();
        assert_eq!(inspected, Inspected::core());
        assert!(!inspected.uses_network());
        assert_eq!(Inspected::read(&adapt(&bytes).unwrap()).unwrap().kind(), Kind::Component);
    }

    #[test]
    fn a_module_that_cannot_run_is_refused_with_the_reason() {
        let start = r#"(func (export "_start"))"#;
        let wasi = r#"(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))"#;
        for (text, reason) in [
            ("(module)".to_owned(), "it is a core module without `_start`: a library, not a command"),
            (
                format!(r#"(module (import "env" "memory" (memory 1)) {start})"#),
                "it is a core module that imports a memory of `env`, and kwasm has only the functions of \
                 wasi_snapshot_preview1",
            ),
            (
                format!(
                    r#"(module (import "a" "f" (func)) (import "a" "g" (func)) (import "b" "t" (table 1 funcref)) {wasi} {start})"#
                ),
                "it is a core module that imports functions of `a`, a table of `b`, and kwasm has only the functions of \
                 wasi_snapshot_preview1",
            ),
            (
                format!(r#"(module (import "wasi_unstable" "fd_write" (func)) {start})"#),
                "it is made for wasi_unstable, an early draft of WASI from before wasi_snapshot_preview1",
            ),
            (
                r#"(module (@custom "component-type:x" "") (import "wasi:cli/exit@0.2.3" "exit" (func)))"#
                    .to_owned(),
                "it is a core module that still has to be made into a component",
            ),
            (
                format!(
                    r#"(module (import "wasi_snapshot_preview1" "fd_wrote" (func)) (memory (export "memory") 1) {start})"#
                ),
                "it imports `fd_wrote` of wasi_snapshot_preview1, which has no such function",
            ),
            (
                r#"(module (global (export "_start") i32 (i32.const 0)))"#.to_owned(),
                "it is a core module without `_start`: a library, not a command",
            ),
            (
                format!("(module {wasi} (memory 1) {start})"),
                "it is a core module that does not export its memory, through which WASI passes everything",
            ),
            (
                format!("(module (memory 1 1 shared) {start})"),
                "it needs the WebAssembly feature `shared-memory`, which kwasm does not run",
            ),
        ] {
            assert_eq!(read(&text).unwrap_err(), reason, "{text}");
        }
        // The nearest valid variants of these run.
        assert!(read(&format!(r#"(module (@custom "component-type:x" "") {start})"#)).is_ok());
        assert!(read(&format!(r#"(module {wasi} (memory (export "memory") 1) {start})"#)).is_ok());
        assert!(read(&format!("(module (memory 1) {start})")).is_ok());
    }

    #[test]
    fn a_component_that_is_no_command_is_refused_by_what_it_is() {
        let server = r#"(component (core module (func)) (component $i) (instance $i (instantiate $i)) (export "wasi:http/incoming-handler@0.2.3" (instance $i)))"#;
        let inspected = read(server).unwrap();
        assert_eq!((inspected.run(), inspected.serves()), (None, Some(Wasi::Two)));
        assert_eq!(inspected.is_command().unwrap_err().to_string(), "it is a server, and no command");
        assert_eq!(
            read("(component (core module (func)))").unwrap_err(),
            "it is a component without a command: it exports nothing, and not wasi:cli/run"
        );
        assert_eq!(
            read(r#"(component (type (component)) (export "x" (type 0)))"#).unwrap_err(),
            "it is a package of interfaces (WIT) in binary form: there is no code in it"
        );
    }

    #[test]
    fn a_receipt_without_an_entry_is_that_of_a_command() {
        let text = |inspected: &Inspected| serde_json::to_string(inspected).unwrap();
        let (core, mut server) = (Inspected::core(), Inspected::core());
        (server.run, server.serves) = (None, Some(Wasi::Three));
        assert_eq!(text(&core), r#"{"kind":"core","imports":[]}"#);
        assert_eq!(text(&server), r#"{"kind":"core","imports":[],"run":null,"serves":"0.3"}"#);
        for inspected in [core, server] {
            assert_eq!(serde_json::from_str::<Inspected>(&text(&inspected)).unwrap(), inspected);
        }
    }

    #[test]
    fn what_is_not_webassembly_is_called_by_its_name() {
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
    fn a_cut_binary_is_broken_wherever_it_is_cut() {
        let text = "(module (memory (export \"memory\") 1) (func (export \"_start\")))";
        let whole = wat::parse_str(text).unwrap();
        for length in 4..whole.len() {
            assert!(Inspected::read(&whole[..length]).is_err(), "{length}");
        }
    }
}
