//! Where a session's rows are, and what its task's thread waits for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::budget::{ByteBudget, Watcher};
use crate::error::RuntimeError;
use crate::exchange::{Exchange, Outcome};
use crate::fail_when::Watch;
use crate::gate::Gate;
use crate::parsed::Parsed;
use crate::traffic::Traffic;

/// With fewer rows pending than this, the next batch is wanted: it is prepared while these are sent. No more than that: what waits
/// for long has left the processor's caches when its turn comes.
const PENDING_LOW_WATER: usize = 512;

/// So many completed rows, or bytes of them, are worth a response batch.
const BATCH_ROWS: usize = 512;
const BATCH_BYTES: usize = 1024 * 1024;

/// One response batch holds no more than this, unless one row does: others wait for its bytes until all of it is written.
const MOST_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// What there is to do for the task's thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionState {
    /// A further batch may be submitted.
    pub wants_rows: bool,
    /// Enough exchanges are completed to take them, or memory is short, or no further ones will come.
    pub has_responses: bool,
    /// The input is finished and everything was taken.
    pub done: bool,
    /// There are log lines.
    pub logs: bool,
}

/// What a session did. Rows count when they are completed, or known to be completed before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Completed rows.
    pub rows: u64,
    /// Those with a 2xx answer.
    pub success: u64,
    /// Those with another answer.
    pub http_error: u64,
    /// Those without an answer.
    pub transport_error: u64,
    /// Those that could not be sent.
    pub invalid_row: u64,
    /// Those whose answer cannot be understood.
    pub invalid_response: u64,
    /// Those of which it is not known.
    pub unknown: u64,
    /// Attempts of all rows.
    pub attempts: u64,
    /// Rows among them that earlier attempts of the task have sent.
    pub resumed: u64,
    /// Rows among those whose outcome is no success.
    pub resumed_failed: u64,
    /// Rows that were left out; they are not among the others.
    pub skipped: u64,
}

impl Counts {
    fn count(&mut self, outcome: Outcome, attempts: u64) {
        self.rows += 1;
        self.attempts += attempts;
        match outcome {
            Outcome::Success => self.success += 1,
            Outcome::HttpError => self.http_error += 1,
            Outcome::TransportError => self.transport_error += 1,
            Outcome::InvalidRow => self.invalid_row += 1,
            Outcome::InvalidResponse => self.invalid_response += 1,
            Outcome::Unknown => self.unknown += 1,
        }
    }
}

/// What a session does and has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionStats {
    /// How its rows ended.
    #[serde(flatten)]
    pub counts: Counts,
    /// Rows in flight now, those that wait for the rate limit or a retry included.
    pub in_flight: u64,
    /// What its own rows have cost.
    pub traffic: Traffic,
}

/// Shared by the task's thread and the session's exchanges.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    budget: Arc<ByteBudget>,
    watch: Arc<Watch>,
    pub(super) gate: Arc<Gate>,
    stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    pending: usize,
    in_flight: usize,
    completed: VecDeque<Box<Exchange>>,
    completed_bytes: usize,
    input_finished: bool,
    failure: Option<RuntimeError>,
    /// Why the rows that are left are not sent. What is completed can still be taken.
    halted: Option<RuntimeError>,
    counts: Counts,
    traffic: Traffic,
}

impl Watcher for Shared {
    fn budget_changed(&self) {
        // The lock orders this after the test of a waiter that is about to sleep.
        drop(self.state());
        self.changed.notify_all();
    }
}

impl Shared {
    pub(super) fn new(budget: Arc<ByteBudget>, watch: Arc<Watch>) -> Arc<Self> {
        let shared = Arc::new(Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            budget,
            watch,
            gate: Arc::default(),
            stopped: AtomicBool::new(false),
        });
        let watcher: Weak<Self> = Arc::downgrade(&shared);
        shared.budget.watch(watcher);
        shared
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn submitted(&self, rows: usize) {
        self.state().pending += rows;
    }

    /// Counts a row as in flight, unless no row may be sent any more.
    #[must_use]
    pub(super) fn admit(&self) -> bool {
        let mut state = self.state();
        if state.failure.is_some() {
            return false;
        }
        state.pending -= 1;
        state.in_flight += 1;
        if state.pending + 1 == PENDING_LOW_WATER {
            self.changed.notify_all();
        }
        true
    }

    /// Takes in an exchange that was in flight.
    pub(super) fn completed(&self, mut exchange: Box<Exchange>) {
        // Given up when the exchange can be taken.
        let _passage = std::mem::take(&mut exchange.passage);
        let answer = match &exchange.result {
            Some(Ok(response)) => response.body.len(),
            _ => 0,
        };
        let parsed = exchange.parsed.as_ref().map_or(0, Parsed::bytes);
        exchange.memory.shrink_to(exchange.request.bytes() + answer + parsed);
        let mut state = self.state();
        state.in_flight -= 1;
        self.complete(state, exchange);
    }

    /// Takes in an exchange that was never sent.
    pub(super) fn refused(&self, exchange: Box<Exchange>) {
        let state = self.state();
        self.complete(state, exchange);
    }

    fn complete(&self, mut state: MutexGuard<'_, State>, exchange: Box<Exchange>) {
        let before = state.completed_bytes;
        if let Err(stopped) = self.watch.count(&exchange) {
            state.failure.get_or_insert(stopped);
            self.changed.notify_all();
        }
        state.counts.count(exchange.outcome(), exchange.attempts.len() as u64);
        state.traffic.count(&exchange);
        state.completed_bytes += exchange.memory.bytes();
        state.completed.push_back(exchange);
        // The task's thread is woken for a batch's worth, not for each row, unless others wait for its memory.
        let short = self.budget.is_pressed() || !self.budget.has_room();
        let full = state.completed.len() == BATCH_ROWS
            || (before < BATCH_BYTES && state.completed_bytes >= BATCH_BYTES);
        if full || short || state.pending + state.in_flight == 0 {
            self.changed.notify_all();
        }
    }

    /// Counts a row whose answer is in the journal already.
    pub(super) fn answered_before(&self, outcome: Outcome, attempts: u32) {
        let counts = &mut self.state().counts;
        counts.count(outcome, u64::from(attempts));
        counts.resumed += 1;
        counts.resumed_failed += u64::from(outcome != Outcome::Success);
    }

    /// Counts rows that are left out.
    pub(super) fn skipped(&self, rows: u64) {
        self.state().counts.skipped += rows;
    }

    pub(super) fn finish_input(&self) {
        self.state().input_finished = true;
        self.changed.notify_all();
    }

    pub(super) fn fail(&self, error: RuntimeError) {
        self.state().failure.get_or_insert(error);
        self.changed.notify_all();
    }

    /// Lets no request be written any more, and waits for those that have been, at most for `timeout`. True when no
    /// exchange is left that was waited for.
    pub(super) fn drain(&self, error: RuntimeError, timeout: Duration) -> bool {
        self.fail(error);
        self.gate.close(timeout)
    }

    /// Lets no exchange go on, not even one that is under way.
    pub(super) fn stop(&self, error: RuntimeError) {
        self.stopped.store(true, Ordering::SeqCst);
        self.fail(error);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Gives up the rows that are pending or in flight. When there are some, or more would have come, the session has
    /// failed as soon as everything that is completed was taken.
    pub(super) fn halt(&self, error: RuntimeError) {
        let mut state = self.state();
        if state.input_finished && state.pending + state.in_flight == 0 {
            return;
        }
        (state.pending, state.in_flight) = (0, 0);
        state.halted = Some(error);
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn counts(&self) -> Counts {
        self.state().counts
    }

    pub(crate) fn stats(&self) -> SessionStats {
        let state = self.state();
        SessionStats {
            counts: state.counts,
            in_flight: state.in_flight as u64,
            traffic: state.traffic.clone(),
        }
    }

    pub(super) fn wait(&self, timeout: Duration, finishing: bool) -> Result<SessionState, RuntimeError> {
        let deadline = Instant::now() + timeout;
        let mut state = self.state();
        loop {
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            if let Some(error) = state.halted.as_ref().filter(|_| state.completed.is_empty()) {
                return Err(error.clone());
            }
            let now = self.to_do(&state);
            let wanted = now.done || now.has_responses || (now.wants_rows && !finishing);
            let left = deadline.saturating_duration_since(Instant::now());
            if wanted || left.is_zero() {
                return Ok(now);
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn to_do(&self, state: &State) -> SessionState {
        let outstanding = state.pending + state.in_flight;
        let some = !state.completed.is_empty();
        let worth_it = state.completed.len() >= BATCH_ROWS || state.completed_bytes >= BATCH_BYTES;
        let halted = state.halted.is_some();
        let last = halted || (state.input_finished && outstanding == 0);
        SessionState {
            wants_rows: !(state.input_finished || halted)
                && state.pending < PENDING_LOW_WATER
                && (self.budget.has_room() || (outstanding == 0 && !some)),
            has_responses: some && (worth_it || last || self.budget.is_pressed() || !self.budget.has_room()),
            done: last && !some && !halted,
            logs: false,
        }
    }

    /// Takes completed exchanges out, in the order of their completion.
    #[expect(clippy::vec_box, reason = "they are taken over as they are")]
    pub(super) fn take(&self, max_rows: usize) -> Vec<Box<Exchange>> {
        let mut state = self.state();
        let mut bytes = 0;
        let mut count = 0;
        for exchange in state.completed.iter().take(max_rows) {
            bytes += exchange.bytes();
            if count > 0 && bytes > MOST_BATCH_BYTES {
                break;
            }
            count += 1;
        }
        let taken: Vec<Box<Exchange>> = state.completed.drain(..count).collect();
        state.completed_bytes -= taken.iter().map(|exchange| exchange.memory.bytes()).sum::<usize>();
        taken
    }
}
