//! What exchanges have cost: attempts, why there were several, waits, bytes, latencies.

use std::time::Duration;

use serde::Serialize;

use crate::exchange::{Attempt, Exchange, FailureKind, Outcome};
use crate::latencies::Latencies;

/// What completed exchanges have cost. Those that were answered in an earlier attempt of the task, or whose task was
/// stopped amid them, are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// Rows.
    pub rows: u64,
    /// Those of them that were no success.
    pub failures: u64,
    /// HTTP round trips.
    pub attempts: u64,
    /// Those among them that followed another one of their exchange, by what became of that one.
    pub repeats: Repeats,
    /// Time that attempts have waited for the rate limit, summed up over them.
    #[serde(rename = "throttledMs", serialize_with = "millis")]
    pub throttled: Duration,
    /// Bytes of requests as they left, TLS included. Attempts that got no answer add nothing.
    pub bytes_sent: u64,
    /// Bytes of answers as they came, TLS included.
    pub bytes_received: u64,
    /// Of the attempts that got an answer: from the asking for a connection to the last byte, waits left out.
    pub latencies: Latencies,
}

/// Why requests were sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repeats {
    /// The server asked for patience: 429 or 503.
    pub throttled: u64,
    /// Another answer of 500 and above.
    pub server_error: u64,
    /// No answer in time.
    pub timeout: u64,
    /// No answer for another reason.
    pub transport_error: u64,
    /// 401: sent again with a new token.
    pub unauthorized: u64,
    /// A redirect was followed.
    pub redirect: u64,
    /// Any other answer that the config calls worth another attempt.
    pub other: u64,
}

/// What the attempts of one exchange have cost so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) throttled: Duration,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
}

impl Traffic {
    /// Counts a completed exchange. Allocates nothing.
    pub(crate) fn count(&mut self, exchange: &Exchange) {
        self.rows += 1;
        self.failures += u64::from(exchange.outcome() != Outcome::Success);
        self.attempts += exchange.attempts.len() as u64;
        self.throttled += exchange.cost.throttled;
        self.bytes_sent += exchange.cost.bytes_sent;
        self.bytes_received += exchange.cost.bytes_received;
        for attempt in exchange.attempts.iter().filter(|attempt| attempt.status.is_some()) {
            self.latencies.add(attempt.elapsed);
        }
        if let Some((_, repeated)) = exchange.attempts.split_last() {
            repeated.iter().for_each(|attempt| self.repeats.count(attempt));
        }
    }

    /// Adds what others have cost.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.failures += other.failures;
        self.attempts += other.attempts;
        self.repeats.merge(other.repeats);
        self.throttled += other.throttled;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.latencies.merge(&other.latencies);
    }
}

impl Repeats {
    fn count(&mut self, attempt: &Attempt) {
        let reason = match (attempt.status.map(|status| status.as_u16()), attempt.failure) {
            (Some(429 | 503), _) => &mut self.throttled,
            (Some(500..), _) => &mut self.server_error,
            (Some(401), _) => &mut self.unauthorized,
            (Some(300..=399), _) => &mut self.redirect,
            (Some(_), _) => &mut self.other,
            (None, Some(kind)) if is_timeout(kind) => &mut self.timeout,
            (None, _) => &mut self.transport_error,
        };
        *reason += 1;
    }

    fn merge(&mut self, other: Self) {
        self.throttled += other.throttled;
        self.server_error += other.server_error;
        self.timeout += other.timeout;
        self.transport_error += other.transport_error;
        self.unauthorized += other.unauthorized;
        self.redirect += other.redirect;
        self.other += other.other;
    }
}

fn is_timeout(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::ConnectTimeout
            | FailureKind::TlsTimeout
            | FailureKind::FirstByteTimeout
            | FailureKind::BetweenBytesTimeout
            | FailureKind::Timeout
    )
}

fn millis<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use http::StatusCode;

    use super::*;
    use crate::exchange::sample::exchange;

    fn attempt(status: Option<u16>, failure: Option<FailureKind>) -> Attempt {
        Attempt {
            started_at: SystemTime::UNIX_EPOCH,
            status: status.map(|status| StatusCode::from_u16(status).unwrap()),
            failure,
            error: None,
            elapsed: Duration::from_millis(3),
            wait: Duration::ZERO,
        }
    }

    #[test]
    fn each_attempt_but_the_last_is_a_repeat_for_one_reason() {
        let statuses = [429, 503, 500, 504, 401, 307, 409].map(|status| attempt(Some(status), None));
        let kinds = [FailureKind::FirstByteTimeout, FailureKind::Reset, FailureKind::Dns];
        let failures = kinds.map(|kind| attempt(None, Some(kind)));
        let mut exchange = exchange();
        exchange.attempts = statuses.into_iter().chain(failures).chain([attempt(Some(200), None)]).collect();
        let mut traffic = Traffic::default();
        traffic.count(&exchange);
        let repeats = Repeats {
            throttled: 2,
            server_error: 2,
            timeout: 1,
            transport_error: 2,
            unauthorized: 1,
            redirect: 1,
            other: 1,
        };
        assert_eq!((traffic.rows, traffic.failures, traffic.attempts), (1, 1, 11));
        assert_eq!(traffic.repeats, repeats);
        assert_eq!(traffic.latencies.filled().map(|(_, count)| count).sum::<u64>(), 8);

        let mut twice = traffic.clone();
        twice.merge(&traffic);
        exchange.attempts.truncate(1);
        twice.count(&exchange);
        assert_eq!((twice.attempts, twice.repeats.throttled, twice.repeats.other), (23, 4, 2));
    }
}
