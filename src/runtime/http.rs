//! wasi:http as in wasmtime-wasi-http 48.0.8, with limits and clean-up that it lacks.

pub(super) mod wasi3;

use std::collections::BTreeSet;

use wasmtime::Result;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};
use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types};
use wasmtime_wasi_http::p2::{HeaderError, HeaderResult, HttpError, HttpResult};
use wasmtime_wasi_http::{FieldMap, FieldMapError, RequestOptions, WasiHttpCtxView};

use self::types::{
    Duration, ErrorCode, FutureIncomingResponse, FutureTrailers, IncomingBody, IncomingRequest,
    IncomingResponse, Method, OutgoingBody, OutgoingRequest, OutgoingResponse, ResponseOutparam, Scheme,
};
use crate::defence::Defence;
use crate::policy::HEADERS;

/// The longest name of a method or a server that the host keeps. No real one is as long, but upstream accepts
/// any length, and each unsent request keeps both.
const NAME: usize = 1_024;

/// The host's side of a guest's wasi:http calls.
pub(super) struct Http<'a>(pub(super) WasiHttpCtxView<'a>, pub(super) &'a mut Answers);

/// The bodies of a guest's answers that it has neither finished nor dropped, by their handles.
#[derive(Default)]
pub(super) struct Answers(BTreeSet<u32>);

impl Answers {
    /// Returns whether there is none.
    pub(super) fn are_ended(&self) -> bool {
        self.0.is_empty()
    }
}

impl HasData for Http<'static> {
    type Data<'a> = Http<'a>;
}

/// Adds wasi:http to a linker.
pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> Http<'_>,
) -> wasmtime::Result<()> {
    outgoing_handler::add_to_linker::<T, Http<'static>>(linker, view)?;
    types::add_to_linker::<T, Http<'static>>(linker, &types::LinkOptions::default(), view)
}

impl outgoing_handler::Host for Http<'_> {
    /// Handles a request, and frees its options. Upstream's `handle` takes the options and never frees them
    /// (`p2/http_impl.rs`, where they are read with `get`), so that a watch that restarts again and again
    /// would run out of handles.
    fn handle(
        &mut self,
        request: Resource<OutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> HttpResult<Resource<FutureIncomingResponse>> {
        let own = options.as_ref().map(Resource::rep);
        let handled = outgoing_handler::Host::handle(&mut self.0, request, options);
        if Defence::OptionsLeak.stands()
            && let Some(own) = own
        {
            // It exists, or else upstream has freed it, which the test below would show.
            drop(self.0.table.delete(Resource::<RequestOptions>::new_own(own)));
        }
        handled
    }
}

impl Http<'_> {
    /// Traps a guest whose message has too many headers, as upstream does if headers are too long.
    fn count(&mut self, fields: &Resource<FieldMap>) -> HeaderResult<()> {
        if Defence::HeaderLimit.stops(self.0.table.get(fields)?.len() > HEADERS) {
            return Err(HeaderError::trap(FieldMapError::TooManyFields));
        }
        Ok(())
    }
}

/// Forwards the functions of upstream's traits to upstream, except those that are written out.
macro_rules! upstream {
    ($($trait:ident {
        $(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*
        $(=> $($own:tt)*)?
    })*) => {$(
        impl types::$trait for Http<'_> {
            $(fn $name(&mut self $(, $argument: $type)*) -> $result {
                types::$trait::$name(&mut self.0 $(, $argument)*)
            })*
            $($($own)*)?
        }
    )*};
}

type Fields = Resource<FieldMap>;
type Maybe<T> = Result<Result<T, ()>>;

upstream! {
    Host {
        fn convert_error_code(error: HttpError) -> Result<ErrorCode>;
        fn convert_header_error(error: HeaderError) -> Result<types::HeaderError>;
        fn http_error_code(error: Resource<types::IoError>) -> Result<Option<ErrorCode>>;
    }
    HostFields {
        fn new() -> Result<Fields>;
        fn drop(fields: Fields) -> Result<()>;
        fn get(fields: Fields, name: String) -> Result<Vec<Vec<u8>>>;
        fn has(fields: Fields, name: String) -> Result<bool>;
        fn delete(fields: Fields, name: String) -> HeaderResult<()>;
        fn entries(fields: Fields) -> Result<Vec<(String, Vec<u8>)>>;
        fn clone(fields: Fields) -> Result<Fields>;
        =>
        fn from_list(&mut self, entries: Vec<(String, Vec<u8>)>) -> HeaderResult<Fields> {
            let fields = types::HostFields::from_list(&mut self.0, entries)?;
            self.count(&fields)?;
            Ok(fields)
        }

        fn set(&mut self, fields: Fields, name: String, values: Vec<Vec<u8>>) -> HeaderResult<()> {
            let same = Fields::new_borrow(fields.rep());
            types::HostFields::set(&mut self.0, fields, name, values)?;
            self.count(&same)
        }

        fn append(&mut self, fields: Fields, name: String, value: Vec<u8>) -> HeaderResult<()> {
            let same = Fields::new_borrow(fields.rep());
            types::HostFields::append(&mut self.0, fields, name, value)?;
            self.count(&same)
        }
    }
    HostOutgoingRequest {
        fn new(headers: Fields) -> Result<Resource<OutgoingRequest>>;
        fn drop(request: Resource<OutgoingRequest>) -> Result<()>;
        fn body(request: Resource<OutgoingRequest>) -> Maybe<Resource<OutgoingBody>>;
        fn method(request: Resource<OutgoingRequest>) -> Result<Method>;
        fn path_with_query(request: Resource<OutgoingRequest>) -> Result<Option<String>>;
        fn set_path_with_query(request: Resource<OutgoingRequest>, path: Option<String>) -> Maybe<()>;
        fn scheme(request: Resource<OutgoingRequest>) -> Result<Option<Scheme>>;
        fn set_scheme(request: Resource<OutgoingRequest>, scheme: Option<Scheme>) -> Maybe<()>;
        fn authority(request: Resource<OutgoingRequest>) -> Result<Option<String>>;
        fn headers(request: Resource<OutgoingRequest>) -> Result<Fields>;
        =>
        fn set_method(&mut self, request: Resource<OutgoingRequest>, method: Method) -> Maybe<()> {
            if matches!(&method, Method::Other(name) if name.len() > NAME) {
                return Ok(Err(()));
            }
            types::HostOutgoingRequest::set_method(&mut self.0, request, method)
        }

        fn set_authority(
            &mut self,
            request: Resource<OutgoingRequest>,
            authority: Option<String>,
        ) -> Maybe<()> {
            if authority.as_ref().is_some_and(|name| name.len() > NAME) {
                return Ok(Err(()));
            }
            types::HostOutgoingRequest::set_authority(&mut self.0, request, authority)
        }
    }
    HostOutgoingBody {
        fn write(body: Resource<OutgoingBody>) -> Maybe<Resource<DynOutputStream>>;
        =>
        fn finish(&mut self, body: Resource<OutgoingBody>, trailers: Option<Fields>) -> HttpResult<()> {
            self.1.0.remove(&body.rep());
            types::HostOutgoingBody::finish(&mut self.0, body, trailers)
        }

        fn drop(&mut self, body: Resource<OutgoingBody>) -> Result<()> {
            self.1.0.remove(&body.rep());
            types::HostOutgoingBody::drop(&mut self.0, body)
        }
    }
    HostRequestOptions {
        fn new() -> Result<Resource<RequestOptions>>;
        fn drop(options: Resource<RequestOptions>) -> Result<()>;
        fn connect_timeout(options: Resource<RequestOptions>) -> Result<Option<Duration>>;
        fn set_connect_timeout(options: Resource<RequestOptions>, limit: Option<Duration>) -> Maybe<()>;
        fn first_byte_timeout(options: Resource<RequestOptions>) -> Result<Option<Duration>>;
        fn set_first_byte_timeout(options: Resource<RequestOptions>, limit: Option<Duration>) -> Maybe<()>;
        fn between_bytes_timeout(options: Resource<RequestOptions>) -> Result<Option<Duration>>;
        fn set_between_bytes_timeout(options: Resource<RequestOptions>, limit: Option<Duration>) -> Maybe<()>;
    }
    HostFutureIncomingResponse {
        fn drop(response: Resource<FutureIncomingResponse>) -> Result<()>;
        fn get(response: Resource<FutureIncomingResponse>)
            -> Result<Option<Result<Result<Resource<IncomingResponse>, ErrorCode>, ()>>>;
        fn subscribe(response: Resource<FutureIncomingResponse>) -> Result<Resource<DynPollable>>;
    }
    HostIncomingResponse {
        fn drop(response: Resource<IncomingResponse>) -> Result<()>;
        fn status(response: Resource<IncomingResponse>) -> Result<u16>;
        fn headers(response: Resource<IncomingResponse>) -> Result<Fields>;
        fn consume(response: Resource<IncomingResponse>) -> Maybe<Resource<IncomingBody>>;
    }
    HostIncomingBody {
        fn stream(body: Resource<IncomingBody>) -> Maybe<Resource<DynInputStream>>;
        fn finish(body: Resource<IncomingBody>) -> Result<Resource<FutureTrailers>>;
        fn drop(body: Resource<IncomingBody>) -> Result<()>;
    }
    HostFutureTrailers {
        fn drop(trailers: Resource<FutureTrailers>) -> Result<()>;
        fn subscribe(trailers: Resource<FutureTrailers>) -> Result<Resource<DynPollable>>;
        fn get(trailers: Resource<FutureTrailers>)
            -> Result<Option<Result<Result<Option<Fields>, ErrorCode>, ()>>>;
    }
    // What only servers use is imported along with the rest.
    HostIncomingRequest {
        fn method(request: Resource<IncomingRequest>) -> Result<Method>;
        fn path_with_query(request: Resource<IncomingRequest>) -> Result<Option<String>>;
        fn scheme(request: Resource<IncomingRequest>) -> Result<Option<Scheme>>;
        fn authority(request: Resource<IncomingRequest>) -> Result<Option<String>>;
        fn headers(request: Resource<IncomingRequest>) -> Result<Fields>;
        fn consume(request: Resource<IncomingRequest>) -> Maybe<Resource<IncomingBody>>;
        fn drop(request: Resource<IncomingRequest>) -> Result<()>;
    }
    HostOutgoingResponse {
        fn new(headers: Fields) -> Result<Resource<OutgoingResponse>>;
        fn status_code(response: Resource<OutgoingResponse>) -> Result<u16>;
        fn set_status_code(response: Resource<OutgoingResponse>, status: u16) -> Maybe<()>;
        fn headers(response: Resource<OutgoingResponse>) -> Result<Fields>;
        fn drop(response: Resource<OutgoingResponse>) -> Result<()>;
        =>
        fn body(&mut self, response: Resource<OutgoingResponse>) -> Maybe<Resource<OutgoingBody>> {
            let body = types::HostOutgoingResponse::body(&mut self.0, response)?;
            self.1.0.extend(body.as_ref().ok().map(Resource::rep));
            Ok(body)
        }
    }
    HostResponseOutparam {
        fn drop(outparam: Resource<ResponseOutparam>) -> Result<()>;
        fn set(
            outparam: Resource<ResponseOutparam>,
            response: Result<Resource<OutgoingResponse>, ErrorCode>
        ) -> Result<()>;
        fn send_informational(outparam: Resource<ResponseOutparam>, status: u16, headers: Fields) -> HttpResult<()>;
    }
}

#[cfg(test)]
mod tests;
