//! The limiters of a process, by the limits' names: plans with the same limit share one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::lease::LeaseDesk;
use super::steering::Steered;
use super::{Keeper, Limit, RateLimiter, Steering};

/// All limiters in use in a process.
#[derive(Debug, Default)]
pub struct Limits {
    limiters: Mutex<Limiters>,
    desk: Arc<LeaseDesk>,
}

/// The limiters by name, with their servers, and the steering that is in force.
#[derive(Debug, Default)]
struct Limiters {
    known: HashMap<String, (String, Weak<RateLimiter>)>,
    steered: Steered,
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
        limiters.known.retain(|_, (_, limiter)| limiter.strong_count() > 0);
        if let Some(limiter) = limiters.known.get(&name).and_then(|(_, limiter)| limiter.upgrade()) {
            return limiter;
        }
        let server = limit.server.clone();
        let steering = limiters.steered.of(&server);
        let limiter = Arc::new(match keeper {
            Keeper::Process => RateLimiter::own(limit),
            Keeper::Share(_) => RateLimiter::share(limit),
            Keeper::Driver => RateLimiter::leased(self.desk.line(executor, &limit)),
        });
        apply(&limiter, steering);
        limiters.known.insert(name, (server, Arc::downgrade(&limiter)));
        limiter
    }

    /// Steers the limits of a server that this process keeps, those that it will keep later as well.
    pub fn steer(&self, server: &str, steering: Steering) {
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        limiters.steered.set(server, steering);
        let of_server = limiters.known.values().filter(|(of, _)| of == server);
        for limiter in of_server.filter_map(|(_, limiter)| limiter.upgrade()) {
            apply(&limiter, steering);
        }
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
