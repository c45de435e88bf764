//! What the transport adds to a bare hyper loop, in CPU time: the same requests over as many connections to the same server.
//!
//! `make bench-transport`. The figures are CPU time of the one thread that sends, for each request; the server runs on another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use apisink_bench::{Bare, PATH, body, headers};
use apisink_origin::{Origin as Server, Script};
use apisink_plan::{HttpVersionPlan, Inputs, SecretValues};
use apisink_runtime::transport::{EngineContext, HyperTransport, Transport};
use apisink_runtime::{ByteBudget, Origin, RateLimiter, Request};
use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};

/// Requests at once, and connections of HTTP/1.1.
const IN_FLIGHT: u64 = 64;

/// Requests of one measurement: criterion counts them as one.
const REQUESTS: u64 = 5_000;

/// CPU time of this thread.
struct ThreadCpu;

impl ThreadCpu {
    fn now() -> Duration {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let nanoseconds = text.split(' ').next().and_then(|field| field.parse().ok());
        Duration::from_nanos(nanoseconds.expect("Linux tells the CPU time of a thread"))
    }
}

impl Measurement for ThreadCpu {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        Self::now()
    }

    fn end(&self, start: Duration) -> Duration {
        Self::now() - start
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &PerRequest
    }
}

/// Shows a measurement as microseconds of each of its requests.
struct PerRequest;

impl ValueFormatter for PerRequest {
    fn scale_values(&self, _: f64, values: &mut [f64]) -> &'static str {
        for value in values {
            *value /= 1_000.0 * REQUESTS as f64;
        }
        "µs CPU per request"
    }

    fn scale_throughputs(&self, _: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        let Throughput::Elements(elements) = throughput else { return "" };
        for value in values {
            *value = *elements as f64 / (*value / 1e9);
        }
        "requests per CPU second"
    }

    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        self.scale_values(0.0, values)
    }
}

/// A server with a thread of its own, for as long as the process lives.
fn server(args: &'static [&'static str]) -> String {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let script = Script::from_args(args).expect("the script is one");
            let server = Server::start(script).await;
            tell.send(server.addr().to_string()).expect("it is waited for");
            std::future::pending::<()>().await
        })
    });
    told.recv().expect("the server listens")
}

/// An engine, and what it takes to ask it.
#[derive(Clone)]
struct Engine {
    transport: Arc<HyperTransport>,
    budget: Arc<ByteBudget>,
    limiter: Arc<RateLimiter>,
    origin: Arc<Origin>,
}

impl Engine {
    fn new(address: &str, version: HttpVersionPlan) -> Self {
        let config = "endpoint: {method: POST, base_path: 'http://127.0.0.1', url_path: /}\n\
                      tables: {source: {id_column: id}, sink: {path: /sink}}";
        let config = apisink_config::parse(config.as_bytes(), "bench.yaml").expect("the config is one");
        let compiled = apisink_plan::compile(&config, &Inputs::default()).expect("it compiles");
        let mut plan = compiled.plan.transport;
        plan.tcp.limit = IN_FLIGHT as usize;
        plan.http_version = version;
        let secrets = SecretValues::default();
        let transport = HyperTransport::new(&EngineContext::new(&plan, &secrets)).expect("an engine");
        Self {
            transport: Arc::new(transport),
            budget: ByteBudget::new(64 << 20),
            limiter: Arc::new(RateLimiter::new(None)),
            origin: Arc::new(Origin::new("http", address).expect("an address")),
        }
    }

    /// Sends so many requests, some at a time.
    async fn send(&self, requests: u64) {
        let next = Arc::new(AtomicU64::new(0));
        let loops: Vec<_> =
            (0..IN_FLIGHT).map(|_| tokio::spawn(self.clone().one(next.clone(), requests))).collect();
        for one in loops {
            one.await.expect("no panic");
        }
    }

    async fn one(self, next: Arc<AtomicU64>, requests: u64) {
        loop {
            let row = next.fetch_add(1, Ordering::Relaxed);
            if row >= requests {
                return;
            }
            let mut request = Request::new(http::Method::POST, self.origin.clone(), PATH.to_owned());
            request.headers.extend(headers(row).expect("they are headers"));
            request.body = body(row);
            let mut memory = self.budget.take(request.body.len());
            let sent = self.transport.send(&request, &self.limiter, &mut memory).await;
            assert!(sent.result.expect("an answer").status.is_success());
        }
    }
}

fn measure<F>(
    group: &mut BenchmarkGroup<'_, ThreadCpu>,
    runtime: &Runtime,
    name: &str,
    mut send: impl FnMut() -> F,
) where
    F: Future<Output = ()>,
{
    // Connections are made, and the caches of processor and allocator are warm.
    runtime.block_on(send());
    group.bench_function(name, |bencher| bencher.iter(|| runtime.block_on(send())));
}

fn transport(criterion: &mut Criterion<ThreadCpu>) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut group = criterion.benchmark_group("transport");
    group.throughput(Throughput::Elements(REQUESTS));
    let address = server(&["--no-recording"]);
    let bare = runtime.block_on(Bare::connect(&address, IN_FLIGHT)).expect("connections");
    let bare = tokio::sync::Mutex::new(bare);
    measure(&mut group, &runtime, "bare hyper, HTTP/1.1", || async {
        bare.lock().await.send(REQUESTS).await.expect("answers");
    });
    for (name, version, address) in [
        ("engine, HTTP/1.1", HttpVersionPlan::Http1, address.clone()),
        ("engine, HTTP/2", HttpVersionPlan::Http2, server(&["--no-recording", "--http2"])),
    ] {
        let engine = Engine::new(&address, version);
        measure(&mut group, &runtime, name, || engine.send(REQUESTS));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .with_measurement(ThreadCpu)
        .sample_size(20)
        .warm_up_time(Duration::from_secs(2))
        .measurement_time(Duration::from_secs(10));
    targets = transport
}
criterion_main!(benches);
