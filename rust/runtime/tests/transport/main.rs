//! The transport over real sockets.
#![allow(clippy::unwrap_used)]

mod answers;
mod client;
mod dns;
mod hostile;
mod http2;
mod namespace;
mod network;
mod nginx;
mod pkcs12;
mod pool;
mod proxy;
mod rate;
mod raw;
mod redirects;
mod seam;
mod support;
mod timeouts;
mod tls;
mod warmup;
