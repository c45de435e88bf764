//! The transport's part of the plan.

use serde::{Deserialize, Serialize};

use crate::plan::SecretSlot;

/// How connections are made and kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransportPlan {
    /// Engine by name: `hyper`, `render`, or one that the process adds.
    pub engine: String,
    /// Longest time of one attempt, from the connection's making to the answer's last byte; the waits for a pooled
    /// connection and for the rate limit are not counted.
    pub base_timeout_ms: u64,
    /// Longest time for DNS and TCP of a new connection.
    pub connect_timeout_ms: u64,
    /// Longest time for the TLS handshake of a new connection.
    pub tls_timeout_ms: u64,
    /// Longest time from the request's writing to the head of its answer; none means `base_timeout_ms` alone.
    pub first_byte_timeout_ms: Option<u64>,
    /// Longest time between two pieces of an answer; none means `base_timeout_ms` alone.
    pub between_bytes_timeout_ms: Option<u64>,
    /// What happens before the first row; none means nothing.
    pub warmup: Option<WarmupPlan>,
    /// Time for which the addresses of a name are kept.
    pub dns_cache_ms: u64,
    /// What stands in between; none means nothing.
    pub proxy: Option<ProxyPlan>,
    /// Which redirects are followed; none means that none is.
    pub redirects: Option<RedirectPlan>,
    /// The TCP connections.
    pub tcp: TcpPlan,
    /// Which HTTP is spoken.
    pub http_version: HttpVersionPlan,
    /// Connections of HTTP/2.
    pub http2: Http2Plan,
    /// TLS.
    pub tls: TlsPlan,
    /// Whether compressed answers are asked for and decompressed.
    pub decompress: bool,
    /// Longest answer body in bytes, decompressed; what is beyond is cut off and flagged.
    pub max_response_bytes: usize,
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyPlan {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Host and port.
    pub authority: String,
    /// User and password.
    pub credentials: Option<(SecretSlot, SecretSlot)>,
    /// Hosts that are reached without it, and those below them; lower case.
    pub no_proxy: Vec<String>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyKind {
    /// HTTP (RFC 9110, 7.6): CONNECT for https, the absolute form for http.
    Http,
    /// SOCKS 5 (RFC 1928).
    Socks5,
}

/// Which redirects are followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectPlan {
    /// Most of them in a row.
    pub max: u32,
    /// Hosts, with their port unless it is the scheme's own, that are allowed beside the request's own origin.
    pub hosts: Vec<String>,
}

/// What an executor does before its first row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmupPlan {
    /// Path that is asked for with HEAD, encoded; none means that a connection alone is made.
    pub head: Option<String>,
    /// Longest time of all of it.
    pub timeout_ms: u64,
    /// Whether its failure ends the task.
    pub required: bool,
}

/// The TCP connections of an executor process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TcpPlan {
    /// Most connections open at once.
    pub limit: usize,
    /// Most connections open at once to one host; none means `limit`.
    pub limit_per_host: Option<usize>,
    /// An idle connection is closed after this time.
    pub idle_timeout_ms: u64,
    /// A connection is used for no further request after this time; none means forever.
    pub lifetime_ms: Option<u64>,
    /// Whether a connection is kept for further requests.
    pub keep_alive: bool,
    /// A connection is closed after so many requests; none means never.
    pub requests_per_connection: Option<u64>,
    /// Idle time after which the kernel probes whether the peer is still there; none switches the probes off.
    pub probe_interval_ms: Option<u64>,
}

impl Default for TcpPlan {
    fn default() -> Self {
        Self {
            limit: 100,
            limit_per_host: None,
            idle_timeout_ms: 60_000,
            lifetime_ms: None,
            keep_alive: true,
            requests_per_connection: None,
            probe_interval_ms: Some(60_000),
        }
    }
}

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpVersionPlan {
    /// HTTP/2 where the server chooses it over TLS, else HTTP/1.1.
    Auto,
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2 alone, with prior knowledge where there is no TLS.
    Http2,
}

impl HttpVersionPlan {
    /// The protocols that are offered over TLS (ALPN), the preferred one first.
    #[must_use]
    pub const fn offered(self) -> &'static [&'static str] {
        match self {
            Self::Auto => &["h2", "http/1.1"],
            Self::Http1 => &["http/1.1"],
            Self::Http2 => &["h2"],
        }
    }
}

/// How connections of HTTP/2 are shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Http2Plan {
    /// Most requests at once over one connection.
    pub streams_per_connection: u32,
    /// Most bytes of an answer that may be under way before they are read.
    pub window_bytes: u32,
    /// Silence after which a connection with a request in flight is asked for a sign of life; none never asks.
    pub ping_interval_ms: Option<u64>,
    /// Longest time for that sign.
    pub ping_timeout_ms: u64,
}

/// Whom to trust over TLS, and who we are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TlsPlan {
    /// Certificates of the authorities that are trusted, in PEM form; none means those of the operating system.
    pub ca: Option<String>,
    /// The client certificate.
    pub client: Option<ClientCertificatePlan>,
    /// The name that is asked for and that the server's certificate must hold; none means the URL's host.
    pub server_name: Option<String>,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// The server's key must be one of these (`sha256/` and base64 of SHA-256 over the SubjectPublicKeyInfo); empty
    /// means any.
    pub pins: Vec<String>,
    /// Whether sessions are resumed.
    pub session_resumption: bool,
    /// Whether chain and name of the server's certificate are checked.
    pub verify: bool,
}

/// A client certificate. Its parts are slots, so that a renewed one leaves the plan's digest alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificatePlan {
    /// In PEM form.
    Pem {
        /// The certificate and its chain, its own first.
        certificate: SecretSlot,
        /// Its private key.
        key: SecretSlot,
    },
    /// A PKCS#12 store (RFC 7292).
    Pkcs12 {
        /// The store, in Base64.
        store: SecretSlot,
        /// Its password; none for the empty one.
        password: Option<SecretSlot>,
    },
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlsVersion {
    /// RFC 5246.
    #[serde(rename = "1.2")]
    V1_2,
    /// RFC 8446.
    #[serde(rename = "1.3")]
    V1_3,
}

impl Default for TlsPlan {
    fn default() -> Self {
        Self {
            ca: None,
            client: None,
            server_name: None,
            min_version: TlsVersion::V1_2,
            pins: Vec::new(),
            session_resumption: true,
            verify: true,
        }
    }
}
