//! What the transport adds to a bare hyper loop, in CPU time: the same requests over as many connections to the same server.
//!
//! `make bench-transport`. All take turns, so that a ratio is one of figures that were taken within a fraction of a second,
//! whatever else the machine does. Medians, with their quartiles. The server runs on another thread, which is not counted.

use std::time::Duration;

use apisink_bench::{Bare, Engine, IN_FLIGHT, Speech, quartiles, server};
use apisink_plan::HttpVersionPlan;
use tokio::runtime::{Builder, Runtime};

/// Requests of one turn.
const REQUESTS: u64 = 5_000;

/// Rounds; in each of them every way to send has its turn.
const ROUNDS: usize = 40;

/// CPU time of this thread, its part in the kernel too.
fn thread_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanoseconds.expect("Linux tells the CPU time of a thread"))
}

/// CPU time of one request, in µs, of a future that sends [`REQUESTS`].
fn cost(runtime: &Runtime, send: impl Future<Output = ()>) -> f64 {
    let before = thread_cpu();
    runtime.block_on(send);
    (thread_cpu() - before).as_secs_f64() * 1e6 / REQUESTS as f64
}

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let addresses = [server(&["--no-recording"]), server(&["--no-recording", "--http2"])]
        .map(|address| address.expect("a server"));
    let bare = async |address: &str, http2| {
        Bare::connect(address, IN_FLIGHT, &Speech { http2, ..Speech::default() }).await
    };
    let mut bare1 = runtime.block_on(bare(&addresses[0], false)).expect("connections");
    let mut bare2 = runtime.block_on(bare(&addresses[1], true)).expect("connections");
    let engine1 = Engine::new(&addresses[0], HttpVersionPlan::Http1);
    let engine2 = Engine::new(&addresses[1], HttpVersionPlan::Http2);
    let mut round = || {
        [
            cost(&runtime, async { bare1.send(REQUESTS).await.expect("answers") }),
            cost(&runtime, engine1.send(REQUESTS)),
            cost(&runtime, async { bare2.send(REQUESTS).await.expect("answers") }),
            cost(&runtime, engine2.send(REQUESTS)),
        ]
    };
    // Connections are made, and the caches of processor and allocator are warm.
    round();
    let rounds: Vec<_> = (0..ROUNDS).map(|_| round()).collect();
    println!(
        "{ROUNDS} rounds of {REQUESTS} requests, {IN_FLIGHT} at once; CPU time of the sending thread, kernel included"
    );
    println!("| | µs per request | of bare hyper in the same round |\n|---|---|---|");
    let names = ["bare hyper, HTTP/1.1", "engine, HTTP/1.1", "bare hyper, HTTP/2", "engine, HTTP/2"];
    for (index, name) in names.into_iter().enumerate() {
        let bare = index / 2 * 2;
        let [low, median, high] = quartiles(rounds.iter().map(|round| round[index]));
        let [below, ratio, above] = quartiles(rounds.iter().map(|round| round[index] / round[bare]));
        println!("| {name} | {median:.2} ({low:.2} to {high:.2}) | {ratio:.2} ({below:.2} to {above:.2}) |");
    }
}
