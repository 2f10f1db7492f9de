//! What a server has done, in numbers, in the format of `OpenMetrics`.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::gate::{Ending, Observer};
use crate::runtime::Fault;

/// The upper bounds of the times that are told apart, in seconds.
const TIMES: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The numbers of a server. All are counted since it began.
pub struct Metrics {
    registry: Registry,
    requests: Family<Code, Counter>,
    seconds: Histogram,
    running: Gauge<i64, AtomicI64>,
    faults: Family<Reason, Counter>,
    gate: Family<Decision, Counter>,
    instances: Histogram,
    reviews: Family<Verdict, Counter>,
}

/// The same for instances.
const INSTANT: [f64; 10] = [0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.01, 0.1, 1.0];

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Code {
    code: u16,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Verdict {
    verdict: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Decision {
    decision: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("kwasm");
        let (requests, faults, gate) = (Family::default(), Family::default(), Family::default());
        let (seconds, instances, running) =
            (Histogram::new(TIMES), Histogram::new(INSTANT), Gauge::default());
        registry.register(
            "http_requests",
            "Requests, by the status of their answers",
            Family::clone(&requests),
        );
        registry.register_with_unit(
            "http_request_duration",
            "The time from a request to the end of its instance",
            Unit::Seconds,
            seconds.clone(),
        );
        registry.register_with_unit(
            "instantiation",
            "The time until an instance is there",
            Unit::Seconds,
            instances.clone(),
        );
        registry.register("http_requests_in_flight", "Instances that are answering", running.clone());
        registry.register(
            "faults",
            "Requests that the plugin did not answer, or not to the end",
            Family::clone(&faults),
        );
        registry.register(
            "gate_requests",
            "The plugin's own requests, by what became of them",
            Family::clone(&gate),
        );
        let reviews = Family::default();
        registry.register("admission_reviews", "Reviews, by their verdict", Family::clone(&reviews));
        Self { registry, requests, seconds, running, faults, gate, instances, reviews }
    }
}

impl Metrics {
    /// Returns all numbers as text.
    #[must_use]
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub(super) fn began(&self) {
        self.running.inc();
    }

    pub(super) fn ended(&self, took: Duration) {
        self.running.dec();
        self.seconds.observe(took.as_secs_f64());
    }

    pub(super) fn answered(&self, status: StatusCode) {
        self.requests.get_or_create(&Code { code: status.as_u16() }).inc();
    }

    /// Counts a review.
    pub(super) fn reviewed(&self, allowed: bool) {
        let verdict = if allowed { "allowed" } else { "denied" };
        self.reviews.get_or_create(&Verdict { verdict }).inc();
    }

    /// Returns what counts the plugin's own requests.
    #[must_use]
    pub fn observer(self: &Arc<Self>) -> Observer {
        let metrics = Arc::clone(self);
        Arc::new(move |trace| {
            let decision = match trace.ending {
                Ending::Answered { .. } => "allowed",
                Ending::Failed => "failed",
                Ending::Refused(_) => "refused",
            };
            metrics.gate.get_or_create(&Decision { decision }).inc();
            Ok(())
        })
    }

    /// Counts an instance that is there after this time.
    pub fn instantiated(&self, took: Duration) {
        self.instances.observe(took.as_secs_f64());
    }

    /// Counts a request that was not answered, or not to its end.
    pub fn failed(&self, fault: &Fault) {
        let reason = match fault {
            Fault::Failed(_) => "failed",
            Fault::Late(_) => "deadline",
            Fault::Limited(..) => "limit",
            Fault::Silent => "silent",
            Fault::System(_) => "system",
            Fault::Trapped(_) => "trap",
            Fault::Unfinished => "unfinished",
            Fault::Unfit(_) => "answer",
        };
        self.faults.get_or_create(&Reason { reason }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_what_was_done() {
        let metrics = Arc::new(Metrics::default());
        metrics.began();
        metrics.began();
        metrics.ended(Duration::from_millis(3));
        metrics.answered(StatusCode::OK);
        metrics.answered(StatusCode::TOO_MANY_REQUESTS);
        metrics.answered(StatusCode::OK);
        metrics.failed(&Fault::Silent);
        metrics.instantiated(Duration::from_micros(30));
        let text = metrics.text();
        for line in [
            r#"kwasm_http_requests_total{code="200"} 2"#,
            r#"kwasm_http_requests_total{code="429"} 1"#,
            r#"kwasm_http_request_duration_seconds_bucket{le="0.0025"} 0"#,
            r#"kwasm_http_request_duration_seconds_bucket{le="0.005"} 1"#,
            "kwasm_http_requests_in_flight 1",
            r#"kwasm_instantiation_seconds_bucket{le="0.00005"} 1"#,
            r#"kwasm_faults_total{reason="silent"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        }
    }
}
