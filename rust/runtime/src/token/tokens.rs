//! The token of a process, and who may ask for the next one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use apisink_plan::{AuthSpec, LogLevel, Plan, Secret, SecretValues};
use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::time::Instant;

use super::endpoint::Endpoint;
use super::grant::{Grant, Refused};
use super::{Times, Token};
use crate::error::RuntimeError;
use crate::mask::Mask;
use crate::middleware::BoxFuture;
use crate::session::LogLines;
use crate::transport::{Engines, RENDER};

/// Token requests that fail in a passing way are repeated so often in all, after pauses that double from the first
/// to the longest one, of which between half and all is waited.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// So long after a failure nobody asks again: tasks that fail together would otherwise ask one after another, and a
/// wrong password would be shown until the account is locked.
const FAILURE_KEPT: Duration = Duration::from_secs(2);

/// A renewal that failed while the old token is good is tried again after this time.
const RENEWAL_PAUSE: Duration = Duration::from_secs(5);

/// After so many new tokens in a row that no request was accepted with, the API's 401 is taken for its last word,
/// and only now and then a further token is asked for.
const UNACCEPTED: u32 = 3;
const UNACCEPTED_PAUSE: Duration = Duration::from_secs(10);

/// The token of a plan and its secrets, shared by all tasks of the process.
pub(crate) struct Tokens {
    endpoint: Endpoint,
    events: Arc<LogLines>,
    state: Mutex<State>,
}

/// A request under way, which any number of exchanges wait for.
type Asking = Shared<BoxFuture<'static, Result<Arc<Token>, RuntimeError>>>;

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    refresh: Option<Secret>,
    asking: Option<Asking>,
    failed: Option<(Instant, RuntimeError)>,
    /// Tokens in a row that were refused before any was accepted, and when the last one was replaced.
    unaccepted: u32,
    replaced: Option<Instant>,
}

impl Tokens {
    /// The tokens that a plan needs; none when it needs none, or sends nothing.
    pub(crate) fn of(
        plan: &Plan,
        secrets: &SecretValues,
        engines: &Engines,
        mask: &Arc<Mask>,
        events: &Arc<LogLines>,
    ) -> Result<Option<Arc<Self>>, RuntimeError> {
        let Some(link) = plan.chain.iter().find(|link| link.middleware == "auth") else { return Ok(None) };
        let Ok(AuthSpec::Oauth2(spec)) = serde_json::from_value(link.spec.clone()) else { return Ok(None) };
        if plan.transport.engine == RENDER {
            return Ok(None);
        }
        let endpoint = Endpoint::new(&spec, plan, secrets, engines, mask.clone())?;
        Ok(Some(Arc::new(Self { endpoint, events: events.clone(), state: Mutex::default() })))
    }

    /// Closes the connections to the endpoint.
    pub(crate) async fn shut_down(&self) {
        self.endpoint.shut_down().await;
    }

    /// A token that is good now. Waits only when there is none; one that nears its expiry is renewed meanwhile.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Arc<Token>, RuntimeError> {
        let asking = {
            let mut state = self.state();
            if let Some(token) = self.good(&mut state) {
                return Ok(token);
            }
            match (&state.asking, &state.failed) {
                (Some(asking), _) => asking.clone(),
                (None, Some((at, error))) if at.elapsed() < FAILURE_KEPT => return Err(error.clone()),
                (None, _) => self.ask(&mut state),
            }
        };
        asking.await
    }

    /// A token that is good now, if there is one. Never waits; within the runtime only, for it may start a renewal.
    pub(crate) fn present(self: &Arc<Self>) -> Option<Arc<Token>> {
        self.good(&mut self.state())
    }

    /// The token, if it is good; its renewal is started when it is due.
    fn good(self: &Arc<Self>, state: &mut State) -> Option<Arc<Token>> {
        let now = Instant::now();
        let token = state.token.clone().filter(|token| token.is_good(now))?;
        let due = token.times.is_some_and(|times| now >= times.renew);
        let failed = state.failed.as_ref().is_some_and(|(at, _)| now.duration_since(*at) < RENEWAL_PAUSE);
        if due && !failed && state.asking.is_none() {
            // It runs by itself; nobody waits for it.
            drop(self.ask(state));
        }
        Some(token)
    }

    /// Another token than one that was answered with 401: the present one, or a new one. None when new tokens do not
    /// help.
    pub(crate) async fn instead_of(
        self: &Arc<Self>,
        refused: &Arc<Token>,
    ) -> Result<Option<Arc<Token>>, RuntimeError> {
        {
            let mut state = self.state();
            if state.token.as_ref().is_some_and(|token| Arc::ptr_eq(token, refused)) {
                let unaccepted =
                    if refused.accepted.load(Ordering::Relaxed) { 0 } else { state.unaccepted + 1 };
                let recent = state.replaced.is_some_and(|at| at.elapsed() < UNACCEPTED_PAUSE);
                if unaccepted >= UNACCEPTED && recent {
                    return Ok(None);
                }
                state.unaccepted = unaccepted;
                state.replaced = Some(Instant::now());
                self.events
                    .push(LogLevel::Info, "the API refused the token with 401; another is asked for".into());
                state.token = None;
            }
        }
        self.get().await.map(Some)
    }

    /// Starts to ask. It goes on when who asked has gone: others may wait for it too.
    fn ask(self: &Arc<Self>, state: &mut State) -> Asking {
        let (tokens, refresh) = (self.clone(), state.refresh.clone());
        let task = tokio::spawn(async move { tokens.renew(refresh).await });
        let ended = |_| Err(RuntimeError::Token("asking for a token was broken off".into()));
        let asking: BoxFuture<'static, _> = Box::pin(async move { task.await.unwrap_or_else(ended) });
        let asking = asking.shared();
        state.asking = Some(asking.clone());
        asking
    }

    async fn renew(&self, refresh: Option<Secret>) -> Result<Arc<Token>, RuntimeError> {
        let result = self.obtain(refresh).await;
        let mut state = self.state();
        state.asking = None;
        match result {
            Ok((token, refresh)) => {
                state.token = Some(token.clone());
                state.refresh = refresh;
                state.failed = None;
                Ok(token)
            }
            Err(error) => {
                if state.token.as_ref().is_some_and(|token| token.is_good(Instant::now())) {
                    self.events
                        .push(LogLevel::Warn, format!("{error}; the one at hand is good until it expires"));
                }
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Asks until there is a token or no hope of one: with the refresh token, and if that is refused, anew.
    async fn obtain(
        &self,
        mut refresh: Option<Secret>,
    ) -> Result<(Arc<Token>, Option<Secret>), RuntimeError> {
        let mut attempts = 1;
        loop {
            let asked = Instant::now();
            match self.endpoint.ask(refresh.as_ref()).await {
                Ok(Grant { header, life, refresh: rotated }) => {
                    self.events.push(LogLevel::Info, self.endpoint.granted(life));
                    let times = life.map(|life| Times::new(asked, life, rand::random()));
                    let token = Token { header, times, accepted: AtomicBool::new(false) };
                    // An endpoint that gives no new refresh token leaves the old one good (RFC 6749, 6).
                    return Ok((Arc::new(token), rotated.map(Secret::new).or(refresh)));
                }
                Err(refused @ Refused { grant: true, .. }) if refresh.is_some() => {
                    self.events.push(LogLevel::Info, self.endpoint.not_refreshed(&refused));
                    refresh = None;
                }
                Err(refused) if refused.passing && attempts < ATTEMPTS => {
                    let pause = (FIRST_PAUSE * (1 << (attempts - 1))).min(LONGEST_PAUSE);
                    let pause = pause.mul_f64(0.5 + 0.5 * rand::random::<f64>());
                    self.events.push(LogLevel::Warn, self.endpoint.asked_again(&refused, attempts, pause));
                    attempts += 1;
                    tokio::time::sleep(pause).await;
                }
                Err(refused) => return Err(self.endpoint.error(&refused, attempts)),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of it is whole, even if its holder panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
