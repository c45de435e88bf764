//! What becomes of slots, and what leases cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

/// Slots and messages of the rate limits of a process since its start.
///
/// Every slot that was granted is spent, has lapsed, or is held by an attempt that waits for its moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RateStats {
    /// Slots that this process got, of its own schedules and of the driver's.
    pub granted: u64,
    /// Those of them with which a request was written.
    pub spent: u64,
    /// Those of them that nobody will use: they came too late, or what waited for them was gone.
    pub lapsed: u64,
    /// Wishes that the driver has answered.
    pub round_trips: u64,
    /// Wishes that it has not.
    pub unanswered: u64,
    /// From wish to answer, summed up over the answered ones, in milliseconds.
    pub round_trip_ms: u64,
}

/// The counters behind [`RateStats`].
#[derive(Debug, Default)]
pub(crate) struct RateCounts {
    granted: AtomicU64,
    spent: AtomicU64,
    lapsed: AtomicU64,
    round_trips: AtomicU64,
    unanswered: AtomicU64,
    round_trip_micros: AtomicU64,
}

impl RateCounts {
    pub(super) fn granted(&self, slots: u32) {
        self.granted.fetch_add(slots.into(), Ordering::Relaxed);
    }

    pub(super) fn lapsed(&self, slots: u64) {
        self.lapsed.fetch_add(slots, Ordering::Relaxed);
    }

    pub(super) fn answered(&self, after: Duration) {
        self.round_trips.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        self.round_trip_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn unanswered(&self) {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
    }

    /// What was granted is read last: what became of slots is never more.
    pub(crate) fn stats(&self) -> RateStats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (spent, lapsed) = (read(&self.spent), read(&self.lapsed));
        RateStats {
            spent,
            lapsed,
            round_trips: read(&self.round_trips),
            unanswered: read(&self.unanswered),
            round_trip_ms: read(&self.round_trip_micros) / 1000,
            granted: read(&self.granted),
        }
    }
}

/// A granted slot in somebody's hands: it is spent, or has lapsed when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    counts: Option<Arc<RateCounts>>,
}

impl Held {
    /// A slot that is counted as granted already.
    pub(super) fn of(counts: &Arc<RateCounts>) -> Self {
        Self { counts: Some(counts.clone()) }
    }

    /// No slot of a limit: nobody counts it.
    pub(super) const fn uncounted() -> Self {
        Self { counts: None }
    }

    /// A request is written with it. Once: another writing with the same slot is not another slot.
    pub(super) fn spend(&mut self) {
        if let Some(counts) = self.counts.take() {
            counts.spent.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// It passes into other hands.
    pub(super) fn let_go(mut self) {
        self.counts = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(counts) = self.counts.take() {
            counts.lapsed(1);
        }
    }
}
