//! Config to plan: pure functions; the plan is immutable, serialisable and has no look-up left to do.
#![forbid(unsafe_code)]

mod plan;
mod secrets;

pub use plan::*;
pub use secrets::{Secret, SecretValues};
