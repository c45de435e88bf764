//! `retry` (interceptor): the boundary of the chain. What stands after it runs once per attempt.
//!
//! The decision is one pure function, [`classify`]. The pause is drawn between nothing and a bound that doubles with
//! each attempt (full jitter), unless the answer says when to come back: Retry-After (RFC 9110, 10.2.3), or when a
//! quota that is used up is filled again.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use apisink_plan::RetrySpec;
use http::header::RETRY_AFTER;
use tokio::time::Instant;

use super::{BoxFuture, BuildContext, Interceptor, Link, Next, Part};
use crate::error::RuntimeError;
use crate::exchange::{Exchange, FailureKind, Outcome};
use crate::rate::announced::{reset, retry_after};
use crate::retry_budget::RetryBudget;

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let budget = context.retry_budget.cloned();
    Ok(Link::Interceptor(Box::new(Retry { spec: context.spec()?, budget })))
}

struct Retry {
    spec: RetrySpec,
    budget: Option<Arc<RetryBudget>>,
}

impl Retry {
    /// Whether there is still room for an attempt after a pause; the reason why not, for the error message.
    fn may_go_on(&self, began: Instant, pause: Duration) -> Result<(), &'static str> {
        let deadline = self.spec.total_deadline_ms.map(Duration::from_millis);
        if deadline.is_some_and(|deadline| began.elapsed() + pause > deadline) {
            return Err("not sent again: the next attempt would begin after total_deadline");
        }
        match &self.budget {
            Some(budget) if !budget.take() => Err("not sent again: the retry budget is used up"),
            _ => Ok(()),
        }
    }
}

/// Says why a failed request is not sent again.
fn explain(exchange: &mut Exchange, reason: &str) {
    if let Some(Err(failure)) = &mut exchange.result {
        failure.message = format!("{}; {reason}", failure.message);
    }
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
/// `attempts` counts those made. `now` is asked only where an answer names a moment, to turn it into a pause.
pub fn classify(spec: &RetrySpec, exchange: &Exchange, attempts: u32, now: fn() -> SystemTime) -> Verdict {
    let server_pause = match &exchange.result {
        None => return Verdict::Accept,
        Some(Ok(response))
            if spec.retry_status_codes.contains(&response.status.as_u16())
                || spec.retry_rejected && is_rejected(exchange) =>
        {
            let named = response.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let named = named.and_then(|value| retry_after(value, now));
            let named = named.or_else(|| reset(response.status, &response.headers, now));
            named.filter(|_| spec.respect_retry_after)
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
            let began = Instant::now();
            if let Some(budget) = &self.budget {
                budget.first();
            }
            // What stands after this place shapes the request anew in each attempt: from what it was, where it cannot from what it
            // has become.
            let unshaped = next.wants_unshaped_request().then(|| exchange.request.clone());
            for attempts in 1u32.. {
                next.run(exchange).await;
                match classify(&self.spec, exchange, attempts, SystemTime::now) {
                    Verdict::Accept | Verdict::Exhausted => return,
                    Verdict::Forbid(reason) => return explain(exchange, reason),
                    Verdict::Retry { pause, named_by_server } => {
                        let pause =
                            if named_by_server { pause } else { pause.mul_f64(rand::random::<f64>()) };
                        if let Err(reason) = self.may_go_on(began, pause) {
                            return explain(exchange, reason);
                        }
                        // The row keeps its place in the admission window, but not the answer that is not wanted.
                        if let Some(unshaped) = &unshaped {
                            exchange.request = unshaped.clone();
                        }
                        exchange.forget_answer();
                        exchange.pause += pause;
                        // Others go meanwhile. Afterwards it does not wait behind them: they may be many, and it was first.
                        exchange.turn = None;
                        exchange.passage.go_back();
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

    use apisink_plan::RetryBudgetSpec;

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
            total_deadline_ms: None,
            budget: None,
        }
    }

    fn verdict(spec: &RetrySpec, result: Result<Response, Failure>, attempts: u32) -> Verdict {
        let mut exchange = exchange();
        exchange.result = Some(result);
        classify(spec, &exchange, attempts, || SystemTime::UNIX_EPOCH)
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
    fn the_reset_of_a_used_up_quota_is_waited_for_where_no_retry_after_says_better() {
        let of = |status, headers: &[(&'static str, &str)]| verdict(&spec(), answer(status, headers), 1);
        assert_eq!(of(429, &[("x-ratelimit-reset", "9")]), named(9));
        assert_eq!(of(429, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "8")]), named(8));
        assert_eq!(of(429, &[("ratelimit", "\"day\";r=0;t=11")]), named(11));
        assert_eq!(of(429, &[("x-ratelimit-reset", "9"), ("retry-after", "2")]), named(2));
        assert_eq!(of(429, &[("x-ratelimit-reset", "86400")]), named(60));
        // Something remains, or nothing says that nothing does.
        assert_eq!(of(429, &[("x-ratelimit-remaining", "5"), ("x-ratelimit-reset", "9")]), drawn(200));
        assert_eq!(of(503, &[("x-ratelimit-reset", "9")]), drawn(200));
        assert_eq!(of(503, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "9")]), named(9));
        assert_eq!(of(429, &[("x-ratelimit-reset", "0")]), drawn(200));
        let ignoring = RetrySpec { respect_retry_after: false, ..spec() };
        assert_eq!(verdict(&ignoring, answer(429, &[("x-ratelimit-reset", "9")]), 1), drawn(200));
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
        assert_eq!(classify(&spec(), &keyed, 1, || SystemTime::UNIX_EPOCH), drawn(200));
        let mut put = exchange();
        put.request.method = http::Method::PUT;
        put.result = Some(sent());
        assert_eq!(classify(&spec(), &put, 1, || SystemTime::UNIX_EPOCH), drawn(200));
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
        run_with(spec(), None, terminal).await
    }

    async fn run_with(
        spec: RetrySpec,
        budget: Option<Arc<RetryBudget>>,
        terminal: &Flaky,
    ) -> (Exchange, Duration) {
        let chain = Chain::new(vec![
            Link::Interceptor(Box::new(Retry { spec, budget })),
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

    fn flaky(retry_after: &'static str) -> Flaky {
        Flaky { fails: 99, sent: AtomicU32::new(0), retry_after: Some(retry_after) }
    }

    #[tokio::test(start_paused = true)]
    async fn no_attempt_begins_after_the_deadline_and_no_pause_is_waited_for_in_vain() {
        let spec = |seconds: u64| RetrySpec {
            max_attempts: 100,
            total_deadline_ms: Some(seconds * 1_000),
            ..spec()
        };
        for (deadline, attempts, waited) in [(4, 1, 0), (5, 2, 5), (14, 3, 10), (15, 4, 15)] {
            let terminal = flaky("5");
            let (exchange, took) = run_with(spec(deadline), None, &terminal).await;
            assert_eq!(exchange.outcome(), crate::Outcome::HttpError);
            assert_eq!(
                (terminal.sent.load(Ordering::Relaxed), took.as_secs()),
                (attempts, waited),
                "{deadline}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn rows_share_the_budget_of_their_process() {
        let budget = Arc::new(RetryBudget::new(RetryBudgetSpec { share: 0.5, min_per_second: 0.1 }));
        let mut sent = Vec::new();
        for _ in 0..6 {
            let terminal = flaky("0");
            run_with(spec(), Some(budget.clone()), &terminal).await;
            sent.push(terminal.sent.load(Ordering::Relaxed));
        }
        // One retry is free, and every second row allows one more.
        assert_eq!(sent, [2, 2, 1, 2, 1, 2]);
    }
}
