//! `apisink-bare-loop`: a bare hyper loop, measured.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::time::Instant;

use apisink_bench::{Bare, Failure, Speech};
use clap::Parser;
use serde::Serialize;

/// Sends small JSON POST requests as fast as hyper can
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Host and port of the server, such as 127.0.0.1:8080
    address: String,

    /// How many requests to send
    #[arg(long, default_value_t = 100_000)]
    requests: u64,

    /// How many requests to keep in flight
    #[arg(long, default_value_t = 64)]
    in_flight: u64,

    /// Speak TLS and trust the certificate in this PEM file, such as the one of apisink-origin --tls-certificate
    #[arg(long, value_name = "PATH")]
    tls_certificate: Option<PathBuf>,

    /// Speak HTTP/2: over TLS by ALPN, otherwise with prior knowledge
    #[arg(long)]
    http2: bool,

    /// Runtime threads
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

#[derive(Serialize)]
struct Figures {
    requests: u64,
    seconds: f64,
    requests_per_second: f64,
}

fn main() -> Result<(), Failure> {
    let cli = Cli::parse();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(cli.threads).enable_all().build()?;
    let speech = Speech { http2: cli.http2, certificate: cli.tls_certificate };
    let started = Instant::now();
    runtime.block_on(async {
        let mut bare = Bare::connect(&cli.address, cli.in_flight, &speech).await?;
        bare.send(cli.requests).await
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let figures =
        Figures { requests: cli.requests, seconds, requests_per_second: cli.requests as f64 / seconds };
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}
