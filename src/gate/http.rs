//! The http door: wasi:http's outgoing handler of 0.2 and its client of 0.3, answered by the gate.
//!
//! Without the crate's feature `default-send-request`, [`WasiHttpHooks::send_request`] has no default: a build
//! without this door has no way to send at all.

use std::error::Error as StdError;
use std::sync::Arc;

use ::http::Request;
use ::http::uri::Scheme;
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

use super::body::{BodyError, TooSlow};
use super::deadline::Late;
use super::{Gate, GateError, Timeouts, headers};
#[cfg(feature = "faults")]
use crate::defence::Defence;

/// The gate as a hook of wasi:http.
pub(crate) struct Door(pub(crate) Gate);

/// The largest number of bytes that a guest writes to a body in one call.
const CHUNK: usize = 64 << 10;

type Done = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(::http::Response<WasiBody>, Done), Error>;

impl WasiHttpHooks for Door {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(headers::is_hidden)
    }

    /// Accepts every scheme: the gate refuses it, so that the refusal is reported to the user too.
    fn is_supported_scheme(&mut self, _: &Scheme) -> bool {
        true
    }

    /// Lets the sender set the header, to the real server's name.
    fn set_host_header(&mut self) -> bool {
        false
    }

    /// Returns the size of a chunk. A guest can hold as many unsent bodies as it has handles, each with two
    /// chunks: with the default of 1 MiB they would take more memory than the guest itself may have.
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    /// Returns the same for 0.3, where the host keeps such a chunk for each request under way.
    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Done,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let gate = self.0.clone();
        let options = options.unwrap_or_default();
        let timeouts = Timeouts {
            connect: options.connect_timeout,
            first_byte: options.first_byte_timeout,
            between_bytes: options.between_bytes_timeout,
        };
        Box::new(async move {
            let request =
                request.map(|body| body.map_err(|error| Box::new(error) as BodyError).boxed_unsync());
            let lifetime = gate.lifetime();
            #[cfg(feature = "faults")]
            let gate = Detached(gate);
            let response = gate.pass(request, timeouts, &lifetime).await.map_err(|error| match error {
                GateError::Refused(_) => Error::HttpRequestDenied,
                GateError::Failed(failure) => failure.code(),
            })?;
            let response = response.map(|body| body.map_err(|error| body_error(&*error)).boxed_unsync());
            // The connection is driven by the client's pool: nothing is left to do here.
            Ok((response, Box::new(async { Ok(()) }) as Done))
        })
    }
}

fn body_error(error: &(dyn StdError + Send + Sync + 'static)) -> Error {
    if error.is::<TooSlow>() || error.is::<Late>() {
        Error::ConnectionReadTimeout
    } else {
        Error::HttpResponseIncomplete
    }
}

/// A gate whose requests continue when no one waits for them any more.
#[cfg(feature = "faults")]
struct Detached(Gate);

#[cfg(feature = "faults")]
impl Detached {
    async fn pass(
        &self,
        request: Request<super::Body>,
        timeouts: Timeouts,
        lifetime: &super::GuestLifetime,
    ) -> Result<::http::Response<super::Body>, GateError> {
        let (gate, lifetime) = (self.0.clone(), lifetime.clone());
        let sent = async move { gate.pass(request, timeouts, &lifetime).await };
        if Defence::AbortedBodies.stands() {
            return sent.await;
        }
        tokio::spawn(sent).await.unwrap_or(Err(GateError::Failed(super::failure::Failure::Closed)))
    }
}
