//! A connection of HTTP/1.1: one request at a time.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::connection::{Line, Message, NoAnswer};
use super::pool::Ticket;

/// A connection that is still busy so long after its answer's end, such as with a request that its server has
/// answered without reading it, is not waited for.
const SETTLES_WITHIN: Duration = Duration::from_millis(100);

/// So many bytes of an answer a connection reads before they are asked for, and so long its head may be. No budget knows of
/// them: hyper would read up to six times as much, of each of some hundred connections.
const READ_AHEAD: usize = 64 * 1024;

/// A connection that nobody else uses. Dropping it closes it.
pub(super) struct Alone {
    sender: SendRequest<Full<Bytes>>,
    pub(super) line: Line,
    /// Requests that it has carried.
    pub(super) uses: u64,
    /// Its place in the pool's count.
    _ticket: Ticket,
}

/// Begins to speak HTTP/1.1; the connection is read and written in a task of its own until it ends.
pub(super) async fn handshake<S>(stream: S) -> hyper::Result<SendRequest<Full<Bytes>>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http1 = http1::Builder::new();
    http1.max_buf_size(READ_AHEAD);
    let (sender, connection) = http1.handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // Its errors reach the request that suffers them.
        let _ = connection.await;
    });
    Ok(sender)
}

impl Alone {
    pub(super) fn new(sender: SendRequest<Full<Bytes>>, line: Line, ticket: Ticket) -> Self {
        Self { sender, line, uses: 0, _ticket: ticket }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    pub(super) fn is_ready_at_once(&self) -> bool {
        self.sender.is_ready()
    }

    /// Waits a moment until it is ready.
    pub(super) async fn settles(&mut self) -> bool {
        matches!(timeout(SETTLES_WITHIN, self.sender.ready()).await, Ok(Ok(())))
    }

    pub(super) fn send(
        &mut self,
        message: Message,
    ) -> impl Future<Output = Result<http::Response<Incoming>, NoAnswer>> + Send + use<> {
        self.uses += 1;
        self.sender.try_send_request(message)
    }
}
