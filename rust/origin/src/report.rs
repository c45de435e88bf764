//! What the origin saw, in numbers, and the pure functions behind the two that are not mere counts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The answer to `GET /_origin/report`. Requests to `/_origin` are in none of these numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// Requests whose headers have arrived.
    pub requests: u64,
    /// Complete answers, by status.
    pub responses: BTreeMap<u16, u64>,
    /// Requests that met a fault, by its kind: `status`, `slow`, `stall`, `reset-before`, `reset-amid`,
    /// `reset-after` or `garbage`.
    pub faults: BTreeMap<String, u64>,
    /// Requests that the checks of credentials turned away.
    pub unauthorized: u64,
    /// The token endpoint of `--oauth`, whose requests are in none of the other numbers.
    pub tokens: Tokens,
    /// Requests whose client left before its answer was complete.
    pub aborted: u64,
    /// Connections that ended because what they sent was not HTTP.
    pub malformed: u64,
    /// Requests that have arrived and are neither answered nor given up.
    pub in_flight: u64,
    /// The most requests that were in flight at once.
    pub highest_concurrency: u64,
    /// The most requests that arrived within any second, wherever that second begins.
    pub highest_rate_1s: u64,
    /// The most requests that arrived within any five seconds.
    pub highest_rate_5s: u64,
    /// The longest time, in milliseconds, for which the origin did not run though it wanted to: requests that were written
    /// apart in it have arrived together.
    pub longest_stall_ms: f64,
    /// When the first request arrived, in milliseconds since the origin started.
    pub first_arrival_ms: Option<f64>,
    /// When the last request arrived, in milliseconds since the origin started.
    pub last_arrival_ms: Option<f64>,
    /// When this report was made, in milliseconds since the origin started.
    pub now_ms: f64,
    /// Arrivals that the log had no room for; above 0, the rate and the last arrival are of its part only.
    pub arrivals_unlogged: u64,
    /// Connections accepted, without those that have only ever asked for `/_origin`. One that has asked
    /// nothing counts: a warmed pool can be seen here.
    pub connections: u64,
    /// Of these and of those from before the last reset, the ones that are open.
    pub open_connections: u64,
    /// The most of them that were open at once.
    pub highest_connections: u64,
    /// Distinct Idempotency-Keys.
    pub keys: u64,
    /// Keys that came with more than one request.
    pub keys_twice: u64,
    /// Keys that got a complete 2xx answer more than once.
    pub keys_answered_2xx_twice: u64,
    /// Bytes of requests read, heads included. They are added when a request ends.
    pub bytes_in: u64,
    /// Bytes of answers written, heads included. They are added when a request ends.
    pub bytes_out: u64,
}

/// What the token endpoint saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tokens {
    /// Token requests.
    pub requests: u64,
    /// Those that were answered with a token.
    pub issued: u64,
    /// Those among them that showed a refresh token.
    pub refreshed: u64,
    /// Those that were answered with something else.
    pub refused: u64,
}

/// The most arrivals within any half-open window `[t, t + window)`, given their ascending times in microseconds.
pub fn most_within(window: Duration, arrivals: &[u64]) -> u64 {
    // The fullest window can always be moved so that it ends at an arrival.
    let (mut first, mut most) = (0, 0);
    for (last, now) in arrivals.iter().enumerate() {
        while u128::from(now - arrivals[first]) >= window.as_micros() {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most as u64
}

/// The most intervals that overlap, given when each began and, unless it still lasts, when it ended. No two
/// of these moments are the same.
pub fn highest_overlap(intervals: impl IntoIterator<Item = (u64, Option<u64>)>) -> u64 {
    let mut changes: Vec<(u64, bool)> = Vec::new();
    for (begin, end) in intervals {
        changes.push((begin, true));
        changes.extend(end.map(|end| (end, false)));
    }
    changes.sort_unstable();
    let (mut now, mut highest) = (0_u64, 0);
    for (_, begins) in changes {
        now = if begins { now + 1 } else { now.saturating_sub(1) };
        highest = highest.max(now);
    }
    highest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn highest_rate(arrivals: &[u64]) -> u64 {
        most_within(Duration::from_secs(1), arrivals)
    }

    #[test]
    fn the_highest_rate_is_found_wherever_its_second_begins() {
        assert_eq!(highest_rate(&[]), 0);
        assert_eq!(highest_rate(&[5]), 1);
        // 3 in the first whole second, 3 in the second, but 5 between 0.6 s and 1.6 s.
        let arrivals = [100_000, 700_000, 900_000, 1_100_000, 1_200_000, 1_500_000];
        assert_eq!(highest_rate(&arrivals), 5);
    }

    #[test]
    fn arrivals_a_whole_second_apart_are_not_in_the_same_second() {
        assert_eq!(highest_rate(&[0, 1_000_000, 2_000_000]), 1);
        assert_eq!(highest_rate(&[0, 999_999, 1_999_998]), 2);
    }

    #[test]
    fn arrivals_at_one_moment_all_count() {
        assert_eq!(highest_rate(&[7, 7, 7, 2_000_000]), 3);
    }

    #[test]
    fn a_steady_pace_has_its_own_rate() {
        let arrivals: Vec<u64> = (0..5_000).map(|n| n * 10_000).collect();
        assert_eq!(highest_rate(&arrivals), 100);
        assert_eq!(most_within(Duration::from_secs(5), &arrivals), 500);
    }

    #[test]
    fn overlaps_count_what_was_open_at_once() {
        assert_eq!(highest_overlap([]), 0);
        assert_eq!(highest_overlap([(1, Some(2)), (3, Some(4))]), 1);
        assert_eq!(highest_overlap([(1, Some(5)), (2, Some(6)), (3, Some(4)), (7, None)]), 3);
        assert_eq!(highest_overlap([(1, None), (2, Some(3)), (4, None), (5, None)]), 3);
    }
}
