//! The pool: a bounded number of connections, the idle ones kept for a while, the latest used first.
//!
//! A caller holds a permit while it uses a connection, and there are as many permits as connections allowed. All
//! requests of a plan go to one origin, so a caller without an idle connection knows that those in use are fewer
//! than the limit: it may open one, and the limit holds exactly.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::Connections;
use super::connect::Connection;

#[derive(Debug)]
pub(super) struct Pool {
    permits: Semaphore,
    idle: Mutex<Vec<Idle>>,
    idle_timeout: Duration,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    open: AtomicUsize,
    opened: AtomicU64,
}

/// Counts one open connection until it is dropped.
pub(super) struct OpenCount(Arc<Counts>);

impl Drop for OpenCount {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Idle({})", self.connection.remote_addr)
    }
}

/// The right to use one connection.
pub(super) struct Lease<'a> {
    pool: &'a Pool,
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(super) fn new(limit: usize, idle_timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            permits: Semaphore::new(limit.clamp(1, Semaphore::MAX_PERMITS)),
            idle: Mutex::new(Vec::new()),
            idle_timeout,
            counts: Arc::new(Counts::default()),
        })
    }

    /// Waits for the right to use a connection, in the order of asking.
    pub(super) async fn lease(&self) -> Option<Lease<'_>> {
        // The semaphore is never closed.
        self.permits.acquire().await.ok().map(|permit| Lease { pool: self, _permit: permit })
    }

    pub(super) fn connections(&self) -> Connections {
        Connections {
            open: self.counts.open.load(Ordering::Relaxed),
            opened: self.counts.opened.load(Ordering::Relaxed),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drop_expired(&self) {
        let now = Instant::now();
        self.idle()
            .retain(|idle| !idle.connection.sender.is_closed() && now - idle.since < self.idle_timeout);
    }

    /// Closes connections that idle too long, for as long as the pool lives. Needs a tokio runtime.
    pub(super) fn reap(pool: &Arc<Self>) {
        let period = (pool.idle_timeout / 2).max(Duration::from_millis(100));
        let pool: Weak<Self> = Arc::downgrade(pool);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(period);
            loop {
                ticks.tick().await;
                match pool.upgrade() {
                    Some(pool) => pool.drop_expired(),
                    None => return,
                }
            }
        });
    }
}

impl Lease<'_> {
    /// An idle connection that still seems open.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut idle = self.pool.idle();
        let now = Instant::now();
        while let Some(Idle { connection, since }) = idle.pop() {
            if !connection.sender.is_closed() && now - since < self.pool.idle_timeout {
                return Some(connection);
            }
        }
        None
    }

    /// Counts a connection that is about to be opened.
    pub(super) fn opening(&self) -> OpenCount {
        self.pool.counts.open.fetch_add(1, Ordering::Relaxed);
        self.pool.counts.opened.fetch_add(1, Ordering::Relaxed);
        OpenCount(self.pool.counts.clone())
    }

    /// Gives a connection back whose answer was read to the end.
    pub(super) fn put(&self, connection: Connection) {
        if !connection.sender.is_closed() {
            self.pool.idle().push(Idle { connection, since: Instant::now() });
        }
    }
}
