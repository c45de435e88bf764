//! Access tokens of OAuth 2.0 (RFC 6749): asked for once per process, shared by its tasks, renewed ahead of expiry.
//!
//! ```text
//! Tokens (state, single flight) ─► Endpoint (the request) ─► Grant (the answer) ─► Token
//! ```
//!
//! Nothing here is charged to the rate limit, and nothing is ever logged.

mod endpoint;
mod grant;
#[cfg(test)]
mod long_run;
mod tokens;

pub(crate) use endpoint::client_pair;
pub(crate) use tokens::Tokens;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

/// Ahead of its expiry a token is renewed by this share of its life, drawn anew for each one so that executors do
/// not ask all at once, and by no more than the time below.
const LEAD: std::ops::Range<f64> = 0.1..0.2;
const LONGEST_LEAD: Duration = Duration::from_secs(300);

/// A token is used no more for this share of its life before it expires, for requests are some time on their way.
const MARGIN: f64 = 0.05;
const LONGEST_MARGIN: Duration = Duration::from_secs(5);

/// No token is believed to live longer.
const LONGEST_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);

/// An access token. `Debug` prints `***`.
pub(crate) struct Token {
    header: HeaderValue,
    times: Option<Times>,
    accepted: AtomicBool,
}

/// When a token is to be renewed, and until when it is good. Moments of the monotonic clock of this process: that of
/// the server plays no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    renew: Instant,
    end: Instant,
}

impl Times {
    /// Of a token that was asked for at `asked` and lives so long. `draw` is a number from 0 to 1.
    fn new(asked: Instant, life: Duration, draw: f64) -> Self {
        let life = life.min(LONGEST_LIFE);
        let margin = life.mul_f64(MARGIN).min(LONGEST_MARGIN);
        let lead = life.mul_f64(LEAD.start + draw * (LEAD.end - LEAD.start)).min(LONGEST_LEAD);
        Self { renew: asked + (life - lead), end: asked + (life - margin) }
    }
}

impl Token {
    /// The value of the header Authorization; sensitive.
    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// A request that showed it was answered with something else than 401.
    pub(crate) fn was_accepted(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }

    fn is_good(&self, now: Instant) -> bool {
        self.times.is_none_or(|times| now < times.end)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_ahead_of_its_expiry_by_a_drawn_share_of_its_life() {
        let asked = Instant::now();
        let times = |life, draw| {
            let times = Times::new(asked, Duration::from_secs(life), draw);
            (times.renew - asked, times.end - asked)
        };
        assert_eq!(times(2, 0.0), (Duration::from_millis(1_800), Duration::from_millis(1_900)));
        assert_eq!(times(2, 1.0), (Duration::from_millis(1_600), Duration::from_millis(1_900)));
        assert_eq!(times(3_600, 1.0), (Duration::from_secs(3_300), Duration::from_secs(3_595)));
        // A life that no clock can hold.
        let (renew, end) = times(u64::MAX, 0.5);
        assert!(renew < end && end < LONGEST_LIFE);
    }

    #[test]
    fn a_token_does_not_print() {
        let token = Token {
            header: HeaderValue::from_static("Bearer abc"),
            times: None,
            accepted: AtomicBool::new(false),
        };
        assert_eq!(format!("{token:?}"), "***");
    }
}
