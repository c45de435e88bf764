//! The engine `hyper`: HTTP/1.1 over a pool of its own.

use std::sync::{Arc, Once};
use std::time::Duration;

use apisink_plan::TransportPlan;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::connect::{Connection, connect};
use super::failure::{classify, not_sent};
use super::message::message;
use super::pool::{Lease, Pool};
use super::tls::{LazyTls, Roots};
use super::{Connections, EngineContext, Sent, Transport};
use crate::budget::Reservation;
use crate::error::RuntimeError;
use crate::exchange::{Failure, FailureKind, Response, TransportFacts};
use crate::middleware::BoxFuture;
use crate::rate::RateLimiter;
use crate::request::Request;

/// HTTP/1.1 over plain TCP or TLS, with at most `connection_limit` connections open at once.
#[derive(Debug)]
pub struct HyperTransport {
    plan: TransportPlan,
    pool: Arc<Pool>,
    tls: LazyTls,
    reaping: Once,
}

pub(super) fn make(context: &EngineContext<'_>) -> Result<Box<dyn Transport>, RuntimeError> {
    Ok(Box::new(HyperTransport::new(context.plan.clone(), Roots::Platform)))
}

impl HyperTransport {
    /// An engine that trusts the given authorities. Opens nothing yet.
    pub fn new(plan: TransportPlan, roots: Roots) -> Self {
        let pool = Pool::new(plan.connection_limit, Duration::from_millis(plan.idle_timeout_ms));
        Self { plan, pool, tls: LazyTls::new(roots), reaping: Once::new() }
    }

    async fn attempt(
        &self,
        request: &Request,
        limiter: &RateLimiter,
        memory: &mut Reservation,
        facts: &mut TransportFacts,
    ) -> Result<Response, Failure> {
        self.reaping.call_once(|| Pool::reap(&self.pool));
        let mut message = message(request)?;
        let asked = Instant::now();
        let Some(lease) = self.pool.lease().await else {
            return Err(not_sent(FailureKind::Transport, "the transport is shut down".into()));
        };
        facts.pool_wait = asked.elapsed();
        let budget = Duration::from_millis(self.plan.base_timeout_ms);
        let started = Instant::now();
        let mut connection = self.connection(&lease, request, facts, budget).await?;
        let gate = Instant::now();
        limiter.pass().await;
        facts.rate_wait = gate.elapsed();
        let deadline = started + budget + facts.rate_wait;

        loop {
            let written = Instant::now();
            match timeout_at(deadline, connection.sender.try_send_request(message)).await {
                Err(_) => return Err(self.timed_out("no answer")),
                Ok(Ok(response)) => {
                    facts.first_byte = Some(written.elapsed());
                    return self.read(response, deadline, memory, lease, connection).await;
                }
                Ok(Err(mut error)) => match error.take_message() {
                    // The server closed the idle connection before a byte was written: a fresh one is no repeat.
                    Some(unsent) if connection.used => {
                        message = unsent;
                        drop(connection);
                        let left = deadline.saturating_duration_since(Instant::now());
                        connection = self.fresh(&lease, request, facts, left).await?;
                    }
                    unsent => return Err(classify(&error.into_error(), unsent.is_none())),
                },
            }
        }
    }

    async fn connection(
        &self,
        lease: &Lease<'_>,
        request: &Request,
        facts: &mut TransportFacts,
        budget: Duration,
    ) -> Result<Connection, Failure> {
        while let Some(mut idle) = lease.take() {
            // Its last answer was read to the end: this only waits until its task has seen that, too.
            if idle.sender.ready().await.is_ok() {
                facts.protocol = Some("HTTP/1.1");
                facts.remote_addr = Some(idle.remote_addr);
                facts.reused = Some(true);
                return Ok(idle);
            }
        }
        self.fresh(lease, request, facts, budget).await
    }

    async fn fresh(
        &self,
        lease: &Lease<'_>,
        request: &Request,
        facts: &mut TransportFacts,
        budget: Duration,
    ) -> Result<Connection, Failure> {
        let timeout = budget.min(Duration::from_millis(self.plan.connect_timeout_ms));
        let connection = connect(&request.origin, &self.tls, timeout, lease.opening()).await?;
        facts.protocol = Some("HTTP/1.1");
        facts.remote_addr = Some(connection.remote_addr);
        facts.reused = Some(false);
        facts.dns = Some(connection.times.dns);
        facts.connect = Some(connection.times.connect);
        facts.tls = connection.times.tls;
        Ok(connection)
    }

    /// Reads the answer to its end or to the cap, and gives the connection back if it can carry another request.
    async fn read(
        &self,
        response: http::Response<Incoming>,
        mut deadline: Instant,
        memory: &mut Reservation,
        lease: Lease<'_>,
        mut connection: Connection,
    ) -> Result<Response, Failure> {
        let (head, mut body) = response.into_parts();
        let mut chunks = Chunks::default();
        let mut truncated = false;
        loop {
            let frame = match timeout_at(deadline, body.frame()).await {
                Err(_) => return Err(self.timed_out("the answer did not end")),
                Ok(None) => break,
                Ok(Some(Err(error))) => return Err(classify(&error, true)),
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(mut data) = frame.into_data() else { continue };
            let room = self.plan.max_response_bytes - chunks.len();
            if data.len() > room {
                data.truncate(room);
                truncated = true;
            }
            // A wait for memory is not the server's fault.
            let waiting = Instant::now();
            memory.grow(data.len()).await;
            deadline += waiting.elapsed();
            chunks.push(data);
            if truncated {
                break;
            }
        }
        if !truncated {
            connection.used = true;
            lease.put(connection);
        }
        Ok(Response { status: head.status, headers: head.headers, body: chunks.finish(), truncated })
    }

    fn timed_out(&self, what: &str) -> Failure {
        Failure {
            kind: FailureKind::Timeout,
            message: format!("{what} within {} ms (transport.base_timeout)", self.plan.base_timeout_ms),
            may_have_left: true,
        }
    }
}

impl Transport for HyperTransport {
    fn send<'a>(
        &'a self,
        request: &'a Request,
        limiter: &'a RateLimiter,
        memory: &'a mut Reservation,
    ) -> BoxFuture<'a, Sent> {
        Box::pin(async move {
            let mut facts = TransportFacts::default();
            let result = self.attempt(request, limiter, memory, &mut facts).await;
            Sent { result, facts }
        })
    }

    fn connections(&self) -> Connections {
        self.pool.connections()
    }
}

/// The body's chunks: most answers are one, which is then kept as it came.
#[derive(Default)]
struct Chunks {
    first: Bytes,
    rest: BytesMut,
}

impl Chunks {
    fn len(&self) -> usize {
        if self.rest.is_empty() { self.first.len() } else { self.rest.len() }
    }

    fn push(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
        } else {
            if self.rest.is_empty() {
                self.rest.extend_from_slice(&self.first);
            }
            self.rest.extend_from_slice(&data);
        }
    }

    fn finish(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { self.rest.freeze() }
    }
}
