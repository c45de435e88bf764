//! An API on one side, an executor's sending side on the other, and what a Spark task does between them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apisink_origin::{KeyReport, Origin, Recorded, Report, Script, TokenRequest};
use apisink_plan::{Compiled, Inputs, LogLevel};
use apisink_runtime::middleware::Registry;
use apisink_runtime::rate::Keeper;
use apisink_runtime::{Engine, Process, RuntimeError, Session, Task};
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use tokio::runtime::Runtime;

/// No wait of these tests takes this long unless something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An API with threads of its own.
pub(crate) struct Api {
    runtime: Runtime,
    origin: Origin,
}

impl Api {
    /// Starts an API that behaves as the flags of `apisink-origin` say.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let origin = runtime.block_on(Origin::start(Script::from_args(flags).unwrap()));
        Self { runtime, origin }
    }

    pub(crate) fn authority(&self) -> String {
        self.origin.addr().to_string()
    }

    /// A config whose requests go to this API. `endpoint` holds more keys of that section, `sections` whole
    /// sections, `mappings` entries of `column_mapping`.
    pub(crate) fn config(&self, endpoint: &str, sections: &str, mappings: &str) -> String {
        let method = if endpoint.contains("method:") { "" } else { "method: POST, " };
        format!(
            "endpoint: {{{method}base_path: \"{}\", {endpoint}}}\ntables:\n  source: {{id_column: id}}\n  \
             sink: {{path: /out, request_body: true}}\n  column_mapping: [{mappings}]\n{sections}\n",
            self.origin.url()
        )
    }

    pub(crate) fn report(&self) -> Report {
        self.origin.report()
    }

    pub(crate) fn until(&self, condition: impl Fn(&Report) -> bool) -> Report {
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, self.origin.until(condition)).await })
            .unwrap_or_else(|_| panic!("waited in vain; the API reports {:?}", self.report()))
    }

    pub(crate) fn keys(&self) -> Vec<KeyReport> {
        self.origin.keys()
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.origin.requests()
    }

    pub(crate) fn token_requests(&self) -> Vec<TokenRequest> {
        self.origin.token_requests()
    }

    pub(crate) fn revoke_tokens(&self, refresh: bool) {
        self.origin.revoke_tokens(refresh);
    }

    pub(crate) fn reset(&self) {
        self.origin.reset();
    }
}

/// Seconds for which the API did not run: requests that were written apart have arrived together then.
pub(crate) fn stalled(report: &Report) -> f64 {
    report.longest_stall_ms / 1000.0
}

/// The sending side of an executor process.
#[derive(Clone, Copy)]
pub(crate) struct Executor {
    pub(crate) process: &'static Process,
}

impl Executor {
    pub(crate) fn new() -> Self {
        Self::with(Registry::default())
    }

    /// With middleware of its own. Sessions want a process that never ends, as a JVM's does.
    pub(crate) fn with(registry: Registry) -> Self {
        Self { process: Box::leak(Box::new(Process::new(registry).unwrap())) }
    }

    pub(crate) fn engine(&self, config: &str) -> Arc<Engine> {
        self.engine_of(&compiled(config))
    }

    pub(crate) fn engine_of(&self, compiled: &Compiled) -> Arc<Engine> {
        let plan = serde_json::to_vec(&compiled.plan).unwrap();
        let secrets = serde_json::to_vec(&compiled.secrets).unwrap();
        self.process.engine(&plan, &secrets, Keeper::Process, "1").unwrap()
    }

    pub(crate) fn session(&self, engine: &Arc<Engine>, partition: u32, schema: &Schema) -> Session {
        self.open(engine, "", partition, schema).unwrap()
    }

    /// A session of an opening of the run, or why there is none.
    pub(crate) fn open(
        &self,
        engine: &Arc<Engine>,
        opening: &str,
        partition: u32,
        schema: &Schema,
    ) -> Result<Session, RuntimeError> {
        let task = Task {
            run_id: "run-1".into(),
            opening: opening.into(),
            epoch: 0,
            executor_id: "1".into(),
            host: "worker-1".into(),
            pid: 4711,
            partition_id: partition,
            task_attempt_id: i64::from(partition) + 100,
            log_level: LogLevel::Error,
            rate_keeper: Keeper::Process,
        };
        Session::open(self.process, engine.clone(), task, schema)
    }

    /// Sends one batch through a session of its own.
    pub(crate) fn send(&self, config: &str, batch: RecordBatch) -> Vec<Answer> {
        let engine = self.engine(config);
        drive(&self.session(&engine, 0, &batch.schema()), vec![batch])
    }
}

pub(crate) fn compiled(config: &str) -> Compiled {
    let config = apisink_config::parse(config.as_bytes(), "c.yaml").unwrap_or_else(|e| panic!("{e}"));
    apisink_plan::compile(&config, &Inputs::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// What a Spark task does: submits when rows are wanted, takes what is there, ends when all is done.
pub(crate) fn drive(session: &Session, batches: Vec<RecordBatch>) -> Vec<Answer> {
    let mut answers = Vec::new();
    drive_into(session, batches, |batch| answers.extend(Answer::all(batch)));
    answers
}

/// The same; all response rows as they are.
pub(crate) fn drive_batches(session: &Session, batches: Vec<RecordBatch>) -> RecordBatch {
    let mut answers = Vec::new();
    drive_into(session, batches, |batch| answers.push(batch.clone()));
    arrow_select::concat::concat_batches(&answers[0].schema(), &answers).unwrap()
}

fn drive_into(session: &Session, batches: Vec<RecordBatch>, mut taken: impl FnMut(&RecordBatch)) {
    let mut batches = VecDeque::from(batches);
    let mut finished = false;
    loop {
        let state = session.wait(PATIENCE, finished).unwrap();
        if state.done {
            return;
        }
        if state.has_responses {
            session.take(usize::MAX).unwrap().iter().for_each(&mut taken);
        } else if state.wants_rows {
            match batches.pop_front() {
                Some(batch) => session.submit(&batch).unwrap(),
                None => {
                    session.finish();
                    finished = true;
                }
            }
        } else {
            panic!("waited in vain; the session did {:?}", session.counts());
        }
    }
}

/// Takes whatever is completed.
pub(crate) fn take(session: &Session) -> Vec<Answer> {
    session.take(usize::MAX).unwrap().map(|batch| Answer::all(&batch)).unwrap_or_default()
}

/// Asks again and again until there is an answer.
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A source batch of text columns.
pub(crate) fn batch<const N: usize>(names: [&str; N], rows: &[[&str; N]]) -> RecordBatch {
    let columns = (0..N)
        .map(|column| Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row[column]))) as ArrayRef)
        .collect();
    batch_of(&names, columns)
}

pub(crate) fn batch_of(names: &[&str], columns: Vec<ArrayRef>) -> RecordBatch {
    let fields: Vec<Field> = names
        .iter()
        .zip(&columns)
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// A batch of ids alone: `prefix` and a number each.
pub(crate) fn ids(prefix: &str, numbers: std::ops::Range<usize>) -> RecordBatch {
    let ids = numbers.map(|number| format!("{prefix}{number}"));
    batch_of(&["id"], vec![Arc::new(StringArray::from_iter_values(ids))])
}

pub(crate) fn id_schema() -> Schema {
    Schema::new(vec![Field::new("id", DataType::Utf8, true)])
}

/// One response row, as far as these tests look at it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) tracking_id: Option<String>,
    pub(crate) request_id: String,
    pub(crate) outcome: String,
    pub(crate) status: Option<i32>,
    pub(crate) attempts: i32,
    pub(crate) error_kind: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) request_body: Option<String>,
    pub(crate) request_digest: Option<String>,
    pub(crate) response_body: Option<String>,
}

impl Answer {
    fn all(batch: &RecordBatch) -> Vec<Self> {
        let column = |name: &str| batch.column_by_name(name).unwrap();
        let text = |array: &ArrayRef, row: usize| {
            array.is_valid(row).then(|| array.as_string::<i32>().value(row).to_owned())
        };
        let error = column("error").as_struct();
        (0..batch.num_rows())
            .map(|row| Self {
                tracking_id: text(column("tracking_id"), row),
                request_id: text(column("request_id"), row).unwrap(),
                outcome: text(column("outcome"), row).unwrap(),
                status: column("status_code")
                    .is_valid(row)
                    .then(|| column("status_code").as_primitive::<Int32Type>().value(row)),
                attempts: column("attempts").as_primitive::<Int32Type>().value(row),
                error_kind: text(error.column(0), row),
                error_message: text(error.column(1), row),
                url: text(column("url"), row),
                request_body: text(column("request_body"), row),
                request_digest: text(column("request_digest"), row),
                response_body: text(column("response_body"), row),
            })
            .collect()
    }

    /// Outcome, `error.kind` and attempts.
    pub(crate) fn summary(&self) -> (&str, Option<&str>, i32) {
        (&self.outcome, self.error_kind.as_deref(), self.attempts)
    }
}

/// The answers in the order of their tracking ids.
pub(crate) fn sorted(mut answers: Vec<Answer>) -> Vec<Answer> {
    answers.sort_by(|a, b| a.tracking_id.cmp(&b.tracking_id));
    answers
}
