//! What the middleware chain costs a row, with nothing behind it: an engine that answers at once, one session, no network.
//!
//! `cargo bench -p apisink-bench --bench chain`. Each figure is the time for a row from its batch to its response; the cost of
//! a chain is its figure less that of `empty`. Two parts of it are timed alone, beside whatever the runtime's threads do
//! meanwhile: rows to requests, and exchanges to response batches.

use apisink_bench::session::{self, Spent};
use apisink_runtime::middleware::{BoxFuture, Registry};
use apisink_runtime::transport::{Connections, Engines, Permit, Transport};
use apisink_runtime::{Failure, Process, Request, Reservation, Response, TransportFacts};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderMap, StatusCode};

const ROWS: usize = 20_000;

/// The chain of the template that replaced configs begin with.
const TEMPLATE: &str = "[{type: retry}, {type: logging}, {type: timing}, {type: worker_identity}, \
                        {type: transport_diagnostic}, {type: json_body}]";
/// A script that sets one header from the row.
const SCRIPT: &str =
    "[{type: script, script: 'fn request(request, row) { request.set_header(\"x-region\", row.region); }'}]";

/// Answers every request at once.
struct Instantly;

impl Transport for Instantly {
    fn send<'a>(
        &'a self,
        _: &'a Request,
        _: Permit<'a>,
        _: &'a mut Reservation,
        _: &'a mut TransportFacts,
    ) -> BoxFuture<'a, Result<Response, Failure>> {
        let body = Bytes::from_static(b"{}");
        let response = Response { status: StatusCode::OK, headers: HeaderMap::new(), body, truncated: false };
        Box::pin(std::future::ready(Ok(response)))
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

fn chain(criterion: &mut Criterion) {
    let process = process();
    let batches = session::batches(ROWS);
    let send = |chain: &str| session::send(process, "instantly", "localhost", 64, chain, &batches);
    let mut group = criterion.benchmark_group("a row");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    for (name, chain) in
        [("empty", "[]"), ("template", TEMPLATE), ("json_body", "[{type: json_body}]"), ("script", SCRIPT)]
    {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| send(chain).whole).sum());
        });
    }
    let parts: [(_, fn(Spent) -> _); 2] =
        [("rendering", |spent| spent.rendering), ("response batch", |spent| spent.encoding)];
    for (name, part) in parts {
        group.bench_function(format!("template, {name}"), |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| part(send(TEMPLATE))).sum());
        });
    }
    group.finish();
}

criterion_group!(benches, chain);
criterion_main!(benches);
