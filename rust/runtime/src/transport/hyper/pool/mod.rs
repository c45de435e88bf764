//! The pool: a bounded number of connections. Those of HTTP/1.1 carry one request at a time, are kept for a while when
//! they are idle, and the latest used is used first; those of HTTP/2 are shared, and a further one is made when all
//! streams are in use.
//!
//! A caller first waits for a place at its host, of which there are as many as requests can be under way; only then,
//! and as late as it likes, does it take a connection. All requests of a plan go to one host unless redirects lead
//! elsewhere: with one host a caller that has a place and finds no connection may make one. With several hosts the
//! idle connection of another host is closed to make room; if all are in use, the caller waits. So does it while
//! another makes a connection that can be shared.

mod count;
mod host;
mod hosts;
mod limits;
mod place;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use apisink_plan::{HttpVersionPlan, TransportPlan};

use self::count::Counts;
pub(super) use self::count::{OpenCount, Ticket};
use self::host::Host;
use self::hosts::Hosts;
use self::limits::Limits;
pub(super) use self::place::{Place, Taken};
use super::connection::Connection;
use crate::request::Origin;
use crate::transport::Connections;

/// All connections of an engine.
#[derive(Debug)]
pub(super) struct Pool {
    limits: Limits,
    version: HttpVersionPlan,
    hosts: Hosts,
    counts: Arc<Counts>,
    closing: AtomicBool,
}

impl Pool {
    pub(super) fn new(plan: &TransportPlan) -> Arc<Self> {
        Arc::new(Self {
            limits: Limits::new(&plan.tcp, &plan.http2),
            version: plan.http_version,
            hosts: Hosts::default(),
            counts: Arc::default(),
            closing: AtomicBool::new(false),
        })
    }

    /// The connections to an origin.
    pub(super) fn host(&self, origin: &Arc<Origin>) -> &Arc<Host> {
        self.hosts.of(origin, || {
            let may_be_shared = match self.version {
                HttpVersionPlan::Auto => origin.tls,
                HttpVersionPlan::Http1 => false,
                HttpVersionPlan::Http2 => true,
            };
            Host::new(origin.clone(), self.limits.per_host, may_be_shared)
        })
    }

    /// The right to send a request, if it is free and nobody waits for it.
    pub(super) fn free_place<'a>(&'a self, host: &'a Arc<Host>) -> Option<Place<'a>> {
        host.places.try_acquire().ok().map(|permit| Place { pool: self, host, _permit: permit })
    }

    /// Waits for the right to send a request, in the order of asking. None once the pool is shut down.
    pub(super) async fn place<'a>(&'a self, host: &'a Arc<Host>) -> Option<Place<'a>> {
        host.places.acquire().await.ok().map(|permit| Place { pool: self, host, _permit: permit })
    }

    /// As many requests as connections, unless these are, or will be, shared.
    pub(super) fn carries(&self) -> Option<usize> {
        let shared = self.version == HttpVersionPlan::Http2 || self.hosts.iter().any(|host| host.is_shared());
        (!shared).then_some(self.limits.total)
    }

    pub(super) fn connections(&self) -> Connections {
        Connections {
            open: self.counts.open.load(Ordering::Relaxed),
            opened: self.counts.opened.load(Ordering::Relaxed),
        }
    }

    /// Whether the next request is the last that the connection may carry.
    pub(super) fn is_last_use(&self, connection: &Connection) -> bool {
        connection.uses() + 1 >= self.limits.uses
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Closes connections that idle or live too long, for as long as the pool lives. Needs a tokio runtime.
    pub(super) fn reap(pool: &Arc<Self>) {
        let period = pool.limits.period();
        let pool: Weak<Self> = Arc::downgrade(pool);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(period);
            loop {
                ticks.tick().await;
                let Some(pool) = pool.upgrade() else { return };
                for host in pool.hosts.iter() {
                    host.drop_expired(&pool.limits);
                }
            }
        });
    }

    /// Gives out no further place, closes what is idle, and returns when all connections have ended. What is in use
    /// ends with its request.
    pub(super) async fn shut_down(&self) {
        self.closing.store(true, Ordering::SeqCst);
        for host in self.hosts.iter() {
            host.close();
        }
        self.counts.until(|| (self.counts.open.load(Ordering::SeqCst) == 0).then_some(())).await;
    }

    /// Closes the connection that has been idle longest, of any host; false when there is none.
    fn evict(&self) -> bool {
        let longest = self.hosts.iter().filter_map(|host| Some((host.longest_idle()?, host)));
        longest.min_by_key(|(since, _)| *since).is_some_and(|(_, host)| host.evict())
    }
}

impl Drop for Pool {
    /// Connections know their host, and the host knows them: they would keep each other open.
    fn drop(&mut self) {
        for host in self.hosts.iter() {
            host.close();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is one step: what is held is whole even if a holder panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
