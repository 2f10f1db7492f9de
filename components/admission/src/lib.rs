//! Admission webhooks of Kubernetes as components: a function from a request to a verdict.
//!
//! `kwasm serve --webhook` asks a component about each request to the API server that a webhook configuration names. The
//! component exports `wasi:http/incoming-handler`; this library reads the review and writes the answer:
//!
//! ```ignore
//! use admission::{Admit, Request, Verdict};
//!
//! struct NoLatest;
//!
//! impl Admit for NoLatest {
//!     fn admit(request: &Request) -> Result<Verdict, String> {
//!         let image = request.object["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
//!         Ok(if image.ends_with(":latest") { Verdict::deny("name a version, not `latest`") } else { Verdict::allow() })
//!     }
//! }
//!
//! admission::export!(NoLatest);
//! ```
//!
//! In any other language, the same is JSON over HTTP: an `AdmissionReview` of `admission.k8s.io/v1` comes, and one goes back.

mod answer;
mod handler;
mod review;

pub use answer::{Operation, Verdict};
pub use handler::handle;
pub use review::{Kind, Request, Resource, User};

/// Judges requests to the API server.
pub trait Admit {
    /// Returns whether a request is admitted, and how.
    ///
    /// # Errors
    /// The reason why it cannot be judged, which the webhook's `failurePolicy` decides about.
    fn admit(request: &Request) -> Result<Verdict, String>;
}

/// Exports a type that is [`Admit`] as the component's handler of requests.
///
/// What it expands to is unsafe code of `wasip2`, since an export has a name that must be unique.
#[macro_export]
macro_rules! export {
    ($admit:ident) => {
        struct AdmissionHandler;

        impl $crate::wasip2::exports::http::incoming_handler::Guest for AdmissionHandler {
            fn handle(
                request: $crate::wasip2::http::types::IncomingRequest,
                out: $crate::wasip2::http::types::ResponseOutparam,
            ) {
                $crate::handle::<$admit>(&request.into(), out.into());
            }
        }

        $crate::wasip2::http::proxy::export!(AdmissionHandler with_types_in $crate::wasip2);
    };
}

/// The bindings that [`export!`] uses.
#[doc(hidden)]
pub use wasip2;
