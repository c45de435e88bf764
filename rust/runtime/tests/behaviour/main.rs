//! The runtime against a real API: Arrow batches in, real sockets, response batches out.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside #[test] functions")]

mod bad_rows;
mod bodies;
mod closing;
mod connections;
mod credentials;
mod encoding;
mod events;
mod fail_when;
mod headers;
mod json_response;
mod known_defects;
mod listeners;
mod memory;
mod outcomes;
mod rate;
mod scripts;
mod sigv4;
mod stats;
mod support;
mod templates;
mod tokens;
mod values;
mod window;
