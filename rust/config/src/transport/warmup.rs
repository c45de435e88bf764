//! `transport.warmup`: what happens before the first row.

use crate::keys::Choice;

pub(super) const KINDS: &[Choice<WarmupKind>] = &[
    ("connect", WarmupKind::Connect, "makes one connection (name, TCP, TLS), which the first row then uses"),
    (
        "head",
        WarmupKind::Head,
        "connects and asks for the base path with HEAD, without credentials; any answer will do",
    ),
    ("none", WarmupKind::None, "nothing: the first row connects"),
];

/// What an executor does before its first row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmupKind {
    /// `none`.
    None,
    /// `connect`: makes a connection.
    Connect,
    /// `head`: makes a connection and asks with HEAD.
    Head,
}

pub(super) const FAILURES: &[Choice<WarmupFailure>] = &[
    ("warn", WarmupFailure::Warn, "a line in the executor's log; the rows are sent all the same"),
    ("error", WarmupFailure::Error, "the task ends before any row is sent"),
];

/// What follows from a warm-up that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmupFailure {
    /// `warn`: a line in the log.
    Warn,
    /// `error`: the end of the task.
    Error,
}
