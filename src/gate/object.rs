//! An object of the selected context's server, for a component that is in it, through the same gate as any plugin.

use serde_json::Value;

use super::Gate;
use super::question::{Answer, Question};
use crate::message::Message;

/// The largest answer in bytes: 1 MiB of data in base64, with what was applied repeated in an annotation.
const LONGEST: usize = 8 << 20;

impl Gate {
    /// Requests the object at a path, and ends the gate. Returns `None` if the user interrupted it.
    ///
    /// # Errors
    /// The reasons why the server does not give it.
    pub fn object(&self, path: &str) -> Result<Option<Value>, Vec<Message>> {
        self.perform(async {
            match self.ask(Question::get(path).accepting("application/json", LONGEST)).await? {
                Answer::Given(object) => Ok(object),
                Answer::Withheld { status, why } => {
                    Err(self.at(&format!("it does not give {path}: {status}: {why}"), None))
                }
            }
        })
    }
}
