//! The byte budget of a process: requests, answers and rows that wait for a retry, counted in one place.
//!
//! Bytes are reserved before they exist, and held until the response batch that they became part of is gone. Two rules keep
//! the budget from locking up when it is full. An exchange is admitted beyond the limit when no other one is under way: what
//! waits to be sent may alone fill the budget. And one answer at a time may grow beyond the limit (the overdraft), so that
//! half-read answers never wait for each other; only who has its connection may ask for it, for it must be able to finish
//! without waiting for those who wait for it. Most that can be held is thus the limit, what waits to be sent, and one answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;

use crate::spare::{Buffer, Spare};

/// The budget. Shared by all sessions of a process.
#[derive(Debug)]
pub struct ByteBudget {
    state: Mutex<State>,
    released: Notify,
    waiting: AtomicUsize,
    watchers: Mutex<Vec<Weak<dyn Watcher>>>,
    spare: Arc<Spare>,
}

/// Wants to know when it should look at the budget again. Must not hold a lock that it takes when it is told while
/// it takes or gives back bytes.
pub(crate) trait Watcher: Send + Sync + std::fmt::Debug {
    /// Somebody has begun to wait for bytes, or there is room again.
    fn budget_changed(&self);
}

#[derive(Debug)]
struct State {
    limit: usize,
    used: usize,
    /// Whether somebody holds the overdraft.
    overdrawn: bool,
    /// Exchanges under way, those among them whose answers lie in a response batch.
    admitted: usize,
}

impl ByteBudget {
    /// A budget of so many bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State { limit, used: 0, overdrawn: false, admitted: 0 }),
            released: Notify::new(),
            waiting: AtomicUsize::new(0),
            watchers: Mutex::default(),
            spare: Arc::default(),
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
        self.tell_watchers();
    }

    /// Adds a watcher, for as long as it lives.
    pub(crate) fn watch(&self, watcher: Weak<dyn Watcher>) {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.retain(|watcher| watcher.strong_count() > 0);
        watchers.push(watcher);
    }

    fn tell_watchers(&self) {
        // Told outside the lock: the last reference to a watcher may end here, and it gives bytes back.
        let watchers: Vec<_> = {
            let watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
            watchers.iter().filter_map(Weak::upgrade).collect()
        };
        for watcher in watchers {
            watcher.budget_changed();
        }
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
        Reservation { budget: self.clone(), bytes, admitted: 0, overdraft: None }
    }
}

/// Bytes held from a [`ByteBudget`]; given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<ByteBudget>,
    bytes: usize,
    /// Exchanges that it was admitted for.
    admitted: usize,
    /// Bytes held before the overdraft; none without it.
    overdraft: Option<usize>,
}

impl Reservation {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the first bytes of an exchange, waiting while the budget is full and another exchange is under way.
    pub async fn admit(&mut self, bytes: usize) {
        self.wait_until(|held| held.try_admit(bytes)).await;
    }

    /// Takes more bytes for an answer, waiting while the budget is full. Granted beyond the limit to one holder at a
    /// time, until it has shrunk again or is dropped. The caller must need nothing else to finish.
    pub async fn grow(&mut self, bytes: usize) {
        self.wait_until(|held| held.try_grow(bytes)).await;
    }

    async fn wait_until(&mut self, mut granted: impl FnMut(&mut Self) -> bool) {
        if granted(self) {
            return;
        }
        let budget = self.budget.clone();
        let _waiting = Waiting::new(&budget);
        // Answers that lie ready hold what is waited for.
        budget.tell_watchers();
        loop {
            // Registered before the test, so that a release in between is not missed.
            let released = budget.released.notified();
            if granted(self) {
                return;
            }
            released.await;
        }
    }

    fn try_admit(&mut self, bytes: usize) -> bool {
        let mut state = self.budget.state();
        if state.used + bytes > state.limit && state.admitted > 0 {
            return false;
        }
        if self.admitted == 0 {
            state.admitted += 1;
            self.admitted = 1;
        }
        state.used += bytes;
        self.bytes += bytes;
        true
    }

    /// [`Reservation::grow`] without a wait; false when there would be one.
    pub(crate) fn try_grow(&mut self, bytes: usize) -> bool {
        let mut state = self.budget.state();
        let fits = state.used + bytes <= state.limit;
        if !fits && self.overdraft.is_none() {
            if state.overdrawn {
                return false;
            }
            state.overdrawn = true;
            self.overdraft = Some(self.bytes);
        }
        state.used += bytes;
        self.bytes += bytes;
        true
    }

    /// Takes over what another one of the same budget holds.
    pub(crate) fn join(&mut self, mut other: Self) {
        debug_assert!(Arc::ptr_eq(&self.budget, &other.budget));
        self.bytes += std::mem::take(&mut other.bytes);
        self.admitted += std::mem::take(&mut other.admitted);
        // Beyond the limit it is for as long as it holds anything.
        if other.overdraft.take().is_some() {
            self.overdraft = Some(0);
        }
    }

    /// A buffer for so many bytes of what is held.
    pub(crate) fn buffer(&self, bytes: usize) -> Buffer {
        self.budget.spare.buffer(bytes)
    }

    /// Gives back what is beyond `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        if bytes < self.bytes {
            self.give_back(self.bytes - bytes, false);
        }
    }

    fn give_back(&mut self, bytes: usize, last: bool) {
        let mut state = self.budget.state();
        let was_full = state.used >= state.limit;
        state.used -= bytes;
        let has_room_again = was_full && state.used < state.limit;
        let is_unused = state.used == 0;
        self.bytes -= bytes;
        if let Some(before) = self.overdraft
            && (last || self.bytes <= before || state.used <= state.limit)
        {
            state.overdrawn = false;
            self.overdraft = None;
        }
        if last {
            state.admitted -= self.admitted;
        }
        drop(state);
        if is_unused {
            self.budget.spare.clear();
        }
        if self.budget.is_pressed() {
            self.budget.released.notify_waiters();
        }
        if has_room_again {
            self.budget.tell_watchers();
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.bytes + self.admitted > 0 || self.overdraft.is_some() {
            self.give_back(self.bytes, true);
        }
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

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_connection_never_holds_the_overdraft_that_connections_wait_for() {
        let budget = ByteBudget::new(1_000);
        let connection = Arc::new(tokio::sync::Semaphore::new(2));
        let exchanges: Vec<_> = (0..20)
            .map(|_| {
                let (mut held, connection) = (budget.take(40), connection.clone());
                tokio::spawn(async move {
                    held.admit(50).await;
                    for _attempt in 0..2 {
                        let lease = connection.acquire().await.unwrap();
                        for _ in 0..9 {
                            held.grow(90).await;
                            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                        }
                        drop(lease);
                        // As before a retry.
                        held.shrink_to(40);
                    }
                })
            })
            .collect();
        for exchange in exchanges {
            tokio::time::timeout(std::time::Duration::from_secs(60), exchange).await.unwrap().unwrap();
        }
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn what_is_taken_over_is_given_back_at_once_the_overdraft_with_it() {
        let budget = ByteBudget::new(100);
        let mut batch = budget.take(0);
        let mut large = budget.take(10);
        large.admit(0).await;
        large.grow(500).await;
        batch.join(large);
        batch.join(budget.take(20));
        assert_eq!((budget.used(), batch.bytes()), (530, 530));
        let mut other = budget.take(0);
        assert!(!other.try_grow(1_000), "somebody has the overdraft");
        assert!(!other.try_admit(10), "an exchange is under way");
        drop(batch);
        assert_eq!(budget.used(), 0);
        assert!(other.try_grow(1_000) && other.try_admit(10));
    }

    #[tokio::test]
    async fn an_exchange_is_admitted_although_what_waits_to_be_sent_fills_the_budget() {
        let budget = ByteBudget::new(100);
        let mut waiting = [budget.take(80), budget.take(80)];
        let [first, second] = &mut waiting;
        first.admit(10).await;
        assert!(!second.try_admit(10), "one at a time");
        drop(std::mem::replace(first, budget.take(0)));
        second.admit(10).await;
        assert_eq!(budget.used(), 90);
    }
}
