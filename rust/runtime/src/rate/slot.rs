//! A slot of a schedule.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::counts::Held;

/// A request that is later than this has missed its slot and takes another one: requests that were held up by their
/// connections would otherwise be written all at once. Slots that are further apart have half of that time.
const LATE: Duration = Duration::from_millis(10);

/// The moment at which one attempt may write its first byte.
#[derive(Debug)]
#[must_use]
pub struct Slot {
    /// None without a limit: any moment will do.
    at: Option<Instant>,
    /// A leased slot must not be used later.
    lapses: Option<Instant>,
    /// Any other had better not be used so long after its moment.
    late: Duration,
    /// The era of the schedule that gave it; none of a schedule that has no eras.
    era: Option<Era>,
    held: Held,
}

/// A time in which a schedule kept one rate. Slots of an earlier one are worth nothing.
#[derive(Clone, Debug)]
pub(super) struct Era {
    number: u64,
    now: watch::Receiver<u64>,
}

impl Era {
    pub(super) fn of(now: &watch::Sender<u64>) -> Self {
        let now = now.subscribe();
        let number = *now.borrow();
        Self { number, now }
    }

    fn is_over(&self) -> bool {
        *self.now.borrow() != self.number
    }

    async fn end(&self) {
        // A schedule that is gone ends its era, too.
        let _ = self.now.clone().wait_for(|now| *now != self.number).await;
    }
}

impl Slot {
    pub(super) const fn any() -> Self {
        Self { at: None, lapses: None, late: Duration::MAX, era: None, held: Held::uncounted() }
    }

    pub(super) const fn at(at: Instant) -> Self {
        Self { at: Some(at), lapses: None, late: Duration::MAX, era: None, held: Held::uncounted() }
    }

    /// One of a schedule with this time between two slots, worth nothing once the era is over.
    pub(super) fn within(at: Instant, interval: Duration, era: Era, held: Held) -> Self {
        Self { at: Some(at), lapses: None, late: LATE.max(interval / 2), era: Some(era), held }
    }

    pub(super) const fn lease(begins: Instant, lapses: Instant, held: Held) -> Self {
        Self { at: Some(begins), lapses: Some(lapses), late: Duration::MAX, era: None, held }
    }

    /// Whether it is one of no schedule: now is as good as later.
    pub(crate) fn is_free(&self) -> bool {
        self.at.is_none()
    }

    /// A request is written with it. One that is never spent has lapsed.
    pub fn spend(&mut self) {
        self.held.spend();
    }

    /// Waits until the slot is no more than this ahead, or is worth nothing any more.
    pub async fn approach(&self, ahead: Duration) {
        if let Some(at) = self.at
            && self.is_beyond(ahead)
        {
            let come = tokio::time::sleep_until(at - ahead);
            match &self.era {
                None => come.await,
                Some(era) => tokio::select! {
                    () = come => {}
                    () = era.end() => {}
                },
            }
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

    /// Whether its time has passed: another slot is better, if there is time for one.
    pub fn is_late(&self) -> bool {
        self.at.is_some_and(|at| Instant::now().saturating_duration_since(at) > self.late)
    }

    /// Whether it must not be used, whatever that costs.
    pub(super) fn is_lost(&self) -> bool {
        self.era.as_ref().is_some_and(Era::is_over)
            || self.lapses.is_some_and(|lapses| Instant::now() > lapses)
    }

    pub(super) fn is_before(&self, moment: Instant) -> bool {
        self.at.is_some_and(|at| at < moment)
    }
}
