//! The pool: a bounded number of connections, the idle ones kept for a while, the latest used first.
//!
//! A caller first waits for a place at its host, of which there are as many as connections allowed; only then, and
//! as late as it likes, does it take a connection. All requests of a plan go to one host unless redirects lead
//! elsewhere: with one host a caller that has a place and finds no idle connection may always open one. With several
//! hosts the idle connection of another host is closed to make room; if all are in use, the caller waits.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use apisink_plan::TcpPlan;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::connection::Connection;
use crate::request::Origin;
use crate::transport::Connections;

/// All connections of an engine.
#[derive(Debug)]
pub(super) struct Pool {
    limits: Limits,
    hosts: Mutex<Vec<Arc<Host>>>,
    counts: Arc<Counts>,
    closing: AtomicBool,
}

/// What bounds the pool and its connections.
#[derive(Debug)]
struct Limits {
    total: usize,
    per_host: usize,
    idle_timeout: Duration,
    lifetime: Option<Duration>,
    uses: u64,
}

#[derive(Debug, Default)]
struct Counts {
    /// Sockets open now.
    open: AtomicUsize,
    /// Sockets opened since the start.
    opened: AtomicU64,
    /// Connections idle, in use or being opened; what the limit counts.
    held: AtomicUsize,
    /// Callers that wait for a connection to be given back or to end.
    waiting: AtomicUsize,
    changed: Notify,
}

impl Counts {
    fn tell(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.changed.notify_waiters();
        }
    }
}

/// The connections to one origin. There are as many as origins are configured: bounded by the config.
#[derive(Debug)]
pub(super) struct Host {
    origin: Arc<Origin>,
    places: Semaphore,
    held: AtomicUsize,
    idle: Mutex<Vec<Idle>>,
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

/// The right to use one connection of a host.
pub(super) struct Place<'a> {
    pool: &'a Pool,
    host: &'a Arc<Host>,
    _permit: SemaphorePermit<'a>,
}

/// Counts against the limit until it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    host: Arc<Host>,
    counts: Arc<Counts>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.host.held.fetch_sub(1, Ordering::SeqCst);
        self.counts.held.fetch_sub(1, Ordering::SeqCst);
        self.counts.tell();
    }
}

impl Ticket {
    /// Counts a socket that is about to be opened.
    pub(super) fn opening(&self) -> OpenCount {
        self.counts.open.fetch_add(1, Ordering::Relaxed);
        self.counts.opened.fetch_add(1, Ordering::Relaxed);
        OpenCount(self.counts.clone())
    }
}

/// Counts one open socket until it is dropped.
#[derive(Debug)]
pub(super) struct OpenCount(Arc<Counts>);

impl Drop for OpenCount {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
        self.0.tell();
    }
}

/// Which limit leaves no room.
enum Full {
    Host,
    Pool,
}

/// What a place gives.
pub(super) enum Taken {
    /// An idle connection that still seems open, and since when it was idle.
    Idle(Connection, Instant),
    /// The right to open one.
    Open(Ticket),
}

impl Pool {
    pub(super) fn new(plan: &TcpPlan) -> Arc<Self> {
        let total = plan.limit.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            limits: Limits {
                total,
                per_host: plan.limit_per_host.map_or(total, |limit| limit.clamp(1, total)),
                idle_timeout: Duration::from_millis(plan.idle_timeout_ms),
                lifetime: plan.lifetime_ms.map(Duration::from_millis),
                uses: if plan.keep_alive { plan.requests_per_connection.unwrap_or(u64::MAX) } else { 1 },
            },
            hosts: Mutex::default(),
            counts: Arc::default(),
            closing: AtomicBool::new(false),
        })
    }

    /// The connections to an origin.
    pub(super) fn host(&self, origin: &Arc<Origin>) -> Arc<Host> {
        let mut hosts = lock(&self.hosts);
        let known = hosts.iter().find(|host| Arc::ptr_eq(&host.origin, origin) || host.origin == *origin);
        if let Some(host) = known {
            return host.clone();
        }
        let host = Arc::new(Host {
            origin: origin.clone(),
            places: Semaphore::new(self.limits.per_host),
            held: AtomicUsize::new(0),
            idle: Mutex::default(),
        });
        hosts.push(host.clone());
        host
    }

    /// Waits for the right to use a connection, in the order of asking. None once the pool is shut down.
    pub(super) async fn place<'a>(&'a self, host: &'a Arc<Host>) -> Option<Place<'a>> {
        host.places.acquire().await.ok().map(|permit| Place { pool: self, host, _permit: permit })
    }

    pub(super) fn connections(&self) -> Connections {
        Connections {
            open: self.counts.open.load(Ordering::Relaxed),
            opened: self.counts.opened.load(Ordering::Relaxed),
        }
    }

    /// Whether it may carry a further request.
    fn is_good(&self, connection: &Connection, now: Instant) -> bool {
        !connection.is_closed()
            && connection.uses < self.limits.uses
            && self.limits.lifetime.is_none_or(|lifetime| now - connection.opened < lifetime)
    }

    /// Whether the next request is the last that it may carry.
    pub(super) fn is_last_use(&self, connection: &Connection) -> bool {
        connection.uses + 1 >= self.limits.uses
    }

    fn drop_expired(&self) {
        let now = Instant::now();
        for host in lock(&self.hosts).iter() {
            lock(&host.idle).retain(|idle| {
                now - idle.since < self.limits.idle_timeout && self.is_good(&idle.connection, now)
            });
        }
    }

    /// Closes connections that idle or live too long, for as long as the pool lives. Needs a tokio runtime.
    pub(super) fn reap(pool: &Arc<Self>) {
        let shortest =
            pool.limits.lifetime.map_or(pool.limits.idle_timeout, |l| l.min(pool.limits.idle_timeout));
        let period = (shortest / 2).max(Duration::from_millis(100));
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

    /// Gives out no further place, closes what is idle, and returns when all connections have ended. What is in use
    /// ends with its request.
    pub(super) async fn shut_down(&self) {
        self.closing.store(true, Ordering::SeqCst);
        for host in lock(&self.hosts).iter() {
            host.places.close();
            lock(&host.idle).clear();
        }
        self.until(|| (self.counts.open.load(Ordering::SeqCst) == 0).then_some(())).await;
    }

    /// Waits until something is there, looking again whenever a connection was given back or has ended.
    async fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        if let Some(found) = look() {
            return found;
        }
        self.counts.waiting.fetch_add(1, Ordering::SeqCst);
        let waiting = Waiting(&self.counts.waiting);
        loop {
            // Registered before the look, so that a change in between is not missed.
            let changed = self.counts.changed.notified();
            if let Some(found) = look() {
                drop(waiting);
                return found;
            }
            changed.await;
        }
    }

    /// A ticket, if the limits leave room for one more connection to the host.
    fn ticket(&self, host: &Arc<Host>) -> Result<Ticket, Full> {
        let below = |limit: usize| move |held| (held < limit).then_some(held + 1);
        let (set, fetch) = (Ordering::SeqCst, Ordering::SeqCst);
        host.held.fetch_update(set, fetch, below(self.limits.per_host)).map_err(|_| Full::Host)?;
        if self.counts.held.fetch_update(set, fetch, below(self.limits.total)).is_err() {
            host.held.fetch_sub(1, Ordering::SeqCst);
            return Err(Full::Pool);
        }
        Ok(Ticket { host: host.clone(), counts: self.counts.clone() })
    }

    /// Closes the connection that has been idle longest, of any host; false when there is none.
    fn evict(&self) -> bool {
        let hosts = lock(&self.hosts).clone();
        let oldest = |host: &Arc<Host>| lock(&host.idle).first().map(|idle| idle.since);
        let longest =
            hosts.iter().filter_map(|host| Some((oldest(host)?, host))).min_by_key(|(since, _)| *since);
        match longest {
            Some((_, host)) => {
                let mut idle = lock(&host.idle);
                let evicted = if idle.is_empty() { None } else { Some(idle.remove(0)) };
                drop(idle);
                evicted.is_some()
            }
            None => false,
        }
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is one step: what is held is whole even if a holder panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place<'_> {
    /// An idle connection, or the right to open one.
    pub(super) async fn take(&self) -> Taken {
        self.pool
            .until(|| {
                if let Some((connection, since)) = self.take_idle() {
                    return Some(Taken::Idle(connection, since));
                }
                loop {
                    match self.pool.ticket(self.host) {
                        Ok(ticket) => return Some(Taken::Open(ticket)),
                        Err(Full::Pool) if self.pool.evict() => {}
                        Err(_) => return None,
                    }
                }
            })
            .await
    }

    fn take_idle(&self) -> Option<(Connection, Instant)> {
        let now = Instant::now();
        loop {
            let Idle { connection, since } = lock(&self.host.idle).pop()?;
            if now - since < self.pool.limits.idle_timeout && self.pool.is_good(&connection, now) {
                return Some((connection, since));
            }
        }
    }

    /// Gives a connection back whose answer was read to the end, or that has carried no request.
    pub(super) fn put(&self, connection: Connection) {
        let now = Instant::now();
        if self.pool.is_good(&connection, now) && !self.pool.closing.load(Ordering::SeqCst) {
            lock(&self.host.idle).push(Idle { connection, since: now });
            self.pool.counts.tell();
        }
    }
}
