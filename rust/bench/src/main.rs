//! `apisink-bare-loop`: what hyper alone does with this machine, this server and these requests. It keeps a number of
//! connections, sends one small JSON POST after the other over each, reads every answer to its end and keeps nothing.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use clap::Parser;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpStream;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Sends small JSON POST requests as fast as hyper can
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Host and port of the server, such as 127.0.0.1:8080
    address: String,

    /// How many requests to send
    #[arg(long, default_value_t = 100_000)]
    requests: u64,

    /// How many connections to keep, each with one request in flight
    #[arg(long, default_value_t = 64)]
    in_flight: u64,

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
    let started = Instant::now();
    runtime.block_on(send_all(&cli))?;
    let seconds = started.elapsed().as_secs_f64();
    let figures =
        Figures { requests: cli.requests, seconds, requests_per_second: cli.requests as f64 / seconds };
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

async fn send_all(cli: &Cli) -> Result<(), Failure> {
    let next = Arc::new(AtomicU64::new(0));
    let loops: Vec<_> = (0..cli.in_flight)
        .map(|_| tokio::spawn(one_connection(cli.address.clone(), cli.requests, next.clone())))
        .collect();
    for one in loops {
        one.await??;
    }
    Ok(())
}

async fn one_connection(address: String, requests: u64, next: Arc<AtomicU64>) -> Result<(), Failure> {
    let stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let host = HeaderValue::from_str(&address)?;
    loop {
        let row = next.fetch_add(1, Ordering::Relaxed);
        if row >= requests {
            return Ok(());
        }
        let body = format!(r#"{{"tracking_id":"t-{row}","name":"name {row}","amount":{row}.50}}"#);
        let mut request = http::Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from_static("/v1/rows");
        let headers = request.headers_mut();
        headers.insert(HOST, host.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            HeaderName::from_static("idempotency-key"),
            HeaderValue::from_str(&format!("00000000-0000-5000-8000-{row:012}"))?,
        );
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        if !answer.status().is_success() {
            return Err(format!("the server answered {}", answer.status()).into());
        }
        answer.into_body().collect().await?;
    }
}
