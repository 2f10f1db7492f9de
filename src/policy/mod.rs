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
//! fn forge(grant: kwasm::policy::Grant) -> kwasm::policy::Grant {
//!     kwasm::policy::Grant { limits: Default::default(), ..grant }
//! }
//! ```

mod attempt;
mod builtin;
mod danger;
mod document;
mod effective;
mod files;
mod flow;
mod format;
mod generalise;
mod host;
mod intersection;
mod inventory;
mod judge;
mod layer;
mod learn;
mod limits;
mod lines;
mod namespace_filter;
mod quantity;
mod query;
mod refusal;
mod request_info;
mod role;
mod rule;
mod schema;
mod sentence;
mod target;
mod upgrade;
mod variables;
mod write;

pub use self::attempt::Attempt;
pub use self::builtin::names as builtins;
pub use self::danger::Danger;
pub use self::effective::{Allowance, EffectiveRule, Withheld};
pub use self::files::{Access, Base, FileGrant, Xdg};
pub use self::generalise::generalise;
pub use self::host::{Host, is_public};
pub use self::inventory::Inventory;
pub use self::judge::{DEFAULT, Grant, Layers, Permit, Policy};
pub use self::layer::Layer;
pub use self::learn::Lesson;
pub use self::limits::{HEADERS, Limit, Limits, StatedLimits};
pub(crate) use self::quantity::{Bytes, Quantity, bytes, duration};
pub use self::refusal::{CLUSTER, NAME_A_KUBECONFIG, Reason, Refusal, host_of};
pub use self::request_info::RequestInfo;
pub use self::role::{AccountError, RoleRules, Roles, ServiceAccount};
pub use self::rule::{NameSelector, ResourceRule, Rule, Stated, UrlRule, Words};
pub use self::target::{Context, Target};
pub use self::upgrade::Upgrade;
pub use self::variables::VariablePattern;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
