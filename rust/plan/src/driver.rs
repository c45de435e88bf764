//! What the driver itself needs of a config; its JSON is read by Scala.

use serde::{Deserialize, Serialize};

/// The driver's part of a compiled config. Holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriverPlan {
    /// SHA-256 of the plan, in hexadecimal.
    pub plan_digest: String,
    /// SHA-256 of what determines the requests, in hexadecimal.
    pub request_digest: String,
    /// Spark tasks of a run.
    pub partitions: u32,
    /// Column that holds the tracking_id.
    pub id_column: String,
    /// Columns that requests use, the id column first; none means all columns.
    pub columns: Option<Vec<String>>,
    /// Columns that must exist.
    pub required_columns: Vec<String>,
    /// Where responses go.
    pub sink: DriverSink,
    /// Where rows come from.
    pub source: DriverSource,
    /// Directory of the journal, if the config names one.
    pub journal_path: Option<String>,
    /// Rows of one batch that crosses into the native library.
    pub batch_rows: u32,
    /// Bytes of one such batch.
    pub batch_bytes: u64,
    /// Longest time that an answer stays out of the journal, in milliseconds.
    pub flush_millis: u64,
    /// Answers after which the journal is flushed.
    pub flush_rows: u32,
    /// Bytes of answers after which the journal is flushed.
    pub flush_bytes: u64,
    /// Whether the run may go on although Spark's speculation is on.
    pub allow_speculation: bool,
    /// The byte budget of an executor process.
    pub memory_budget_bytes: usize,
    /// Header that carries the request_id; none when switched off.
    pub idempotency_header: Option<String>,
    /// What is allowed but should be seen by a person, one sentence each.
    pub warnings: Vec<String>,
}

/// Where responses go: exactly one of `table` and `path`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriverSink {
    /// Namespace and name, joined by a dot.
    pub table: Option<String>,
    /// Path of a Delta table.
    pub path: Option<String>,
    /// `append`.
    pub mode: String,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriverSource {
    /// Namespace and name, joined by a dot; none when the caller hands over a DataFrame.
    pub table: Option<String>,
}
