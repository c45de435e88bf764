//! `transport`: how connections are made and kept.

use crate::reader::Section;

/// The section `transport`.
#[derive(Clone, Debug, PartialEq)]
pub struct Transport {
    /// Name of the engine: `hyper`, the default, or `render`, which sends nothing and answers with the request.
    pub engine: &'static str,
    /// Longest time of one attempt in seconds: 0.001 to 86400, default 30.
    pub base_timeout: f64,
    /// Longest time for DNS, TCP and TLS of a new connection in seconds: 0.001 to 86400, default 10.
    pub connect_timeout: f64,
    /// Longest time of the warm-up in seconds: 0 to 86400, default 10. Accepted, but not yet used.
    pub warmup_timeout: f64,
    /// Longest answer body in bytes, 1 to 1 GiB, default 8 MiB; what is beyond is cut off and flagged.
    pub max_response_bytes: usize,
    /// The connections themselves.
    pub tcp_connection: TcpConnection,
}

/// The section `transport.tcp_connection`.
#[derive(Clone, Debug, PartialEq)]
pub struct TcpConnection {
    /// Most connections an executor process holds open at once: 1 to 100000, default 100.
    pub limit: usize,
    /// Time in seconds after which an idle connection is closed: 0 to 86400, default 60.
    pub idle_timeout: f64,
}

impl Transport {
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        let day = 86_400.0;
        let read = Self {
            engine: section
                .choice("engine", &[("hyper", "hyper"), ("render", "render")])
                .map_or("hyper", |engine| engine.value),
            base_timeout: section.seconds("base_timeout", 0.001..=day, 30.0),
            connect_timeout: section.seconds("connect_timeout", 0.001..=day, 10.0),
            warmup_timeout: section.seconds("warmup_timeout", 0.0..=day, 10.0),
            max_response_bytes: section.whole("max_response_bytes", "bytes", 1..=1 << 30, 8 << 20) as usize,
            tcp_connection: {
                let mut tcp = section.section("tcp_connection");
                let read = TcpConnection {
                    limit: tcp.whole("limit", "connections", 1..=100_000, 100) as usize,
                    idle_timeout: tcp.seconds("idle_timeout", 0.0..=day, 60.0),
                };
                tcp.finish();
                read
            },
        };
        section.finish();
        read
    }
}
