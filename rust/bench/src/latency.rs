//! `apisink-latency`: what the transport adds to the time of a request when there is time enough: at a fixed rate, beside
//! a bare hyper loop.
//!
//! Requests fall due at even intervals, whatever became of the ones before (an open loop), and each is timed from that
//! moment to its answer's last byte, so that waiting counts. The two take turns in one process, which is also the
//! server's: what disturbs the machine disturbs both.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use apisink_bench::{Ask, Bare, Engine, Failure, IN_FLIGHT, Speech, quartiles, server};
use apisink_plan::HttpVersionPlan;
use clap::Parser;
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

/// Times requests that are sent at a fixed rate, by a bare hyper loop and by apisink's transport in turns
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Requests per second
    #[arg(long, default_value_t = 10_000)]
    rate: u32,

    /// Seconds of one turn; short, so that a machine that halts for some milliseconds now and then spoils few turns
    #[arg(long, default_value_t = 0.2)]
    seconds: f64,

    /// Rounds; in each of them both have their turn
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Medians over rounds, in µs; quartiles of what matters most.
#[derive(Serialize)]
struct Figures {
    rate: u32,
    rounds: u16,
    bare_p50: f64,
    bare_p99: f64,
    engine_p50: f64,
    engine_p99: f64,
    /// Of the differences within a round.
    added_p50: f64,
    added_p99_low: f64,
    added_p99: f64,
    added_p99_high: f64,
}

/// A row, and when its request falls due.
type Due = (u64, Instant);

/// Tells one worker after the other of a request when it falls due. A thread sleeps more finely than the runtime's
/// timers, which know milliseconds.
fn pace(interval: Duration, requests: u64, workers: Vec<mpsc::UnboundedSender<Due>>) {
    let begun = Instant::now();
    for row in 0..requests {
        let due = begun + interval.mul_f64(row as f64);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let worker = &workers[row as usize % workers.len()];
        // A worker that has failed tells so itself.
        let _ = worker.send((row, due));
    }
}

/// One turn: gives back what has asked, and how long each request took.
async fn turn<A: Ask>(askers: Vec<A>, rate: u32, requests: u64) -> Result<(Vec<A>, Vec<Duration>), Failure> {
    let mut senders = Vec::new();
    let mut workers = Vec::new();
    for mut asker in askers {
        let (sender, mut dues) = mpsc::unbounded_channel::<Due>();
        senders.push(sender);
        workers.push(tokio::spawn(async move {
            let mut took = Vec::new();
            while let Some((row, due)) = dues.recv().await {
                asker.ask(row).await?;
                took.push(due.elapsed());
            }
            Ok::<_, Failure>((asker, took))
        }));
    }
    let interval = Duration::from_secs(1) / rate;
    let pacer = std::thread::spawn(move || pace(interval, requests, senders));
    let (mut askers, mut took) = (Vec::new(), Vec::new());
    for worker in workers {
        let (asker, its) = worker.await??;
        askers.push(asker);
        took.extend(its);
    }
    pacer.join().map_err(|_| "the pacer has failed")?;
    Ok((askers, took))
}

/// The median and the 99th percentile, in µs.
fn percentiles(mut took: Vec<Duration>) -> [f64; 2] {
    took.sort();
    [50, 99].map(|percent| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1e6)
}

fn measure(runtime: &Runtime, cli: &Cli, address: &str) -> Result<Figures, Failure> {
    let requests = (f64::from(cli.rate) * cli.seconds).max(IN_FLIGHT as f64) as u64;
    let bare = runtime.block_on(Bare::connect(address, IN_FLIGHT, &Speech::default()))?;
    let mut bare = bare.into_askers();
    let engine = Engine::new(address, HttpVersionPlan::Http1);
    // Its connections are made, as the loop's are.
    runtime.block_on(engine.send(IN_FLIGHT * 50));
    let mut engine = vec![engine; IN_FLIGHT as usize];
    let mut rounds = Vec::new();
    // The first round warms up. Which of them goes first alternates, so that neither gains by its place.
    for round in 0..=cli.rounds {
        let (of_bare, of_engine);
        if round % 2 == 0 {
            (bare, of_bare) = runtime.block_on(turn(bare, cli.rate, requests))?;
            (engine, of_engine) = runtime.block_on(turn(engine, cli.rate, requests))?;
        } else {
            (engine, of_engine) = runtime.block_on(turn(engine, cli.rate, requests))?;
            (bare, of_bare) = runtime.block_on(turn(bare, cli.rate, requests))?;
        }
        if round > 0 {
            rounds.push((percentiles(of_bare), percentiles(of_engine)));
        }
    }
    let over = |figure: fn(&([f64; 2], [f64; 2])) -> f64| quartiles(rounds.iter().map(figure));
    let median = |figure| over(figure)[1];
    let [added_p99_low, added_p99, added_p99_high] = over(|(bare, engine)| engine[1] - bare[1]);
    Ok(Figures {
        rate: cli.rate,
        rounds: cli.rounds,
        bare_p50: median(|(bare, _)| bare[0]),
        bare_p99: median(|(bare, _)| bare[1]),
        engine_p50: median(|(_, engine)| engine[0]),
        engine_p99: median(|(_, engine)| engine[1]),
        added_p50: median(|(bare, engine)| engine[0] - bare[0]),
        added_p99_low,
        added_p99,
        added_p99_high,
    })
}

fn main() -> Result<(), Failure> {
    let cli = Cli::parse();
    let address = server(&["--no-recording", "--latency", "none"])?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let figures = measure(&runtime, &cli, &address)?;
    if cli.json {
        println!("{}", serde_json::to_string(&figures)?);
        return Ok(());
    }
    let Figures { bare_p50, bare_p99, engine_p50, engine_p99, .. } = figures;
    let Figures { added_p50, added_p99_low, added_p99, added_p99_high, .. } = figures;
    println!(
        "{} requests per second over {IN_FLIGHT} connections, {} rounds of {} s; µs from due to answered",
        cli.rate, cli.rounds, cli.seconds
    );
    println!("| | p50 | p99 |\n|---|---|---|");
    println!("| bare hyper | {bare_p50:.0} | {bare_p99:.0} |");
    println!("| engine | {engine_p50:.0} | {engine_p99:.0} |");
    println!("| added | {added_p50:.0} | {added_p99:.0} ({added_p99_low:.0} to {added_p99_high:.0}) |");
    Ok(())
}
