//! The driver's side: the schedules of an application's limits.

use std::collections::HashMap;
use std::time::Duration;

use super::{Ask, Grant};
use crate::rate::pacer::{Moment, Pacer};
use crate::rate::{Limit, Steering};

/// An executor that has not asked for so long is not counted any more.
const ASKED_LATELY: Duration = Duration::from_secs(5);

/// A chunk is an executor's share of the slots of this time.
const CHUNK: Duration = Duration::from_millis(100);

/// With many executors chunks grow, so that each takes at least the slots of this time: no more than 500 messages a
/// second, whatever their number.
const LEAST_CHUNK: Duration = Duration::from_millis(2);

/// While a limit is held an executor asks again after so long, or when the hold ends if that is sooner: the hold may have
/// been renewed by then, and slots that lie behind its end would have been used all the same.
const HELD_AGAIN: Duration = Duration::from_millis(500);

/// The schedules of all limits of one application. Owned by the driver; nothing of it blocks.
#[derive(Debug, Default)]
pub struct Lessor {
    schedules: HashMap<String, Schedule>,
    /// Rates in place of the limits' own, and moments until which nothing is given: schedules that are made later keep to
    /// them as well.
    steered: HashMap<String, (Option<f64>, Moment)>,
}

#[derive(Debug)]
struct Schedule {
    limit: Limit,
    /// Attempts per second: the limit's own, or what somebody wants instead.
    per_second: f64,
    pacer: Pacer,
    /// Nothing is given before.
    held: Moment,
    askers: HashMap<String, Moment>,
    granted: u64,
    asks: u64,
}

impl Lessor {
    /// Answers a wish that arrives at `now`, a moment of the driver's clock.
    pub fn answer(&mut self, ask: &Ask, now: Moment) -> Grant {
        let schedule = self.schedules.entry(ask.limit.name.clone()).or_insert_with(|| {
            let (steered, until) = self.steered.get(&ask.limit.name).copied().unwrap_or_default();
            let per_second = steered.unwrap_or(ask.limit.per_second);
            let mut schedule = Schedule {
                limit: ask.limit.clone(),
                per_second,
                pacer: Pacer::new(per_second, ask.limit.burst),
                held: Moment::ZERO,
                askers: HashMap::new(),
                granted: 0,
                asks: 0,
            };
            if until > now {
                schedule.hold(until);
            }
            schedule
        });
        schedule.asks += 1;
        if let Some(hold) = ask.hold {
            schedule.hold(now + hold);
        }
        let held = schedule.held.saturating_sub(now);
        let (slots, first) = if ask.wanted == 0 {
            (0, now)
        } else if !held.is_zero() {
            (0, now + held.min(HELD_AGAIN))
        } else {
            let slots = schedule.chunk(ask, now);
            (slots, schedule.pacer.reserve(now, slots))
        };
        schedule.granted += u64::from(slots);
        Grant {
            limit: ask.limit.name.clone(),
            number: ask.number,
            slots,
            ahead: first.saturating_sub(now),
            behind: now.saturating_sub(first),
            interval: schedule.pacer.interval(),
        }
    }

    /// Steers the schedule of a limit from `now` on; one that is not there yet keeps to the rate. Slots that are leased
    /// already are used: so many as a fraction of a second has.
    pub fn steer(&mut self, limit: &str, steering: Steering, now: Moment) {
        if steering == Steering::default() {
            self.steered.remove(limit);
        } else {
            self.steered.insert(limit.to_owned(), (steering.per_second, now + steering.pause));
        }
        if let Some(schedule) = self.schedules.get_mut(limit) {
            let per_second = steering.per_second.unwrap_or(schedule.limit.per_second);
            if per_second.total_cmp(&schedule.per_second).is_ne() {
                schedule.per_second = per_second;
                schedule.pacer.restart(per_second, schedule.limit.burst, now);
            }
            if !steering.pause.is_zero() {
                schedule.hold(now + steering.pause);
            }
        }
    }

    /// Slots given so far of a limit, and wishes answered.
    pub fn counts(&self, limit: &Limit) -> (u64, u64) {
        self.schedules.get(&limit.name).map_or((0, 0), |schedule| (schedule.granted, schedule.asks))
    }
}

impl Schedule {
    fn hold(&mut self, until: Moment) {
        self.held = self.held.max(until);
        self.pacer.hold(until);
    }

    fn chunk(&mut self, ask: &Ask, now: Moment) -> u32 {
        self.askers.insert(ask.executor.clone(), now);
        self.askers.retain(|_, asked| now.saturating_sub(*asked) < ASKED_LATELY);
        let executors = u32::try_from(self.askers.len()).unwrap_or(u32::MAX);
        let time = (CHUNK / executors).max(LEAST_CHUNK);
        let slots = (self.per_second * time.as_secs_f64()).ceil();
        // In range: a share of a tenth of a second of a rate that the config bounds.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let slots = slots as u32;
        slots.clamp(1, ask.wanted)
    }
}
