//! What the two sides of a connection share: the wire below hyper, which sees bytes, and the service above
//! it, which sees requests. Only together do they know that an answer is complete, or where to cut it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::book::{Arrival, Outcome, Traffic};
use crate::recorder::{Recorder, lock};

/// How the origin ends a connection on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With a TCP reset.
    Reset,
    /// After bytes that are not HTTP.
    Garbage,
}

/// The request that a connection is busy with.
struct Exchange {
    /// None for a request to `/_origin`, which is not counted.
    arrival: Option<Arrival>,
    status: u16,
    /// All of the answer has been given to hyper.
    ended: bool,
    /// What to do once all of the answer is written.
    then: Option<Ending>,
}

#[derive(Default)]
struct State {
    exchange: Option<Exchange>,
    ending: Option<Ending>,
    /// The connection ends as soon as what hyper holds is written.
    cut: bool,
    asked_api: bool,
    malformed: bool,
}

/// One connection.
pub(crate) struct Link {
    pub(crate) id: u64,
    recorder: Arc<Recorder>,
    state: Mutex<State>,
    read: AtomicU64,
    written: AtomicU64,
    /// What the last complete answer wrote.
    last_written: AtomicU64,
    idle_since: Mutex<Option<Instant>>,
    idle_changed: Notify,
}

impl Link {
    pub(crate) fn new(id: u64, recorder: Arc<Recorder>) -> Self {
        Self {
            id,
            recorder,
            state: Mutex::default(),
            read: AtomicU64::new(0),
            written: AtomicU64::new(0),
            last_written: AtomicU64::new(0),
            idle_since: Mutex::new(Some(Instant::now())),
            idle_changed: Notify::new(),
        }
    }

    /// A request begins; without an arrival, one that is not counted.
    pub(crate) fn begin(&self, arrival: Option<Arrival>) {
        let mut state = lock(&self.state);
        // A client that pipelines: its next request is read before the last bytes of this answer are written.
        self.finish(&mut state);
        let api = arrival.is_some();
        if !(api && state.asked_api) {
            self.recorder.update(|book| book.connection_asked(self.id, api));
            state.asked_api |= api;
        }
        state.exchange = Some(Exchange { arrival, status: 0, ended: false, then: None });
        *lock(&self.idle_since) = None;
    }

    /// The service has decided on an answer.
    pub(crate) fn answer(&self, status: u16, then: Option<Ending>) {
        if let Some(exchange) = &mut lock(&self.state).exchange {
            exchange.status = status;
            exchange.then = then;
        }
    }

    /// All of the answer has been given to hyper.
    pub(crate) fn answer_ended(&self) {
        if let Some(exchange) = &mut lock(&self.state).exchange {
            exchange.ended = true;
        }
    }

    /// The connection ends when what hyper holds is written.
    pub(crate) fn cut(&self, ending: Ending) {
        let mut state = lock(&self.state);
        state.ending = Some(ending);
        state.cut = true;
    }

    /// The connection ends now: the service is about to give up.
    pub(crate) fn end(&self, ending: Ending) {
        lock(&self.state).ending = Some(ending);
    }

    pub(crate) fn ending(&self) -> Option<Ending> {
        lock(&self.state).ending
    }

    pub(crate) fn malformed(&self) {
        lock(&self.state).malformed = true;
    }

    /// Bytes that were written past hyper.
    pub(crate) fn add_written(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How many bytes the last answer wrote, of which the kernel may not have sent all.
    pub(crate) fn unsettled(&self) -> u64 {
        self.last_written.load(Ordering::Relaxed) + self.written.load(Ordering::Relaxed)
    }

    pub(crate) fn add_read(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Writes what hyper hands over, and completes the exchange in the same breath if that was all of it.
    /// The lock is held meanwhile, for `settle`.
    pub(crate) fn write(
        &self,
        offered: usize,
        write: impl FnOnce() -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let mut state = lock(&self.state);
        let result = write();
        if let Poll::Ready(Ok(written)) = result {
            self.written.fetch_add(written as u64, Ordering::Relaxed);
            if written == offered {
                self.finish(&mut state);
            }
        }
        result
    }

    /// All that hyper held is written.
    pub(crate) fn flushed(&self) -> io::Result<()> {
        let mut state = lock(&self.state);
        self.finish(&mut state);
        if state.cut { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

    /// Completes the exchange, if its answer is.
    fn finish(&self, state: &mut State) {
        let Some(exchange) = state.exchange.take_if(|exchange| exchange.ended) else {
            return;
        };
        let traffic = self.take_traffic();
        self.last_written.store(traffic.written, Ordering::Relaxed);
        if let Some(arrival) = &exchange.arrival {
            self.recorder.update(|book| book.finish(arrival, Outcome::Answered(exchange.status), traffic));
        }
        if exchange.then.is_some() {
            state.ending = exchange.then;
            state.cut = true;
        }
        *lock(&self.idle_since) = Some(Instant::now());
        self.idle_changed.notify_one();
    }

    fn take_traffic(&self) -> Traffic {
        Traffic {
            read: self.read.swap(0, Ordering::Relaxed),
            written: self.written.swap(0, Ordering::Relaxed),
        }
    }

    /// The connection is over, whoever ended it.
    pub(crate) fn closed(&self) {
        let mut state = lock(&self.state);
        if let Some(Exchange { arrival: Some(arrival), .. }) = state.exchange.take() {
            let outcome = if state.ending.is_some() { Outcome::Cut } else { Outcome::Aborted };
            let traffic = self.take_traffic();
            self.recorder.update(|book| book.finish(&arrival, outcome, traffic));
        }
        let (rest, malformed) = (self.take_traffic(), state.malformed);
        self.recorder.update(|book| book.connection_closed(self.id, rest, malformed));
        drop(state);
        self.recorder.disconnect(self.id);
    }

    /// Returns when no write is half accounted for.
    pub(crate) fn settle(&self) {
        drop(lock(&self.state));
    }

    /// Returns once the connection has asked nothing for this long.
    pub(crate) async fn idle_for(&self, limit: Duration) {
        loop {
            let since = *lock(&self.idle_since);
            match since {
                None => self.idle_changed.notified().await,
                Some(since) => {
                    tokio::time::sleep_until(since + limit).await;
                    if *lock(&self.idle_since) == Some(since) {
                        return;
                    }
                }
            }
        }
    }
}
