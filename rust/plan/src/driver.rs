//! What the driver itself needs of a config; its JSON is read by Scala.

use serde::{Deserialize, Serialize};

use crate::fail_when::FailWhen;

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
    /// Column that holds the tracking_id; none when rows are known by their content.
    pub id_column: Option<String>,
    /// Columns that requests use, the id column first if there is one; none means all columns.
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
    /// Rows that are left out by what the sink has of earlier runs: `success` or `any` answers of their tracking_id.
    pub skip_delivered: Option<String>,
    /// Answers in the journal that are asked for again when a run goes on: `transport_error`, `http_5xx`, `unauthorized`.
    pub resend_on_resume: Vec<String>,
    /// What stops the run early.
    pub fail_when: FailWhen,
    /// Name of the rate limit of the attempts that no other one is for; none means that those are unlimited.
    pub general_limit: Option<String>,
    /// Names of the rate limits of some hosts and paths.
    pub other_limits: Vec<String>,
    /// The hours in which rows are sent; none for all.
    pub sending_window: Option<DriverWindow>,
    /// Whether the run may go on although Spark's speculation is on.
    pub allow_speculation: bool,
    /// The byte budget of an executor process.
    pub memory_budget_bytes: usize,
    /// Header that carries the request_id; none when switched off.
    pub idempotency_header: Option<String>,
    /// What is allowed but should be seen by a person, one sentence each.
    pub warnings: Vec<String>,
}

/// The hours in which rows are sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriverWindow {
    /// When sending begins, as `HH:MM`.
    pub from: String,
    /// When it pauses; a time before `from` is one of the next day.
    pub until: String,
    /// The time zone of both, by its name in the tz database.
    pub time_zone: String,
    /// Days on which it begins: `mon` to `sun`.
    pub days: Vec<String>,
}

/// Where responses go: exactly one of `table` and `path`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriverSink {
    /// Namespace and name, joined by a dot.
    pub table: Option<String>,
    /// Path of a table.
    pub path: Option<String>,
    /// Spark's name of the table's format: `delta`, or one without the promise of exactly one row per source row.
    pub format: String,
    /// `append` or `overwrite`.
    pub mode: String,
    /// The table with one current row per tracking_id, if there is one.
    pub merge: Option<DriverMerge>,
    /// Source columns to keep beside the response.
    pub source_columns: Vec<String>,
    /// Columns that are picked from answers, in the order in which they stand after those.
    pub response_fields: Vec<DriverField>,
}

/// A column that is picked from answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriverField {
    /// Its name.
    pub name: String,
    /// Spark's name of its type.
    pub data_type: String,
}

/// The table with one current row per tracking_id: exactly one of `table` and `path`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriverMerge {
    /// Namespace and name, joined by a dot.
    pub table: Option<String>,
    /// Path of a Delta table.
    pub path: Option<String>,
    /// Whether the run's rows also go to the sink itself.
    pub append_rows: bool,
}

/// Where rows come from: one of `table` and `path`, or none when a DataFrame is handed over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriverSource {
    /// Name of a table.
    pub table: Option<String>,
    /// Path of files.
    pub path: Option<String>,
    /// Spark's name of the files' format; there with `path` only.
    pub format: Option<String>,
    /// Condition in Spark SQL that a row must meet to be sent.
    pub filter: Option<String>,
    /// Expressions in Spark SQL that make the columns; none means all columns as they are.
    pub select: Vec<String>,
}
