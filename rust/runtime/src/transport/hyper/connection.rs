//! A connection as an attempt holds it: alone (HTTP/1.1), or a stream of one that it shares (HTTP/2).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::Either;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::time::Instant;

use super::http1::Alone;
use super::http2::Stream;
use super::wire::Traffic;
use crate::exchange::TransportFacts;

/// A request on its way.
pub(super) type Message = http::Request<Full<Bytes>>;

/// How a request ended that got no head of an answer.
pub(super) type NoAnswer = TrySendError<Message>;

/// After so long a pause a connection may have ended without this side having noticed yet. The look costs a system
/// call: between two requests that follow each other at once it is left out.
const SUSPECT_AFTER: Duration = Duration::from_millis(1);

/// What a socket is, from its making to its end.
pub(super) struct Line {
    pub(super) remote_addr: SocketAddr,
    pub(super) times: ConnectTimes,
    pub(super) traffic: Arc<Traffic>,
    pub(super) opened: Instant,
}

/// How long the phases of its making took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ConnectTimes {
    pub(super) dns: Duration,
    pub(super) connect: Duration,
    pub(super) tls: Option<Duration>,
}

/// The right to send one request at a time. Dropping it closes what is its alone: the connection, or its stream.
pub(super) enum Connection {
    /// Boxed, for it goes from hand to hand with every request.
    Alone(Box<Alone>),
    Stream(Stream),
}

impl Connection {
    pub(super) fn line(&self) -> &Line {
        match self {
            Self::Alone(alone) => &alone.line,
            Self::Stream(stream) => stream.line(),
        }
    }

    /// Requests that the socket has carried before the next one.
    pub(super) fn uses(&self) -> u64 {
        match self {
            Self::Alone(alone) => alone.uses,
            Self::Stream(stream) => stream.number(),
        }
    }

    /// Whether it is known to have ended.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Alone(alone) => alone.is_closed(),
            Self::Stream(stream) => stream.is_closed(),
        }
    }

    /// Whether it can be written to, after so long a pause. When not, it has ended, or its task has not yet seen the end of
    /// its last answer.
    pub(super) fn is_ready_at_once(&self, idle: Duration) -> bool {
        if idle >= SUSPECT_AFTER {
            self.line().traffic.suspect();
        }
        match self {
            Self::Alone(alone) => alone.is_ready_at_once(),
            Self::Stream(stream) => !stream.is_closed(),
        }
    }

    /// Waits until the end of its last answer has been seen by its task as well; false when it has ended.
    pub(super) async fn is_ready(&mut self, idle: Duration) -> bool {
        self.is_ready_at_once(idle)
            || match self {
                Self::Alone(alone) => alone.settles().await,
                Self::Stream(_) => false,
            }
    }

    /// Writes a request and waits for the head of its answer.
    pub(super) fn send(
        &mut self,
        message: Message,
    ) -> impl Future<Output = Result<http::Response<Incoming>, NoAnswer>> + Send {
        match self {
            Self::Alone(alone) => Either::Left(alone.send(message)),
            Self::Stream(stream) => Either::Right(stream.send(message)),
        }
    }

    /// Writes down what an attempt learns by getting this connection, before it is written to at this moment.
    pub(super) fn note(&self, facts: &mut TransportFacts, written: Instant) {
        let (line, uses) = (self.line(), self.uses());
        facts.protocol = Some(match self {
            Self::Alone(_) => "HTTP/1.1",
            Self::Stream(_) => "HTTP/2",
        });
        facts.remote_addr = Some(line.remote_addr);
        facts.reused = Some(uses > 0);
        facts.connection_uses = Some(uses + 1);
        facts.connection_age = Some(written - line.opened);
        let new = uses == 0;
        facts.dns = new.then_some(line.times.dns);
        facts.connect = new.then_some(line.times.connect);
        facts.tls = line.times.tls.filter(|_| new);
    }

    /// Lets it take no further request when nothing was answered on it while one has waited: the others would wait as
    /// long.
    pub(super) fn retire_if_silent(&self) {
        if let Self::Stream(stream) = self
            && stream.is_silent()
        {
            stream.retire();
        }
    }

    /// Bytes read and written since `before`; over a shared connection, since the last attempt that ended there.
    pub(super) fn bytes_since(&self, before: (u64, u64)) -> (u64, u64) {
        match self {
            Self::Alone(alone) => {
                let now = alone.line.traffic.so_far();
                (now.0 - before.0, now.1 - before.1)
            }
            Self::Stream(stream) => stream.bytes(),
        }
    }
}
