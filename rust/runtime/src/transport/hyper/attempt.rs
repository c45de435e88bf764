//! One attempt: a place in the pool, a slot of the rate limit, a connection, the request, its answer.

use std::future::Future;
use std::time::Duration;

use http::Version;
use http::header::{CONNECTION, HeaderValue, PROXY_AUTHORIZATION};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::HyperTransport;
use super::answer::{Body, Reading};
use super::clock::{Clock, timed};
use super::connection::{Connection, Message};
use super::pool::{Place, Taken};
use crate::budget::Reservation;
use crate::exchange::{Failure, FailureKind, Response, TransportFacts};
use crate::rate::{RateLimiter, Slot};
use crate::request::Request;
use crate::transport::Permit;
use crate::transport::failure::{classify, is_refusal, not_sent};
use crate::transport::message;

/// So long before its slot a request takes or opens its connection. Earlier, the connection would be idle in its
/// hands, out of the sight of others and of the idle timeout.
const AHEAD: Duration = Duration::from_millis(500);

/// How often a request takes another slot before it is written late all the same.
const RENEWALS: u32 = 2;

/// How often a request goes again although it was the first of its connection that was refused. Those after it were
/// refused because of those before them, which is no refusal of all.
const REFUSALS: u32 = 2;

impl HyperTransport {
    pub(super) async fn attempt(
        &self,
        request: &Request,
        mut permit: Permit<'_>,
        memory: &mut Reservation,
        facts: &mut TransportFacts,
    ) -> Result<Response, Failure> {
        let limiter = permit.limiter();
        // A request that cannot be sent takes no connection and no slot.
        let uri = message::uri(&request.target)?;
        let peer = request.origin.authority.as_str();
        let host = self.pool.host(&request.origin);
        let (place, wait) = timed(self.pool.place(&host)).await;
        let Some(place) = place else {
            return Err(not_sent(FailureKind::Transport, "the transport is shut down".into()));
        };
        facts.pool_wait = wait;
        let mut clock = Clock::start(Duration::from_millis(self.plan.base_timeout_ms), &self.timers);
        let (mut slot, wait) = left_out(&mut clock, limiter.reserve()).await;
        facts.rate_wait += wait;
        let mut unsent = None;
        let mut refusals = 0;
        loop {
            let Ready { mut connection, was_idle } =
                self.ready_connection(&place, request, limiter, &mut slot, &mut clock, facts).await?;
            let before = connection.line().traffic.so_far();
            let mut message = match unsent.take() {
                Some(message) => message,
                None => message::message(request, uri.clone(), self.plan.decompress),
            };
            self.shape(&mut message, request, &connection)?;
            permit.pass().await;
            let written = Instant::now();
            connection.note(facts, written);
            slot.spend();
            let sent = clock.limit(self.phases.first_byte, peer, connection.send(message)).await;
            let nothing_left = connection.line().traffic.so_far().1 == before.1;
            let mut error = match sent {
                Ok(Ok(response)) => {
                    facts.first_byte = Some(written.elapsed());
                    let result = self.read(response, &mut clock, peer, memory).await;
                    let (received, sent) = connection.bytes_since(before);
                    (facts.bytes_received, facts.bytes_sent) = (Some(received), Some(sent));
                    if result.as_ref().is_ok_and(|response| !response.truncated) {
                        place.put(connection);
                    }
                    return result;
                }
                Ok(Err(error)) => error,
                Err(late) => {
                    connection.retire_if_silent();
                    return Err(Failure { may_have_left: !nothing_left, ..late });
                }
            };
            unsent = error.take_message();
            let error = error.into_error();
            let refused = is_refusal(&error);
            let unprocessed = nothing_left || refused || unsent.is_some();
            // Another connection is no repeat when nothing of the request can have been processed.
            let again = unprocessed
                && match &connection {
                    Connection::Alone(_) => was_idle,
                    Connection::Stream(stream) => {
                        stream.retire();
                        // It has another form than over HTTP/1.1, which may be spoken next.
                        unsent = None;
                        refusals += u32::from(stream.number() == 0);
                        refusals <= REFUSALS
                    }
                };
            if !again {
                return Err(classify(&error, peer, !unprocessed));
            }
            if refused {
                // The server has seen it.
                let (other, wait) = left_out(&mut clock, limiter.reserve()).await;
                slot = other;
                facts.rate_wait += wait;
            }
        }
    }

    /// Gives a message the form that its connection takes.
    fn shape(
        &self,
        message: &mut Message,
        request: &Request,
        connection: &Connection,
    ) -> Result<(), Failure> {
        if matches!(connection, Connection::Alone(_)) {
            if let Some(proxy) = self.connector.dialer.plain_proxy(&request.origin) {
                message::absolute(message, request)?;
                if let Some(authorization) = proxy.authorization() {
                    message.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
                }
            }
            if self.pool.is_last_use(connection) {
                message.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
        }
        if let Some(late) = &request.late {
            late.put(request, message.headers_mut())
                .map_err(|error| not_sent(FailureKind::InvalidRow(error.kind), error.message))?;
        }
        if matches!(connection, Connection::Stream(_)) {
            // Afterwards: what is signed is the host by its name.
            message::for_http2(message, request)?;
        }
        Ok(())
    }

    /// A connection for this moment: the slot has come when it is returned.
    async fn ready_connection(
        &self,
        place: &Place<'_>,
        request: &Request,
        limiter: &RateLimiter,
        slot: &mut Slot,
        clock: &mut Clock<'_>,
        facts: &mut TransportFacts,
    ) -> Result<Ready, Failure> {
        let mut renewals = 0;
        loop {
            facts.rate_wait += left_out(clock, slot.approach(AHEAD)).await.1;
            let (taken, wait) = left_out(clock, place.take()).await;
            facts.pool_wait += wait;
            let (connection, was_idle) = match taken {
                Taken::Ready(mut connection, idle) => {
                    if !connection.is_ready(idle).await {
                        continue;
                    }
                    (connection, true)
                }
                Taken::Open(ticket) => {
                    // Boxed: its handshakes would make the future of every attempt several times as large.
                    let made = Box::pin(self.connector.connect(&request.origin, clock, ticket)).await?;
                    (place.made(made), false)
                }
                Taken::Failed(failure) => return Err(failure),
            };
            // A slot that must not be used is never used; one that is only late is, when others came too late as well.
            let unusable = limiter.is_lost(slot);
            if unusable || (renewals < RENEWALS && slot.is_late()) {
                renewals += 1;
                let (other, wait) = left_out(clock, limiter.reserve()).await;
                *slot = other;
                facts.rate_wait += wait;
                if unusable || slot.is_beyond(AHEAD) {
                    place.put(connection);
                    continue;
                }
            }
            let was_idle = was_idle || slot.is_beyond(Duration::ZERO);
            facts.rate_wait += left_out(clock, slot.arrive()).await.1;
            if limiter.is_lost(slot) {
                place.put(connection);
                continue;
            }
            if was_idle && connection.is_closed() {
                continue;
            }
            return Ok(Ready { connection, was_idle });
        }
    }

    async fn read(
        &self,
        response: http::Response<Incoming>,
        clock: &mut Clock<'_>,
        peer: &str,
        memory: &mut Reservation,
    ) -> Result<Response, Failure> {
        let (mut head, incoming) = response.into_parts();
        let reading = Reading {
            clock,
            phase: self.phases.between_bytes,
            peer,
            streamed: head.version == Version::HTTP_2,
            cap: self.plan.max_response_bytes,
            decompress: self.plan.decompress,
            memory,
        };
        let Body { bytes, truncated } = reading.read(incoming, &mut head.headers).await?;
        Ok(Response { status: head.status, headers: head.headers, body: bytes, truncated })
    }
}

/// A connection that may be written to now.
struct Ready {
    connection: Connection,
    /// It was idle before, in the pool or while the slot was awaited, and may have ended unseen. The end of one that
    /// was not is the server's answer to this request.
    was_idle: bool,
}

/// Waits for something that is not the server's doing, and leaves the wait out of the attempt's time.
async fn left_out<T>(clock: &mut Clock<'_>, future: impl Future<Output = T>) -> (T, Duration) {
    let (done, waited) = timed(future).await;
    clock.leave_out(waited);
    (done, waited)
}
