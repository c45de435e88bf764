//! The retry budget: what keeps an API that fails from being sent several times the traffic that it cannot bear.

use std::sync::{Mutex, PoisonError};

use apisink_plan::RetryBudgetSpec;
use tokio::time::{Duration, Instant};

/// Traffic and retries of this many seconds count.
const WINDOW: usize = 10;

/// Retries that a process may send: a share of its first attempts, and a few per second whatever the traffic. Both count over
/// the last ten seconds. Shared by all tasks of an engine.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    spec: RetryBudgetSpec,
    began: Instant,
    counts: Mutex<Counts>,
}

/// First attempts and retries of each second of the window.
#[derive(Debug, Default)]
struct Counts {
    second: u64,
    seconds: [(u32, u32); WINDOW],
}

impl RetryBudget {
    pub(crate) fn new(spec: RetryBudgetSpec) -> Self {
        Self { spec, began: Instant::now(), counts: Mutex::default() }
    }

    /// Counts a row's first attempt.
    pub(crate) fn first(&self) {
        self.with(|counts| counts.now().0 += 1);
    }

    /// Takes a retry out of the budget; false when it is used up.
    pub(crate) fn take(&self) -> bool {
        self.with(|counts| {
            let sum = |of: fn(&(u32, u32)) -> u32| {
                counts.seconds.iter().map(|second| f64::from(of(second))).sum::<f64>()
            };
            let (firsts, retries) = (sum(|second| second.0), sum(|second| second.1));
            let least = self.spec.min_per_second * Duration::from_secs(WINDOW as u64).as_secs_f64();
            let allowed = self.spec.share * firsts + least;
            if retries + 1.0 > allowed {
                return false;
            }
            counts.now().1 += 1;
            true
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Counts) -> T) -> T {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.advance_to(self.began.elapsed().as_secs());
        act(&mut counts)
    }
}

impl Counts {
    /// Forgets what has left the window.
    fn advance_to(&mut self, second: u64) {
        let passed = second.saturating_sub(self.second).min(WINDOW as u64);
        for gone in 0..passed {
            self.seconds[slot(second - gone)] = (0, 0);
        }
        self.second = self.second.max(second);
    }

    fn now(&mut self) -> &mut (u32, u32) {
        &mut self.seconds[slot(self.second)]
    }
}

#[allow(clippy::cast_possible_truncation, reason = "smaller than the window")]
const fn slot(second: u64) -> usize {
    (second % WINDOW as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(share: f64, min_per_second: f64) -> RetryBudget {
        RetryBudget::new(RetryBudgetSpec { share, min_per_second })
    }

    fn granted(budget: &RetryBudget) -> usize {
        (0..1_000).take_while(|_| budget.take()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn retries_are_a_share_of_the_traffic_of_the_last_ten_seconds() {
        let budget = budget(0.2, 0.0);
        assert_eq!(granted(&budget), 0);
        (0..100).for_each(|_| budget.first());
        assert_eq!(granted(&budget), 20);
        tokio::time::advance(Duration::from_secs(5)).await;
        (0..50).for_each(|_| budget.first());
        assert_eq!(granted(&budget), 10);
        // The first hundred and their retries have left the window; fifty and ten are still in it.
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(granted(&budget), 0);
        (0..10).for_each(|_| budget.first());
        assert_eq!(granted(&budget), 2);
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert_eq!(granted(&budget), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_retries_per_second_are_allowed_whatever_the_traffic() {
        let budget = budget(0.0, 0.5);
        assert_eq!(granted(&budget), 5);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(granted(&budget), 5);
    }
}
