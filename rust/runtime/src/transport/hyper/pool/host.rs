//! The connections to one origin.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::limits::Limits;
use super::lock;
use crate::exchange::{Failure, FailureKind};
use crate::request::Origin;
use crate::transport::hyper::connection::Connection;
use crate::transport::hyper::http1::Alone;
use crate::transport::hyper::http2::Shared;
use crate::transport::hyper::targets::Targets;

/// The connections to one origin. There are as many as origins are configured: bounded by the config.
#[derive(Debug)]
pub(in crate::transport::hyper) struct Host {
    pub(super) origin: Arc<Origin>,
    pub(in crate::transport::hyper) targets: Targets,
    /// As many as requests may be under way: one for each connection, and more once these are shared.
    pub(super) places: Semaphore,
    widened: AtomicBool,
    pub(super) held: AtomicUsize,
    /// Connections of HTTP/1.1 that nobody uses, the latest used last.
    pub(super) idle: Mutex<Vec<Idle>>,
    /// Connections of HTTP/2, the oldest first.
    pub(super) shared: Mutex<Vec<Arc<Shared>>>,
    opening: Mutex<Opening>,
    /// How many could not be made.
    failures: AtomicU64,
}

/// A connection that nobody uses.
pub(super) struct Idle {
    pub(super) connection: Box<Alone>,
    pub(super) since: Instant,
}

/// Connections being made.
#[derive(Debug)]
struct Opening {
    /// Whether the next one may turn out to be shared: then others wait for it instead of making their own.
    one_by_one: bool,
    now: usize,
    /// How the last one that has failed did.
    failure: Option<Failure>,
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Idle({})", self.connection.line.remote_addr)
    }
}

impl Host {
    pub(super) fn new(origin: Arc<Origin>, places: usize, one_by_one: bool) -> Self {
        Self {
            origin,
            targets: Targets::default(),
            places: Semaphore::new(places),
            widened: AtomicBool::new(false),
            held: AtomicUsize::new(0),
            idle: Mutex::default(),
            shared: Mutex::default(),
            opening: Mutex::new(Opening { one_by_one, now: 0, failure: None }),
            failures: AtomicU64::new(0),
        }
    }

    /// Whether a connection may be made now; if so it counts until [`Host::end_opening`].
    pub(super) fn begin_opening(&self) -> bool {
        let mut opening = lock(&self.opening);
        let may = !opening.one_by_one || opening.now == 0;
        opening.now += usize::from(may);
        may
    }

    pub(super) fn end_opening(&self) {
        lock(&self.opening).now -= 1;
    }

    pub(super) fn opening_failed(&self, failure: &Failure) {
        // Whose time was over is of no concern to the others.
        if failure.kind != FailureKind::Timeout {
            let mut opening = lock(&self.opening);
            opening.failure = Some(failure.clone());
            self.failures.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// How many connections could not be made so far.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::SeqCst)
    }

    /// Why the connection that others have waited for cannot be made, if one has failed since `seen`.
    pub(super) fn failed_since(&self, seen: u64) -> Option<Failure> {
        if self.failures() == seen {
            return None;
        }
        let opening = lock(&self.opening);
        opening.failure.clone().filter(|_| opening.one_by_one)
    }

    /// Each request has its connection: there may be as many under way as connections.
    pub(super) fn is_not_shared(&self) {
        lock(&self.opening).one_by_one = false;
    }

    /// Takes a shared connection in, and as many requests as connections of its kind can carry.
    pub(super) fn share(&self, shared: Arc<Shared>, limits: &Limits) {
        let more = shared.most(limits.streams).saturating_sub(1) * limits.per_host;
        if !self.widened.swap(true, Ordering::SeqCst) {
            self.places.add_permits(more.min(Semaphore::MAX_PERMITS - limits.per_host));
        }
        lock(&self.opening).one_by_one = true;
        lock(&self.shared).push(shared);
    }

    /// Whether connections have turned out to be shared.
    pub(super) fn is_shared(&self) -> bool {
        self.widened.load(Ordering::SeqCst)
    }

    /// An idle connection that still seems open, the latest used, and for how long it was idle.
    pub(super) fn take_idle(&self, limits: &Limits, now: Instant) -> Option<(Connection, Duration)> {
        loop {
            let Idle { connection, since } = lock(&self.idle).pop()?;
            let rested = now.saturating_duration_since(since);
            if limits.keeps_idle(&connection, rested, now) {
                return Some((Connection::Alone(connection), rested));
            }
        }
    }

    /// A stream of a shared connection, and for how long that was idle. Connections that take no further request are
    /// left to their streams.
    pub(super) fn take_stream(&self, limits: &Limits, now: Instant) -> Option<(Connection, Duration)> {
        if !self.is_shared() {
            return None;
        }
        let mut all = lock(&self.shared);
        all.retain(|shared| limits.keeps_shared(shared, now));
        let stream = all.iter().find_map(|shared| shared.stream(shared.most(limits.streams), limits.uses))?;
        let idle = stream.idle(now);
        Some((Connection::Stream(stream), idle))
    }

    /// Closes what is idle or old for too long.
    pub(super) fn drop_expired(&self, limits: &Limits) {
        let now = Instant::now();
        lock(&self.idle).retain(|idle| limits.keeps_idle(&idle.connection, now - idle.since, now));
        lock(&self.shared).retain(|shared| limits.keeps_shared(shared, now));
    }

    /// Closes all that nobody uses, and lets what is in use end with its requests.
    pub(super) fn close(&self) {
        self.places.close();
        lock(&self.idle).clear();
        lock(&self.shared).clear();
    }

    /// Since when its longest idle connection is idle.
    pub(super) fn longest_idle(&self) -> Option<Instant> {
        let idle = lock(&self.idle).first().map(|idle| idle.since);
        let shared = lock(&self.shared).iter().filter_map(|shared| shared.idle_since()).min();
        idle.into_iter().chain(shared).min()
    }

    /// Closes the connection that has been idle longest; false when there is none.
    pub(super) fn evict(&self) -> bool {
        let mut all = lock(&self.shared);
        let longest =
            all.iter().enumerate().filter_map(|(at, shared)| Some((shared.idle_since()?, at))).min();
        let mut idle = lock(&self.idle);
        match (longest, idle.first().map(|idle| idle.since)) {
            (Some((since, at)), first) if first.is_none_or(|first| since < first) => drop(all.remove(at)),
            (_, Some(_)) => drop(idle.remove(0)),
            (_, None) => return false,
        }
        true
    }
}
