//! A slot of a schedule.

use std::time::Duration;

use tokio::time::Instant;

/// The moment at which one attempt may write its first byte.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Slot {
    /// None without a limit: any moment will do.
    at: Option<Instant>,
    /// A leased slot must not be used later.
    lapses: Option<Instant>,
}

impl Slot {
    pub(super) const fn any() -> Self {
        Self { at: None, lapses: None }
    }

    pub(super) const fn at(at: Instant) -> Self {
        Self { at: Some(at), lapses: None }
    }

    pub(super) const fn lease(begins: Instant, lapses: Instant) -> Self {
        Self { at: Some(begins), lapses: Some(lapses) }
    }

    /// Whether the slot must not be used late, whatever it costs.
    pub fn is_lease(&self) -> bool {
        self.lapses.is_some()
    }

    /// Waits until the slot is no more than this ahead.
    pub async fn approach(&self, ahead: Duration) {
        if let Some(at) = self.at
            && self.is_beyond(ahead)
        {
            tokio::time::sleep_until(at - ahead).await;
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

    pub(super) fn is_missed(&self, late: Duration) -> bool {
        match (self.lapses, self.at) {
            (Some(lapses), _) => Instant::now() > lapses,
            (None, Some(at)) => Instant::now().saturating_duration_since(at) > late,
            (None, None) => false,
        }
    }

    pub(super) fn is_before(&self, moment: Instant) -> bool {
        self.at.is_some_and(|at| at < moment)
    }
}
