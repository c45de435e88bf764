//! The limiters of a process, by the limits' names: plans with the same limit share one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::counts::RateCounts;
use super::lease::LeaseDesk;
use super::steering::Steered;
use super::{Keeper, Limit, RateLimiter, RateStats, Steering};

/// All limiters in use in a process.
#[derive(Debug)]
pub struct Limits {
    limiters: Mutex<Limiters>,
    desk: Arc<LeaseDesk>,
    counts: Arc<RateCounts>,
}

/// The limiters by the kinds of their keepers and by name, and the steering that is in force.
#[derive(Debug, Default)]
struct Limiters {
    known: HashMap<(&'static str, String), Weak<RateLimiter>>,
    steered: Steered,
}

impl Default for Limits {
    fn default() -> Self {
        let counts = Arc::<RateCounts>::default();
        Self { limiters: Mutex::default(), desk: Arc::new(LeaseDesk::new(counts.clone())), counts }
    }
}

impl Limits {
    /// The limiter of a limit, for the keeper that the driver has chosen.
    pub fn limiter(&self, limit: Option<Limit>, keeper: Keeper, executor: &str) -> Arc<RateLimiter> {
        let Some(limit) = limit else { return Arc::new(RateLimiter::unlimited()) };
        let kind = match keeper {
            Keeper::Process => "process",
            Keeper::Share(_) => "share",
            Keeper::Driver => "driver",
        };
        let key = (kind, limit.name.clone());
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        limiters.known.retain(|_, limiter| limiter.strong_count() > 0);
        if let Some(limiter) = limiters.known.get(&key).and_then(Weak::upgrade) {
            return limiter;
        }
        let steering = limiters.steered.of(&limit.name);
        let limiter = match keeper {
            Keeper::Process => RateLimiter::own(limit),
            Keeper::Share(_) => RateLimiter::share(limit),
            Keeper::Driver => RateLimiter::leased(self.desk.line(executor, &limit)),
        };
        let limiter = Arc::new(limiter.counted(&self.counts));
        apply(&limiter, steering);
        limiters.known.insert(key, Arc::downgrade(&limiter));
        limiter
    }

    /// Steers a limit that this process keeps, if it only will keep it later as well.
    pub fn steer(&self, limit: &str, steering: Steering) {
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        limiters.steered.set(limit, steering);
        let of_limit = limiters.known.iter().filter(|((_, name), _)| name == limit);
        for limiter in of_limit.filter_map(|(_, limiter)| limiter.upgrade()) {
            apply(&limiter, steering);
        }
    }

    /// Slots and messages since the process's start.
    pub fn stats(&self) -> RateStats {
        self.counts.stats()
    }

    /// Where the messages of leased limits are fetched and delivered.
    pub fn desk(&self) -> &Arc<LeaseDesk> {
        &self.desk
    }
}

fn apply(limiter: &RateLimiter, steering: Steering) {
    limiter.steer(steering.per_second);
    if !steering.pause.is_zero() {
        limiter.hold(steering.pause);
    }
}
