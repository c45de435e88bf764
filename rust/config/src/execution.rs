//! `execution`: partitions, rates, windows and budgets.

use crate::reader::Section;
use crate::text::Text;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

/// The section `execution`.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// Spark tasks of a run: 1 to 100000, default 16.
    pub partitions: u32,
    /// Attempts per second of the whole run, more than 0 and up to 1000000; none means unlimited.
    pub max_requests_per_second: Option<f64>,
    /// Rows in the admission window of an executor process: 1 to 1000000, default four times
    /// `transport.tcp_connection.limit` and at least 64.
    pub max_in_flight: usize,
    /// Rows of one batch that crosses into the native library: 1 to 1000000, default 1024.
    pub batch_rows: u32,
    /// Bytes of one such batch: 1 KiB to 1 GiB, default 1 MiB.
    pub batch_bytes: u64,
    /// Bytes that requests, answers and waiting rows of an executor process may take: 1 MiB to 1 TiB, default 128 MiB.
    pub memory_budget_bytes: usize,
    /// Directory of the journal; by default `_apisink` beside a sink given by path.
    pub journal_path: Option<Text>,
    /// Longest time in seconds that an answer stays out of the journal: 0.1 to 3600, default 5.
    pub flush_seconds: f64,
    /// Answers after which the journal is flushed: 1 to 10000000, default 50000.
    pub flush_rows: u32,
    /// Bytes of answers after which the journal is flushed: 1 KiB to 1 GiB, default 32 MiB.
    pub flush_bytes: u64,
    /// Whether the run may go on although Spark's speculation is on, which sends rows twice. Default false.
    pub allow_speculation: bool,
}

impl Execution {
    pub(crate) fn read(section: &mut Section<'_>, connection_limit: usize) -> Self {
        let window = (connection_limit as u64).saturating_mul(4).clamp(64, 1_000_000);
        let read = Self {
            partitions: section.whole("partitions", "tasks", 1..=100_000, 16) as u32,
            max_requests_per_second: section.number(
                "max_requests_per_second",
                "attempts per second",
                0.000_1..=1_000_000.0,
                30.0,
            ),
            max_in_flight: section.whole("max_in_flight", "rows", 1..=1_000_000, window) as usize,
            batch_rows: section.whole("batch_rows", "rows", 1..=1_000_000, 1024) as u32,
            batch_bytes: section.whole("batch_bytes", "bytes", KIB..=GIB, MIB),
            memory_budget_bytes: section.whole("memory_budget_bytes", "bytes", MIB..=1024 * GIB, 128 * MIB)
                as usize,
            journal_path: section.text("journal_path", "\"/Volumes/main/default/journal\""),
            flush_seconds: section.seconds("flush_seconds", 0.1..=3600.0, 5.0),
            flush_rows: section.whole("flush_rows", "rows", 1..=10_000_000, 50_000) as u32,
            flush_bytes: section.whole("flush_bytes", "bytes", KIB..=GIB, 32 * MIB),
            allow_speculation: section.flag("allow_speculation", false),
        };
        section.finish();
        read
    }
}
