//! The lines of a process for all its leased limits, and the desk at which their messages are fetched and delivered.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Ask, Grant, Lease, Lessee, Lessor};
use crate::rate::pacer::Moment;
use crate::rate::{Limit, Steering};

/// All leased limits of an executor process. Whoever carries messages to the driver calls [`LeaseDesk::next_ask`] and
/// [`LeaseDesk::deliver`] from one thread; attempts wait in [`Line`]s.
#[derive(Debug)]
pub struct LeaseDesk {
    lines: Mutex<HashMap<String, Weak<Line>>>,
    changed: Condvar,
    zero: Instant,
}

/// The attempts of a process that wait for slots of one limit.
#[derive(Debug)]
pub struct Line {
    lessee: Mutex<Lessee<oneshot::Sender<Lease>>>,
    desk: Arc<LeaseDesk>,
}

impl Default for LeaseDesk {
    fn default() -> Self {
        Self { lines: Mutex::default(), changed: Condvar::new(), zero: Instant::now() }
    }
}

impl LeaseDesk {
    /// The line of a limit, made when there is none.
    pub fn line(self: &Arc<Self>, executor: &str, limit: &Limit) -> Arc<Line> {
        let mut lines = self.lines();
        lines.retain(|_, line| line.strong_count() > 0);
        if let Some(line) = lines.get(&limit.name()).and_then(Weak::upgrade) {
            return line;
        }
        let lessee = Mutex::new(Lessee::new(executor.to_owned(), limit.clone()));
        let line = Arc::new(Line { lessee, desk: self.clone() });
        lines.insert(limit.name(), Arc::downgrade(&line));
        line
    }

    /// Waits until a line has something to ask, at most for `timeout`.
    pub fn next_ask(&self, timeout: Duration) -> Option<Ask> {
        let deadline = self.now() + timeout;
        let mut lines = self.lines();
        loop {
            let now = self.now();
            let mut until = deadline;
            for line in lines.values().filter_map(Weak::upgrade) {
                let mut lessee = line.lessee();
                if let Some(ask) = lessee.ask(now) {
                    return Some(ask);
                }
                until = lessee.next_ask(now).map_or(until, |next| next.min(until));
            }
            let left = until.saturating_sub(now);
            if left.is_zero() {
                return None;
            }
            lines = self.changed.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Gives the slots of an answer to those that wait.
    pub fn deliver(&self, grant: &Grant) {
        if let Some(line) = self.find(&grant.limit) {
            let now = self.now();
            line.lessee().take(grant, now, |attempt, lease| attempt.send(lease).is_ok());
        }
    }

    /// An ask got no answer.
    pub fn give_up(&self, ask: &Ask) {
        if let Some(line) = self.find(&ask.limit.name()) {
            line.lessee().give_up(ask.number);
        }
    }

    fn find(&self, limit: &str) -> Option<Arc<Line>> {
        self.lines().get(limit).and_then(Weak::upgrade)
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<String, Weak<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        self.zero.elapsed()
    }
}

impl Line {
    /// Waits for a slot of its own: from when to when it may be used.
    pub async fn slot(&self) -> (Instant, Instant) {
        loop {
            let (give, given) = oneshot::channel();
            self.lessee().wait(give);
            self.wake();
            // The line keeps the other end until it gives a slot.
            if let Ok(lease) = given.await {
                return (self.desk.zero + lease.begins, self.desk.zero + lease.lapses);
            }
        }
    }

    /// Tells the driver that the server wants a pause.
    pub fn hold(&self, pause: Duration) {
        self.lessee().hold(pause);
        self.wake();
    }

    /// Slots given so far, and those among them that nobody used.
    pub fn counts(&self) -> (u64, u64) {
        self.lessee().counts()
    }

    fn wake(&self) {
        // The lock orders this after the look of a desk that is about to sleep.
        drop(self.desk.lines());
        self.desk.changed.notify_all();
    }

    fn lessee(&self) -> MutexGuard<'_, Lessee<oneshot::Sender<Lease>>> {
        self.lessee.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The driver's schedules, for whoever carries the messages.
#[derive(Debug)]
pub struct LessorDesk {
    lessor: Mutex<Lessor>,
    zero: Instant,
}

impl Default for LessorDesk {
    fn default() -> Self {
        Self { lessor: Mutex::default(), zero: Instant::now() }
    }
}

impl LessorDesk {
    /// Steers the schedules of a server. Does not block.
    pub fn steer(&self, server: &str, steering: Steering) {
        let now = self.zero.elapsed();
        self.lessor.lock().unwrap_or_else(PoisonError::into_inner).steer(server, steering, now);
    }

    /// Answers a wish. Does not block.
    pub fn answer(&self, ask: &Ask) -> Grant {
        let now = self.zero.elapsed();
        self.lessor.lock().unwrap_or_else(PoisonError::into_inner).answer(ask, now)
    }
}
