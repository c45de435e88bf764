//! What the tests share: plans from configs, and sessions run to their end.

use std::sync::Arc;
use std::time::Duration;

use apisink_plan::{Compiled, Inputs, LogLevel};
use apisink_runtime::rate::Keeper;
use apisink_runtime::{Process, Session, Task};
use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::concat::concat_batches;

/// Compiles a config that sends `GET {base}/rows/{id}` with a `transport:` section in flow style.
pub(crate) fn compiled(base: &str, transport: &str) -> Compiled {
    let text = format!(
        "endpoint: {{method: GET, base_path: '{base}', url_path: '/rows/{{id}}'}}
transport: {transport}
middleware: [{{type: transport_diagnostic}}]
tables:
  source: {{id_column: id}}
  column_mapping: [{{source_column: id, endpoint_param: id, in: path}}]
  sink: {{path: /tmp/sink}}
"
    );
    compile(&text)
}

/// Compiles a config.
pub(crate) fn compile(text: &str) -> Compiled {
    let config = apisink_config::parse(text.as_bytes(), "test.yaml").unwrap_or_else(|e| panic!("{e}"));
    apisink_plan::compile(&config, &Inputs::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// A session of a process of its own that rows with the ids 0, 1, 2 … were submitted to.
pub(crate) fn started(process: Process, compiled: &Compiled, rows: i64) -> Session {
    let process: &'static Process = Box::leak(Box::new(process));
    let plan = serde_json::to_vec(&compiled.plan).unwrap();
    let secrets = serde_json::to_vec(&compiled.secrets).unwrap();
    let engine = process.engine(&plan, &secrets, Keeper::Process, "1").unwrap();
    let task = Task {
        run_id: "run".into(),
        opening: String::new(),
        epoch: 0,
        executor_id: "1".into(),
        host: "host".into(),
        pid: 1,
        partition_id: 0,
        task_attempt_id: 0,
        log_level: LogLevel::Error,
        rate_keeper: Keeper::Process,
    };
    let schema = Schema::new(vec![Field::new("id", DataType::Int64, false)]);
    let session = Session::open(process, engine, task, &schema).unwrap();
    let ids = Arc::new(Int64Array::from_iter_values(0..rows));
    session.submit(&RecordBatch::try_new(Arc::new(schema), vec![ids]).unwrap()).unwrap();
    session.finish();
    session
}

/// Runs rows with the ids 0, 1, 2 … through a session to its end.
pub(crate) fn run(process: Process, compiled: &Compiled, rows: i64) -> RecordBatch {
    drive(&started(process, compiled, rows), rows)
}

/// Takes all answers of a session as one batch.
pub(crate) fn drive(session: &Session, rows: i64) -> RecordBatch {
    let mut taken: Vec<RecordBatch> = Vec::new();
    loop {
        let state = session.wait(Duration::from_secs(10), true).unwrap();
        if state.done {
            let batch = concat_batches(&taken[0].schema(), &taken).unwrap();
            assert_eq!(batch.num_rows() as i64, rows);
            return batch;
        }
        assert!(state.has_responses, "no answers within ten seconds");
        taken.extend(session.take(usize::MAX).unwrap());
    }
}

/// A text column of a response batch.
pub(crate) fn texts(batch: &RecordBatch, column: &str) -> Vec<String> {
    let column = batch.column_by_name(column).unwrap();
    let column = column.as_any().downcast_ref::<StringArray>().unwrap();
    (0..column.len()).map(|row| column.value(row).to_owned()).collect()
}
