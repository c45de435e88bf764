//! HTTP/2: several requests at once over one connection.

mod handshake;
mod shared;

pub(super) use handshake::{Beginning, begin};
pub(super) use shared::{Shared, Stream};

use std::time::Duration;

use apisink_plan::Http2Plan;

/// No window may be larger (RFC 9113, 6.9.1).
const LARGEST_WINDOW: u32 = (1 << 31) - 1;

/// How connections are shared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sharing {
    /// Most streams at once.
    pub(super) streams: u32,
    /// Bytes of one answer that may come before they are read.
    window: u32,
    /// After so much silence a PING is sent, whose answer may take so long.
    ping: Option<(Duration, Duration)>,
}

impl Sharing {
    pub(super) fn new(plan: &Http2Plan) -> Self {
        let window = plan.window_bytes.clamp(1, LARGEST_WINDOW);
        let timeout = Duration::from_millis(plan.ping_timeout_ms);
        Self {
            streams: plan.streams_per_connection.clamp(1, LARGEST_WINDOW / window),
            window,
            ping: plan.ping_interval_ms.map(|interval| (Duration::from_millis(interval), timeout)),
        }
    }

    /// Room for a full window of every stream: an answer that nobody reads for a while, because memory is short, holds
    /// up none of the others, on whose end that memory may depend.
    const fn connection_window(&self) -> u32 {
        self.window * self.streams
    }
}
