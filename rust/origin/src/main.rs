//! `apisink-origin`: a real HTTP API that can be told to misbehave, and reports what it saw.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use apisink_origin::{Origin, Script, SelfSigned};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// A real HTTP API that can be told to misbehave, and reports what it saw
#[derive(Parser)]
#[command(name = "apisink-origin", version, long_about = ABOUT, after_long_help = MORE)]
struct Cli {
    #[command(flatten)]
    script: Script,

    /// Runtime threads
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,

    /// Write the port to this file once listening; the file appears whole
    #[arg(long, value_name = "PATH")]
    port_file: Option<PathBuf>,

    /// Speak TLS, HTTP/2 or HTTP/1.1 as clients choose (ALPN), with a certificate for localhost and 127.0.0.1 that is
    /// made at the start and written to this file as PEM; the file appears whole
    #[arg(long, value_name = "PATH", conflicts_with = "http2")]
    tls_certificate: Option<PathBuf>,

    /// End when standard input closes, and so with the process that started this one
    #[arg(long)]
    exit_with_stdin: bool,
}

const ABOUT: &str = "\
A real HTTP API that can be told to misbehave, and reports what it saw

Any method and path is answered with 200 and a JSON object: path, query, received (bytes) and key (the
Idempotency-Key or null). Faults are told by flags, or by the request itself through its path. The one line
on standard output says where it listens.";

const MORE: &str = "\
Faults that a request asks for itself, whatever follows the marker in its path:
  /_fault/status/CODE/…           answers with that status
  /_fault/empty/CODE/…            answers with that status and no body
  /_fault/retry-after/S/…         429 with Retry-After to the first request of a key (or path), then 200
  /_fault/retry-after-date/S/…    the same with an HTTP date
  /_fault/slow/MS/…               answers that much later
  /_fault/stall/…                 never answers
  /_fault/bytes/COUNT/…           answers with a body of that length
  /_fault/garbage/…               answers with bytes that are not HTTP (HTTP/2: resets the stream)
  /_fault/reset-before/…          a TCP reset before the answer
  /_fault/reset-amid/…            a TCP reset after half of the answer's body
  /_fault/reset-after/…           a TCP reset after the answer

What it saw, itself never counted and never failed:
  GET  /_origin/report              counters, as JSON
  GET  /_origin/keys                one line of JSON for each Idempotency-Key
  GET  /_origin/requests?limit=100  the last requests as they came
  GET  /_origin/token-requests      the first 1000 token requests as they came
  POST /_origin/reset               clears all of these
  POST /_origin/revoke              makes all tokens invalid; with ?refresh=true the refresh tokens too
  POST /_origin/token-fail?2:503    refuses token requests from now on, as --token-fail does

Order: credentials are checked first, then the marker of the path, then --fail-first, then --fail-every, then
one draw among all shares. --latency applies to every answer. A share is a number from 0 to 1.";

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("apisink-origin: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> io::Result<()> {
    let mut runtime = match cli.threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if cli.threads > 1 {
        runtime.worker_threads(cli.threads.into());
    }
    runtime.enable_all().build()?.block_on(serve(cli))
}

async fn serve(cli: Cli) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let listen = cli.script.listen;
    let tls = cli.tls_certificate.as_ref().map(|_| SelfSigned::make()).transpose()?;
    let started = match &tls {
        None => Origin::try_start(cli.script).await,
        Some(tls) => Origin::try_start_tls(cli.script, tls.config.clone()).await,
    };
    let origin = started.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => error,
        kind => io::Error::new(kind, format!("cannot listen on {listen}: {error}")),
    })?;
    if let (Some(path), Some(tls)) = (&cli.tls_certificate, &tls) {
        write_whole(path, &tls.certificate)?;
    }
    // The last file: who has seen it finds the other one.
    if let Some(path) = &cli.port_file {
        write_whole(path, &format!("{}\n", origin.addr().port()))?;
    }
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", origin.url())?;
    stdout.flush()?;

    let stdin_closed = watch_stdin(cli.exit_with_stdin);
    tokio::select! {
        _ = terminate.recv() => {}
        result = tokio::signal::ctrl_c() => result?,
        _ = stdin_closed => {}
    }
    origin.shutdown().await;
    Ok(())
}

/// A reader that polls for the file never sees half of it.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".tmp");
    std::fs::write(&unfinished, text)
        .and_then(|()| std::fs::rename(&unfinished, path))
        .map_err(|error| io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display())))
}

/// Ends once standard input is closed. The thread is its own, not the runtime's, which would wait for a read
/// that may never return.
async fn watch_stdin(wanted: bool) {
    if !wanted {
        return std::future::pending().await;
    }
    let (closed, wait) = oneshot::channel();
    std::thread::spawn(move || {
        let (mut stdin, mut buffer) = (io::stdin().lock(), [0; 4096]);
        while !matches!(stdin.read(&mut buffer), Ok(0) | Err(_)) {}
        // The receiver is gone when a signal came first.
        let _ = closed.send(());
    });
    // An error would mean that the thread panicked: it then reads no more, so the end has come as well.
    let _ = wait.await;
}
