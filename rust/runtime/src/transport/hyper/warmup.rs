//! Reaching an origin before the first row.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::{HeaderValue, USER_AGENT};
use tokio::time::Instant;

use super::HyperTransport;
use super::clock::Clock;
use super::pool::Taken;
use crate::budget::ByteBudget;
use crate::exchange::{Failure, TransportFacts};
use crate::rate::RateLimiter;
use crate::request::{Origin, PRODUCT, Request};
use crate::transport::Permit;

impl HyperTransport {
    /// Leaves a connection in the pool; with a path, one that has answered.
    pub(super) async fn reach(&self, origin: &Arc<Origin>, head: Option<&str>) -> Result<(), Failure> {
        if let Some(path) = head {
            let mut request = Request::new(Method::HEAD, origin.clone(), path.to_owned());
            request.headers.insert(USER_AGENT, HeaderValue::from_static(PRODUCT));
            let mut memory = ByteBudget::new(usize::MAX).take(0);
            let mut facts = TransportFacts::default();
            let limiter = RateLimiter::new(None);
            self.attempt(&request, Permit::of(&limiter), &mut memory, &mut facts).await?;
            return Ok(());
        }
        let host = self.pool.host(origin);
        let Some(place) = self.pool.place(host).await else { return Ok(()) };
        let mut clock =
            Clock::start(Duration::from_millis(self.plan.base_timeout_ms), &self.timers, Instant::now());
        let connection = match place.take().await {
            Taken::Ready(connection, _) => connection,
            Taken::Open(ticket) => place.made(self.connector.connect(origin, &mut clock, ticket).await?),
            Taken::Failed(failure) => return Err(failure),
        };
        place.put(connection, Instant::now());
        Ok(())
    }
}
