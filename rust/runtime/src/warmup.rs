//! The warm-up: what an engine does once, before the first row of its process.

use std::sync::Arc;
use std::time::Duration;

use apisink_plan::{Plan, WarmupPlan};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::error::RuntimeError;
use crate::request::Origin;
use crate::transport::Transport;

/// The warm-up of an engine, shared by its sessions: the first one runs it, the others wait for it.
#[derive(Debug)]
pub(crate) struct WarmUp {
    plan: Option<WarmupPlan>,
    origin: Arc<Origin>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Pending,
    Done,
    /// It failed at this moment: who has waited for it fails with it, who comes later tries again.
    Failed(Instant, String),
}

impl WarmUp {
    pub(crate) fn new(plan: &Plan) -> Result<Self, RuntimeError> {
        Ok(Self {
            plan: plan.transport.warmup.clone(),
            origin: Arc::new(Origin::new(&plan.request.scheme, &plan.request.authority)?),
            state: Mutex::new(State::Pending),
        })
    }

    /// Runs it unless that was done before. A failure that does not end the task is handed over to `warn`, once.
    pub(crate) async fn run(
        &self,
        transport: &dyn Transport,
        warn: impl FnOnce(String),
    ) -> Result<(), RuntimeError> {
        let Some(plan) = &self.plan else { return Ok(()) };
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        match &*state {
            State::Done => return Ok(()),
            State::Failed(at, why) if *at >= asked => return Err(RuntimeError::Unreachable(why.clone())),
            State::Failed(..) | State::Pending => {}
        }
        let why = match self.attempt(plan, transport).await {
            Ok(()) => {
                *state = State::Done;
                return Ok(());
            }
            Err(why) => why,
        };
        if plan.required {
            *state = State::Failed(Instant::now(), why.clone());
            return Err(RuntimeError::Unreachable(why));
        }
        *state = State::Done;
        warn(format!("the warm-up failed, and the rows are sent all the same: {why}"));
        Ok(())
    }

    async fn attempt(&self, plan: &WarmupPlan, transport: &dyn Transport) -> Result<(), String> {
        let limit = Duration::from_millis(plan.timeout_ms);
        match timeout(limit, transport.warm_up(&self.origin, plan.head.as_deref())).await {
            Ok(done) => done.map_err(|failure| failure.message),
            Err(_) => Err(format!(
                "{}: no end of the warm-up within {} ms (transport.warmup_timeout)",
                self.origin.authority, plan.timeout_ms
            )),
        }
    }
}
