//! `retry`: sends a failed request again.

use crate::keys::{flag, keys, number, seconds, section, whole, wholes};
use crate::problem::Code;
use crate::reader::Section;

const HOUR: f64 = 3600.0;
const DEFAULT_MAX_DELAY: f64 = 2.0;

keys! {
    /// Sends a failed request again.
    pub struct Retry {
        /// Attempts in all, the first included.
        max_attempts: u32 = whole(1..=100, "attempts").or(3),
        /// Statuses that are tried again.
        retry_status_codes: Vec<u16> = wholes(200..=599).or(vec![429, 500, 502, 503, 504]),
        /// Whether an answer that the chain's `json_response` rejects (`success_when`) is tried again.
        retry_rejected: bool = flag().or(false),
        /// Upper bound of the first pause; it doubles with each attempt. The pause is drawn from 0 to the bound.
        base_delay: f64 = seconds(0.0..=HOUR).or(0.2),
        /// Upper bound of every computed pause; not below `base_delay`.
        max_delay: Option<f64> =
            seconds(0.0..=HOUR).for_example(DEFAULT_MAX_DELAY).optional("2, or `base_delay` if that is more"),
        /// Whether transport errors and timeouts are tried again.
        retry_transport_errors: bool = flag().or(true),
        /// Whether Retry-After replaces the computed pause, or else the reset of a quota that is used up: RateLimit,
        /// RateLimit-Reset, X-RateLimit-Reset.
        respect_retry_after: bool = flag().or(true),
        /// Longest pause that such a header may ask for; more is cut to it.
        max_retry_after: f64 = seconds(0.0..=86_400.0).or(60.0),
        /// Whether a request that is not idempotent and has no idempotency header may be sent again although bytes of
        /// it may have left.
        retry_non_idempotent: bool = flag().or(false),
        /// Longest time from a row's first attempt to the beginning of its last: a pause that goes beyond is not begun.
        total_deadline: Option<f64> = seconds(0.001..=86_400.0).for_example(120.0).optional("no such limit"),
        /// Bounds the retries of an executor process, so that an API that fails gets no multiple of its traffic.
        budget: Option<RetryBudget> = section().optional("no such limit"),
    }
    check |section| {
        check_delays(section, base_delay, max_delay.flatten());
        check_something_to_retry(section, retry_status_codes.as_deref(), [retry_transport_errors, retry_rejected]);
        check_retry_after(section, respect_retry_after);
    };
}

keys! {
    /// Retries that an executor process may send, counted over the last ten seconds. A row whose retry has no room in it keeps
    /// the answer that it got.
    pub struct RetryBudget {
        /// Retries for each first attempt.
        share: f64 = number(0.0..=10.0, "retries per first attempt").or(0.2),
        /// Retries that are allowed whatever the traffic.
        min_per_second: f64 = number(0.0..=100_000.0, "retries per second").or(10.0),
    }
}

impl Retry {
    /// Upper bound of every computed pause in seconds, with its default.
    #[must_use]
    pub fn longest_delay(&self) -> f64 {
        self.max_delay.unwrap_or(DEFAULT_MAX_DELAY.max(self.base_delay))
    }
}

fn check_something_to_retry(section: &Section<'_>, codes: Option<&[u16]>, others: [Option<bool>; 2]) {
    if let (Some([]), [Some(false), Some(false)]) = (codes, others) {
        section.note(
            section.place("retry_status_codes"),
            Code::Unused,
            "`retry` has nothing to try again: no status, and no transport error",
            "write for example `retry_status_codes: [429, 503]`, or remove `- type: retry`",
        );
    }
}

fn check_retry_after(section: &Section<'_>, respected: Option<bool>) {
    if respected == Some(false) && section.has("max_retry_after") {
        section.note(
            section.place("max_retry_after"),
            Code::Unused,
            format!("{} has no effect: `respect_retry_after` is false", section.name("max_retry_after")),
            "remove one of them",
        );
    }
}

fn check_delays(section: &Section<'_>, base: Option<f64>, max: Option<f64>) {
    let (Some(base), Some(max)) = (base, max) else { return };
    if max < base {
        section.note(
            section.place("max_delay"),
            Code::InvalidValue,
            format!("{} is {max}, but must be from {base} to {HOUR} seconds", section.name("max_delay")),
            format!("write for example `max_delay: {}`, or lower `base_delay`", DEFAULT_MAX_DELAY.max(base)),
        );
    }
}
