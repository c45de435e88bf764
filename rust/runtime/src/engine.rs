//! An engine: what all tasks of a process that run the same plan with the same credentials share.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use apisink_plan::{LogLevel, Plan, RetrySpec, SecretValues};
use http::StatusCode;

use crate::ending::Ending;
use crate::error::RuntimeError;
use crate::exchange::{Attempt, Exchange, Failure, Response, TransportFacts};
use crate::mask::Mask;
use crate::middleware::{BoxFuture, Terminal};
use crate::rate::{Limit, RateLimiter, RunLimits, announced};
use crate::redirect;
use crate::request::{Origin, Request};
use crate::retry_budget::RetryBudget;
use crate::session::LogLines;
use crate::token::Tokens;
use crate::transport::{EngineContext, Engines, Permit, Transport};
use crate::warmup::WarmUp;
use crate::window::{Entry, Window};

/// Connections that are not closed so soon are left to the end of the process.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// One transport with its pool, its rate limiters and one admission window for a plan and its secrets.
///
/// Immutable; lives as long as a session uses it and a while longer ([`crate::Process`]).
pub struct Engine {
    pub(crate) plan: Plan,
    pub(crate) secrets: SecretValues,
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) limits: RunLimits,
    pub(crate) window: Window,
    pub(crate) ending: Ending,
    pub(crate) warmup: WarmUp,
    pub(crate) mask: Arc<Mask>,
    /// What happens beside the exchanges, for the log; not masked yet.
    pub(crate) events: Arc<LogLines>,
    pub(crate) tokens: Option<Arc<Tokens>>,
    /// That of the chain's `retry`, if it has one.
    pub(crate) retry_budget: Option<Arc<RetryBudget>>,
}

impl Engine {
    /// The engine of a plan, with the limiters of its limits. Opens no connection yet.
    pub fn new(
        plan: Plan,
        secrets: SecretValues,
        engines: &Engines,
        limiter: impl Fn(Option<Limit>) -> Arc<RateLimiter>,
    ) -> Result<Self, RuntimeError> {
        if plan.format != apisink_plan::PLAN_FORMAT {
            return Err(RuntimeError::Plan(format!(
                "it has format {} and this library runs format {}: driver and executors must use the same apisink jar",
                plan.format,
                apisink_plan::PLAN_FORMAT
            )));
        }
        let transport = engines.make(&EngineContext::new(&plan.transport, &secrets))?;
        let limits = RunLimits::new(&plan, limiter)?;
        let window = Window::new(plan.execution.max_in_flight, transport.carries());
        let warmup = WarmUp::new(&plan)?;
        let mask = Arc::new(Mask::new(&plan, &secrets)?);
        let events = Arc::new(LogLines::default());
        let tokens = Tokens::of(&plan, &secrets, engines, &mask, &events)?;
        let retry_budget = retry_budget(&plan);
        Ok(Self {
            plan,
            secrets,
            transport,
            limits,
            window,
            ending: Ending::default(),
            warmup,
            mask,
            events,
            tokens,
            retry_budget,
        })
    }

    /// The transport, for its counts.
    pub fn transport(&self) -> &dyn Transport {
        self.transport.as_ref()
    }

    /// Waits for a place in the window, in the order of asking.
    pub(crate) async fn enter(&self) -> Option<Entry> {
        if self.transport.carries().is_none() {
            self.window.widen();
        }
        self.window.enter().await
    }

    /// Ends in order: sends no further row, gives those in flight a grace time, drops what is left of them, and closes
    /// all connections. False when something had to be dropped.
    pub(crate) async fn shut_down(&self, grace: Duration) -> bool {
        let in_time = self.ending.run(grace).await;
        // A peer that does not read can keep its connection from closing.
        let _ = tokio::time::timeout(CLOSE_WITHIN, self.close()).await;
        in_time
    }

    /// Closes the connections to the API and to the token endpoint, when no row is in flight.
    pub(crate) async fn close(&self) {
        self.transport.shut_down().await;
        if let Some(tokens) = &self.tokens {
            tokens.shut_down().await;
        }
    }
}

fn retry_budget(plan: &Plan) -> Option<Arc<RetryBudget>> {
    let retry = plan.chain.iter().find(|link| link.middleware == "retry")?;
    let spec: RetrySpec = serde_json::from_value(retry.spec.clone()).ok()?;
    spec.budget.map(|budget| Arc::new(RetryBudget::new(budget)))
}

impl Engine {
    /// A server wants silence for so long: nothing is sent to it meanwhile.
    fn hold(&self, origin: &Origin, pause: Duration, status: StatusCode) {
        let mut begins = false;
        for limiter in self.limits.of_host(origin) {
            begins |= limiter.hold(pause);
        }
        if begins {
            let server = &origin.authority;
            let line = format!(
                "{server} answered {} and asks for a pause: nothing is sent for {:.1} s",
                status.as_u16(),
                pause.as_secs_f64()
            );
            self.events.push(LogLevel::Warn, line);
        }
    }
}

impl Terminal for Engine {
    fn send<'a>(&'a self, exchange: &'a mut Exchange) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut next = None;
            for hop in 0.. {
                let result = self.round_trip(exchange, next.as_ref()).await;
                next = match (&self.plan.transport.redirects, &result) {
                    (Some(plan), Ok(response)) if hop < plan.max => {
                        redirect::follow(plan, next.as_ref().unwrap_or(&exchange.request), response)
                    }
                    _ => None,
                };
                // Whatever became of a redirect, the request itself has been answered.
                exchange.result = Some(match result {
                    Err(failure) if hop > 0 => Err(Failure { may_have_left: true, ..failure }),
                    result => result,
                });
                if next.is_none() {
                    return;
                }
                exchange.memory.shrink_to(exchange.request.bytes());
            }
        })
    }
}

impl Engine {
    /// Sends the exchange's request, or the one that a redirect has made of it, and records the attempt.
    async fn round_trip(
        &self,
        exchange: &mut Exchange,
        redirected: Option<&Request>,
    ) -> Result<Response, Failure> {
        let started_at = SystemTime::now();
        let started = Instant::now();
        let request = redirected.unwrap_or(&exchange.request);
        let permit = Permit::of_session(self.limits.of(request), &mut exchange.passage);
        let facts = &mut exchange.notes.facts;
        *facts = TransportFacts::default();
        let result = self.transport.send(request, permit, &mut exchange.memory, facts).await;
        if let Some(most) = self.plan.execution.max_announced_pause_ms
            && let Ok(response) = &result
            && let Some(pause) = announced::pause(response.status, &response.headers, SystemTime::now)
        {
            self.hold(&request.origin, pause.min(Duration::from_millis(most)), response.status);
        }
        let waited = facts.pool_wait + facts.rate_wait;
        exchange.attempts.push(Attempt {
            started_at,
            status: result.as_ref().ok().map(|response| response.status),
            failure: result.as_ref().err().map(|failure| failure.kind),
            error: result.as_ref().err().map(|failure| failure.message.clone()),
            elapsed: started.elapsed().saturating_sub(waited),
            wait: std::mem::take(&mut exchange.pause) + waited,
        });
        exchange.cost.throttled += facts.rate_wait;
        exchange.cost.bytes_sent += facts.bytes_sent.unwrap_or(0);
        exchange.cost.bytes_received += facts.bytes_received.unwrap_or(0);
        result
    }
}
