//! The engine `hyper`: HTTP over a pool of its own.

mod answer;
mod attempt;
mod clock;
mod connect;
mod connection;
mod dial;
mod http1;
mod http2;
mod pool;
mod targets;
pub(in crate::transport) mod tls;
mod warmup;
mod wire;

use std::sync::{Arc, Once};

use apisink_plan::TransportPlan;

use self::clock::{Phases, Timers};
use self::connect::Connector;
pub use self::dial::Lookup;
use self::pool::Pool;
use super::{Connections, EngineContext, Permit, Transport};
use crate::budget::Reservation;
use crate::error::RuntimeError;
use crate::exchange::{Failure, Response, TransportFacts};
use crate::middleware::BoxFuture;
use crate::request::{Origin, Request};

/// HTTP/1.1 and HTTP/2 over plain TCP or TLS, with a bounded number of connections.
#[derive(Debug)]
pub struct HyperTransport {
    plan: TransportPlan,
    phases: Phases,
    timers: Timers,
    pool: Arc<Pool>,
    connector: Connector,
    reaping: Once,
}

pub(super) fn make(context: &EngineContext<'_>) -> Result<Box<dyn Transport>, RuntimeError> {
    Ok(Box::new(HyperTransport::new(context)?))
}

impl HyperTransport {
    /// The engine of a plan. Opens nothing yet, but reads the plan's certificates.
    pub fn new(context: &EngineContext<'_>) -> Result<Self, RuntimeError> {
        let plan = context.plan.clone();
        Ok(Self {
            phases: Phases::new(&plan),
            timers: Timers::default(),
            pool: Pool::new(&plan),
            connector: Connector::new(context)?,
            plan,
            reaping: Once::new(),
        })
    }

    /// The same engine with another way from a name to its addresses than the operating system's.
    #[must_use]
    pub fn with_lookup(mut self, lookup: Lookup) -> Self {
        self.connector.dialer.set_lookup(lookup);
        self
    }
}

impl Transport for HyperTransport {
    fn send<'a>(
        &'a self,
        request: &'a Request,
        permit: Permit<'a>,
        memory: &'a mut Reservation,
        facts: &'a mut TransportFacts,
    ) -> BoxFuture<'a, Result<Response, Failure>> {
        Box::pin(self.attempt(request, permit, memory, facts))
    }

    fn warm_up<'a>(
        &'a self,
        origin: &'a Arc<Origin>,
        head: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.reaping.call_once(|| Pool::reap(&self.pool));
            self.reach(origin, head).await
        })
    }

    fn carries(&self) -> Option<usize> {
        self.pool.carries()
    }

    fn connections(&self) -> Connections {
        self.pool.connections()
    }

    fn shut_down(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.pool.shut_down())
    }
}
