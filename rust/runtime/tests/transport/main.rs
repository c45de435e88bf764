//! The transport over real sockets.
#![allow(clippy::unwrap_used)]

mod client;
mod pool;
mod rate;
mod seam;
mod support;
mod timeouts;
mod tls;
mod warmup;
