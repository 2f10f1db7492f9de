//! Reports to the user about one request, which a record keeps too.

use std::sync::Arc;

use super::journal::Journal;
use crate::message::Message;
use crate::record::Exchange;

/// The reports to the user about one request.
#[derive(Clone)]
pub(super) struct Reports {
    journal: Arc<Journal>,
    exchange: Option<Arc<Exchange>>,
}

impl Reports {
    /// Returns reports that are not recorded.
    pub(super) fn to(journal: &Arc<Journal>) -> Self {
        Self { journal: Arc::clone(journal), exchange: None }
    }

    /// Returns reports that are recorded with a request.
    pub(super) fn recorded(journal: &Arc<Journal>, exchange: &Arc<Exchange>) -> Self {
        Self { journal: Arc::clone(journal), exchange: Some(Arc::clone(exchange)) }
    }

    /// Reports that a request failed.
    pub(super) fn failed(&self, line: Message) {
        if let Some(exchange) = &self.exchange {
            exchange.reported(&line);
        }
        self.journal.failed(line);
    }
}
