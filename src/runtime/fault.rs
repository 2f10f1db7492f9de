//! What goes wrong with a request to a plugin.

use std::time::Duration;

use super::calls::{Calls, Trap};
use crate::policy::Limit;

/// The reason why a request is not answered, or not to its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The plugin took longer than this.
    Late(Duration),
    /// It exceeded a limit, in these calls.
    Limited(Limit, Calls),
    /// It returned before it had finished a body.
    Unfinished,
    /// It returned without an answer.
    Silent,
    /// It answered with an error of `wasi:http` instead.
    Failed(String),
    /// It trapped.
    Trapped(Trap),
    /// Its answer is not what it has to be, for this reason.
    Unfit(String),
    /// The system lacks what an instance requires.
    System(String),
}
