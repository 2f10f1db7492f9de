//! Distributed traces: what comes as a part of one goes on as such, and spans reach a collector.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use kwasm_apiserver::{ApiServer, User};
use kwasm_registry::tool;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::{Answer, Server, read};
use crate::support::{Kwasm, Running, kubeconfig, seed, skip};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const PODS: &str = "/api/v1/namespaces/shop/pods";

/// Collects spans, as OTLP over HTTP has them.
struct Collector {
    url: String,
    requests: Receiver<(Vec<String>, Vec<u8>)>,
}

impl Collector {
    fn start(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (send, requests) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, send) = (stream.unwrap(), send.clone());
                thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    while let Some(request) = request(&mut reader) {
                        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
                        drop(send.send(request));
                    }
                });
            }
        });
        Self { url, requests }
    }

    /// Returns this many spans, in however many requests they come, and the service that they are of.
    fn spans(&self, count: usize) -> (String, Vec<Span>) {
        let (mut service, mut spans) = (String::new(), Vec::new());
        while spans.len() < count {
            let (head, body) = self.requests.recv_timeout(Duration::from_secs(30)).unwrap();
            assert_eq!(head[0], "POST /v1/traces HTTP/1.1");
            let mut sent = ExportTraceServiceRequest::decode(&*body).unwrap();
            assert_eq!(sent.resource_spans.len(), 1);
            let sent = sent.resource_spans.remove(0);
            service.clone_from(&attributes(&sent.resource.unwrap().attributes)["service.name"]);
            spans.extend(sent.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
        assert_eq!(spans.len(), count, "{spans:?}");
        (service, spans)
    }
}

fn request(reader: &mut impl BufRead) -> Option<(Vec<String>, Vec<u8>)> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let length =
        head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

type Attributes = [opentelemetry_proto::tonic::common::v1::KeyValue];

fn attributes(attributes: &Attributes) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let value = |pair: &opentelemetry_proto::tonic::common::v1::KeyValue| {
        text(pair.value.as_ref().unwrap().value.as_ref().unwrap())
    };
    attributes.iter().map(|pair| (pair.key.clone(), value(pair))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Gets a path as a part of a trace.
fn get(server: &Server, path: &str) -> Answer {
    get_with(server, path, "a=b")
}

/// Gets a path as a part of a trace of which this was noted.
fn get_with(server: &Server, path: &str, state: &str) -> Answer {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let context = format!("traceparent: 00-{TRACE}-{CALLER}-01\r\ntracestate: {state}");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n{context}\r\n\r\n").unwrap();
    read(&mut BufReader::new(stream))
}

/// Serves at a cluster, whose secrets its policy refuses.
fn server(cluster: &ApiServer, collector: Option<&str>) -> Server {
    let mut kwasm = Kwasm::new().kubeconfig(kubeconfig(cluster, User::Token));
    if let Some(url) = collector {
        kwasm = kwasm.variable("OTEL_EXPORTER_OTLP_ENDPOINT", url).variable("OTEL_BSP_SCHEDULE_DELAY", "100");
    }
    Server::of(&kwasm, "serves", &["--policy", "read-only"])
}

/// Returns the header of the request that came to a cluster last.
fn received(cluster: &ApiServer) -> String {
    cluster.requests().last().unwrap().header("traceparent").unwrap_or_default().to_owned()
}

#[test]
fn a_trace_goes_on_to_the_guest_and_to_the_cluster() {
    let cluster = seed();
    let server = server(&cluster, None);
    let text = get(&server, "/request").text();
    assert!(text.contains(&format!("traceparent: 00-{TRACE}-{CALLER}-01\n")), "{text}");
    assert!(text.contains("tracestate: a=b\n"), "{text}");
    assert!(get(&server, &format!("/cluster?{PODS}")).text().contains("PodList"));
    assert_eq!(received(&cluster), format!("00-{TRACE}-{CALLER}-01"));
    // Of what others noted along the way, as much goes on as everybody passes on.
    let noted = |length: usize| {
        let state = format!("a={}", "b".repeat(length - 2));
        get_with(&server, "/request", &state).text().contains(&format!("tracestate: {state}\n"))
    };
    assert!(noted(250));
    assert!(!noted(513));
    // What belongs to no trace begins none.
    assert!(server.get(&format!("/cluster?{PODS}")).text().contains("PodList"));
    assert_eq!(received(&cluster), "");
}

#[test]
fn a_collector_gets_a_span_for_each_request_and_for_what_its_guest_requests() {
    let (cluster, collector) = (seed(), Collector::start("200 OK"));
    let server = server(&cluster, Some(&collector.url));
    assert!(get(&server, &format!("/cluster?{PODS}")).text().contains("PodList"));
    let passed = received(&cluster);
    let (service, mut spans) = collector.spans(2);
    assert_eq!(service, "serves");
    spans.sort_by_key(|span| span.kind);
    let [answered, listed] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((&*answered.name, &*listed.name), ("GET", "list pods"));
    assert_eq!(
        (hex(&answered.trace_id), hex(&answered.parent_span_id)),
        (TRACE.to_owned(), CALLER.to_owned())
    );
    assert_eq!((&listed.trace_id, &listed.parent_span_id), (&answered.trace_id, &answered.span_id));
    assert_eq!(passed, format!("00-{TRACE}-{}-01", hex(&listed.span_id)));
    let of = attributes(&answered.attributes);
    assert_eq!((&*of["http.response.status_code"], &*of["url.path"]), ("200", "/cluster"));
    let of = attributes(&listed.attributes);
    assert_eq!((&*of["k8s.namespace.name"], &*of["http.response.status_code"]), ("shop", "200"));
    // What is refused is a span, too, and an error.
    assert!(get(&server, "/cluster?/api/v1/namespaces/shop/secrets").text().starts_with("failed: "));
    let (_, spans) = collector.spans(2);
    let refused = spans.iter().find(|span| span.name == "list secrets").unwrap();
    assert_eq!(attributes(&refused.attributes)["error.type"], "refused");
    assert_eq!(refused.status.as_ref().unwrap().message, "refused");
}

#[test]
fn what_is_left_is_sent_before_the_server_ends() {
    let (cluster, collector) = (seed(), Collector::start("200 OK"));
    let kwasm = Kwasm::new()
        .kubeconfig(kubeconfig(&cluster, User::Token))
        .variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{}/v1/traces", collector.url))
        .variable("OTEL_SERVICE_NAME", "mine");
    let server = Server::of(&kwasm, "serves", &[]);
    assert_eq!(get(&server, "/trap").status, 502);
    server.running.signal("TERM");
    let (service, spans) = collector.spans(1);
    assert_eq!(service, "mine");
    assert_eq!(attributes(&spans[0].attributes)["error.type"], "502");
    server.running.end().success();
}

#[test]
fn a_collector_that_does_not_work_is_told_once_and_keeps_no_request() {
    let cluster = seed();
    let refusing = Collector::start("403 Forbidden");
    for (url, why) in [
        (refusing.url.clone(), "it answered with 403 Forbidden"),
        ("http://127.0.0.1:1".to_owned(), "Connection refused"),
        ("http://me:hunter2@127.0.0.1:1/?key=hunter2".to_owned(), "Connection refused"),
    ] {
        let mut server = server(&cluster, Some(&url));
        for _ in 0..3 {
            assert_eq!(get(&server, "/").text(), "hello\n");
        }
        let line = server.running.error_with("cannot send traces to 127.0.0.1:");
        assert!(line.contains(why), "{line}");
        server.running.signal("TERM");
        let told = server.running.end().success().stderr;
        assert_eq!(told.matches("cannot send").count(), 1, "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_collector_that_says_nothing_is_not_waited_for_when_the_end_is_asked_for_again() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut server = server(&seed(), Some(&url));
    assert_eq!(get(&server, "/").text(), "hello\n");
    server.running.signal("TERM");
    server.running.error_with("ending: ");
    // By then nothing but the traces is left.
    thread::sleep(Duration::from_millis(500));
    server.running.signal("TERM");
    let told = server.running.end().success().stderr;
    assert!(told.contains("ended before all traces were sent"), "{told}");
}

#[test]
fn an_address_of_a_collector_that_is_none_is_an_error() {
    for url in ["localhost", "http://", "http://me:hunter2@"] {
        let kwasm = Kwasm::new().variable("OTEL_EXPORTER_OTLP_ENDPOINT", url);
        let run = kwasm.call([
            "serve",
            "--addr",
            "127.0.0.1:0",
            crate::support::component("serves").to_str().unwrap(),
        ]);
        let told = run.fails(2).stderr;
        assert!(
            told.contains("cannot send traces: ") && told.contains("hint: OTEL_EXPORTER_OTLP_ENDPOINT"),
            "{told}"
        );
        assert!(!told.contains("hunter2"), "{told}");
    }
}

/// What the collector of OpenTelemetry says of spans.
const COLLECTOR: &str = "yaml:{receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:0'}}}}, \
    exporters: {debug: {verbosity: detailed}}, \
    service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}, telemetry: {metrics: {level: none}}}}";

#[test]
fn opentelemetrys_own_collector_takes_the_spans() {
    let Some(program) = tool("otelcol") else {
        return skip("serving::traces", "there is no otelcol: cargo xtask test says why");
    };
    let mut command = Command::new(program);
    command.args(["--config", COLLECTOR]);
    let mut collector = Running::of(command);
    let started = collector.error_with("Starting HTTP server");
    let address = started.split(r#""endpoint": ""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let cluster = seed();
    let server = server(&cluster, Some(&format!("http://{address}")));
    assert!(get(&server, &format!("/cluster?{PODS}")).text().contains("PodList"));
    server.running.signal("TERM");
    server.running.end().success();
    collector.signal("TERM");
    let said = collector.end().success().stderr;
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = |count: usize, text: &str| assert_eq!(words.matches(text).count(), count, "{text}: {said}");
    found(2, &format!("Trace ID : {TRACE}"));
    found(1, "-> service.name: Str(serves)");
    found(1, &format!("Parent ID : {CALLER}"));
    found(1, "Name : GET Kind : Server");
    found(1, "Name : list pods Kind : Client");
    found(1, "-> k8s.namespace.name: Str(shop)");
    found(2, "-> http.response.status_code: Int(200)");
}
