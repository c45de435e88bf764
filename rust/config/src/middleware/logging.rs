//! `logging`: one log line per exchange.

use crate::keys::{Choice, choice, flag, keys, number, whole};
use crate::problem::Code;
use crate::reader::Section;

keys! {
    /// One log line per exchange.
    pub struct Logging {
        /// Level of the line of a successful exchange; that of a failed one is at least `warn`.
        level: Level = choice(LEVELS).or(Level::Debug),
        /// Whether the line is also kept in the sink's `log` column.
        to_sink: bool = flag().or(false),
        /// Share of the successful exchanges that have a line, drawn by their request_id; failed ones always have one.
        sample: f64 = number(0.0..=1.0, "of the exchanges").or(1.0),
        /// Whether the line holds the bodies of request and answer. Credentials of the config are masked in them; nothing else
        /// is, so that what they tell of people stands in the log.
        bodies: bool = flag().or(false),
        /// Longest part of a body in a line.
        max_body_bytes: usize = whole(16..=65_536, "bytes").or(1024),
    }
    check |section| check_bodies(section, bodies);
}

fn check_bodies(section: &Section<'_>, bodies: Option<bool>) {
    if bodies == Some(false) && section.has("max_body_bytes") {
        section.note(
            section.place("max_body_bytes"),
            Code::Unused,
            format!("{} has no effect: `bodies` is false", section.name("max_body_bytes")),
            "remove it, or write `bodies: true`",
        );
    }
}

const LEVELS: &[Choice<Level>] = &[
    ("debug", Level::Debug, "for finding faults"),
    ("error", Level::Error, "something failed that ends the task"),
    ("warn", Level::Warn, "an exchange failed"),
    ("info", Level::Info, "ordinary news"),
    ("trace", Level::Trace, "everything"),
];

/// Levels of log lines, the most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something failed that ends the task.
    Error,
    /// An exchange failed.
    Warn,
    /// Ordinary news.
    Info,
    /// For finding faults.
    Debug,
    /// Everything.
    Trace,
}
