//! Rows through the runtime's own session, one after the other, and what came of each.

use std::collections::BTreeMap;
use std::time::Duration;

use apisink_plan::{LinkPlan, LogLevel, Plan, SecretValues};
use apisink_runtime::rate::Keeper;
use apisink_runtime::{Process, Session, Task};
use arrow_array::RecordBatch;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::failure::Failure;

/// A session tells of a single answer only when it is the last one: until then it is asked this often.
const PATIENCE: Duration = Duration::from_millis(2);

/// A row's exchange, as the sink would have it (`docs/reference/response-row.md`).
#[derive(Debug, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) tracking_id: Option<String>,
    pub(crate) request_id: String,
    pub(crate) outcome: String,
    pub(crate) status_code: Option<u16>,
    pub(crate) method: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) elapsed_ms: Option<f64>,
    pub(crate) error: Option<Error>,
    pub(crate) request_headers: Option<BTreeMap<String, String>>,
    pub(crate) request_body: Option<String>,
    pub(crate) response_headers: Option<BTreeMap<String, String>>,
    response_body: Option<String>,
    response_body_is_base64: Option<bool>,
    pub(crate) response_body_truncated: Option<bool>,
    pub(crate) attempt_log: Option<Vec<Attempt>>,
    pub(crate) transport: Option<Transport>,
}

/// Why there is no answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Error {
    pub(crate) kind: Option<String>,
    pub(crate) message: Option<String>,
}

/// One HTTP round trip.
#[derive(Debug, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
    pub(crate) elapsed_ms: Option<f64>,
    pub(crate) wait_ms: Option<f64>,
}

/// The connection of the last attempt.
#[derive(Debug, Deserialize)]
pub(crate) struct Transport {
    pub(crate) protocol: Option<String>,
    pub(crate) remote_addr: Option<String>,
    pub(crate) connection_reused: Option<bool>,
    pub(crate) dns_ms: Option<f64>,
    pub(crate) connect_ms: Option<f64>,
    pub(crate) tls_ms: Option<f64>,
    pub(crate) ttfb_ms: Option<f64>,
}

impl Exchange {
    /// The answer's body, if there is an answer.
    pub(crate) fn response_body(&self) -> Option<Vec<u8>> {
        let body = self.response_body.as_ref()?;
        match self.response_body_is_base64 {
            Some(true) => STANDARD.decode(body).ok(),
            _ => Some(body.clone().into_bytes()),
        }
    }
}

/// Sends rows, each when the one before it has its answer, and gives each exchange to `each` as it ends.
pub(crate) fn run(
    plan: &Plan,
    secrets: &SecretValues,
    run_id: &str,
    rows: &RecordBatch,
    mut each: impl FnMut(Exchange) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let json = |error: serde_json::Error| Failure::Other(error.to_string());
    let process = Process::global()?;
    let engine = process.engine(
        &serde_json::to_vec(plan).map_err(json)?,
        &serde_json::to_vec(secrets).map_err(json)?,
        Keeper::Process,
        "cli",
    )?;
    let session = Session::open(process, engine, task(run_id), rows.schema_ref())?;
    for index in 0..rows.num_rows() {
        session.submit(&rows.slice(index, 1))?;
        loop {
            session.wait(PATIENCE, true)?;
            if let Some(answer) = session.take(1)? {
                each(exchange(&answer)?)?;
                break;
            }
        }
    }
    session.finish();
    Ok(())
}

fn task(run_id: &str) -> Task {
    Task {
        run_id: run_id.to_owned(),
        opening: String::new(),
        epoch: 0,
        executor_id: "cli".to_owned(),
        host: "localhost".to_owned(),
        pid: i64::from(std::process::id()),
        partition_id: 0,
        task_attempt_id: 0,
        log_level: LogLevel::Error,
        rate_keeper: Keeper::Process,
    }
}

fn exchange(answer: &RecordBatch) -> Result<Exchange, Failure> {
    let failed = |error: String| Failure::Other(format!("a response row cannot be read: {error}"));
    let mut writer = arrow_json::LineDelimitedWriter::new(Vec::new());
    writer.write(answer).map_err(|error| failed(error.to_string()))?;
    writer.finish().map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&writer.into_inner()).map_err(|error| failed(error.to_string()))
}

/// Puts a listener without keys around the whole chain, wherever it stood before.
pub(crate) fn listen(plan: &mut Plan, listener: &str) {
    plan.chain.retain(|link| link.middleware != listener);
    let link = LinkPlan { middleware: listener.to_owned(), spec: serde_json::json!({}) };
    plan.chain.insert(0, link);
}
