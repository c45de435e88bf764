//! `execution`: partitions, rates, windows and budgets.

mod fail_when;
mod limits;
mod pattern;
mod sending_window;

pub use fail_when::FailWhen;
pub use limits::RateLimit;
pub use pattern::{HostPattern, PathPattern};
pub use sending_window::SendingWindow;

use crate::keys::{Choice, choice, flag, keys, number, seconds, section, sections, text, whole, words};
use crate::problem::{Code, Located};
use crate::reader::Section;
use crate::text::Text;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

keys! {
    /// Partitions, rates, windows and budgets of a run.
    pub struct Execution {
        /// Spark tasks of a run. Rows are spread over them by the id column.
        partitions: u32 = whole(1..=100_000, "tasks").or(16),
        /// Attempts per second of the whole run, retries included.
        max_requests_per_second: Option<f64> =
            number(0.000_1..=1_000_000.0, "attempts per second").for_example(30.0).optional("no limit"),
        /// Attempts per minute of the whole run, spread evenly over it. The lowest of the limits counts.
        max_requests_per_minute: Option<f64> =
            number(0.01..=60_000_000.0, "attempts per minute").for_example(600.0).optional("no limit"),
        /// Attempts per hour of the whole run, spread evenly over it. The lowest of the limits counts.
        max_requests_per_hour: Option<f64> =
            number(1.0..=3_600_000_000.0, "attempts per hour").for_example(36_000.0).optional("no limit"),
        /// Attempts that may go at once after a pause, before the limit's even pace.
        burst: u32 = whole(1..=1_000_000, "attempts").or(1),
        /// Rates of their own for some hosts or paths. An attempt has one limit: the first entry that its URL matches, or
        /// that of the whole run.
        limits: Vec<Located<RateLimit>> =
            sections("[{path: /v1/bulk/*, max_requests_per_second: 5}]").or(Vec::new()),
        /// Whether the whole run pauses when the server announces that a limit is reached: Retry-After on 429 and 503,
        /// RateLimit, RateLimit-Remaining, X-RateLimit-Remaining.
        obey_announced_limits: bool = flag().or(true),
        /// Longest such pause.
        max_announced_pause: f64 = seconds(0.1..=86_400.0).or(60.0),
        /// Rows in the admission window of an executor process: waiting for a connection, in flight or waiting for a
        /// retry. Of those that don't wait for a retry there are at most a quarter more than HTTP/1.1 has connections.
        max_in_flight: Option<usize> = whole(1..=1_000_000, "rows")
            .for_example(400)
            .optional("four times `transport.tcp_connection.limit`, at least 64"),
        /// Rows of one batch that crosses into the native library.
        batch_rows: u32 = whole(1..=1_000_000, "rows").or(256),
        /// Size of one such batch.
        batch_bytes: u64 = whole(KIB..=GIB, "bytes").or(MIB),
        /// What requests, answers and waiting rows of an executor process may take together.
        memory_budget_bytes: usize =
            whole(MIB as usize..=1024 * GIB as usize, "bytes").or(128 * MIB as usize),
        /// Directory of the journal.
        journal_path: Option<Text> = text("\"/Volumes/main/default/journal\"")
            .optional("`_apisink` beside a sink given by path; a catalog table needs it said"),
        /// Longest time that an answer stays out of the journal.
        flush_seconds: f64 = seconds(0.1..=3600.0).or(5.0),
        /// Answers after which the journal is flushed.
        flush_rows: u32 = whole(1..=10_000_000, "answers").or(50_000),
        /// Bytes of answers after which the journal is flushed.
        flush_bytes: u64 = whole(KIB..=GIB, "bytes").or(32 * MIB),
        /// Whether the run may go on although Spark's speculation is on, which sends rows twice.
        allow_speculation: bool = flag().or(false),
        /// What becomes of further rows of a tracking_id within a run.
        repeated_ids: RepeatedIds = choice(REPEATED_IDS).or(RepeatedIds::InvalidRow),
        /// Rows that are left out because the sink has an answer of their tracking_id from an earlier run.
        skip_delivered: Option<Delivered> = choice(DELIVERED).optional("every row is sent"),
        /// Answers in the journal that a run asks for again when it goes on: `transport_error`, `http_5xx`, `unauthorized`
        /// (401 and 403). All others are never asked for again.
        resend_on_resume: Vec<Located<String>> = words("[transport_error, http_5xx]").or(Vec::new()),
        /// What stops a run early.
        fail_when: FailWhen = section(),
        /// The hours in which rows are sent.
        sending_window: Option<SendingWindow> = section().optional("rows are sent at any time"),
    }
    check |section| {
        limits::check_order(section, limits.as_deref());
        check_resend(section, resend_on_resume.as_deref());
        check_window(section);
    };
}

/// What becomes of further rows of a tracking_id within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepeatedIds {
    /// They are not sent.
    InvalidRow,
    /// Each is sent.
    Send,
}

const REPEATED_IDS: &[Choice<RepeatedIds>] = &[
    ("invalid_row", RepeatedIds::InvalidRow, "one of the rows is sent, the others become `invalid_row` rows"),
    (
        "send",
        RepeatedIds::Send,
        "each is sent, under a request_id of its own that is made of its content too",
    ),
];

/// Which answers of earlier runs make a row one that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Successful ones.
    Success,
    /// All.
    Any,
}

impl Delivered {
    /// The word of the config.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Delivered::Success => "success",
            Delivered::Any => "any",
        }
    }
}

const DELIVERED: &[Choice<Delivered>] = &[
    ("success", Delivered::Success, "rows with an answer whose outcome is `success`"),
    ("any", Delivered::Any, "rows with an answer, whatever its outcome"),
];

const RESENT: [&str; 3] = ["transport_error", "http_5xx", "unauthorized"];

fn check_resend(section: &Section<'_>, words: Option<&[Located<String>]>) {
    for word in words.unwrap_or_default() {
        if !RESENT.contains(&word.as_str()) {
            section.unknown_choice("resend_on_resume", word, RESENT.into_iter());
        }
    }
}

/// The window is kept where the slots of the limit are given.
fn check_window(section: &Section<'_>) {
    if section.has("sending_window") && !RATES.iter().any(|key| section.has(key)) {
        section.note(
            section.place("sending_window"),
            Code::Conflict,
            "`execution.sending_window` needs a rate limit: without one nobody waits for a slot, and nobody can be held back",
            "write for example `max_requests_per_second: 100`",
        );
    }
}

/// The keys of a rate: of the whole run, and of an entry of `limits`.
const RATES: [&str; 3] = ["max_requests_per_second", "max_requests_per_minute", "max_requests_per_hour"];

/// The lowest of three rates, per second.
fn lowest(second: Option<f64>, minute: Option<f64>, hour: Option<f64>) -> Option<f64> {
    let minute = minute.map(|attempts| attempts / 60.0);
    let hour = hour.map(|attempts| attempts / 3600.0);
    [second, minute, hour].into_iter().flatten().reduce(f64::min)
}

impl Execution {
    /// Attempts per second: the lowest of the limits.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        lowest(self.max_requests_per_second, self.max_requests_per_minute, self.max_requests_per_hour)
    }

    /// Rows in the admission window, with its default for a limit of connections.
    #[must_use]
    pub fn window(&self, connection_limit: usize) -> usize {
        self.max_in_flight.unwrap_or(connection_limit.saturating_mul(4).clamp(64, 1_000_000))
    }
}
