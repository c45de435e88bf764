//! `transport.tcp_connection`: how many connections, and for how long.

use super::DAY;
use crate::keys::{flag, keys, seconds, whole};

keys! {
    /// The connections of an executor process.
    pub struct TcpConnection {
        /// Most connections that an executor process holds open at once.
        limit: usize = whole(1..=100_000, "connections").or(100),
        /// Most of them to one host.
        limit_per_host: Option<usize> =
            whole(1..=100_000, "connections").for_example(50).optional("`limit`"),
        /// Time after which an idle connection is closed. Choose it shorter than the server's own.
        idle_timeout: f64 = seconds(0.0..=DAY).or(60.0),
        /// Time after which a connection is used for no further request, so that load follows a name that moves.
        lifetime: Option<f64> = seconds(0.001..=7.0 * DAY).for_example(600.0).optional("no limit"),
        /// Whether a connection is kept for further requests.
        keep_alive: bool = flag().or(true),
        /// Requests after which a connection is closed.
        requests_per_connection: Option<u64> =
            whole(1..=1_000_000_000, "requests").for_example(1_000).optional("no limit"),
        /// Idle time after which the operating system asks the peer whether it is still there (TCP keep-alive); 0
        /// never asks.
        probe_interval: f64 = seconds(0.0..=DAY).or(60.0),
    }
}
