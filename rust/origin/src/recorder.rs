//! The book behind its lock, with a clock, and told when it changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::book::{Arrival, Book};
use crate::link::Link;
use crate::recorded::{KeyReport, Recorded};
use crate::report::Report;

/// Shared by all connections of one origin.
pub(crate) struct Recorder {
    start: Instant,
    book: Mutex<Book>,
    links: Mutex<HashMap<u64, Weak<Link>>>,
    last_connection: AtomicU64,
    changed: Notify,
}

/// A panic elsewhere leaves numbers, not broken invariants: they stay readable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            book: Mutex::default(),
            links: Mutex::default(),
            last_connection: AtomicU64::new(0),
            changed: Notify::new(),
        })
    }

    /// Changes the book, and wakes who waits for that.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Book) -> T) -> T {
        let result = change(&mut lock(&self.book));
        self.changed.notify_waiters();
        result
    }

    pub(crate) fn arrive(&self, key: Option<&str>, path: Option<&str>) -> Arrival {
        // The clock is read under the lock: the log of arrivals must ascend.
        self.update(|book| book.arrive(self.start.elapsed().as_micros() as u64, key, path))
    }

    /// Watches how late its runtime wakes it, for as long as it is polled.
    pub(crate) async fn watch_stalls(self: Arc<Self>) {
        const LOOK: Duration = Duration::from_millis(5);
        loop {
            let slept = Instant::now();
            tokio::time::sleep(LOOK).await;
            // Nobody is woken for it.
            lock(&self.book).stalled(slept.elapsed().saturating_sub(LOOK));
        }
    }

    /// Enters a connection that was accepted.
    pub(crate) fn connect(self: &Arc<Self>) -> Arc<Link> {
        let id = self.last_connection.fetch_add(1, Ordering::Relaxed) + 1;
        let link = Arc::new(Link::new(id, self.clone()));
        lock(&self.links).insert(id, Arc::downgrade(&link));
        self.update(|book| book.connection_opened(id));
        link
    }

    pub(crate) fn disconnect(&self, id: u64) {
        lock(&self.links).remove(&id);
    }

    /// Waits for answers that are on the wire but not yet in the book, on another thread: who has received an
    /// answer finds it in the report.
    fn settle(&self) {
        let links: Vec<Arc<Link>> = lock(&self.links).values().filter_map(Weak::upgrade).collect();
        for link in links {
            link.settle();
        }
    }

    pub(crate) fn report(&self) -> Report {
        self.settle();
        Report { now_ms: self.start.elapsed().as_secs_f64() * 1000.0, ..lock(&self.book).report() }
    }

    pub(crate) fn keys(&self) -> Vec<KeyReport> {
        self.settle();
        lock(&self.book).keys()
    }

    pub(crate) fn requests(&self, limit: usize) -> Vec<Recorded> {
        self.settle();
        lock(&self.book).requests(limit)
    }

    pub(crate) fn reset(&self) {
        self.settle();
        self.update(Book::reset);
    }

    pub(crate) async fn until(&self, condition: impl Fn(&Report) -> bool) -> Report {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // From here on no change is missed, so looking and then waiting leaves no gap.
            changed.as_mut().enable();
            let report = self.report();
            if condition(&report) {
                return report;
            }
            changed.await;
        }
    }
}
