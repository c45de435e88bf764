//! The rate limit of a process: a slot of its own for every attempt, in the order of asking.
//!
//! Virtual scheduling (the generic cell rate algorithm, ITU-T I.371): each attempt reserves the next free slot and
//! sleeps until it. No waiter ever asks twice, so a thousand waiters cost a thousand timers and no stampede, and the
//! granularity of the timer delays an attempt without lowering the rate.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The schedule itself: pure, without a clock of its own.
#[derive(Debug)]
pub struct Pacer {
    interval: Duration,
    next: Option<Instant>,
}

impl Pacer {
    /// A pacer of so many slots per second; must be positive and finite.
    pub fn new(per_second: f64) -> Self {
        Self { interval: Duration::from_secs_f64(1.0 / per_second), next: None }
    }

    /// Reserves the next free slot at or after `now`. A slot is never handed back: that would add burst.
    pub fn reserve(&mut self, now: Instant) -> Instant {
        let slot = self.next.map_or(now, |next| next.max(now));
        self.next = Some(slot + self.interval);
        slot
    }
}

/// Holds attempts back so that no more than the limit reach the socket in a second. Without a limit it lets all pass.
#[derive(Debug)]
pub struct RateLimiter {
    pacer: Option<Mutex<Pacer>>,
}

impl RateLimiter {
    /// A limiter of attempts per second; none means unlimited.
    pub fn new(per_second: Option<f64>) -> Self {
        Self { pacer: per_second.map(|rate| Mutex::new(Pacer::new(rate))) }
    }

    /// Spends the next free slot, which may lie ahead. Once for each attempt.
    pub fn reserve(&self) -> Slot {
        let Some(pacer) = &self.pacer else { return Slot { at: None } };
        let now = Instant::now();
        // A reservation is one assignment: the schedule is whole even if a holder panicked.
        let at = pacer.lock().unwrap_or_else(PoisonError::into_inner).reserve(now);
        Slot { at: Some(at) }
    }

    /// Spends the next free slot and waits for it.
    pub async fn pass(&self) {
        self.reserve().arrive().await;
    }
}

/// A slot of the schedule: the moment at which one attempt may write its first byte. Never given back.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Slot {
    /// None without a limit: any moment will do.
    at: Option<Instant>,
}

impl Slot {
    /// Waits until the slot is no more than this ahead.
    pub async fn approach(&self, ahead: Duration) {
        if let Some(at) = self.at
            && self.is_beyond(ahead)
        {
            tokio::time::sleep_until(at - ahead).await;
        }
    }

    /// Waits until the slot comes.
    pub async fn arrive(&self) {
        self.approach(Duration::ZERO).await;
    }

    /// Whether the slot is more than this ahead.
    pub fn is_beyond(&self, ahead: Duration) -> bool {
        self.at.is_some_and(|at| at > Instant::now() + ahead)
    }

    /// Whether the slot came and went longer than this ago.
    pub fn is_missed(&self, by: Duration) -> bool {
        self.at.is_some_and(|at| Instant::now() > at + by)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn slots_are_one_interval_apart_and_unused_time_is_not_saved_up() {
        let start = Instant::now();
        let mut pacer = Pacer::new(10.0);
        let slots: Vec<_> = (0..3).map(|_| pacer.reserve(start) - start).collect();
        assert_eq!(slots, [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(200)]);
        let later = start + Duration::from_secs(60);
        assert_eq!(pacer.reserve(later), later);
        assert_eq!(pacer.reserve(later), later + Duration::from_millis(100));
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_of_a_second_holds_more_than_the_limit_and_one() {
        let limiter = Arc::new(RateLimiter::new(Some(30.0)));
        let start = Instant::now();
        let waiters: Vec<_> = (0..120)
            .map(|_| {
                let limiter = limiter.clone();
                tokio::spawn(async move {
                    limiter.pass().await;
                    Instant::now() - start
                })
            })
            .collect();
        let mut passed = Vec::new();
        for waiter in waiters {
            passed.push(waiter.await.unwrap());
        }
        passed.sort();
        for (index, at) in passed.iter().enumerate() {
            let within = passed[index..].iter().take_while(|t| **t < *at + Duration::from_secs(1)).count();
            assert!(within <= 31, "{within} attempts within a second from {at:?}");
        }
        let last = passed.last().copied().unwrap_or_default();
        assert!(last >= Duration::from_millis(3960) && last <= Duration::from_millis(4000), "{last:?}");
    }
}
