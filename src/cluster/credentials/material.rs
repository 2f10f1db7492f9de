//! The authentication material that a source of credentials gives.

use std::sync::Arc;

use http::HeaderValue;

use super::certificate::Certificate;

/// The credential from a source, created once for each time that it was read.
#[derive(Default)]
pub(super) struct AuthMaterial {
    pub(super) authorization: Option<HeaderValue>,
    pub(super) certificate: Option<Arc<Certificate>>,
}
