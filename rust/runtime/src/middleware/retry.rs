//! `retry` (interceptor): the boundary of the chain. What stands after it runs once per attempt.
//!
//! The decision is one pure function, [`classify`]. The pause is drawn between nothing and a bound that doubles with
//! each attempt (full jitter), unless the answer says when to come back (Retry-After, RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

use apisink_plan::RetrySpec;
use http::header::RETRY_AFTER;

use super::{BoxFuture, BuildContext, Interceptor, Link, Next, Part};
use crate::error::RuntimeError;
use crate::exchange::{Exchange, FailureKind, Response};

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    Ok(Link::Interceptor(Box::new(Retry { spec: context.spec()? })))
}

struct Retry {
    spec: RetrySpec,
}

/// What is to be done with the outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stands: it is a success, or trying again is not asked for.
    Accept,
    /// Try again after a pause: drawn up to the bound, or exactly as the server asked.
    Retry {
        /// The pause, or its bound.
        pause: Duration,
        /// Whether the server named the pause, so that no jitter applies.
        named_by_server: bool,
    },
    /// It would be tried again, but that could do the work twice; the reason, for the error message.
    Forbid(&'static str),
    /// It would be tried again, but the attempts are used up.
    Exhausted,
}

/// Decides about an exchange after its latest attempt.
///
/// `attempts` counts those made. `now` is only used to turn a Retry-After date into a pause.
pub fn classify(spec: &RetrySpec, exchange: &Exchange, attempts: u32, now: SystemTime) -> Verdict {
    let server_pause = match &exchange.result {
        None => return Verdict::Accept,
        Some(Ok(response)) if spec.retry_status_codes.contains(&response.status.as_u16()) => {
            if spec.respect_retry_after { retry_after(response, now) } else { None }
        }
        Some(Ok(_)) => return Verdict::Accept,
        Some(Err(failure)) => match failure.kind {
            FailureKind::InvalidRow(_) => return Verdict::Accept,
            _ if !spec.retry_transport_errors => return Verdict::Accept,
            _ if !spec.retry_non_idempotent && !exchange.is_safe_to_repeat() => {
                return Verdict::Forbid(
                    "not sent again: bytes of it may have left, and the request is not idempotent and has no idempotency header",
                );
            }
            _ => None,
        },
    };
    if attempts >= spec.max_attempts {
        return Verdict::Exhausted;
    }
    match server_pause {
        Some(pause) => Verdict::Retry {
            pause: pause.min(Duration::from_millis(spec.max_retry_after_ms)),
            named_by_server: true,
        },
        None => Verdict::Retry { pause: bound(spec, attempts), named_by_server: false },
    }
}

/// The bound of the pause after so many attempts: doubles each time, up to the maximum.
fn bound(spec: &RetrySpec, attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(32);
    let bound = spec.base_delay_ms.saturating_mul(1 << doublings);
    Duration::from_millis(bound.min(spec.max_delay_ms))
}

/// Retry-After in seconds or as a date; a date in the past means now.
fn retry_after(response: &Response, now: SystemTime) -> Option<Duration> {
    let value = response.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or(Duration::ZERO))
}

impl Interceptor for Retry {
    fn call<'a>(&'a self, exchange: &'a mut Exchange, _: &'a Part, next: Next<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if self.spec.max_attempts <= 1 {
                return next.run(exchange).await;
            }
            // What stands after this place shapes the request anew in each attempt.
            let request = exchange.request.clone();
            for attempts in 1u32.. {
                next.run(exchange).await;
                match classify(&self.spec, exchange, attempts, SystemTime::now()) {
                    Verdict::Accept | Verdict::Exhausted => return,
                    Verdict::Forbid(reason) => {
                        if let Some(Err(failure)) = &mut exchange.result {
                            failure.message = format!("{}; {reason}", failure.message);
                        }
                        return;
                    }
                    Verdict::Retry { pause, named_by_server } => {
                        let pause =
                            if named_by_server { pause } else { pause.mul_f64(rand::random::<f64>()) };
                        // The row keeps its place in the admission window, but not the answer that is not wanted.
                        exchange.result = None;
                        exchange.memory.shrink_to(exchange.request.bytes());
                        exchange.request = request.clone();
                        exchange.pause += pause;
                        tokio::time::sleep(pause).await;
                    }
                }
            }
        })
    }
}
