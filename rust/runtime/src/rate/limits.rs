//! The limiters of a process, by the limits' names: plans with the same limit share one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::lease::LeaseDesk;
use super::{Keeper, Limit, RateLimiter};

/// All limiters in use in a process.
#[derive(Debug, Default)]
pub struct Limits {
    limiters: Mutex<HashMap<String, Weak<RateLimiter>>>,
    desk: Arc<LeaseDesk>,
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
        let name = format!("{kind} {}", limit.name());
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        limiters.retain(|_, limiter| limiter.strong_count() > 0);
        if let Some(limiter) = limiters.get(&name).and_then(Weak::upgrade) {
            return limiter;
        }
        let limiter = Arc::new(match keeper {
            Keeper::Process => RateLimiter::own(limit),
            Keeper::Share(_) => RateLimiter::share(limit),
            Keeper::Driver => RateLimiter::leased(self.desk.line(executor, &limit)),
        });
        limiters.insert(name, Arc::downgrade(&limiter));
        limiter
    }

    /// Where the messages of leased limits are fetched and delivered.
    pub fn desk(&self) -> &Arc<LeaseDesk> {
        &self.desk
    }
}
