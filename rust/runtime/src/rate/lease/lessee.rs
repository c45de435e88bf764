//! An executor's side: attempts that wait for slots, and the slots that are given to them.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Ask, Grant, LEAD, validity};
use crate::rate::Limit;
use crate::rate::pacer::Moment;

/// A slot as it is given to an attempt: when it begins, and when it lapses, on the executor's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Not to be used before.
    pub begins: Moment,
    /// Not to be used after.
    pub lapses: Moment,
}

/// What an executor process holds of one limit. `W` stands for an attempt that waits; it may be gone when its turn comes.
#[derive(Debug)]
pub struct Lessee<W> {
    executor: String,
    limit: Limit,
    waiting: VecDeque<W>,
    asked: Option<(u64, Moment)>,
    number: u64,
    last: Option<Moment>,
    hold: Option<Duration>,
    granted: u64,
    unused: u64,
}

impl<W> Lessee<W> {
    /// A process that has no slot yet.
    pub fn new(executor: String, limit: Limit) -> Self {
        Self {
            executor,
            limit,
            waiting: VecDeque::new(),
            asked: None,
            number: 0,
            last: None,
            hold: None,
            granted: 0,
            unused: 0,
        }
    }

    /// Puts an attempt in the line. True when there is something to ask now that was not known before: with others in the
    /// line, or a wish on its way, the next wish is due anyhow.
    pub fn wait(&mut self, attempt: W) -> bool {
        let news = self.waiting.is_empty() && self.asked.is_none();
        self.waiting.push_back(attempt);
        news
    }

    /// Whether a grant answers the wish that is on its way; the moment of that wish.
    pub fn asked(&self, grant: &Grant) -> Option<Moment> {
        self.asked.filter(|(number, _)| *number == grant.number).map(|(_, asked)| asked)
    }

    /// Tells the driver with the next wish that the server wants a pause.
    pub fn hold(&mut self, pause: Duration) {
        self.hold = Some(self.hold.map_or(pause, |earlier| earlier.max(pause)));
    }

    /// The wish to send now, if there is one. Until it is answered or [given up](Self::give_up) there is no other.
    pub fn ask(&mut self, now: Moment) -> Option<Ask> {
        if self.asked.is_some() || self.next_ask(now)? > now {
            return None;
        }
        self.number += 1;
        self.asked = Some((self.number, now));
        Some(Ask {
            executor: self.executor.clone(),
            limit: self.limit.clone(),
            number: self.number,
            wanted: u32::try_from(self.waiting.len()).unwrap_or(u32::MAX),
            hold: self.hold.take(),
        })
    }

    /// When there will be something to ask, as far as it is known; none while nothing waits or a wish is on its way.
    pub fn next_ask(&self, now: Moment) -> Option<Moment> {
        if self.asked.is_some() {
            None
        } else if self.hold.is_some() {
            Some(now)
        } else if self.waiting.is_empty() {
            None
        } else {
            Some(self.last.map_or(now, |last| last.saturating_sub(LEAD)))
        }
    }

    /// Gives the slots of a grant to those that wait, in their order. `give` says whether the attempt is still there.
    pub fn take(&mut self, grant: &Grant, now: Moment, mut give: impl FnMut(W, Lease) -> bool) {
        let Some((_, asked)) = self.asked.take_if(|(number, _)| *number == grant.number) else { return };
        self.granted += u64::from(grant.slots);
        if grant.slots == 0 && !grant.ahead.is_zero() {
            // The limit is held: the next wish is due then.
            self.last = Some(now + grant.ahead + LEAD);
        }
        for index in 0..grant.slots {
            // A slot of a burst has passed already when it is given: it may be used at once.
            let ahead = (grant.ahead + grant.interval * index).saturating_sub(grant.behind);
            let lease = Lease { begins: now + ahead, lapses: asked + ahead + validity(grant.interval) };
            self.last = Some(now + ahead);
            let taken = lease.lapses > now && self.pass_on(lease, &mut give);
            if !taken {
                self.unused += 1;
            }
        }
    }

    fn pass_on(&mut self, lease: Lease, give: &mut impl FnMut(W, Lease) -> bool) -> bool {
        while let Some(attempt) = self.waiting.pop_front() {
            if give(attempt, lease) {
                return true;
            }
        }
        false
    }

    /// The wish was not answered: it may be asked again. If the driver has given slots for it they are lost.
    pub fn give_up(&mut self, number: u64) {
        self.asked.take_if(|(asked, _)| *asked == number);
    }

    /// Slots given so far, and those among them that nobody used because they came too late or nobody waited any more.
    pub fn counts(&self) -> (u64, u64) {
        (self.granted, self.unused)
    }
}
