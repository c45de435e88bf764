//! The admission window of an engine: how many rows may be under way, and how many of them abreast.
//!
//! Under way is a row from its admission to its completion, pauses before a retry included. Abreast are those that do not
//! pause. Of these there are few more than connections: what is ready to be sent but finds none only grows cold in memory,
//! and costs a change of tasks when its turn comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who has a turn keeps it for further rows until it has lasted so long. Then others of the process, who wait, have theirs.
const TURN: Duration = Duration::from_millis(50);

/// The window. Shared by all sessions of an engine.
#[derive(Debug)]
pub(crate) struct Window {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    /// Turns that there are not, until as many rows may go abreast as are under way.
    held_back: usize,
    widened: AtomicBool,
}

/// A place in the window, and with it a turn.
#[derive(Debug)]
pub(crate) struct Entry {
    place: OwnedSemaphorePermit,
    turn: Turn,
    since: Instant,
}

/// The right to go abreast with others.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held, and given back")] OwnedSemaphorePermit);

impl Window {
    /// A window for so many rows, for as many abreast as a transport can carry at once; none means all of them.
    pub(crate) fn new(most: usize, carries: Option<usize>) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        // A connection that becomes free finds a row at once.
        let abreast =
            carries.map_or(most, |carries| carries.saturating_add(carries.div_ceil(4)).clamp(1, most));
        Self {
            places: Arc::new(Semaphore::new(most)),
            turns: Arc::new(Semaphore::new(abreast)),
            held_back: most - abreast,
            widened: AtomicBool::new(false),
        }
    }

    /// Lets all rows go abreast from now on: connections have turned out to carry many requests at once.
    pub(crate) fn widen(&self) {
        if self.held_back > 0 && !self.widened.swap(true, Ordering::Relaxed) {
            self.turns.add_permits(self.held_back);
        }
    }

    /// Waits for a turn and a place, in the order of asking.
    pub(crate) async fn enter(&self) -> Option<Entry> {
        let turn = self.turns.clone().acquire_owned().await.ok()?;
        let place = self.places.clone().acquire_owned().await.ok()?;
        Some(Entry { place, turn: Turn(turn), since: Instant::now() })
    }
}

impl Entry {
    /// Whether others are to have their turn.
    pub(crate) fn is_over(&self) -> bool {
        self.since.elapsed() >= TURN
    }

    /// The turn, which the row gives back when it pauses, and what is left.
    pub(crate) fn split(self) -> (Turn, Seat) {
        (self.turn, Seat { place: self.place, since: self.since })
    }
}

/// A place in the window without a turn.
#[derive(Debug)]
pub(crate) struct Seat {
    place: OwnedSemaphorePermit,
    since: Instant,
}

impl Seat {
    /// The entry of a row that has kept its turn.
    pub(crate) fn with(self, turn: Turn) -> Entry {
        Entry { place: self.place, turn, since: self.since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn enter(window: &Window) -> Option<Entry> {
        window.enter().now_or_never().flatten()
    }

    #[test]
    fn few_more_rows_go_abreast_than_there_are_connections_and_pausing_rows_make_way() {
        let window = Window::new(100, Some(4));
        let mut entries: Vec<_> = std::iter::from_fn(|| enter(&window)).collect();
        assert_eq!(entries.len(), 5);
        let (turn, seat) = entries.pop().unwrap().split();
        assert!(enter(&window).is_none());
        drop(turn);
        let other = enter(&window);
        assert!(other.is_some() && enter(&window).is_none());
        drop(seat);
        assert!(enter(&window).is_none(), "a row that has paused has no turn to give back");
    }

    #[test]
    fn no_more_rows_are_under_way_than_the_window_has_places_for() {
        let window = Window::new(6, Some(4));
        let entries: Vec<_> = std::iter::from_fn(|| enter(&window)).collect();
        assert_eq!(entries.len(), 5);
        let seats: Vec<_> = entries.into_iter().map(|entry| entry.split().1).collect();
        let last = enter(&window);
        assert!(last.is_some() && enter(&window).is_none());
        drop((last, seats));
        assert!(enter(&window).is_some());
    }

    #[test]
    fn all_go_abreast_where_connections_are_shared() {
        for window in [Window::new(100, None), Window::new(100, Some(4))] {
            window.widen();
            window.widen();
            assert_eq!(std::iter::from_fn(|| enter(&window)).collect::<Vec<_>>().len(), 100);
        }
    }

    #[test]
    fn a_window_smaller_than_the_connections_is_the_bound() {
        let window = Window::new(2, Some(64));
        assert_eq!(std::iter::from_fn(|| enter(&window)).collect::<Vec<_>>().len(), 2);
    }
}
