//! `transport`: how connections are made and kept.

mod http2;
mod proxy;
mod redirects;
mod tcp;
mod tls;
mod warmup;

use crate::keys::{Choice, choice, flag, keys, located, seconds, section, whole};
use crate::problem::Located;

use http2::VERSIONS;
pub use http2::{Http2, HttpVersion};
pub use proxy::Proxy;
pub use redirects::Redirects;
pub use tcp::TcpConnection;
pub use tls::{OldestTls, Tls};
use warmup::{FAILURES, KINDS};
pub use warmup::{WarmupFailure, WarmupKind};

const DAY: f64 = 86_400.0;

keys! {
    /// How connections are made and kept.
    pub struct Transport {
        /// The engine that makes connections.
        engine: EngineName = choice(ENGINES).or(EngineName::Hyper),
        /// Which HTTP is spoken.
        http_version: Located<HttpVersion> =
            located(choice(VERSIONS)).or(Located::new(HttpVersion::Auto, Default::default())),
        /// Longest time of one attempt, from the making of its connection to the last byte of its answer. Waits for a
        /// free connection and for the rate limit are not counted.
        base_timeout: f64 = seconds(0.001..=DAY).or(30.0),
        /// Longest time for DNS and TCP of a new connection.
        connect_timeout: f64 = seconds(0.001..=DAY).or(10.0),
        /// Longest time for the TLS handshake of a new connection.
        tls_timeout: f64 = seconds(0.001..=DAY).or(10.0),
        /// Longest time from the writing of a request to the head of its answer.
        first_byte_timeout: Option<f64> = seconds(0.001..=DAY).for_example(10.0).optional("`base_timeout` alone"),
        /// Longest time between two pieces of an answer.
        between_bytes_timeout: Option<f64> = seconds(0.001..=DAY).for_example(10.0).optional("`base_timeout` alone"),
        /// What an executor does before its first row. It is not charged to the rate limit.
        warmup: WarmupKind = choice(KINDS).or(WarmupKind::Connect),
        /// Longest time of the warm-up; 0 leaves it out.
        warmup_timeout: f64 = seconds(0.0..=DAY).or(10.0),
        /// What follows from a warm-up that fails.
        warmup_failure: WarmupFailure = choice(FAILURES).or(WarmupFailure::Warn),
        /// Whether compressed answers (gzip, deflate, br, zstd) are asked for and decompressed. A header
        /// `Accept-Encoding` of your own goes before what is asked for.
        decompress: bool = flag().or(true),
        /// Longest answer body, decompressed; what is beyond is cut off and flagged.
        max_response_bytes: usize = whole(1..=1 << 30, "bytes").or(8 << 20),
        /// Time for which the addresses of a name are kept; 0 asks anew for each connection. They are forgotten at once
        /// when none of them can be connected to.
        dns_cache: f64 = seconds(0.0..=DAY).or(30.0),
        /// The proxy.
        proxy: Option<Proxy> = section().optional("no proxy"),
        /// Where an answer may send a request on to.
        redirects: Redirects = section(),
        /// Whether credentials may go over http, without encryption, to a host that is not this machine.
        allow_insecure_http: bool = flag().or(false),
        /// The connections themselves.
        tcp_connection: TcpConnection = section(),
        /// How connections of HTTP/2 are shared.
        http2: Http2 = section(),
        /// TLS of `https` URLs.
        tls: Tls = section(),
    }
}

const ENGINES: &[Choice<EngineName>] = &[
    ("hyper", EngineName::Hyper, "HTTP/1.1 and HTTP/2 over a pool of its own"),
    ("render", EngineName::Render, "sends nothing and answers with the request as it would have been sent"),
];

/// An engine by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineName {
    /// `hyper`: HTTP/1.1 and HTTP/2 over a pool of its own.
    Hyper,
    /// `render`: sends nothing and answers with the request.
    Render,
}

impl EngineName {
    /// The name as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hyper => "hyper",
            Self::Render => "render",
        }
    }
}
