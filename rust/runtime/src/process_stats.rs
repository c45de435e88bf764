//! What a process does and has done: a look at its sessions, those that have ended included.
//!
//! Costs the sessions nothing: who asks adds up what they count for themselves.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::rate::RateStats;
use crate::session::{SessionStats, Shared};
use crate::traffic::Traffic;

/// What a process does and has done since its start.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessStats {
    /// Sessions that are open: tasks that send.
    pub sessions: usize,
    /// Rows in flight now, those that wait for the rate limit or a retry included.
    pub in_flight: u64,
    /// Connections that are open now.
    pub connections: usize,
    /// Bytes of rows and answers that are held now.
    pub buffered_bytes: usize,
    /// What all sessions have cost.
    pub traffic: Traffic,
    /// Slots of the rate limits, and what leases of them have cost.
    pub rate: RateStats,
}

/// The sessions of a process.
#[derive(Debug, Default)]
pub(crate) struct SessionBook {
    book: Mutex<Book>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Book {
    open: Vec<Arc<Shared>>,
    ended: Traffic,
}

impl SessionBook {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn opened(&self, session: Arc<Shared>) {
        self.book().open.push(session);
    }

    /// Keeps what an open session has cost, once.
    pub(crate) fn ended(&self, session: &Arc<Shared>) {
        let mut book = self.book();
        if let Some(place) = book.open.iter().position(|open| Arc::ptr_eq(open, session)) {
            let ended = book.open.swap_remove(place);
            book.ended.merge(&ended.stats().traffic);
            self.ended.notify_all();
        }
    }

    /// Waits until no session is open, at most for `timeout`. False when some still are.
    pub(crate) fn wait_for_end(&self, timeout: Duration) -> bool {
        let still = |book: &mut Book| !book.open.is_empty();
        let waited = self.ended.wait_timeout_while(self.book(), timeout, still);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Sessions, rows in flight and traffic.
    pub(crate) fn sum(&self) -> ProcessStats {
        let book = self.book();
        let mut sum = ProcessStats {
            sessions: book.open.len(),
            traffic: book.ended.clone(),
            ..ProcessStats::default()
        };
        for SessionStats { in_flight, traffic, .. } in book.open.iter().map(|open| open.stats()) {
            sum.in_flight += in_flight;
            sum.traffic.merge(&traffic);
        }
        sum
    }
}
