//! The forms of a report.

pub(crate) mod junit;
pub(crate) mod sarif;
pub(crate) mod table;
