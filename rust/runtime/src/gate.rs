//! The gate of a session: attempts pass it when their requests are written, and may be waited for when it is closed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Set in the count when the gate is closed.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// Counts the exchanges whose requests have been written and that have not ended or paused since.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    passed: AtomicUsize,
    waiting: Mutex<()>,
    empty: Condvar,
}

impl Gate {
    /// Lets no further attempt pass, and waits until those that have passed are through, at most for `timeout`. True when
    /// they are.
    pub(crate) fn close(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        self.passed.fetch_or(CLOSED, Ordering::SeqCst);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if self.passed.load(Ordering::SeqCst) == CLOSED {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            waiting = self.empty.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn enter(&self) -> bool {
        let open = self.passed.fetch_add(1, Ordering::SeqCst) & CLOSED == 0;
        if !open {
            self.leave();
        }
        open
    }

    fn leave(&self) {
        if self.passed.fetch_sub(1, Ordering::SeqCst) == CLOSED + 1 {
            // The lock orders this after the test of one that is about to sleep.
            drop(self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            self.empty.notify_all();
        }
    }
}

/// An exchange's way through the gate of its session. One without a session finds no gate.
#[derive(Debug, Default)]
pub(crate) struct Passage {
    gate: Option<Arc<Gate>>,
    passed: bool,
}

impl Passage {
    /// Through this gate; not passed yet.
    pub(crate) fn through(gate: Arc<Gate>) -> Self {
        Self { gate: Some(gate), passed: false }
    }

    /// Passes; false once the gate is closed.
    pub(crate) fn pass(&mut self) -> bool {
        self.go_back();
        let Some(gate) = &self.gate else { return true };
        self.passed = gate.enter();
        self.passed
    }

    /// Is not waited for any more, until it passes again.
    pub(crate) fn go_back(&mut self) {
        if std::mem::take(&mut self.passed)
            && let Some(gate) = &self.gate
        {
            gate.leave();
        }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.go_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_have_passed_are_waited_for_and_no_others_pass() {
        let gate = Arc::new(Gate::default());
        let (mut first, mut second) = (Passage::through(gate.clone()), Passage::through(gate.clone()));
        assert!(first.pass() && first.pass());
        assert!(!gate.close(Duration::ZERO));
        assert!(!second.pass());
        assert!(!gate.close(Duration::ZERO));
        let closing = std::thread::spawn({
            let gate = gate.clone();
            move || gate.close(Duration::from_secs(60))
        });
        drop(first);
        assert!(closing.join().unwrap());
        assert!(gate.close(Duration::ZERO));
    }

    #[test]
    fn one_that_pauses_or_would_pass_again_is_not_waited_for() {
        let gate = Arc::new(Gate::default());
        let (mut pausing, mut repeating) = (Passage::through(gate.clone()), Passage::through(gate.clone()));
        assert!(pausing.pass() && repeating.pass());
        pausing.go_back();
        assert!(!gate.close(Duration::ZERO));
        assert!(!repeating.pass());
        assert!(gate.close(Duration::ZERO));
    }
}
