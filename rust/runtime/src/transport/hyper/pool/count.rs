//! What the limits count, and who waits for it to change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::host::Host;
use crate::exchange::Failure;

/// Counts of a pool.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Sockets open now.
    pub(super) open: AtomicUsize,
    /// Sockets opened since the start.
    pub(super) opened: AtomicU64,
    /// Connections idle, in use or being opened; what the limit counts.
    pub(super) held: AtomicUsize,
    /// Callers that wait for a connection to be given back or to end.
    waiting: AtomicUsize,
    changed: Notify,
}

impl Counts {
    /// Lets those who wait look again.
    pub(super) fn tell(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.changed.notify_waiters();
        }
    }

    /// Waits until something is there, looking again whenever something has changed.
    pub(super) async fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        if let Some(found) = look() {
            return found;
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let waiting = Waiting(&self.waiting);
        loop {
            // Registered before the look, so that a change in between is not missed.
            let changed = self.changed.notified();
            if let Some(found) = look() {
                drop(waiting);
                return found;
            }
            changed.await;
        }
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The right to one more connection to a host. Counts against the limits until it is dropped.
#[derive(Debug)]
pub(in crate::transport::hyper) struct Ticket {
    host: Arc<Host>,
    counts: Arc<Counts>,
    opening: AtomicBool,
}

impl Ticket {
    /// A ticket, if the limits leave room for it.
    pub(super) fn new(
        host: &Arc<Host>,
        per_host: usize,
        counts: &Arc<Counts>,
        total: usize,
    ) -> Result<Self, Full> {
        let below = |limit: usize| move |held| (held < limit).then_some(held + 1);
        let (set, fetch) = (Ordering::SeqCst, Ordering::SeqCst);
        if !host.begin_opening() {
            return Err(Full::Host);
        }
        if host.held.fetch_update(set, fetch, below(per_host)).is_err() {
            host.end_opening();
            return Err(Full::Host);
        }
        if counts.held.fetch_update(set, fetch, below(total)).is_err() {
            host.held.fetch_sub(1, Ordering::SeqCst);
            host.end_opening();
            return Err(Full::Pool);
        }
        Ok(Self { host: host.clone(), counts: counts.clone(), opening: AtomicBool::new(true) })
    }

    /// Counts a socket that is about to be opened.
    pub(in crate::transport::hyper) fn opening(&self) -> OpenCount {
        self.counts.open.fetch_add(1, Ordering::Relaxed);
        self.counts.opened.fetch_add(1, Ordering::Relaxed);
        OpenCount(self.counts.clone())
    }

    /// Its connection cannot be made, which is the answer for those as well who have waited for it.
    pub(in crate::transport::hyper) fn failed(self, failure: &Failure) {
        self.host.opening_failed(failure);
    }

    /// Its connection is there, and where it is shared, others can see it.
    pub(in crate::transport::hyper) fn opened(&self) {
        if self.opening.swap(false, Ordering::SeqCst) {
            self.host.end_opening();
        }
    }

    /// Lets those who wait look again.
    pub(in crate::transport::hyper) fn tell(&self) {
        self.counts.tell();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.opened();
        self.host.held.fetch_sub(1, Ordering::SeqCst);
        self.counts.held.fetch_sub(1, Ordering::SeqCst);
        self.counts.tell();
    }
}

/// Which limit leaves no room.
pub(super) enum Full {
    Host,
    Pool,
}

/// Counts one open socket until it is dropped.
#[derive(Debug)]
pub(in crate::transport::hyper) struct OpenCount(Arc<Counts>);

impl Drop for OpenCount {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
        self.0.tell();
    }
}
