//! The time of an attempt: `base_timeout` bounds all of it but the waits that are not the server's fault, and each
//! phase has a limit of its own.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use apisink_plan::TransportPlan;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::exchange::{Failure, FailureKind};

/// Timers that no attempt uses. To start one and to drop it takes the lock of all timers of the process; to set one that runs
/// already to a later moment takes none. There are no more of them than attempts were under way at once.
#[derive(Debug, Default)]
pub(super) struct Timers(Mutex<Vec<Timer>>);

type Timer = Pin<Box<Sleep>>;

impl Timers {
    fn spare(&self) -> Option<Timer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, timer: Timer) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(timer);
    }
}

/// The clock of one attempt.
#[derive(Debug)]
pub(super) struct Clock<'a> {
    base: Duration,
    deadline: Instant,
    timers: &'a Timers,
    /// None until there is something to wait for.
    timer: Option<Timer>,
    /// How often something was not there at once.
    waits: u32,
}

impl Drop for Clock<'_> {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.timers.keep(timer);
        }
    }
}

/// A phase with a limit of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phase {
    /// What its end is called.
    pub(super) kind: FailureKind,
    /// What did not happen in time, such as `no answer`.
    pub(super) what: &'static str,
    /// The key that sets the limit.
    pub(super) key: &'static str,
    /// The limit; none means that of the whole attempt alone.
    pub(super) limit: Option<Duration>,
    /// Whether bytes of the request may have left.
    pub(super) may_have_left: bool,
}

impl<'a> Clock<'a> {
    /// A clock that starts at this moment.
    pub(super) fn start(base: Duration, timers: &'a Timers, now: Instant) -> Self {
        Self { base, deadline: now + base, timers, timer: None, waits: 0 }
    }

    /// Leaves a wait out of the attempt's time.
    pub(super) fn leave_out(&mut self, wait: Duration) {
        self.deadline += wait;
        self.waits += u32::from(!wait.is_zero());
    }

    /// How often anything was waited for so far. As long as that stays the same, so does the time.
    pub(super) fn waits(&self) -> u32 {
        self.waits
    }

    /// Runs a phase within its limit and the attempt's. `peer` is who kept us waiting.
    pub(super) async fn limit<T>(
        &mut self,
        phase: &Phase,
        peer: &str,
        future: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let mut future = pin!(future);
        let mut ends = None;
        let done = poll_fn(|cx| {
            // Most are ready at once, and need neither a look at a clock nor a timer.
            if let Poll::Ready(done) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            let at = *ends.get_or_insert_with(|| self.set(phase.limit));
            // Unconstrained: what has work without end uses up all that a task may do at once, and must end all the same.
            let ends = |timer: &mut Timer| pin!(unconstrained(timer)).poll(cx).is_ready();
            if self.timer.as_mut().is_some_and(ends) { Poll::Ready(Err(at)) } else { Poll::Pending }
        })
        .await;
        done.map_err(|at| self.elapsed(phase, peer, at))
    }

    /// Sets the timer to the end of a phase that begins now, or of the attempt.
    fn set(&mut self, limit: Option<Duration>) -> Instant {
        self.waits += 1;
        let until = limit.map(|limit| Instant::now() + limit);
        let at = until.map_or(self.deadline, |until| until.min(self.deadline));
        if self.timer.is_none() {
            self.timer = self.timers.spare();
        }
        match &mut self.timer {
            // It may have been set for this attempt's own end before.
            Some(timer) if timer.deadline() == at => {}
            Some(timer) => timer.as_mut().reset(at),
            None => self.timer = Some(Box::pin(sleep_until(at))),
        }
        at
    }

    fn elapsed(&self, phase: &Phase, peer: &str, at: Instant) -> Failure {
        let (kind, limit, key) = match phase.limit {
            Some(limit) if at < self.deadline => (phase.kind, limit, phase.key),
            _ => (FailureKind::Timeout, self.base, "base_timeout"),
        };
        let Phase { what, may_have_left, .. } = *phase;
        let message = format!("{peer}: {what} within {} ms (transport.{key})", limit.as_millis());
        Failure { kind, message, may_have_left }
    }
}

/// Waits for a future and tells how long that took: no time, and no look at a clock, for one that is ready.
pub(super) async fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let mut future = pin!(future);
    let mut since = None;
    poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() {
            since.get_or_insert_with(Instant::now);
        }
        polled.map(|done| (done, since.map_or(Duration::ZERO, |since| since.elapsed())))
    })
    .await
}

/// Waits for something that is not the server's doing, and leaves the wait out of the attempt's time.
pub(super) async fn left_out<T>(clock: &mut Clock<'_>, future: impl Future<Output = T>) -> (T, Duration) {
    let (done, waited) = timed(future).await;
    clock.leave_out(waited);
    (done, waited)
}

/// The phases of an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phases {
    /// Name, TCP and, through a proxy, its tunnel.
    pub(super) connect: Phase,
    /// The TLS handshake.
    pub(super) tls: Phase,
    /// From the request's writing to the head of its answer.
    pub(super) first_byte: Phase,
    /// Between two pieces of the answer.
    pub(super) between_bytes: Phase,
}

impl Phases {
    pub(super) fn new(plan: &TransportPlan) -> Self {
        let phase = |kind, what, key, limit: Option<u64>, may_have_left| Phase {
            kind,
            what,
            key,
            limit: limit.map(Duration::from_millis),
            may_have_left,
        };
        Self {
            connect: phase(
                FailureKind::ConnectTimeout,
                "no connection",
                "connect_timeout",
                Some(plan.connect_timeout_ms),
                false,
            ),
            tls: phase(
                FailureKind::TlsTimeout,
                "no end of the TLS handshake",
                "tls_timeout",
                Some(plan.tls_timeout_ms),
                false,
            ),
            first_byte: phase(
                FailureKind::FirstByteTimeout,
                "no answer",
                "first_byte_timeout",
                plan.first_byte_timeout_ms,
                true,
            ),
            between_bytes: phase(
                FailureKind::BetweenBytesTimeout,
                "the answer did not go on",
                "between_bytes_timeout",
                plan.between_bytes_timeout_ms,
                true,
            ),
        }
    }
}
