//! Steering of a limit from outside while rows are sent: another rate, or a pause.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// What somebody wants of a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Steering {
    /// Attempts per second in place of the limit's own; none for its own. Positive and finite.
    pub per_second: Option<f64>,
    /// No attempt for so long from now. It lapses by itself: who wants a longer pause says so again in time.
    pub pause: Duration,
}

/// The steering in force, by the limit's name: limits that are made later keep to it as well.
#[derive(Debug, Default)]
pub(super) struct Steered(HashMap<String, (Option<f64>, Instant)>);

impl Steered {
    pub(super) fn set(&mut self, limit: &str, steering: Steering) {
        let until = Instant::now() + steering.pause;
        if steering == Steering::default() {
            self.0.remove(limit);
        } else {
            self.0.insert(limit.to_owned(), (steering.per_second, until));
        }
    }

    /// What is in force for a limit now.
    pub(super) fn of(&self, limit: &str) -> Steering {
        let now = Instant::now();
        self.0.get(limit).map_or_else(Steering::default, |(per_second, until)| Steering {
            per_second: *per_second,
            pause: until.saturating_duration_since(now),
        })
    }
}
