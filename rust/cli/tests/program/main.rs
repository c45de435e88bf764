//! The program itself, as a person calls it, against a real API.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside #[test] functions")]

mod auth_guide;
mod check;
mod examples;
mod explain;
mod guide;
mod journal;
mod page;
mod render;
mod send;
mod support;
