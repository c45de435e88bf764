//! The lines of a process for all its leased limits, and the desk at which their messages are fetched and delivered.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Ask, Grant, Lease, Lessee, Lessor};
use crate::rate::counts::{Held, RateCounts};
use crate::rate::pacer::Moment;
use crate::rate::{Limit, Slot, Steering};

/// All leased limits of an executor process. Whoever carries messages to the driver calls [`LeaseDesk::next_ask`] and
/// [`LeaseDesk::deliver`] from one thread; attempts wait in [`Line`]s.
#[derive(Debug)]
pub struct LeaseDesk {
    lines: Mutex<HashMap<String, Weak<Line>>>,
    changed: Condvar,
    zero: Instant,
    counts: Arc<RateCounts>,
}

/// The attempts of a process that wait for slots of one limit.
#[derive(Debug)]
pub struct Line {
    lessee: Mutex<Lessee<oneshot::Sender<Given>>>,
    desk: Arc<LeaseDesk>,
}

/// A slot on its way to an attempt.
type Given = (Lease, Held);

impl LeaseDesk {
    /// A desk without lines, which counts slots and messages among these.
    pub(crate) fn new(counts: Arc<RateCounts>) -> Self {
        Self { lines: Mutex::default(), changed: Condvar::new(), zero: Instant::now(), counts }
    }

    /// The line of a limit, made when there is none.
    pub fn line(self: &Arc<Self>, executor: &str, limit: &Limit) -> Arc<Line> {
        let mut lines = self.lines();
        lines.retain(|_, line| line.strong_count() > 0);
        if let Some(line) = lines.get(&limit.name).and_then(Weak::upgrade) {
            return line;
        }
        let lessee = Mutex::new(Lessee::new(executor.to_owned(), limit.clone()));
        let line = Arc::new(Line { lessee, desk: self.clone() });
        lines.insert(limit.name.clone(), Arc::downgrade(&line));
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
            let mut lessee = line.lessee();
            let now = self.now();
            let Some(asked) = lessee.asked(grant) else { return };
            self.counts.answered(now.saturating_sub(asked));
            self.counts.granted(grant.slots);
            let before = lessee.counts().1;
            lessee.take(grant, now, |attempt, lease| match attempt.send((lease, Held::of(&self.counts))) {
                Ok(()) => true,
                Err((_, held)) => {
                    held.let_go();
                    false
                }
            });
            self.counts.lapsed(lessee.counts().1 - before);
        }
    }

    /// An ask got no answer.
    pub fn give_up(&self, ask: &Ask) {
        if let Some(line) = self.find(&ask.limit.name) {
            self.counts.unanswered();
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
    /// Waits for a slot of its own.
    pub async fn slot(&self) -> Slot {
        loop {
            let (give, given) = oneshot::channel();
            let news = self.lessee().wait(give);
            if news {
                self.wake();
            }
            // The line keeps the other end until it gives a slot.
            if let Ok((lease, held)) = given.await {
                let zero = self.desk.zero;
                return Slot::lease(zero + lease.begins, zero + lease.lapses, held);
            }
        }
    }

    /// Tells the driver that the server wants a pause.
    pub fn hold(&self, pause: Duration) {
        self.lessee().hold(pause);
        self.wake();
    }

    fn wake(&self) {
        // The lock orders this after the look of a desk that is about to sleep.
        drop(self.desk.lines());
        self.desk.changed.notify_all();
    }

    fn lessee(&self) -> MutexGuard<'_, Lessee<oneshot::Sender<Given>>> {
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
    /// Steers the schedule of a limit. Does not block.
    pub fn steer(&self, limit: &str, steering: Steering) {
        let now = self.zero.elapsed();
        self.lessor.lock().unwrap_or_else(PoisonError::into_inner).steer(limit, steering, now);
    }

    /// Answers a wish. Does not block.
    pub fn answer(&self, ask: &Ask) -> Grant {
        let now = self.zero.elapsed();
        self.lessor.lock().unwrap_or_else(PoisonError::into_inner).answer(ask, now)
    }
}
