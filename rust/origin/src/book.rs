//! The accounts: plain data without sockets or clocks, changed under one short lock. What arrives is told the
//! time, so that every number can be tested.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::recorded::{KeyReport, Recent, Recorded};
use crate::report::{Report, highest_overlap, most_within};

/// The arrival log's bound: 160 MB at most.
const LOGGED_ARRIVALS: usize = 20_000_000;
/// How many closed connections are remembered for `highest_connections`.
const LOGGED_CONNECTIONS: usize = 1_000_000;

/// A request that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Its place in the order of arrival, from 1.
    pub(crate) ordinal: u64,
    /// Its place among those with the same key or path, from 1.
    pub(crate) attempt: u64,
    /// Microseconds since the start.
    pub(crate) at: u64,
    /// Where its key is kept.
    key: Option<usize>,
    /// Which life of the book it belongs to: one that a reset ended no longer counts.
    life: u64,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its answer is complete.
    Answered(u16),
    /// The origin cut it off, as it was told to.
    Cut,
    /// The client left.
    Aborted,
}

/// Bytes read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Traffic {
    pub(crate) read: u64,
    pub(crate) written: u64,
}

/// What a connection has been used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Asked {
    Nothing,
    OnlyOrigin,
    Api,
}

struct Connection {
    /// When it was accepted, in ticks: an order, not a time, so that no two moments are the same.
    opened: u64,
    /// Accepted since the last reset.
    fresh: bool,
    asked: Asked,
}

struct Key {
    name: Arc<str>,
    /// One for each request, 0 as long as there is no complete answer.
    statuses: Vec<u16>,
    successes: u32,
}

/// Everything that a reset clears.
#[derive(Default)]
struct Counts {
    requests: u64,
    responses: BTreeMap<u16, u64>,
    faults: BTreeMap<&'static str, u64>,
    unauthorized: u64,
    aborted: u64,
    malformed: u64,
    highest_concurrency: u64,
    arrivals: Vec<u64>,
    longest_stall: Duration,
    arrivals_unlogged: u64,
    closed_connections: u64,
    connections: Vec<(u64, u64)>,
    keys: Vec<Key>,
    key_places: HashMap<Arc<str>, usize>,
    path_attempts: HashMap<String, u64>,
    keys_twice: u64,
    keys_answered_2xx_twice: u64,
    traffic: Traffic,
    recent: Recent,
}

/// The accounts of one origin.
#[derive(Default)]
pub(crate) struct Book {
    counts: Counts,
    in_flight: u64,
    open: HashMap<u64, Connection>,
    ticks: u64,
    life: u64,
}

impl Book {
    /// A request's headers have arrived. Attempts are counted by key, else by path, if one is given.
    pub(crate) fn arrive(&mut self, at: u64, key: Option<&str>, path: Option<&str>) -> Arrival {
        let counts = &mut self.counts;
        counts.requests += 1;
        self.in_flight += 1;
        counts.highest_concurrency = counts.highest_concurrency.max(self.in_flight);
        if counts.arrivals.len() < LOGGED_ARRIVALS {
            counts.arrivals.push(at);
        } else {
            counts.arrivals_unlogged += 1;
        }
        let place = key.map(|name| counts.key_place(name));
        let attempt = match (place, path) {
            (Some(place), _) => counts.key_attempt(place),
            (None, Some(path)) => counts.path_attempt(path),
            (None, None) => 1,
        };
        Arrival { ordinal: counts.requests, attempt, at, key: place, life: self.life }
    }

    /// A request has ended.
    pub(crate) fn finish(&mut self, arrival: &Arrival, outcome: Outcome, traffic: Traffic) {
        self.in_flight -= 1;
        if arrival.life != self.life {
            return;
        }
        self.counts.add(traffic);
        match outcome {
            Outcome::Answered(status) => self.counts.answered(arrival, status),
            Outcome::Cut => {}
            Outcome::Aborted => self.counts.aborted += 1,
        }
    }

    pub(crate) fn fault(&mut self, arrival: &Arrival, kind: &'static str) {
        if arrival.life == self.life {
            *self.counts.faults.entry(kind).or_default() += 1;
        }
    }

    pub(crate) fn unauthorized(&mut self, arrival: &Arrival) {
        if arrival.life == self.life {
            self.counts.unauthorized += 1;
        }
    }

    pub(crate) fn record(&mut self, arrival: &Arrival, request: Recorded) {
        if arrival.life == self.life {
            self.counts.recent.keep(request);
        }
    }

    pub(crate) fn connection_opened(&mut self, id: u64) {
        self.ticks += 1;
        self.open.insert(id, Connection { opened: self.ticks, fresh: true, asked: Asked::Nothing });
    }

    /// A connection was used, for the API or for `/_origin`.
    pub(crate) fn connection_asked(&mut self, id: u64, api: bool) {
        let asked = if api { Asked::Api } else { Asked::OnlyOrigin };
        if let Some(connection) = self.open.get_mut(&id)
            && connection.asked < asked
        {
            connection.asked = asked;
        }
    }

    /// A connection has ended. `rest` is what no request of it accounts for.
    pub(crate) fn connection_closed(&mut self, id: u64, rest: Traffic, malformed: bool) {
        let Some(connection) = self.open.remove(&id) else {
            return;
        };
        self.ticks += 1;
        if connection.asked == Asked::OnlyOrigin {
            return;
        }
        let counts = &mut self.counts;
        counts.add(rest);
        counts.malformed += u64::from(malformed);
        counts.closed_connections += u64::from(connection.fresh);
        if counts.connections.len() < LOGGED_CONNECTIONS {
            counts.connections.push((connection.opened, self.ticks));
        }
    }

    /// Forgets everything but what is going on: open connections stay open, and what is in flight only
    /// matters to the concurrency of what comes.
    pub(crate) fn reset(&mut self) {
        self.life += 1;
        self.counts = Counts { highest_concurrency: self.in_flight, ..Counts::default() };
        for connection in self.open.values_mut() {
            connection.fresh = false;
        }
    }

    pub(crate) fn stalled(&mut self, time: Duration) {
        self.counts.longest_stall = self.counts.longest_stall.max(time);
    }

    pub(crate) fn report(&self) -> Report {
        let counts = &self.counts;
        let open = || self.open.values().filter(|connection| connection.asked != Asked::OnlyOrigin);
        let closed = counts.connections.iter().map(|(opened, closed)| (*opened, Some(*closed)));
        let intervals = closed.chain(open().map(|connection| (connection.opened, None)));
        let fresh = open().filter(|connection| connection.fresh).count();
        let ms = |micros: &u64| *micros as f64 / 1000.0;
        Report {
            requests: counts.requests,
            responses: counts.responses.clone(),
            faults: counts.faults.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect(),
            unauthorized: counts.unauthorized,
            tokens: Default::default(),
            aborted: counts.aborted,
            malformed: counts.malformed,
            in_flight: self.in_flight,
            highest_concurrency: counts.highest_concurrency,
            highest_rate_1s: most_within(Duration::from_secs(1), &counts.arrivals),
            highest_rate_5s: most_within(Duration::from_secs(5), &counts.arrivals),
            longest_stall_ms: counts.longest_stall.as_secs_f64() * 1000.0,
            first_arrival_ms: counts.arrivals.first().map(ms),
            last_arrival_ms: counts.arrivals.last().map(ms),
            now_ms: Default::default(),
            arrivals_unlogged: counts.arrivals_unlogged,
            connections: counts.closed_connections + fresh as u64,
            open_connections: open().count() as u64,
            highest_connections: highest_overlap(intervals),
            keys: counts.keys.len() as u64,
            keys_twice: counts.keys_twice,
            keys_answered_2xx_twice: counts.keys_answered_2xx_twice,
            bytes_in: counts.traffic.read,
            bytes_out: counts.traffic.written,
        }
    }

    /// All keys, in the order in which they first came.
    pub(crate) fn keys(&self) -> Vec<KeyReport> {
        let statuses =
            |key: &Key| key.statuses.iter().map(|status| (*status > 0).then_some(*status)).collect();
        let report = |key: &Key| KeyReport {
            key: key.name.to_string(),
            requests: key.statuses.len() as u64,
            statuses: statuses(key),
        };
        self.counts.keys.iter().map(report).collect()
    }

    /// The last recorded requests, the oldest first.
    pub(crate) fn requests(&self, limit: usize) -> Vec<Recorded> {
        self.counts.recent.last(limit)
    }
}

impl Counts {
    fn add(&mut self, traffic: Traffic) {
        self.traffic.read += traffic.read;
        self.traffic.written += traffic.written;
    }

    fn key_place(&mut self, name: &str) -> usize {
        if let Some(place) = self.key_places.get(name) {
            return *place;
        }
        let name: Arc<str> = name.into();
        self.key_places.insert(name.clone(), self.keys.len());
        self.keys.push(Key { name, statuses: Vec::new(), successes: 0 });
        self.keys.len() - 1
    }

    fn key_attempt(&mut self, place: usize) -> u64 {
        let statuses = &mut self.keys[place].statuses;
        statuses.push(0);
        if statuses.len() == 2 {
            self.keys_twice += 1;
        }
        statuses.len() as u64
    }

    fn path_attempt(&mut self, path: &str) -> u64 {
        if let Some(attempts) = self.path_attempts.get_mut(path) {
            *attempts += 1;
            return *attempts;
        }
        self.path_attempts.insert(path.to_owned(), 1);
        1
    }

    fn answered(&mut self, arrival: &Arrival, status: u16) {
        *self.responses.entry(status).or_default() += 1;
        self.recent.answered(arrival.ordinal, status);
        let Some(place) = arrival.key else {
            return;
        };
        let key = &mut self.keys[place];
        key.statuses[(arrival.attempt - 1) as usize] = status;
        if (200..300).contains(&status) {
            key.successes += 1;
            if key.successes == 2 {
                self.keys_answered_2xx_twice += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(book: &mut Book, key: &str, status: u16) {
        let arrival = book.arrive(0, Some(key), None);
        book.finish(&arrival, Outcome::Answered(status), Traffic { read: 10, written: 20 });
    }

    #[test]
    fn a_key_counts_as_twice_once_however_often_it_comes() {
        let mut book = Book::default();
        for (key, status) in [("a", 503), ("a", 200), ("b", 200), ("b", 201), ("b", 200), ("c", 200)] {
            exchange(&mut book, key, status);
        }
        let report = book.report();
        assert_eq!((report.keys, report.keys_twice, report.keys_answered_2xx_twice), (3, 2, 1));
        assert_eq!(report.responses, BTreeMap::from([(200, 4), (201, 1), (503, 1)]));
        assert_eq!((report.bytes_in, report.bytes_out), (60, 120));
        let statuses: Vec<_> = book.keys().into_iter().map(|key| key.statuses).collect();
        let all = |codes: &[u16]| codes.iter().map(|code| Some(*code)).collect::<Vec<_>>();
        assert_eq!(statuses, [all(&[503, 200]), all(&[200, 201, 200]), all(&[200])]);
    }

    #[test]
    fn statuses_stand_in_the_order_of_arrival_even_if_answers_overtake_each_other() {
        let mut book = Book::default();
        let [first, second, third] = [0; 3].map(|at| book.arrive(at, Some("a"), None));
        book.finish(&second, Outcome::Answered(200), Traffic::default());
        book.finish(&first, Outcome::Answered(503), Traffic::default());
        book.finish(&third, Outcome::Aborted, Traffic::default());
        assert_eq!(book.keys()[0].statuses, [Some(503), Some(200), None]);
        assert_eq!((book.report().aborted, book.report().highest_concurrency), (1, 3));
    }

    #[test]
    fn attempts_are_counted_by_key_else_by_path() {
        let mut book = Book::default();
        let mut attempt = |key, path| book.arrive(0, key, path).attempt;
        assert_eq!([attempt(Some("k"), Some("/a")), attempt(Some("k"), Some("/b"))], [1, 2]);
        assert_eq!(
            [attempt(None, Some("/a")), attempt(None, Some("/a")), attempt(None, Some("/b"))],
            [1, 2, 1]
        );
        assert_eq!([attempt(None, None), attempt(None, None)], [1, 1]);
    }

    #[test]
    fn a_connection_that_only_asks_the_origin_is_not_counted() {
        let mut book = Book::default();
        for id in 1..=4 {
            book.connection_opened(id);
        }
        book.connection_asked(1, false);
        book.connection_asked(2, false);
        book.connection_asked(2, true);
        book.connection_asked(3, true);
        book.connection_asked(3, false);
        let report = book.report();
        assert_eq!((report.connections, report.open_connections, report.highest_connections), (3, 3, 3));
        for id in 1..=3 {
            book.connection_closed(id, Traffic { read: 1, written: 0 }, false);
        }
        let report = book.report();
        assert_eq!((report.connections, report.open_connections, report.highest_connections), (3, 1, 3));
        assert_eq!(report.bytes_in, 2);
    }

    #[test]
    fn a_reset_forgets_what_was_but_not_what_is_going_on() {
        let mut book = Book::default();
        book.connection_opened(1);
        book.connection_asked(1, true);
        exchange(&mut book, "a", 200);
        let before = book.arrive(0, Some("a"), None);
        book.reset();
        let after = book.arrive(0, Some("a"), None);
        assert_eq!((after.ordinal, after.attempt), (1, 1));
        book.finish(&before, Outcome::Answered(500), Traffic { read: 1, written: 1 });
        book.finish(&after, Outcome::Answered(200), Traffic { read: 2, written: 2 });
        let report = book.report();
        assert_eq!((report.requests, report.keys, report.keys_twice), (1, 1, 0));
        assert_eq!(report.responses, BTreeMap::from([(200, 1)]));
        assert_eq!((report.in_flight, report.highest_concurrency, report.bytes_in), (0, 2, 2));
        assert_eq!((report.connections, report.open_connections, report.highest_connections), (0, 1, 1));
    }
}
