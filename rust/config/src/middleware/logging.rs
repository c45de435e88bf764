//! `logging`: one log line per exchange.

use crate::keys::{Choice, choice, flag, keys};

keys! {
    /// One log line per exchange.
    pub struct Logging {
        /// Level of the line of a successful exchange; that of a failed one is at least `warn`.
        level: Level = choice(LEVELS).or(Level::Debug),
        /// Whether the line is also kept in the sink's `log` column.
        to_sink: bool = flag().or(false),
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
