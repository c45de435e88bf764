//! A whole native session: rows in batches, the chain, the transport, response batches; without a JVM around it.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apisink_plan::{Inputs, LogLevel};
use apisink_runtime::rate::Keeper;
use apisink_runtime::{Process, Session, Task};
use arrow_array::{ArrayRef, RecordBatch, StringArray};

use crate::PATH;

/// Rows of a batch; about those of a job.
const BATCH: usize = 250;

/// Rows with the columns `id` and `region`, in batches; a whole number of batches.
pub fn batches(rows: usize) -> Vec<RecordBatch> {
    let column = |prefix: &str, from: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((from..from + BATCH).map(|row| format!("{prefix}{row}"))))
    };
    let batch =
        |from| RecordBatch::try_from_iter([("id", column("t-", from)), ("region", column("r", from))]);
    (0..rows).step_by(BATCH).map(|from| batch(from).expect("a batch")).collect()
}

/// How long a session took, in all and in what its own thread does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// From the first batch to the last response.
    pub whole: Duration,
    /// Rows to requests.
    pub rendering: Duration,
    /// Exchanges to response batches.
    pub encoding: Duration,
}

/// Sends all rows through a chain, a YAML list, to a host and port over so many connections, and takes the responses.
///
/// `engine` is the name of the transport engine. Panics when something fails, for there is nobody to tell.
pub fn send(
    process: &'static Process,
    engine: &str,
    address: &str,
    connections: usize,
    chain: &str,
    batches: &[RecordBatch],
) -> Spent {
    let config = format!(
        "endpoint: {{method: POST, base_path: \"http://{address}\", url_path: {PATH}}}\ntransport: {{tcp_connection: {{limit: {connections}}}}}\nmiddleware: {chain}\ntables:\n  \
         source: {{id_column: id}}\n  sink: {{path: /out}}\n"
    );
    let config = apisink_config::parse(config.as_bytes(), "bench.yaml").expect("a config");
    let mut compiled = apisink_plan::compile(&config, &Inputs::default()).expect("a plan");
    compiled.plan.transport.engine = engine.into();
    compiled.plan.transport.warmup = None;
    let plan = serde_json::to_vec(&compiled.plan).expect("JSON");
    let engine = process.engine(&plan, b"[]", Keeper::Process, "1").expect("an engine");
    let task = Task {
        run_id: "bench".into(),
        opening: String::new(),
        epoch: 0,
        executor_id: "1".into(),
        host: "localhost".into(),
        pid: 1,
        partition_id: 0,
        task_attempt_id: 0,
        log_level: LogLevel::Error,
        rate_keeper: Keeper::Process,
    };
    let session = Session::open(process, engine, task, &batches[0].schema()).expect("a session");
    let started = Instant::now();
    let mut left = batches.iter();
    let mut finished = false;
    let mut spent = Spent::default();
    loop {
        let state = session.wait(Duration::from_secs(60), finished).expect("a state");
        if state.done {
            return Spent { whole: started.elapsed(), ..spent };
        }
        if state.has_responses {
            let begun = Instant::now();
            black_box(session.take(usize::MAX).expect("responses"));
            spent.encoding += begun.elapsed();
        } else if state.wants_rows {
            match left.next() {
                Some(batch) => {
                    let begun = Instant::now();
                    session.submit(batch).expect("room");
                    spent.rendering += begun.elapsed();
                }
                None => {
                    session.finish();
                    finished = true;
                }
            }
        }
    }
}
