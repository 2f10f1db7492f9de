//! wasi:http 0.3 as in wasmtime-wasi-http 48.0.8, with the limits that it lacks.
//!
//! `client.send` calls the same hook as 0.2's `outgoing-handler`, so both are one door. The functions below
//! replace upstream's of the same names; everything else is upstream's.

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p3::bindings::http::{client, types};
use wasmtime_wasi_http::{FieldMapError, WasiHttp, WasiHttpCtxView};

use self::types::{Fields, HeaderError, Host, HostFields, HostRequest, Method, Request};
use super::NAME;
use crate::defence::Defence;
use crate::policy::HEADERS;
use crate::runtime::state::State;

/// The instance whose functions are replaced, by the name under which upstream adds it.
const TYPES: &str = "wasi:http/types@0.3.0";

type Made<T> = Result<T, HeaderError>;
type Set = Result<(), ()>;

/// Adds wasi:http 0.3 to a linker. Of `handler` nothing is added: a command has nothing behind it.
pub(in crate::runtime) fn link(linker: &mut Linker<State>) -> Result<()> {
    client::add_to_linker::<State, WasiHttp>(linker, State::http_view)?;
    types::add_to_linker::<State, WasiHttp>(linker, State::http_view)?;
    linker.allow_shadowing(true);
    limit_headers(linker)?;
    limit_names(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Limits the number of headers, and ends a guest that exceeds it or their size, as 0.2 does. Upstream's 0.3 only
/// tells the guest.
fn limit_headers(linker: &mut Linker<State>) -> Result<()> {
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        "[static]fields.from-list",
        |mut store: StoreContextMut<'_, State>, (entries,): (Vec<(String, Vec<u8>)>,)| {
            let mut view = store.data_mut().http_view();
            count(entries.len())?;
            let made = HostFields::from_list(&mut view, entries);
            Ok((told(&mut view, made)?,))
        },
    )?;
    types.func_wrap(
        "[method]fields.set",
        |mut store: StoreContextMut<'_, State>,
         (fields, name, values): (Resource<Fields>, String, Vec<Vec<u8>>)| {
            let mut view = store.data_mut().http_view();
            let same = Resource::new_borrow(fields.rep());
            let set = HostFields::set(&mut view, fields, name, values);
            counted(&mut view, &same, set)
        },
    )?;
    types.func_wrap(
        "[method]fields.append",
        |mut store: StoreContextMut<'_, State>,
         (fields, name, value): (Resource<Fields>, String, Vec<u8>)| {
            let mut view = store.data_mut().http_view();
            let same = Resource::new_borrow(fields.rep());
            let appended = HostFields::append(&mut view, fields, name, value);
            counted(&mut view, &same, appended)
        },
    )
}

/// Limits the length of the names that the host keeps for each request.
fn limit_names(linker: &mut Linker<State>) -> Result<()> {
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        "[method]request.set-method",
        |mut store: StoreContextMut<'_, State>,
         (request, method): (Resource<Request>, Method)|
         -> Result<(Set,)> {
            if matches!(&method, Method::Other(name) if name.len() > NAME) {
                return Ok((Err(()),));
            }
            Ok((HostRequest::set_method(&mut store.data_mut().http_view(), request, method)?,))
        },
    )?;
    types.func_wrap(
        "[method]request.set-authority",
        |mut store: StoreContextMut<'_, State>,
         (request, authority): (Resource<Request>, Option<String>)|
         -> Result<(Set,)> {
            if authority.as_ref().is_some_and(|name| name.len() > NAME) {
                return Ok((Err(()),));
            }
            Ok((HostRequest::set_authority(&mut store.data_mut().http_view(), request, authority)?,))
        },
    )
}

/// Traps a guest whose message has more headers than one may have.
fn count(headers: usize) -> Result<()> {
    if Defence::HeaderLimit.stops(headers > HEADERS) {
        return Err(FieldMapError::TooManyFields.into());
    }
    Ok(())
}

fn counted(
    view: &mut WasiHttpCtxView<'_>,
    fields: &Resource<Fields>,
    changed: Result<(), TrappableError<HeaderError>>,
) -> Result<(Made<()>,)> {
    let told = told(view, changed)?;
    count(view.table.get(fields)?.len())?;
    Ok((told,))
}

/// Returns what the guest is told, or traps it where the size of its headers exceeds the limit.
fn told<T>(
    view: &mut WasiHttpCtxView<'_>,
    result: Result<T, TrappableError<HeaderError>>,
) -> Result<Made<T>> {
    let error = match result {
        Ok(value) => return Ok(Ok(value)),
        Err(error) => Host::convert_header_error(view, error)?,
    };
    match error {
        HeaderError::SizeExceeded => Err(FieldMapError::TotalSizeTooBig.into()),
        error => Ok(Err(error)),
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::component::ResourceTable;
    use wasmtime_wasi_http::WasiHttpCtx;

    use super::super::tests::Nowhere;
    use super::*;

    #[test]
    fn headers_that_are_too_large_end_the_guest_and_others_are_told() {
        let (mut table, mut context, mut hooks) = (ResourceTable::new(), WasiHttpCtx::new(), Nowhere);
        context.set_field_size_limit(1_000);
        let mut view = WasiHttpCtxView { hooks: &mut hooks, table: &mut table, ctx: &mut context };
        let large = HostFields::from_list(&mut view, vec![("x".to_owned(), vec![b'v'; 2_000])]);
        let error = told(&mut view, large).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&FieldMapError::TotalSizeTooBig));
        let bad = HostFields::from_list(&mut view, vec![("a b".to_owned(), b"v".to_vec())]);
        assert!(matches!(told(&mut view, bad).unwrap(), Err(HeaderError::InvalidSyntax)));
    }

    #[test]
    fn a_message_has_so_many_headers_and_no_more() {
        assert!(count(HEADERS).is_ok());
        assert_eq!(count(HEADERS + 1).unwrap_err().downcast_ref(), Some(&FieldMapError::TooManyFields));
    }
}
