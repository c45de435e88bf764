//! A caller's place in the pool, and what it gets there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::Pool;
use super::count::{Full, Ticket};
use super::host::{Host, Idle};
use super::lock;
use crate::exchange::Failure;
use crate::request::Origin;
use crate::transport::hyper::connect::{Made, Speaks};
use crate::transport::hyper::connection::Connection;
use crate::transport::hyper::http1::Alone;
use crate::transport::hyper::http2::Shared;

/// The right to send one request at a time to a host.
pub(in crate::transport::hyper) struct Place<'a> {
    pub(super) pool: &'a Pool,
    pub(super) host: &'a Arc<Host>,
    pub(super) _permit: SemaphorePermit<'a>,
}

/// What a place gives.
pub(in crate::transport::hyper) enum Taken {
    /// A connection that still seems open, and for how long it was idle.
    Ready(Connection, Duration),
    /// The right to make one.
    Open(Ticket),
    /// The connection that others make, and that would have been shared, cannot be made.
    Failed(Failure),
}

impl Place<'_> {
    /// Waits for a connection, or the right to make one.
    pub(in crate::transport::hyper) async fn take(&self) -> Taken {
        let seen = self.host.failures();
        self.pool.counts.until(|| self.look(seen, Instant::now())).await
    }

    /// The same, if there is one now.
    pub(in crate::transport::hyper) fn take_at_once(&self, now: Instant) -> Option<Taken> {
        self.look(self.host.failures(), now)
    }

    /// Where it goes.
    pub(in crate::transport::hyper) fn origin(&self) -> &Origin {
        &self.host.origin
    }

    /// `seen` is how many connections had failed when the caller began to wait.
    fn look(&self, seen: u64, now: Instant) -> Option<Taken> {
        let Self { pool, host, .. } = self;
        let ready = host.take_stream(&pool.limits, now).or_else(|| host.take_idle(&pool.limits, now));
        if let Some((connection, idle)) = ready {
            return Some(Taken::Ready(connection, idle));
        }
        if let Some(failure) = host.failed_since(seen) {
            return Some(Taken::Failed(failure));
        }
        loop {
            match Ticket::new(host, pool.limits.per_host, &pool.counts, pool.limits.total) {
                Ok(ticket) => return Some(Taken::Open(ticket)),
                Err(Full::Pool) if pool.evict() => {}
                Err(_) => return None,
            }
        }
    }

    /// Takes in a connection that was made; the first to use it is the caller.
    pub(in crate::transport::hyper) fn made(&self, made: Made) -> Connection {
        let Self { pool, host, .. } = self;
        let Made { speaks, line, ticket } = made;
        match speaks {
            Speaks::Http1(sender) => {
                host.is_not_shared();
                ticket.opened();
                pool.counts.tell();
                Connection::Alone(Box::new(Alone::new(sender, line, ticket)))
            }
            Speaks::Http2(beginning) => {
                let (shared, first) = Shared::new(beginning, line, ticket);
                host.share(shared.clone(), &pool.limits);
                shared.ticket.opened();
                self.changed();
                Connection::Stream(first)
            }
        }
    }

    /// Gives a connection back whose answer was read to the end, or that has carried no request: it is idle since then.
    pub(in crate::transport::hyper) fn put(&self, connection: Connection, since: Instant) {
        let Connection::Alone(connection) = connection else { return };
        if self.pool.limits.keeps_idle(&connection, Duration::ZERO, since) {
            lock(&self.host.idle).push(Idle { connection, since });
            self.changed();
        }
    }

    /// Tells of a connection that others may use now; when the pool closes meanwhile, nobody does.
    fn changed(&self) {
        if self.pool.is_closing() {
            self.host.close();
        }
        self.pool.counts.tell();
    }
}
