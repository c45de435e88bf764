//! The schedule of a limit: one slot after another, pure, without a clock of its own.

use std::time::Duration;

/// A moment on some monotonic clock, since that clock's zero.
pub type Moment = Duration;

/// Virtual scheduling (the generic cell rate algorithm, ITU-T I.371): each taker reserves the next free slots. Time in
/// which nobody took any is lost, but for the burst.
#[derive(Debug)]
pub struct Pacer {
    interval: Duration,
    /// How far behind the schedule may lag: the slots of a burst lie in the past when they are given.
    lag: Duration,
    next: Option<Moment>,
}

impl Pacer {
    /// A schedule of so many slots per second, of which `burst` (at least 1) may be taken at once after a pause. The
    /// rate must be positive and finite.
    pub fn new(per_second: f64, burst: u32) -> Self {
        let mut pacer = Self { interval: Duration::ZERO, lag: Duration::ZERO, next: None };
        pacer.set(per_second, burst);
        pacer
    }

    /// Changes the rate of the slots that are not given yet.
    pub fn set(&mut self, per_second: f64, burst: u32) {
        self.interval = Duration::from_secs_f64(1.0 / per_second);
        self.lag = self.interval * burst.saturating_sub(1);
    }

    /// Begins anew with another rate: what was reserved ahead is not.
    pub fn restart(&mut self, per_second: f64, burst: u32, now: Moment) {
        self.set(per_second, burst);
        self.next = Some(now + self.interval);
    }

    /// The time between two slots.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Reserves `count` slots, one interval apart, and says when the first one is. It may lie ahead of `now`, or up
    /// to a burst behind. A slot is never handed back: that would add burst.
    pub fn reserve(&mut self, now: Moment, count: u32) -> Moment {
        let first = self.earliest(now);
        self.next = Some(first + self.interval * count);
        first
    }

    /// The moment of the next free slot.
    pub fn earliest(&self, now: Moment) -> Moment {
        let floor = now.saturating_sub(self.lag);
        // A schedule begins without a burst: nothing is known of what was sent before.
        self.next.map_or(now, |next| next.max(floor))
    }

    /// Gives no slot before that moment.
    pub fn hold(&mut self, until: Moment) {
        self.next = Some(self.next.map_or(until, |next| next.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn slots_are_one_interval_apart_and_unused_time_is_not_saved_up() {
        let mut pacer = Pacer::new(10.0, 1);
        let slots: Vec<_> = (0..3).map(|_| pacer.reserve(ms(0), 1)).collect();
        assert_eq!(slots, [ms(0), ms(100), ms(200)]);
        assert_eq!(pacer.reserve(ms(60_000), 2), ms(60_000));
        assert_eq!(pacer.reserve(ms(60_000), 1), ms(60_200));
    }

    #[test]
    fn a_burst_is_given_after_a_pause_and_not_twice() {
        let mut pacer = Pacer::new(10.0, 4);
        assert_eq!(pacer.reserve(ms(0), 1), ms(0));
        // Three in the past, at once; then the schedule goes on.
        let slots: Vec<_> = (0..6).map(|_| pacer.reserve(ms(10_000), 1)).collect();
        assert_eq!(slots, [ms(9_700), ms(9_800), ms(9_900), ms(10_000), ms(10_100), ms(10_200)]);
    }

    #[test]
    fn a_held_schedule_goes_on_after_the_hold() {
        let mut pacer = Pacer::new(10.0, 1);
        pacer.hold(ms(5_000));
        assert_eq!(pacer.reserve(ms(0), 1), ms(5_000));
        pacer.hold(ms(1_000));
        assert_eq!(pacer.reserve(ms(0), 1), ms(5_100));
    }
}
