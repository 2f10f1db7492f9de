//! The authentication material that a source of credentials gives.

use std::sync::Arc;

use http::HeaderValue;

use super::certificate::Certificate;

/// What a source says, made once for each time that it was asked.
#[derive(Default)]
pub(super) struct AuthMaterial {
    pub(super) authorization: Option<HeaderValue>,
    pub(super) certificate: Option<Arc<Certificate>>,
}
