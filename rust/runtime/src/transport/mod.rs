//! Connections only: DNS, TCP, TLS, pool. Nothing here knows of auth, retries, logging or parsing.
//!
//! An engine is chosen by name ([`Engines`]) and sends one request at a time for its caller ([`Transport::send`]).
//! Adding one is a factory under a name of its own and touches nothing else.

mod engines;
mod failure;
mod hyper;
mod message;
mod permit;
mod render;

pub use self::hyper::{HyperTransport, Lookup};
pub(crate) use engines::RENDER;
pub use engines::{EngineContext, EngineFactory, Engines};
pub use message::CODINGS;
pub use permit::Permit;
pub use render::RenderTransport;

use std::sync::Arc;

use crate::budget::Reservation;
use crate::exchange::{Failure, Response, TransportFacts};
use crate::middleware::BoxFuture;
use crate::request::{Origin, Request};

/// One engine: keeps connections and sends requests over them. Shared by all tasks of a process.
pub trait Transport: Send + Sync {
    /// Sends a request once and reads its answer to the end, or to the cap.
    ///
    /// A slot of the permit's limiter is spent for it, and has come when the request is written; [`Permit::pass`] comes
    /// right before. `memory` grows with the answer; reading waits while the process's budget is full. `facts`, empty at
    /// first, is filled in with what becomes known about the connection, whatever comes of the attempt. Dropping the future
    /// ends the attempt and closes its connection.
    fn send<'a>(
        &'a self,
        request: &'a Request,
        permit: Permit<'a>,
        memory: &'a mut Reservation,
        facts: &'a mut TransportFacts,
    ) -> BoxFuture<'a, Result<Response, Failure>>;

    /// Makes sure that the origin can be reached: connects and, with a path, asks for it with HEAD, whatever the
    /// answer. Spends no slot of a rate limit. The caller bounds its time.
    fn warm_up<'a>(
        &'a self,
        origin: &'a Arc<Origin>,
        head: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        let _ = (origin, head);
        Box::pin(std::future::ready(Ok(())))
    }

    /// How many requests it can carry at once, as far as is known; none when that is for others to bound.
    fn carries(&self) -> Option<usize> {
        None
    }

    /// Connections open now, and opened since the start.
    fn connections(&self) -> Connections;

    /// Ends in order: takes no further request, closes idle connections, and returns when those in use have ended
    /// with their requests.
    fn shut_down(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Counts of an engine's connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Open now.
    pub open: usize,
    /// Opened since the start.
    pub opened: u64,
}
