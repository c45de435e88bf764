//! `transport.http_version` and `transport.http2`: which HTTP is spoken, and how the connections of HTTP/2 are shared.

use super::DAY;
use crate::keys::{Choice, keys, seconds, whole};

pub(super) const VERSIONS: &[Choice<HttpVersion>] = &[
    ("auto", HttpVersion::Auto, "over https what the server prefers of the two (ALPN), over http HTTP/1.1"),
    ("http1", HttpVersion::Http1, "HTTP/1.1 alone"),
    ("http2", HttpVersion::Http2, "HTTP/2 alone; over http without asking first (prior knowledge)"),
];

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// `auto`: HTTP/2 where the server offers it over TLS.
    Auto,
    /// `http1`: HTTP/1.1 alone.
    Http1,
    /// `http2`: HTTP/2 alone.
    Http2,
}

keys! {
    /// Connections of HTTP/2, which carry several requests at once.
    pub struct Http2 {
        /// Most requests at once over one connection. A server that allows fewer gets fewer.
        streams_per_connection: u32 = whole(1..=10_000, "requests").or(100),
        /// Most bytes of an answer that may be under way before they are read: a server that is far away sends large
        /// answers faster with more.
        window_bytes: u32 = whole(16_384..=16_777_216, "bytes").or(65_536),
        /// Time without a byte, while a request is in flight, after which the server is asked whether it is still there
        /// (PING); 0 never asks.
        ping_interval: f64 = seconds(0.0..=DAY).or(20.0),
        /// Time for its answer, after which the connection is given up with all its requests.
        ping_timeout: f64 = seconds(0.001..=DAY).or(10.0),
    }
}
