//! The byte budget of a process: requests, answers and rows that wait for a retry, counted in one place.
//!
//! Bytes are reserved before they exist. Two rules keep the budget from locking up when it is full: a reservation
//! is granted when nothing else is held, and one answer at a time may grow beyond the limit (the overdraft), so that
//! half-read answers never wait for each other. Most that can be held is thus the limit and one answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// The budget. Shared by all sessions of a process.
#[derive(Debug)]
pub struct ByteBudget {
    state: Mutex<State>,
    released: Notify,
    waiting: AtomicUsize,
}

#[derive(Debug)]
struct State {
    limit: usize,
    used: usize,
    overdrawn: bool,
}

impl ByteBudget {
    /// A budget of so many bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State { limit, used: 0, overdrawn: false }),
            released: Notify::new(),
            waiting: AtomicUsize::new(0),
        })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Every change is one step: the state is whole even if a holder panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the limit; what is held already stays.
    pub fn set_limit(&self, limit: usize) {
        self.state().limit = limit;
        self.released.notify_waiters();
    }

    /// Bytes held now.
    pub fn used(&self) -> usize {
        self.state().used
    }

    /// Whether a further row may be taken in.
    pub fn has_room(&self) -> bool {
        let state = self.state();
        state.used < state.limit
    }

    /// Whether somebody waits for bytes: answers that lie ready should be taken out now.
    pub fn is_pressed(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Takes bytes at once, beyond the limit if need be: for the rows of one batch, whose size is bounded elsewhere.
    pub fn take(self: &Arc<Self>, bytes: usize) -> Reservation {
        self.state().used += bytes;
        Reservation { budget: self.clone(), bytes, overdraft: false }
    }
}

/// Bytes held from a [`ByteBudget`]; given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<ByteBudget>,
    bytes: usize,
    overdraft: bool,
}

impl Reservation {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes more bytes, waiting while the budget is full. Granted beyond the limit to one holder at a time.
    pub async fn grow(&mut self, bytes: usize) {
        if self.try_grow(bytes) {
            return;
        }
        let budget = self.budget.clone();
        let _waiting = Waiting::new(&budget);
        loop {
            // Registered before the test, so that a release in between is not missed.
            let released = budget.released.notified();
            if self.try_grow(bytes) {
                return;
            }
            released.await;
        }
    }

    fn try_grow(&mut self, bytes: usize) -> bool {
        let mut state = self.budget.state();
        let fits = state.used + bytes <= state.limit;
        if !fits && !self.overdraft {
            if state.overdrawn {
                return false;
            }
            state.overdrawn = true;
            self.overdraft = true;
        }
        state.used += bytes;
        self.bytes += bytes;
        true
    }

    /// Gives back what is beyond `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        if bytes < self.bytes {
            self.give_back(self.bytes - bytes, false);
        }
    }

    fn give_back(&mut self, bytes: usize, last: bool) {
        let mut state = self.budget.state();
        state.used -= bytes;
        self.bytes -= bytes;
        if self.overdraft && (last || state.used <= state.limit) {
            state.overdrawn = false;
            self.overdraft = false;
        }
        drop(state);
        if self.budget.is_pressed() {
            self.budget.released.notify_waiters();
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.give_back(self.bytes, true);
    }
}

struct Waiting<'a>(&'a ByteBudget);

impl<'a> Waiting<'a> {
    fn new(budget: &'a ByteBudget) -> Self {
        budget.waiting.fetch_add(1, Ordering::Relaxed);
        Self(budget)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn answers_that_exceed_the_budget_together_all_finish_and_leave_nothing_behind() {
        let budget = ByteBudget::new(1_000);
        let answers: Vec<_> = (0..20)
            .map(|_| {
                let mut held = budget.take(10);
                tokio::spawn(async move {
                    for _ in 0..9 {
                        held.grow(90).await;
                        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                    }
                    held.budget.used()
                })
            })
            .collect();
        for answer in answers {
            let used = answer.await.unwrap();
            assert!(used <= 1_000 + 20 * 10 + 820, "{used} bytes held at once");
        }
        assert_eq!(budget.used(), 0);
        assert!(!budget.is_pressed());
    }

    #[tokio::test]
    async fn an_answer_larger_than_the_whole_budget_can_finish_alone() {
        let budget = ByteBudget::new(100);
        let mut held = budget.take(10);
        held.grow(5_000).await;
        held.grow(5_000).await;
        assert_eq!(budget.used(), 10_010);
        assert!(!budget.has_room());
        held.shrink_to(50);
        assert_eq!(budget.used(), 50);
        assert!(budget.has_room());
    }
}
