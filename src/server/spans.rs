//! Distributed traces: the [context][1] that comes with a request goes on to what its guest requests, and where the environment
//! names a collector, both are sent there as spans of [OpenTelemetry][2].
//!
//! [1]: https://www.w3.org/TR/trace-context/
//! [2]: https://opentelemetry.io/docs/specs/semconv/http/http-spans/

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanKind, Status, TraceContextExt, TraceState, Tracer as _, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};

use super::collector::Collector;
use super::error::Error;
use super::options::Log;
use crate::gate::{Child, Ending, Parent, Subject, Trace};

/// The longest text of a span, in bytes: clients and guests choose their paths, hosts and names, and thousands of spans wait.
const TEXT: usize = 1024;

/// The header with what the systems along a trace have noted, and the longest one that is passed on: as much as everybody passes
/// on ([Trace Context, 3.3.1.5][1]).
///
/// [1]: https://www.w3.org/TR/trace-context/#tracestate-limits
const STATE: &str = "tracestate";
const LONGEST_STATE: usize = 512;

/// Makes spans, if there is a collector.
#[derive(Clone, Default)]
pub(super) struct Spans(Option<(SdkTracerProvider, SdkTracer)>);

/// What is done for one request. Its span ends with the last of its owners.
pub(super) struct Work {
    spans: Spans,
    span: Option<Mutex<Span>>,
    /// What further spans belong to.
    context: Context,
}

/// A request of a guest.
struct Call(Span);

impl Spans {
    /// Returns what sends spans of this service to the collector of the environment, which the crate reads by
    /// [OpenTelemetry's rules][1]. Must be called inside of the server's runtime.
    ///
    /// [1]: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
    ///
    /// # Errors
    /// If the environment names no collector that can be reached by OTLP over HTTP.
    pub(super) fn of(service: &str, log: Log) -> Result<Self, Error> {
        let failed = |why: String| Error::Collector(why);
        let collector = Collector::new(log).map_err(|error| failed(error.to_string()))?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_http_client(collector)
            .build()
            .map_err(|error| failed(without_value(&error)))?;
        let resource = Resource::builder().with_service_name(service.to_owned()).build();
        let provider =
            SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
        let tracer = provider.tracer("kwasm");
        Ok(Self(Some((provider, tracer))))
    }

    /// Sends what is left, for as long as the collector takes for it, at most five seconds.
    pub(super) async fn end(self) {
        if let Some((provider, _)) = self.0 {
            // What went wrong was told.
            drop(tokio::task::spawn_blocking(move || provider.shutdown()).await);
        }
    }

    /// Begins the work for a request, and tells its guest what it belongs to.
    pub(super) fn begin<B>(&self, request: &mut Request<B>) -> Arc<Work> {
        let before = extracted(request.headers());
        let mut span = self.span(request.method(), SpanKind::Server, &before);
        if let Some(span) = &mut span {
            span.set_attribute(text("url.path", request.uri().path()));
        }
        let context = span.as_ref().map_or(before, within);
        inject(&context, request.headers_mut());
        Arc::new(Work { spans: self.clone(), span: span.map(Mutex::new), context })
    }

    fn span(&self, method: &Method, kind: SpanKind, parent: &Context) -> Option<Span> {
        let (_, tracer) = self.0.as_ref()?;
        let (name, method) = named(method);
        let attributes = [KeyValue::new("http.request.method", method)];
        let span = tracer.span_builder(name).with_kind(kind).with_attributes(attributes);
        Some(span.start_with_context(tracer, parent))
    }
}

impl Work {
    /// Notes the answer's status.
    pub(super) fn answered(&self, status: StatusCode) {
        let Some(mut span) = self.span() else { return };
        span.set_attribute(code(status));
        // An error of the client is none of the server.
        if status.is_server_error() {
            fail(&mut span, status.as_str().to_owned());
        }
    }

    /// Returns what a request of its guest with these headers belongs to. A guest that makes spans says this itself; which trace
    /// it is, and whether it is recorded, is not its to say.
    fn parent(&self, headers: &HeaderMap) -> Context {
        let given = extracted(headers);
        let (own, given) = (self.context.span().span_context().clone(), given.span().span_context().clone());
        if !own.is_valid() {
            return remote(given);
        }
        if given.trace_id() != own.trace_id() {
            return self.context.clone();
        }
        let (id, state) = (given.span_id(), given.trace_state().clone());
        remote(SpanContext::new(own.trace_id(), id, own.trace_flags(), true, state))
    }

    fn span(&self) -> Option<MutexGuard<'_, Span>> {
        self.span.as_ref().map(|span| span.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Parent for Work {
    fn child(&self, method: &Method, headers: &mut HeaderMap) -> Option<Box<dyn Child>> {
        let parent = self.parent(headers);
        let span = self.spans.span(method, SpanKind::Client, &parent);
        inject(&span.as_ref().map_or(parent, within), headers);
        span.map(|span| Box::new(Call(span)) as Box<dyn Child>)
    }
}

impl Child for Call {
    fn ended(&mut self, trace: &Trace) {
        let span = &mut self.0;
        match &trace.subject {
            Subject::Cluster { info, .. } => {
                // Names of objects are too many for a span's name.
                if info.is_resource_request {
                    span.update_name(format!("{} {}", info.verb, bounded(&info.resource)));
                }
                if !info.namespace.is_empty() {
                    span.set_attribute(text("k8s.namespace.name", &info.namespace));
                }
            }
            Subject::Elsewhere { host, .. } => {
                span.set_attribute(text("server.address", host));
            }
            Subject::Unclear { .. } => {}
        }
        match &trace.ending {
            Ending::Answered { status, bytes } => {
                span.set_attribute(code(*status));
                let bytes = i64::try_from(*bytes).unwrap_or(i64::MAX);
                span.set_attribute(KeyValue::new("http.response.body.size", bytes));
                if status.is_client_error() || status.is_server_error() {
                    fail(span, status.as_str().to_owned());
                }
            }
            Ending::Failed => fail(span, "failed"),
            Ending::Refused(reason) => {
                span.set_attribute(text("kwasm.refusal", &reason.to_string()));
                fail(span, "refused");
            }
        }
        span.end();
    }
}

/// Says what is wrong with the environment's settings, without the value in quotes: an address may have a password.
fn without_value(error: &ExporterBuildError) -> String {
    let text = error.to_string();
    match (text.split_once('\''), text.rsplit_once('\'')) {
        (Some((before, _)), Some((_, after))) => format!("{}{after}", before.trim_end()),
        _ => text,
    }
}

fn fail(span: &mut Span, kind: impl Into<Cow<'static, str>>) {
    let kind = kind.into();
    span.set_status(Status::error(kind.clone()));
    span.set_attribute(KeyValue::new("error.type", kind));
}

/// Returns the name of a span for a request with this method, and the method: a client may invent as many as it likes.
fn named(method: &Method) -> (&'static str, &'static str) {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    known
        .into_iter()
        .find(|known| *known == method.as_str())
        .map_or(("HTTP", "_OTHER"), |known| (known, known))
}

fn bounded(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT)).unwrap_or_default()
}

fn text(key: &'static str, value: &str) -> KeyValue {
    KeyValue::new(key, bounded(value).to_owned())
}

fn code(status: StatusCode) -> KeyValue {
    KeyValue::new("http.response.status_code", i64::from(status.as_u16()))
}

/// Returns the context of a span.
fn within(span: &Span) -> Context {
    remote(span.span_context().clone())
}

fn remote(span: SpanContext) -> Context {
    Context::new().with_remote_span_context(span)
}

fn extracted(headers: &HeaderMap) -> Context {
    let context =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
    let span = context.span().span_context().clone();
    if headers.get(STATE).is_none_or(|state| state.len() <= LONGEST_STATE) {
        return context;
    }
    remote(SpanContext::new(span.trace_id(), span.span_id(), span.trace_flags(), true, TraceState::NONE))
}

/// Says in headers what a request belongs to, if it belongs to anything.
fn inject(context: &Context, headers: &mut HeaderMap) {
    if !context.span().span_context().is_valid() {
        return;
    }
    TraceContextPropagator::new().inject_context(context, &mut HeaderInjector(headers));
    if headers.get(STATE).is_some_and(HeaderValue::is_empty) {
        headers.remove(STATE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(trace: &str, span: &str, flags: &str) -> HeaderMap {
        let context = HeaderValue::from_str(&format!("00-{trace}-{span}-{flags}")).unwrap();
        HeaderMap::from_iter([(http::HeaderName::from_static("traceparent"), context)])
    }

    #[test]
    fn a_guest_says_which_span_of_the_trace_its_request_belongs_to_and_nothing_else() {
        let (ours, theirs) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00000000000000000000000000000001");
        let work = |context| Work { spans: Spans::default(), span: None, context };
        let parent = |work: &Work, headers: HeaderMap| {
            let mut out = HeaderMap::new();
            inject(&work.parent(&headers), &mut out);
            out.get("traceparent").map(|value| value.to_str().unwrap().to_owned())
        };
        let recorded = work(extracted(&of(ours, "00f067aa0ba902b7", "01")));
        let is = |text: &str| Some(format!("00-{ours}-{text}"));
        assert_eq!(parent(&recorded, HeaderMap::new()), is("00f067aa0ba902b7-01"));
        assert_eq!(parent(&recorded, of(ours, "000000000000000a", "01")), is("000000000000000a-01"));
        assert_eq!(parent(&recorded, of(ours, "000000000000000a", "00")), is("000000000000000a-01"));
        assert_eq!(parent(&recorded, of(theirs, "000000000000000a", "01")), is("00f067aa0ba902b7-01"));
        let nowhere = work(Context::new());
        assert_eq!(parent(&nowhere, HeaderMap::new()), None);
        let own = Some(format!("00-{theirs}-000000000000000a-01"));
        assert_eq!(parent(&nowhere, of(theirs, "000000000000000a", "01")), own);
    }
}
