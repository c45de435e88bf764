//! The time of an attempt: `base_timeout` bounds all of it but the waits that are not the server's fault, and each
//! phase has a limit of its own.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use apisink_plan::TransportPlan;
use tokio::time::{Instant, timeout_at};

use crate::exchange::{Failure, FailureKind};

/// The clock of one attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    base: Duration,
    deadline: Instant,
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

impl Clock {
    /// A clock that starts now.
    pub(super) fn start(base: Duration) -> Self {
        Self { base, deadline: Instant::now() + base }
    }

    /// Leaves a wait out of the attempt's time.
    pub(super) fn leave_out(&mut self, wait: Duration) {
        self.deadline += wait;
    }

    /// Runs a phase within its limit and the attempt's. `peer` is who kept us waiting.
    pub(super) async fn limit<T>(
        &self,
        phase: Phase,
        peer: &str,
        future: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let mut future = pin!(future);
        if let Some(done) = at_once(future.as_mut()).await {
            return Ok(done);
        }
        let until = phase.limit.map(|limit| Instant::now() + limit);
        let at = until.map_or(self.deadline, |until| until.min(self.deadline));
        match timeout_at(at, future).await {
            Ok(done) => Ok(done),
            Err(_) => Err(self.elapsed(phase, peer, at)),
        }
    }

    fn elapsed(&self, phase: Phase, peer: &str, at: Instant) -> Failure {
        let (kind, limit, key) = match phase.limit {
            Some(limit) if at < self.deadline => (phase.kind, limit, phase.key),
            _ => (FailureKind::Timeout, self.base, "base_timeout"),
        };
        let Phase { what, may_have_left, .. } = phase;
        let message = format!("{peer}: {what} within {} ms (transport.{key})", limit.as_millis());
        Failure { kind, message, may_have_left }
    }
}

/// Waits for a future and tells how long that took: no time, and no look at a clock, for one that is ready.
pub(super) async fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let mut future = pin!(future);
    if let Some(done) = at_once(future.as_mut()).await {
        return (done, Duration::ZERO);
    }
    let since = Instant::now();
    let done = future.await;
    (done, since.elapsed())
}

/// What a future yields when it is polled once. Most are ready then, and neither a clock nor a timer is needed.
async fn at_once<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    poll_fn(|cx| {
        Poll::Ready(match future.as_mut().poll(cx) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        })
    })
    .await
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
