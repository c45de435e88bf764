//! `retry` (interceptor): the boundary of the chain. What stands after it runs once per attempt.
//!
//! The decision is one pure function, [`classify`]. The pause is drawn between nothing and a bound that doubles with
//! each attempt (full jitter), unless the answer says when to come back (Retry-After, RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

use apisink_plan::RetrySpec;
use http::header::RETRY_AFTER;

use super::{BoxFuture, BuildContext, Interceptor, Link, Next, Part};
use crate::error::RuntimeError;
use crate::exchange::{Exchange, FailureKind, Outcome};
use crate::rate::announced::retry_after;

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
        Some(Ok(response))
            if spec.retry_status_codes.contains(&response.status.as_u16())
                || spec.retry_rejected && is_rejected(exchange) =>
        {
            let named = response.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            if spec.respect_retry_after { named.and_then(|value| retry_after(value, now)) } else { None }
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

/// Whether the body of an answer says that it is no success.
fn is_rejected(exchange: &Exchange) -> bool {
    exchange.verdict().is_some_and(|verdict| verdict.outcome == Outcome::HttpError)
}

/// The bound of the pause after so many attempts: doubles each time, up to the maximum.
fn bound(spec: &RetrySpec, attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(32);
    let bound = spec.base_delay_ms.saturating_mul(1 << doublings);
    Duration::from_millis(bound.min(spec.max_delay_ms))
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
                        exchange.request = request.clone();
                        exchange.forget_answer();
                        exchange.pause += pause;
                        tokio::time::sleep(pause).await;
                    }
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::Instant;

    use super::*;
    use crate::Response;
    use crate::error::RowError;
    use crate::exchange::Failure;
    use crate::exchange::sample::{answer, exchange, failure};
    use crate::middleware::{Chain, Common, Terminal};
    use crate::request::Request;

    fn spec() -> RetrySpec {
        RetrySpec {
            max_attempts: 3,
            retry_status_codes: vec![429, 503],
            retry_transport_errors: true,
            retry_rejected: false,
            base_delay_ms: 200,
            max_delay_ms: 2_000,
            respect_retry_after: true,
            max_retry_after_ms: 60_000,
            retry_non_idempotent: false,
        }
    }

    fn verdict(spec: &RetrySpec, result: Result<Response, Failure>, attempts: u32) -> Verdict {
        let mut exchange = exchange();
        exchange.result = Some(result);
        classify(spec, &exchange, attempts, SystemTime::UNIX_EPOCH)
    }

    fn drawn(millis: u64) -> Verdict {
        Verdict::Retry { pause: Duration::from_millis(millis), named_by_server: false }
    }

    fn named(seconds: u64) -> Verdict {
        Verdict::Retry { pause: Duration::from_secs(seconds), named_by_server: true }
    }

    #[test]
    fn only_configured_statuses_are_tried_again() {
        for status in [200, 201, 202, 204, 304, 400, 401, 404, 422, 500] {
            assert_eq!(verdict(&spec(), answer(status, &[]), 1), Verdict::Accept, "{status}");
        }
        assert_eq!(verdict(&spec(), answer(503, &[]), 1), drawn(200));
        assert_eq!(verdict(&spec(), answer(503, &[]), 3), Verdict::Exhausted);
    }

    #[test]
    fn the_bound_of_the_pause_doubles_up_to_the_maximum() {
        let spec = RetrySpec { max_attempts: 100, ..spec() };
        let bounds: Vec<_> = [1, 2, 3, 4, 5, 99].map(|n| verdict(&spec, answer(503, &[]), n)).to_vec();
        assert_eq!(bounds, [200, 400, 800, 1_600, 2_000, 2_000].map(drawn));
    }

    #[test]
    fn retry_after_is_honoured_in_seconds_and_as_a_date_on_429_and_503_and_cut_at_the_cap() {
        for status in [429, 503] {
            assert_eq!(verdict(&spec(), answer(status, &[("retry-after", "7")]), 1), named(7));
            let date = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(9));
            assert_eq!(verdict(&spec(), answer(status, &[("retry-after", &date)]), 1), named(9));
        }
        assert_eq!(verdict(&spec(), answer(503, &[("retry-after", "86400")]), 1), named(60));
        assert_eq!(verdict(&spec(), answer(503, &[("retry-after", "soon")]), 1), drawn(200));
        let ignoring = RetrySpec { respect_retry_after: false, ..spec() };
        assert_eq!(verdict(&ignoring, answer(503, &[("retry-after", "7")]), 1), drawn(200));
    }

    #[test]
    fn a_post_without_a_key_is_not_sent_again_once_its_bytes_may_have_left() {
        let sent = || failure(FailureKind::Reset, true);
        assert!(matches!(verdict(&spec(), sent(), 1), Verdict::Forbid(_)));
        assert_eq!(verdict(&spec(), failure(FailureKind::Connect, false), 1), drawn(200));
        assert_eq!(verdict(&RetrySpec { retry_non_idempotent: true, ..spec() }, sent(), 1), drawn(200));

        let mut keyed = exchange();
        keyed.request.has_idempotency_key = true;
        keyed.result = Some(sent());
        assert_eq!(classify(&spec(), &keyed, 1, SystemTime::UNIX_EPOCH), drawn(200));
        let mut put = exchange();
        put.request.method = http::Method::PUT;
        put.result = Some(sent());
        assert_eq!(classify(&spec(), &put, 1, SystemTime::UNIX_EPOCH), drawn(200));
    }

    #[test]
    fn transport_errors_are_final_when_told_so_and_bad_rows_always() {
        let strict = RetrySpec { retry_transport_errors: false, ..spec() };
        assert_eq!(verdict(&strict, failure(FailureKind::Dns, false), 1), Verdict::Accept);
        assert_eq!(verdict(&spec(), failure(FailureKind::InvalidRow("value"), false), 1), Verdict::Accept);
    }

    /// Answers 503 with a Retry-After until the last attempt, and counts.
    struct Flaky {
        fails: u32,
        sent: AtomicU32,
        retry_after: Option<&'static str>,
    }

    impl Terminal for Flaky {
        fn send<'a>(&'a self, exchange: &'a mut Exchange) -> BoxFuture<'a, ()> {
            Box::pin(async move {
                assert_eq!(
                    exchange.request.target, "/patients?page=1",
                    "each attempt shapes the request anew"
                );
                let sent = self.sent.fetch_add(1, Ordering::Relaxed);
                let headers: Vec<_> = self.retry_after.iter().map(|value| ("retry-after", *value)).collect();
                exchange.result = Some(answer(if sent < self.fails { 503 } else { 200 }, &headers));
            })
        }
    }

    struct AddPage;

    impl Common for AddPage {
        fn apply(&self, _: &Part, request: &mut Request) -> Result<(), RowError> {
            request.push_encoded_query("page=1");
            Ok(())
        }
    }

    async fn run(terminal: &Flaky) -> (Exchange, Duration) {
        let chain = Chain::new(vec![
            Link::Interceptor(Box::new(Retry { spec: spec() })),
            Link::Common(Box::new(AddPage)),
        ]);
        let mut exchange = exchange();
        let start = Instant::now();
        chain.run(&mut exchange, &[Part::None, Part::None], terminal).await;
        (exchange, start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn an_exchange_succeeds_after_its_failures_and_waits_as_the_server_asked() {
        let terminal = Flaky { fails: 2, sent: AtomicU32::new(0), retry_after: Some("5") };
        let (exchange, took) = run(&terminal).await;
        assert_eq!(exchange.outcome(), crate::Outcome::Success);
        assert_eq!(terminal.sent.load(Ordering::Relaxed), 3);
        assert_eq!(took.as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_answer_stands_when_the_attempts_are_used_up() {
        let terminal = Flaky { fails: 9, sent: AtomicU32::new(0), retry_after: None };
        let (exchange, took) = run(&terminal).await;
        assert_eq!(exchange.outcome(), crate::Outcome::HttpError);
        assert_eq!(terminal.sent.load(Ordering::Relaxed), 3);
        assert!(took <= Duration::from_millis(610), "{took:?}");
    }
}
