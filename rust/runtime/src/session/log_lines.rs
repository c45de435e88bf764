//! Log lines on their way to the JVM's logger: bounded, the oldest are dropped and counted.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use apisink_plan::LogLevel;

const MOST_LINES: usize = 10_000;
const MOST_BYTES: usize = 16 << 20;

/// A line for a logger of the JVM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Whose logger.
    pub logger: Logger,
    /// Its level.
    pub level: LogLevel,
    /// Secrets masked.
    pub text: String,
}

/// Who says a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logger {
    /// The middleware `logging`, of one exchange.
    Exchange,
    /// An engine, of what happens beside the exchanges: tokens, pauses, warm-up.
    Native,
}

impl Logger {
    /// The last part of the JVM logger's name.
    pub fn word(self) -> &'static str {
        match self {
            Logger::Exchange => "exchange",
            Logger::Native => "native",
        }
    }
}

/// Lines that the task's thread takes and logs: runtime threads never enter the JVM.
#[derive(Debug, Default)]
pub struct LogLines {
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    kept: VecDeque<(LogLevel, String)>,
    bytes: usize,
    dropped: usize,
}

impl LogLines {
    /// Adds a line.
    pub fn push(&self, level: LogLevel, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.bytes += line.len();
        while lines.kept.len() == MOST_LINES || lines.bytes > MOST_BYTES {
            let Some((_, oldest)) = lines.kept.pop_front() else { break };
            lines.bytes -= oldest.len();
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
        lines.bytes = 0;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_in_number_and_bytes_and_the_oldest_are_dropped() {
        let lines = LogLines::default();
        (0..10_003).for_each(|number| lines.push(LogLevel::Info, number.to_string()));
        let taken = lines.take();
        assert_eq!((taken.len(), taken[0].1.as_str()), (10_001, "3"));
        assert!(taken[10_000].1.starts_with("3 log lines were dropped"));
        (0..20).for_each(|_| lines.push(LogLevel::Info, "x".repeat(1 << 20)));
        let taken = lines.take();
        assert_eq!(taken.len(), 17);
        assert!(taken[16].1.starts_with("4 log lines were dropped"));
        assert!(lines.is_empty());
    }
}
