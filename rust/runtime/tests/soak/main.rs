//! The engine under mixed faults for a long time: nothing that it opened or started is left behind. A binary of its own,
//! for it counts what the whole process holds.
//!
//! `SOAK_SECONDS` lengthens it; see `make soak`.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apisink_origin::{Origin, Script};
use apisink_plan::{HttpVersionPlan, Inputs, SecretValues};
use apisink_runtime::transport::{EngineContext, HyperTransport, Permit, Transport};
use apisink_runtime::{ByteBudget, RateLimiter, Request, TransportFacts};
use serde::Serialize;

const TASKS: usize = 32;
const REQUESTS_PER_ROUND: usize = 1_000;
const ROUNDS: usize = 3;

/// After so many rounds everything has its size: memory may grow by no more than this many kilobytes from then on.
const SETTLING: usize = 30;
const GROWTH: usize = 1024;

const CONFIG: &str = "
endpoint: {method: GET, base_path: 'http://127.0.0.1', url_path: /a}
transport:
  base_timeout: 0.2
  max_response_bytes: 20000
  tcp_connection: {limit: 16, requests_per_connection: 50, lifetime: 1}
tables:
  source: {id_column: id}
  sink: {path: /tmp/sink}
";

/// What a process holds.
#[derive(Debug, PartialEq, Serialize)]
struct Held {
    files: usize,
    threads: usize,
    tasks: usize,
}

/// A line of output, for `make soak` to draw.
#[derive(Serialize)]
struct Round<'a> {
    version: String,
    round: usize,
    seconds: f64,
    kilobytes: usize,
    #[serde(flatten)]
    held: Held,
    open: usize,
    ends: &'a BTreeMap<String, usize>,
}

fn held() -> Held {
    let count = |path: &str| std::fs::read_dir(path).unwrap().count();
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    Held { files: count("/proc/self/fd"), threads: count("/proc/self/task"), tasks }
}

/// Resident memory in kilobytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Asks so many times with many tasks at once; counts how the attempts ended.
async fn round(
    engine: &Arc<HyperTransport>,
    budget: &Arc<ByteBudget>,
    base: &str,
) -> BTreeMap<String, usize> {
    let limiter = Arc::new(RateLimiter::new(None));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (engine, budget, limiter) = (engine.clone(), budget.clone(), limiter.clone());
            let authority = base.trim_start_matches("http://").to_owned();
            tokio::spawn(async move {
                let origin = Arc::new(apisink_runtime::Origin::new("http", &authority).unwrap());
                let mut ends = BTreeMap::<String, usize>::new();
                for index in 0..REQUESTS_PER_ROUND / TASKS {
                    let path = match (index + task) % 20 {
                        0 => "/_fault/garbage/a".to_owned(),
                        1 => "/_fault/bytes/30000/a".to_owned(),
                        _ => format!("/rows/{task}-{index}"),
                    };
                    let request = Request::new(http::Method::GET, origin.clone(), path);
                    let mut memory = budget.take(0);
                    let mut facts = TransportFacts::default();
                    let sending = engine.send(&request, Permit::of(&limiter), &mut memory, &mut facts);
                    let end = match sending.await {
                        Ok(response) if response.truncated => "truncated".to_owned(),
                        Ok(response) => response.status.to_string(),
                        Err(failure) => failure.kind.word().to_owned(),
                    };
                    *ends.entry(end).or_default() += 1;
                }
                ends
            })
        })
        .collect();
    let mut all = BTreeMap::<String, usize>::new();
    for task in tasks {
        for (end, count) in task.await.unwrap() {
            *all.entry(end).or_default() += count;
        }
    }
    all
}

const FAULTS: &[&str] = &[
    "--seed",
    "7",
    "--no-recording",
    "--reset-before",
    "0.03",
    "--reset-amid",
    "0.03",
    "--reset-after",
    "0.03",
    "--stall",
    "0.01",
    "--fail",
    "0.05:503",
    "--close-idle",
    "20ms",
];

/// A server with faults, for clients of this HTTP.
async fn server(version: HttpVersionPlan) -> Origin {
    let http2: &[&str] = if version == HttpVersionPlan::Http2 { &["--http2"] } else { &[] };
    Origin::start(Script::from_args(FAULTS.iter().chain(http2)).unwrap()).await
}

/// Asks a server of this HTTP for so long, or for some rounds if that is longer.
async fn last(version: HttpVersionPlan, time: Duration) {
    let origin = server(version).await;
    let config = apisink_config::parse(CONFIG.as_bytes(), "soak.yaml").unwrap();
    let mut plan = apisink_plan::compile(&config, &Inputs::default()).unwrap().plan.transport;
    plan.http_version = version;
    let secrets = SecretValues::default();
    let engine = Arc::new(HyperTransport::new(&EngineContext::new(&plan, &secrets)).unwrap());
    let budget = ByteBudget::new(1 << 20);
    let begun = Instant::now();
    let (mut rounds, mut settled) = (0, 0);
    while rounds < ROUNDS || begun.elapsed() < time {
        let ends = round(&engine, &budget, &origin.url()).await;
        rounds += 1;
        // The server notes each arrival and each connection: its memory would grow, and it is ours.
        origin.reset();
        let open = engine.connections().open;
        let line = Round {
            version: format!("{version:?}"),
            round: rounds,
            seconds: begun.elapsed().as_secs_f64(),
            kilobytes: resident(),
            held: held(),
            open,
            ends: &ends,
        };
        println!("{}", serde_json::to_string(&line).unwrap());
        // Each kind of fault is met, and most requests are answered.
        assert!(ends["200 OK"] > REQUESTS_PER_ROUND / 2, "{ends:?}");
        for end in ["503 Service Unavailable", "reset", "timeout", "truncated"] {
            assert!(ends.contains_key(end), "no {end}: {ends:?}");
        }
        assert_eq!(ends.contains_key("invalid_http"), version == HttpVersionPlan::Http1, "{ends:?}");
        assert!(open <= 16, "{open} connections");
        assert_eq!(budget.used(), 0);
        match rounds {
            ..=SETTLING => settled = settled.max(resident()),
            _ => assert!(resident() < settled + GROWTH, "{settled} kB have become {} kB", resident()),
        }
    }
    engine.shut_down().await;
    assert_eq!(engine.connections().open, 0);
    drop(engine);
    origin.shutdown().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_thousands_of_requests_with_faults_nothing_is_left_open_or_running() {
    // What is made once and kept, such as the runtime's own handles, is made before the count.
    let before = {
        server(HttpVersionPlan::Http1).await.shutdown().await;
        tokio::task::yield_now().await;
        held()
    };
    let seconds = std::env::var("SOAK_SECONDS").map_or(0, |text| text.parse().unwrap());
    for version in [HttpVersionPlan::Http1, HttpVersionPlan::Http2] {
        last(version, Duration::from_secs(seconds) / 2).await;
        let patience = Instant::now() + Duration::from_secs(30);
        while held() != before {
            assert!(Instant::now() < patience, "{version:?}: {before:?} before, {:?} now", held());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
