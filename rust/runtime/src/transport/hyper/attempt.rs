//! One attempt: a place in the pool, a slot of the rate limit, a connection, the request, its answer.

use std::pin::pin;
use std::time::Duration;

use http::Version;
use http::header::{CONNECTION, HeaderValue, PROXY_AUTHORIZATION};
use tokio::time::Instant;

use super::HyperTransport;
use super::answer::{Body, Reading};
use super::clock::{Clock, left_out, timed};
use super::connection::{Connection, Message, NoAnswer};
use super::pool::{Place, Pool, Taken};
use super::targets::Target;
use crate::budget::Reservation;
use crate::exchange::{Failure, FailureKind, Response, TransportFacts};
use crate::middleware::BoxFuture;
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
        self.reaping.call_once(|| Pool::reap(&self.pool));
        let limiter = permit.limiter();
        let peer = request.origin.authority.as_str();
        let host = self.pool.host(&request.origin);
        // A request that cannot be sent takes no connection and no slot.
        let target = host.targets.of(request)?;
        // Most requests find all that they need: what may have to be waited for is asked for without a future first, since to make
        // one, to move it into place and to poll it is a good part of what an attempt costs. The boxes are `dyn` so that what
        // connects is not compiled into this function, each poll of which would then use 50 kB of stack.
        let place = match self.pool.free_place(host) {
            Some(place) => place,
            None => {
                let waiting: BoxFuture<'_, _> = Box::pin(self.pool.place(host));
                let (place, wait) = timed(waiting).await;
                facts.pool_wait = wait;
                place.ok_or_else(|| not_sent(FailureKind::Transport, "the transport is shut down".into()))?
            }
        };
        let mut now = Instant::now();
        let base = Duration::from_millis(self.plan.base_timeout_ms);
        let mut clock = Clock::start(base, &self.timers, now);
        let mut slot = match limiter.free_slot() {
            Some(slot) => slot,
            None => reserve(limiter, &mut clock, facts).await,
        };
        let mut refusals = Refusals::default();
        loop {
            if refusals.seen {
                // It counts as a request.
                slot = reserve(limiter, &mut clock, facts).await;
                now = Instant::now();
            }
            // In a block, as below: what is needed for a moment would have its place in the future up to the end. A small future
            // stays in the processor's caches while its answer is awaited.
            let (mut connection, was_idle) = {
                let at_once = slot.is_free() && !limiter.is_lost(&slot);
                let mut taken = if at_once { place.take_at_once(now) } else { None };
                match idle_connection(&mut taken) {
                    // Another look at the clock would show no other time.
                    Some(connection) => (connection, true),
                    None => {
                        let waiting: BoxFuture<'_, _> = Box::pin(
                            self.ready_connection(&place, taken, limiter, &mut slot, &mut clock, facts),
                        );
                        let Ready { connection, was_idle } = waiting.await?;
                        now = Instant::now();
                        (connection, was_idle)
                    }
                }
            };
            let before = connection.line().traffic.so_far();
            let message = self.shape(refusals.unsent.take(), request, &target, &connection)?;
            if !permit.passes() {
                // Others may need what this one has no use for.
                place.put(connection, now);
                drop((place, message));
                return std::future::pending().await;
            }
            connection.note(facts, now);
            slot.spend();
            let (mut head, mut incoming) = {
                // Pinned here: it holds the message, and would be moved on its way into the limit.
                let sent = clock.limit(&self.phases.first_byte, peer, pin!(connection.send(message))).await;
                let nothing_left = connection.line().traffic.so_far().1 == before.1;
                match sent {
                    Ok(Ok(response)) => response.into_parts(),
                    Ok(Err(error)) => {
                        refusals.add(error, &connection, was_idle, nothing_left, peer)?;
                        now = Instant::now();
                        continue;
                    }
                    Err(late) => {
                        connection.retire_if_silent();
                        return Err(Failure { may_have_left: !nothing_left, ..late });
                    }
                }
            };
            let answered = Instant::now();
            let waits = clock.waits();
            facts.first_byte = Some(answered - now);
            let mut reading = self.reading(head.version, &mut clock, peer, memory);
            let body = reading.read(&mut incoming, &mut head.headers).await;
            let (received, sent) = connection.bytes_since(before);
            (facts.bytes_received, facts.bytes_sent) = (Some(received), Some(sent));
            let Body { bytes, truncated } = body?;
            // A stream is not given back: its connection is idle only after its last one.
            if matches!(connection, Connection::Alone(_)) && !truncated {
                let whole = if clock.waits() == waits { answered } else { Instant::now() };
                place.put(connection, whole);
            }
            return Ok(Response { status: head.status, headers: head.headers, body: bytes, truncated });
        }
    }

    /// The message of a request in the form that its connection takes; made of one that another connection has not written, if
    /// there is one.
    fn shape(
        &self,
        unsent: Option<Box<Message>>,
        request: &Request,
        target: &Target<'_>,
        connection: &Connection,
    ) -> Result<Message, Failure> {
        let streamed = matches!(connection, Connection::Stream(_));
        let proxy = if streamed { None } else { self.connector.dialer.plain_proxy(&request.origin) };
        let uri =
            if streamed || proxy.is_some() { target.absolute(&request.origin)? } else { target.relative() };
        let mut message = match unsent {
            None => message::message(request, uri, self.plan.decompress),
            Some(mut message) => {
                *message.uri_mut() = uri;
                *message
            }
        };
        if !streamed || request.late.is_some() {
            message::name_host(&mut message, request);
        }
        if let Some(authorization) = proxy.and_then(|proxy| proxy.authorization()) {
            message.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        if !streamed && self.pool.is_last_use(connection) {
            message.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(late) = &request.late {
            late.put(request, message.headers_mut())
                .map_err(|error| not_sent(FailureKind::InvalidRow(error.kind), error.message))?;
            // Afterwards: what is signed is the host by its name.
            if streamed {
                message::forget_host(&mut message);
            }
        }
        Ok(message)
    }

    /// A connection for this moment: the slot has come when it is returned. `taken` is what the place has given already.
    async fn ready_connection(
        &self,
        place: &Place<'_>,
        mut taken: Option<Taken>,
        limiter: &RateLimiter,
        slot: &mut Slot,
        clock: &mut Clock<'_>,
        facts: &mut TransportFacts,
    ) -> Result<Ready, Failure> {
        let mut renewals = 0;
        loop {
            facts.rate_wait += left_out(clock, slot.approach(AHEAD)).await.1;
            let given = match taken.take() {
                Some(given) => given,
                None => {
                    let (given, wait) = left_out(clock, place.take()).await;
                    facts.pool_wait += wait;
                    given
                }
            };
            let (connection, was_idle) = match given {
                Taken::Ready(mut connection, idle) => {
                    if !connection.is_ready(idle).await {
                        continue;
                    }
                    (connection, true)
                }
                Taken::Open(ticket) => {
                    let connecting: BoxFuture<'_, _> =
                        Box::pin(self.connector.connect(place.origin(), clock, ticket));
                    (place.made(connecting.await?), false)
                }
                Taken::Failed(failure) => return Err(failure),
            };
            // A slot that must not be used is never used; one that is only late is, when others came too late as well.
            let unusable = limiter.is_lost(slot);
            if unusable || (renewals < RENEWALS && slot.is_late()) {
                renewals += 1;
                *slot = reserve(limiter, clock, facts).await;
                if unusable || slot.is_beyond(AHEAD) {
                    place.put(connection, Instant::now());
                    continue;
                }
            }
            let was_idle = was_idle || slot.is_beyond(Duration::ZERO);
            facts.rate_wait += left_out(clock, slot.arrive()).await.1;
            if limiter.is_lost(slot) {
                place.put(connection, Instant::now());
                continue;
            }
            if was_idle && connection.is_closed() {
                continue;
            }
            return Ok(Ready { connection, was_idle });
        }
    }

    /// How an answer of this version is read.
    fn reading<'a, 'c>(
        &'a self,
        version: Version,
        clock: &'a mut Clock<'c>,
        peer: &'a str,
        memory: &'a mut Reservation,
    ) -> Reading<'a, 'c> {
        Reading {
            clock,
            phase: &self.phases.between_bytes,
            peer,
            streamed: version == Version::HTTP_2,
            cap: self.plan.max_response_bytes,
            decompress: self.plan.decompress,
            memory,
        }
    }
}

/// How often a request got no answer although it may go again over another connection.
#[derive(Default)]
struct Refusals {
    /// The message of the last one, if nothing of it was written. Boxed, for it is rare.
    unsent: Option<Box<Message>>,
    /// Those of requests that were the first of their connections.
    first: u32,
    /// Whether the last one was the server's own, which has seen the request.
    seen: bool,
}

impl Refusals {
    /// Takes in that a request got no answer. Fails when it must not go again: another connection is no repeat only when
    /// nothing of the request can have been processed.
    fn add(
        &mut self,
        mut error: NoAnswer,
        connection: &Connection,
        was_idle: bool,
        nothing_left: bool,
        peer: &str,
    ) -> Result<(), Failure> {
        self.unsent = error.take_message().map(Box::new);
        let error = error.into_error();
        self.seen = is_refusal(&error);
        let unprocessed = nothing_left || self.seen || self.unsent.is_some();
        let again = unprocessed
            && match connection {
                Connection::Alone(_) => was_idle,
                Connection::Stream(stream) => {
                    stream.retire();
                    // It has another form than over HTTP/1.1, which may be spoken next.
                    self.unsent = None;
                    self.first += u32::from(stream.number() == 0);
                    self.first <= REFUSALS
                }
            };
        if again { Ok(()) } else { Err(classify(&error, peer, !unprocessed)) }
    }
}

/// A connection that may be written to now.
struct Ready {
    connection: Connection,
    /// It was idle before, in the pool or while the slot was awaited, and may have ended unseen. The end of one that
    /// was not is the server's answer to this request.
    was_idle: bool,
}

/// The connection of what a place has given, if it can be written to at once.
fn idle_connection(taken: &mut Option<Taken>) -> Option<Connection> {
    let Some(Taken::Ready(connection, idle)) = taken else { return None };
    if !connection.is_ready_at_once(*idle) {
        return None;
    }
    match taken.take() {
        Some(Taken::Ready(connection, _)) => Some(connection),
        _ => None,
    }
}

/// Another slot; the wait for the driver, who may keep the limit, is left out of the attempt's time.
async fn reserve(limiter: &RateLimiter, clock: &mut Clock<'_>, facts: &mut TransportFacts) -> Slot {
    let waiting: BoxFuture<'_, _> = Box::pin(limiter.reserve());
    let (slot, wait) = left_out(clock, waiting).await;
    facts.rate_wait += wait;
    slot
}
