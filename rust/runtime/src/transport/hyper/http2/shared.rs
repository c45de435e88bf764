//! A connection that is handed out stream by stream.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryFutureExt;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use tokio::time::Instant;

use super::Beginning;
use crate::transport::hyper::connection::{Line, Message, NoAnswer};
use crate::transport::hyper::pool::Ticket;

/// A connection of HTTP/2. It closes when it and all its streams are dropped.
pub(in crate::transport::hyper) struct Shared {
    /// Tells whether it has ended; requests go through the other.
    state: SendRequest<Full<Bytes>>,
    /// Held for one step: a copy for each request would cost more.
    sender: Mutex<SendRequest<Full<Bytes>>>,
    pub(in crate::transport::hyper) line: Line,
    /// Its place in the pool's count.
    pub(in crate::transport::hyper) ticket: Ticket,
    allowed: Arc<AtomicUsize>,
    using: Mutex<Using>,
    /// Heads of answers that have come.
    answers: AtomicU64,
    retired: AtomicBool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shared({})", self.line.remote_addr)
    }
}

struct Using {
    /// Streams handed out now.
    streams: usize,
    /// Streams handed out so far, less those that were given back unused.
    begun: u64,
    /// When the last one was given back.
    since: Instant,
    /// Bytes read and written that a stream has been told of.
    told: (u64, u64),
}

/// One stream. Dropping it cancels its request if that is under way.
pub(in crate::transport::hyper) struct Stream {
    shared: Arc<Shared>,
    /// Streams before it.
    number: u64,
    idle_since: Option<Instant>,
    /// How many answers had come when its request was sent; none before.
    sent: Option<u64>,
}

impl Shared {
    /// A connection and its first stream.
    pub(in crate::transport::hyper) fn new(
        beginning: Beginning,
        line: Line,
        ticket: Ticket,
    ) -> (Arc<Self>, Stream) {
        let Beginning { sender, allowed } = beginning;
        let using = Using { streams: 1, begun: 1, since: Instant::now(), told: line.traffic.so_far() };
        let shared = Arc::new(Self {
            state: sender.clone(),
            sender: Mutex::new(sender),
            line,
            ticket,
            allowed,
            using: Mutex::new(using),
            answers: AtomicU64::new(0),
            retired: AtomicBool::new(false),
        });
        let first =
            Stream { shared: shared.clone(), number: 0, idle_since: Some(Instant::now()), sent: None };
        (shared, first)
    }

    fn using(&self) -> MutexGuard<'_, Using> {
        // Every change is one step: what is held is whole even if a holder panicked.
        self.using.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Most streams at once: the server's limit, or ours if that is lower.
    pub(in crate::transport::hyper) fn most(&self, ours: u32) -> usize {
        self.allowed.load(Ordering::Relaxed).min(ours as usize)
    }

    /// A further stream, if there may be `most` at once and `uses` in all.
    pub(in crate::transport::hyper) fn stream(self: &Arc<Self>, most: usize, uses: u64) -> Option<Stream> {
        let mut using = self.using();
        if using.streams >= most || using.begun >= uses {
            return None;
        }
        let idle_since = (using.streams == 0).then_some(using.since);
        let number = using.begun;
        using.streams += 1;
        using.begun += 1;
        drop(using);
        Some(Stream { shared: self.clone(), number, idle_since, sent: None })
    }

    /// Since when it has had no stream; none while it has one.
    pub(in crate::transport::hyper) fn idle_since(&self) -> Option<Instant> {
        self.use_so_far().0
    }

    /// The same, and the requests that it has carried.
    pub(in crate::transport::hyper) fn use_so_far(&self) -> (Option<Instant>, u64) {
        let using = self.using();
        ((using.streams == 0).then_some(using.since), using.begun)
    }

    /// Whether it has ended, or takes no further request.
    pub(in crate::transport::hyper) fn is_closed(&self) -> bool {
        self.retired.load(Ordering::Relaxed) || self.state.is_closed()
    }
}

impl Stream {
    pub(in crate::transport::hyper) fn line(&self) -> &Line {
        &self.shared.line
    }

    pub(in crate::transport::hyper) fn number(&self) -> u64 {
        self.number
    }

    pub(in crate::transport::hyper) fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// For how long the connection was idle before this stream, by this moment.
    pub(in crate::transport::hyper) fn idle(&self, now: Instant) -> Duration {
        self.idle_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Bytes read and written over the connection since the last stream that asked.
    pub(in crate::transport::hyper) fn bytes(&self) -> (u64, u64) {
        let mut using = self.shared.using();
        let now = self.shared.line.traffic.so_far();
        let before = std::mem::replace(&mut using.told, now);
        (now.0 - before.0, now.1 - before.1)
    }

    /// Lets the connection take no further request: it refuses them, or is silent.
    pub(in crate::transport::hyper) fn retire(&self) {
        self.shared.retired.store(true, Ordering::Relaxed);
    }

    /// Whether nobody has been answered over the connection since the request was sent.
    pub(in crate::transport::hyper) fn is_silent(&self) -> bool {
        self.sent == Some(self.shared.answers.load(Ordering::Relaxed))
    }

    pub(in crate::transport::hyper) fn send(
        &mut self,
        message: Message,
    ) -> impl Future<Output = Result<http::Response<Incoming>, NoAnswer>> + Send {
        self.sent = Some(self.shared.answers.load(Ordering::Relaxed));
        let sending = {
            // A holder that panicked has left nothing half done that another could meet.
            let mut sender = self.shared.sender.lock().unwrap_or_else(PoisonError::into_inner);
            sender.try_send_request(message)
        };
        // No `async` block, which would hold the message twice.
        sending.inspect_ok(|_| {
            self.shared.answers.fetch_add(1, Ordering::Relaxed);
        })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut using = self.shared.using();
        using.streams -= 1;
        if using.streams == 0 {
            using.since = Instant::now();
        }
        if self.sent.is_none() && using.begun == self.number + 1 {
            using.begun -= 1;
        }
        drop(using);
        self.shared.ticket.tell();
    }
}
