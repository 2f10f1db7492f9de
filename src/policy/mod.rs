//! Decides what a plugin may do. Pure: no clock, file, socket or environment, and no wasmtime.
//!
//! The seam is [`Grant::judge`]: an [`Attempt`] becomes a [`Permit`] or a [`Refusal`]. Only this function
//! makes a permit, and the sender accepts nothing else:
//!
//! ```compile_fail,E0451
//! fn forge(attempt: kwasm::policy::Attempt) -> kwasm::policy::Permit {
//!     kwasm::policy::Permit { attempt }
//! }
//! ```
//!
//! Likewise, a grant is only made from a policy and an inspected plugin:
//!
//! ```compile_fail,E0451
//! fn forge(policy: kwasm::policy::Policy) -> kwasm::policy::Grant {
//!     kwasm::policy::Grant { policy }
//! }
//! ```

mod attempt;
mod builtin;
mod document;
mod host;
mod judge;
mod limits;
mod lines;
mod quantity;
mod query;
mod refusal;
mod request_info;
mod rule;
mod target;
mod upgrade;

pub use self::attempt::Attempt;
pub use self::builtin::names as builtins;
pub use self::host::{Host, is_public};
pub use self::judge::{DEFAULT, Grant, Permit, Policy};
pub use self::limits::{HEADERS, Limit, Limits};
pub(crate) use self::quantity::{Bytes, Quantity, bytes, duration};
pub use self::refusal::{CLUSTER, NAME_A_KUBECONFIG, Reason, Refusal};
pub use self::request_info::RequestInfo;
pub use self::rule::{NameSelector, ResourceRule, Rule, UrlRule};
pub use self::target::{Context, Target};
pub use self::upgrade::Upgrade;

#[cfg(test)]
mod tests;
