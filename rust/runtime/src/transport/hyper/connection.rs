//! A connection as the pool keeps it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use tokio::time::{Instant, timeout};

use super::pool::Ticket;
use super::wire::Traffic;
use crate::exchange::TransportFacts;

/// After so long a pause a connection may have ended without this side having noticed yet. The look costs a system
/// call: between two requests that follow each other at once it is left out.
const SUSPECT_AFTER: Duration = Duration::from_millis(1);

/// A connection that is still busy so long after its answer's end, such as with a request that its server has
/// answered without reading it, is not waited for.
const SETTLES_WITHIN: Duration = Duration::from_millis(100);

/// A connection that is ready for a request. Dropping it closes it.
pub(super) struct Connection {
    pub(super) sender: http1::SendRequest<Full<Bytes>>,
    pub(super) remote_addr: SocketAddr,
    pub(super) times: ConnectTimes,
    pub(super) traffic: Arc<Traffic>,
    pub(super) opened: Instant,
    /// Requests that it has carried.
    pub(super) uses: u64,
    /// Its place in the pool's count.
    pub(super) _ticket: Ticket,
}

/// How long the phases of its making took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ConnectTimes {
    pub(super) dns: Duration,
    pub(super) connect: Duration,
    pub(super) tls: Option<Duration>,
}

impl Connection {
    /// Whether it is known to have ended.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Waits until the end of its last answer has been seen by its task as well; false when it has ended.
    pub(super) async fn is_ready(&mut self, idle_since: Instant) -> bool {
        if idle_since.elapsed() >= SUSPECT_AFTER {
            self.traffic.suspect();
        }
        self.sender.is_ready() || matches!(timeout(SETTLES_WITHIN, self.sender.ready()).await, Ok(Ok(())))
    }

    /// Writes a request and waits for the head of its answer.
    pub(super) async fn send(
        &mut self,
        message: http::Request<Full<Bytes>>,
    ) -> Result<http::Response<Incoming>, TrySendError<http::Request<Full<Bytes>>>> {
        self.uses += 1;
        self.sender.try_send_request(message).await
    }

    /// Writes down what an attempt learns by getting this connection.
    pub(super) fn note(&self, facts: &mut TransportFacts) {
        facts.protocol = Some("HTTP/1.1");
        facts.remote_addr = Some(self.remote_addr);
        facts.reused = Some(self.uses > 0);
        facts.connection_uses = Some(self.uses + 1);
        facts.connection_age = Some(self.opened.elapsed());
        let new = self.uses == 0;
        facts.dns = new.then_some(self.times.dns);
        facts.connect = new.then_some(self.times.connect);
        facts.tls = self.times.tls.filter(|_| new);
    }
}
