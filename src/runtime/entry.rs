//! Plugins that answer requests, with their imports resolved, and their instances.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body::Body;
use tokio::sync::oneshot;
use wasmtime::component::Accessor;
use wasmtime::{Engine, Result, Store, bail};
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};
use wasmtime_wasi_http::p3;
use wasmtime_wasi_http::p3::bindings::{Service, ServicePre};
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

use super::code::{Code, Form};
use super::command::resolved;
use super::state::State;
use crate::inspect::{Inspected, Wasi};

/// What an instance says first: the head of its answer, with a body that it may not have written yet.
pub(super) type Head = std::result::Result<Response<WasiBody>, HttpError>;

/// A plugin that answers requests, with its imports resolved.
pub(super) enum Entry {
    /// One whose handler is that of WASI 0.2.
    Two(ProxyPre<State>),
    /// One of WASI 0.3.
    Three(ServicePre<State>),
}

impl Entry {
    /// Resolves all imports.
    ///
    /// # Errors
    /// If an import cannot be resolved, or there is no handler.
    pub(super) fn link(engine: &Engine, code: &Code, inspected: &Inspected) -> Result<Self> {
        let (Form::Component(form), Some(wasi)) = (&code.form, inspected.serves()) else {
            bail!(
                "it answers no requests: it exports neither wasi:http/incoming-handler nor wasi:http/handler"
            );
        };
        let instance = resolved(engine, form, &code.libraries, inspected)?;
        match wasi {
            Wasi::Two => ProxyPre::new(instance).map(Self::Two),
            Wasi::Three => ServicePre::new(instance).map(Self::Three),
        }
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// If there is no room for it, or its code traps as it begins.
    pub(super) async fn instantiate(&self, store: &mut Store<State>) -> Result<Instance> {
        Ok(match self {
            Self::Two(handler) => Instance::Two(handler.instantiate_async(store).await?),
            Self::Three(handler) => Instance::Three(handler.instantiate_async(store).await?),
        })
    }
}

/// An instance of a plugin that answers requests.
pub(super) enum Instance {
    /// Of WASI 0.2.
    Two(Proxy),
    /// Of WASI 0.3.
    Three(Service),
}

impl Instance {
    /// Answers a request, and waits until there is nothing more to do. `tell` gets the head of the answer.
    ///
    /// # Errors
    /// The reason why it was stopped.
    pub(super) async fn answer<B>(
        &self,
        store: &mut Store<State>,
        request: Request<B>,
        is_tls: bool,
        tell: oneshot::Sender<Head>,
    ) -> Result<()>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<HttpError>,
    {
        match self {
            Self::Two(handler) => {
                let mut view = store.data_mut().http_view();
                let scheme = if is_tls { Scheme::Https } else { Scheme::Http };
                let request = view.new_incoming_request(scheme, request)?;
                let answer = move |answer: std::result::Result<_, ErrorCode>| {
                    drop(tell.send(answer.map_err(Into::into)));
                };
                let outparam = view.new_response_outparam_from_callback(answer)?;
                handler.wasi_http_incoming_handler().call_handle(&mut *store, request, outparam).await
            }
            Self::Three(handler) => {
                let request = addressed(request, is_tls)?;
                let answering =
                    async |accessor: &Accessor<State>| concurrently(handler, accessor, request, tell).await;
                store.run_concurrent(answering).await?
            }
        }
    }
}

/// Returns a request with scheme and host in its URI, where WASI 0.3 looks for them: `Host` is no header of a guest.
fn addressed<B>(mut request: Request<B>, is_tls: bool) -> Result<Request<B>> {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(if is_tls { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP });
    if parts.authority.is_none() {
        let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
        parts.authority = host.map(str::parse).transpose()?;
    }
    *request.uri_mut() = http::Uri::from_parts(parts)?;
    Ok(request)
}

/// The same in WASI 0.3, where a guest may do several things at a time.
async fn concurrently<B>(
    handler: &Service,
    accessor: &Accessor<State>,
    request: Request<B>,
    tell: oneshot::Sender<Head>,
) -> Result<()>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<HttpError>,
{
    let (request, sent) = accessor.with(|mut store| {
        let view = store.data_mut().http_view();
        let (request, sent) = p3::Request::from_http(view.hooks, request);
        // Its type says that it borrows from the store, and its bound that it does not.
        let sent: BoxFuture<'static, std::result::Result<(), HttpError>> = Box::pin(sent);
        Result::<_>::Ok((view.table.push(request)?, sent))
    })?;
    let answer = match handler.wasi_http_handler().call_handle(accessor, request).await? {
        Ok(response) => accessor.with(|mut store| {
            let response = store.data_mut().http_view().table.delete(response)?;
            let answer = response.into_http_with_getter(&mut store, sent, State::http_view);
            Result::<_>::Ok(answer.map_err(|_| HttpError::HttpProtocolError))
        })?,
        Err(error) => Err(error.into()),
    };
    drop(tell.send(answer));
    // It may still be writing the body.
    std::future::poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
    Ok(())
}
