//! `apisink-count`: requests sent one way or another by one thread, for a tool that counts what it does.
#![forbid(unsafe_code)]

use apisink_bench::{Bare, Engine, Failure, IN_FLIGHT, Speech, session};
use apisink_plan::HttpVersionPlan;
use apisink_runtime::Process;
use apisink_runtime::middleware::Registry;
use clap::{Parser, ValueEnum};
use tokio::runtime::Builder;

/// The middleware of the README's first config.
const CHAIN: &str = "[{type: retry}, {type: logging}, {type: timing}, {type: json_body}]";

/// Sends small JSON POST requests, and does nothing else
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Host and port of the server, such as 127.0.0.1:8080
    address: String,

    /// Who sends them
    #[arg(long)]
    way: Way,

    /// How many requests to send
    #[arg(long)]
    requests: u64,

    /// How many connections a session has
    #[arg(long, default_value_t = IN_FLIGHT as usize)]
    connections: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Way {
    /// hyper alone, over HTTP/1.1
    BareHttp1,
    /// hyper alone, over HTTP/2
    BareHttp2,
    /// The transport, over HTTP/1.1
    Http1,
    /// The transport, over HTTP/2
    Http2,
    /// A session over HTTP/1.1, with the middleware that the README's config has: rows in, response batches out
    Session,
}

fn main() -> Result<(), Failure> {
    let Cli { address, way, requests, connections } = Cli::parse();
    if matches!(way, Way::Session) {
        let process = Box::leak(Box::new(Process::new(Registry::default())?));
        let batches = session::batches(usize::try_from(requests)?);
        session::send(process, "hyper", &address, connections, CHAIN, &batches);
        return Ok(());
    }
    let engine = |version| Engine::new(&address, version);
    let bare = async |http2| Bare::connect(&address, IN_FLIGHT, &Speech { http2, ..Speech::default() }).await;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        match way {
            Way::BareHttp1 => bare(false).await?.send(requests).await?,
            Way::BareHttp2 => bare(true).await?.send(requests).await?,
            Way::Http1 => engine(HttpVersionPlan::Http1).send(requests).await,
            Way::Http2 => engine(HttpVersionPlan::Http2).send(requests).await,
            Way::Session => unreachable!("it has threads of its own"),
        }
        Ok(())
    })
}
