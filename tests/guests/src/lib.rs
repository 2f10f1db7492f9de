//! The code that the test guests share; `README.md` lists them.

pub mod attempt;
pub mod doors;
pub mod event;
