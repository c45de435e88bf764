//! Log lines on their way to the JVM's logger: bounded, the oldest are dropped and counted.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use apisink_plan::LogLevel;

const MOST_LINES: usize = 10_000;

/// Lines that the task's thread takes and logs: runtime threads never enter the JVM.
#[derive(Debug, Default)]
pub struct LogLines {
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    kept: VecDeque<(LogLevel, String)>,
    dropped: usize,
}

impl LogLines {
    /// Adds a line.
    pub fn push(&self, level: LogLevel, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.kept.len() == MOST_LINES {
            lines.kept.pop_front();
            lines.dropped += 1;
        }
        lines.kept.push_back((level, line));
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).kept.is_empty()
    }

    /// All lines since the last call, in order; a last one says how many were dropped.
    pub fn take(&self) -> Vec<(LogLevel, String)> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken: Vec<_> = lines.kept.drain(..).collect();
        let dropped = std::mem::take(&mut lines.dropped);
        if dropped > 0 {
            taken.push((
                LogLevel::Warn,
                format!("{dropped} log lines were dropped: they came faster than they were read"),
            ));
        }
        taken
    }
}
