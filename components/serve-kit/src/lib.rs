//! Components that answer requests, for `kwasm serve`: a function from a request to an answer, by `wasi:http` 0.2 and
//! without an async runtime.
//!
//! ```ignore
//! use serve_kit::{Answer, Request, Serve};
//!
//! struct Hello;
//!
//! impl Serve for Hello {
//!     fn serve(request: &Request, answer: Answer) {
//!         answer.text(200, &format!("you asked for {}\n", request.path()));
//!     }
//! }
//!
//! serve_kit::export!(Hello);
//! ```

mod answer;
mod request;

pub use answer::{Answer, Gone, Sink};
pub use request::{Body, Request, Unread};

/// Answers requests.
pub trait Serve {
    /// Answers a request. Without an answer, and if it traps, the host answers with an error.
    fn serve(request: &Request, answer: Answer);
}

/// Exports a type that is [`Serve`] as the component's handler of requests.
///
/// What it expands to is unsafe code of `wasip2`, since an export has a name that must be unique.
#[macro_export]
macro_rules! export {
    ($serve:ident) => {
        struct ServeHandler;

        impl $crate::wasip2::exports::http::incoming_handler::Guest for ServeHandler {
            fn handle(
                request: $crate::wasip2::http::types::IncomingRequest,
                out: $crate::wasip2::http::types::ResponseOutparam,
            ) {
                <$serve as $crate::Serve>::serve(&request.into(), out.into());
            }
        }

        $crate::wasip2::http::proxy::export!(ServeHandler with_types_in $crate::wasip2);
    };
}

/// The bindings that [`export!`] uses.
#[doc(hidden)]
pub use wasip2;
