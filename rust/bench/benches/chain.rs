//! What the middleware chain costs a row, with nothing behind it: an engine that answers at once, one session, no network.
//!
//! `cargo bench -p apisink-bench --bench chain`. Each figure is the time for a row from its batch to its response; the cost of
//! a chain is its figure less that of `empty`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apisink_plan::{Inputs, LogLevel};
use apisink_runtime::middleware::{BoxFuture, Registry};
use apisink_runtime::rate::{Keeper, RateLimiter};
use apisink_runtime::transport::{Connections, Engines, Sent, Transport};
use apisink_runtime::{Process, Request, Reservation, Response, Session, Task, TransportFacts};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderMap, StatusCode};

const ROWS: usize = 20_000;
const BATCH: usize = 1_000;

/// The chain of the template that replaced configs begin with.
const TEMPLATE: &str = "[{type: retry}, {type: logging}, {type: timing}, {type: worker_identity}, \
                        {type: transport_diagnostic}, {type: json_body}]";
/// A script that sets one header from the row.
const SCRIPT: &str =
    "[{type: script, script: 'fn request(request, row) { request.set_header(\"x-region\", row.region); }'}]";

/// Answers every request at once.
struct Instantly;

impl Transport for Instantly {
    fn send<'a>(&'a self, _: &'a Request, _: &'a RateLimiter, _: &'a mut Reservation) -> BoxFuture<'a, Sent> {
        let body = Bytes::from_static(b"{}");
        let response = Response { status: StatusCode::OK, headers: HeaderMap::new(), body, truncated: false };
        Box::pin(std::future::ready(Sent { result: Ok(response), facts: TransportFacts::default() }))
    }

    fn connections(&self) -> Connections {
        Connections::default()
    }
}

fn process() -> &'static Process {
    let mut engines = Engines::default();
    engines.register("instantly", |_| Ok(Box::new(Instantly)));
    Box::leak(Box::new(Process::with_transports(Registry::default(), engines).expect("a process")))
}

fn batches() -> Vec<RecordBatch> {
    let column = |prefix: &str, from: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((from..from + BATCH).map(|row| format!("{prefix}{row}"))))
    };
    let batch =
        |from| RecordBatch::try_from_iter([("id", column("t-", from)), ("region", column("r", from))]);
    (0..ROWS).step_by(BATCH).map(|from| batch(from).expect("a batch")).collect()
}

/// Sends all rows through a chain once, and takes the responses.
fn run(process: &'static Process, chain: &str, batches: &[RecordBatch]) -> Duration {
    let config = format!(
        "endpoint: {{method: POST, base_path: \"http://localhost\", url_path: /a}}\nmiddleware: {chain}\ntables:\n  \
         source: {{id_column: id}}\n  sink: {{path: /out}}\n"
    );
    let config = apisink_config::parse(config.as_bytes(), "bench.yaml").expect("a config");
    let mut compiled = apisink_plan::compile(&config, &Inputs::default()).expect("a plan");
    compiled.plan.transport.engine = "instantly".into();
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
    loop {
        let state = session.wait(Duration::from_secs(60), finished).expect("a state");
        if state.done {
            return started.elapsed();
        }
        if state.has_responses {
            black_box(session.take(usize::MAX).expect("responses"));
        } else if state.wants_rows {
            match left.next() {
                Some(batch) => session.submit(batch).expect("room"),
                None => {
                    session.finish();
                    finished = true;
                }
            }
        }
    }
}

fn chain(criterion: &mut Criterion) {
    let process = process();
    let batches = batches();
    let mut group = criterion.benchmark_group("a row");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    for (name, chain) in
        [("empty", "[]"), ("template", TEMPLATE), ("json_body", "[{type: json_body}]"), ("script", SCRIPT)]
    {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| run(process, chain, &batches)).sum());
        });
    }
    group.finish();
}

criterion_group!(benches, chain);
criterion_main!(benches);
