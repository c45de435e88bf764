//! Steering from outside while rows are sent: another rate, or a pause, for all that goes to a server.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// What somebody wants of the limits of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Steering {
    /// Attempts per second in place of the limits' own; none for their own. Positive and finite.
    pub per_second: Option<f64>,
    /// No attempt for so long from now. It lapses by itself: who wants a longer pause says so again in time.
    pub pause: Duration,
}

/// The steering in force, by server: limits that are made later keep to it as well.
#[derive(Debug, Default)]
pub(super) struct Steered(HashMap<String, (Option<f64>, Instant)>);

impl Steered {
    pub(super) fn set(&mut self, server: &str, steering: Steering) {
        let until = Instant::now() + steering.pause;
        if steering == Steering::default() {
            self.0.remove(server);
        } else {
            self.0.insert(server.to_owned(), (steering.per_second, until));
        }
    }

    /// What is in force for a server now.
    pub(super) fn of(&self, server: &str) -> Steering {
        let now = Instant::now();
        self.0.get(server).map_or_else(Steering::default, |(per_second, until)| Steering {
            per_second: *per_second,
            pause: until.saturating_duration_since(now),
        })
    }
}
