//! What bounds a pool and its connections.

use std::time::Duration;

use apisink_plan::{Http2Plan, TcpPlan};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::transport::hyper::connection::Line;
use crate::transport::hyper::http1::Alone;
use crate::transport::hyper::http2::{Shared, Sharing};

/// What bounds a pool and its connections.
#[derive(Debug)]
pub(super) struct Limits {
    /// Most connections in all.
    pub(super) total: usize,
    /// Most to one host.
    pub(super) per_host: usize,
    /// Most streams at once over one connection.
    pub(super) streams: u32,
    /// Most requests over one connection.
    pub(super) uses: u64,
    idle_timeout: Duration,
    lifetime: Option<Duration>,
}

impl Limits {
    pub(super) fn new(tcp: &TcpPlan, http2: &Http2Plan) -> Self {
        let total = tcp.limit.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            total,
            per_host: tcp.limit_per_host.map_or(total, |limit| limit.clamp(1, total)),
            streams: Sharing::new(http2).streams,
            uses: if tcp.keep_alive { tcp.requests_per_connection.unwrap_or(u64::MAX) } else { 1 },
            idle_timeout: Duration::from_millis(tcp.idle_timeout_ms),
            lifetime: tcp.lifetime_ms.map(Duration::from_millis),
        }
    }

    /// How often to look for what has expired.
    pub(super) fn period(&self) -> Duration {
        let shortest = self.lifetime.map_or(self.idle_timeout, |lifetime| lifetime.min(self.idle_timeout));
        (shortest / 2).max(Duration::from_millis(100))
    }

    /// Whether a connection that has carried so many requests may carry one more.
    pub(super) fn allow(&self, line: &Line, uses: u64, now: Instant) -> bool {
        uses < self.uses && self.lifetime.is_none_or(|lifetime| now - line.opened < lifetime)
    }

    /// Whether a connection that nobody has used for so long may be used again.
    pub(super) fn keeps_idle(&self, connection: &Alone, idle: Duration, now: Instant) -> bool {
        idle < self.idle_timeout
            && !connection.is_closed()
            && self.allow(&connection.line, connection.uses, now)
    }

    pub(super) fn keeps_shared(&self, shared: &Shared, now: Instant) -> bool {
        let (idle_since, uses) = shared.use_so_far();
        idle_since.is_none_or(|since| now.saturating_duration_since(since) < self.idle_timeout)
            && !shared.is_closed()
            && self.allow(&shared.line, uses, now)
    }
}
