//! What the two sides of a connection share: the wire below hyper, which sees bytes, and the service above
//! it, which sees requests. Only together do they know that an answer is complete, or where to cut it.
//!
//! Each stream of HTTP/2 has a link of its own, whose parent is the connection's: its answer is complete when hyper has
//! all of it, and cutting it off resets the stream.

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

/// How many requests a connection is busy with.
struct Busy {
    requests: usize,
    /// When the last one ended.
    since: Instant,
    /// It is to take no further one.
    leaving: bool,
}

/// One connection, or one stream of it.
pub(crate) struct Link {
    /// The connection's.
    pub(crate) id: u64,
    parent: Option<Arc<Link>>,
    recorder: Arc<Recorder>,
    state: Mutex<State>,
    read: AtomicU64,
    written: AtomicU64,
    /// What the last complete answer wrote.
    last_written: AtomicU64,
    busy: Mutex<Busy>,
    busy_changed: Notify,
}

impl Link {
    pub(crate) fn new(id: u64, recorder: Arc<Recorder>) -> Self {
        Self::within(id, recorder, None)
    }

    /// A stream of this connection.
    pub(crate) fn stream(self: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self::within(self.id, self.recorder.clone(), Some(self.clone())))
    }

    fn within(id: u64, recorder: Arc<Recorder>, parent: Option<Arc<Self>>) -> Self {
        Self {
            id,
            parent,
            recorder,
            state: Mutex::default(),
            read: AtomicU64::new(0),
            written: AtomicU64::new(0),
            last_written: AtomicU64::new(0),
            busy: Mutex::new(Busy { requests: 0, since: Instant::now(), leaving: false }),
            busy_changed: Notify::new(),
        }
    }

    /// Whether it is a stream.
    pub(crate) fn is_stream(&self) -> bool {
        self.parent.is_some()
    }

    fn connection(&self) -> &Self {
        self.parent.as_deref().unwrap_or(self)
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
        let exchange = Exchange { arrival, status: 0, ended: false, then: None };
        if state.exchange.replace(exchange).is_none() {
            lock(&self.connection().busy).requests += 1;
        }
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
        let mut state = lock(&self.state);
        if let Some(exchange) = &mut state.exchange {
            exchange.ended = true;
        }
        if self.is_stream() {
            self.finish(&mut state);
        }
    }

    /// The connection ends when what hyper holds is written; a stream ends now.
    pub(crate) fn cut(&self, ending: Ending) {
        let mut state = lock(&self.state);
        state.ending = Some(ending);
        state.cut = true;
        if self.is_stream() {
            self.give_up(&mut state);
        }
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
        self.rest(self.is_stream() && exchange.then.is_some());
    }

    /// A request of the connection has ended; with `leaving` it was the last that is taken.
    fn rest(&self, leaving: bool) {
        let connection = self.connection();
        let mut busy = lock(&connection.busy);
        busy.requests -= 1;
        busy.since = Instant::now();
        busy.leaving |= leaving;
        connection.busy_changed.notify_one();
    }

    /// Bytes since the last look. Those of streams that are there at once are all of the one that ends first.
    fn take_traffic(&self) -> Traffic {
        let connection = self.connection();
        Traffic {
            read: connection.read.swap(0, Ordering::Relaxed),
            written: connection.written.swap(0, Ordering::Relaxed),
        }
    }

    /// The exchange ends without a complete answer.
    fn give_up(&self, state: &mut State) {
        let Some(exchange) = state.exchange.take() else { return };
        if let Some(arrival) = &exchange.arrival {
            let outcome = if state.ending.is_some() { Outcome::Cut } else { Outcome::Aborted };
            let traffic = self.take_traffic();
            self.recorder.update(|book| book.finish(arrival, outcome, traffic));
        }
        self.rest(false);
    }

    /// The service is done with a stream: if it has not decided on an answer, none will come.
    pub(crate) fn served(&self) {
        let mut state = lock(&self.state);
        if state.exchange.as_ref().is_some_and(|exchange| exchange.status == 0) {
            self.give_up(&mut state);
        }
    }

    /// The connection is over, whoever ended it.
    pub(crate) fn closed(&self) {
        let mut state = lock(&self.state);
        self.give_up(&mut state);
        let (rest, malformed) = (self.take_traffic(), state.malformed);
        self.recorder.update(|book| book.connection_closed(self.id, rest, malformed));
        drop(state);
        self.recorder.disconnect(self.id);
    }

    /// Returns when no write is half accounted for.
    pub(crate) fn settle(&self) {
        drop(lock(&self.state));
    }

    /// Returns once the connection is to take no further request: it has asked nothing for this long, or was told so.
    pub(crate) async fn leaving(&self, limit: Option<Duration>) {
        loop {
            let (requests, since, leaving) = {
                let busy = lock(&self.busy);
                (busy.requests, busy.since, busy.leaving)
            };
            match limit.filter(|_| requests == 0) {
                _ if leaving => return,
                None => self.busy_changed.notified().await,
                Some(limit) => {
                    tokio::time::sleep_until(since + limit).await;
                    let busy = lock(&self.busy);
                    if busy.requests == 0 && busy.since == since {
                        return;
                    }
                }
            }
        }
    }
}
