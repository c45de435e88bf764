//! The warm-up: what happens before the first row.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use apisink_plan::LogLevel;
use apisink_runtime::middleware::Registry;
use apisink_runtime::session::Logger;
use apisink_runtime::transport::Transport;
use apisink_runtime::{Origin, Process, RuntimeError};

use crate::client::{Client, origin, within};
use crate::support::{compiled, drive, started, texts};

fn origin_of(url: &str) -> Arc<Origin> {
    let (scheme, authority) = url.split_once("://").unwrap();
    Arc::new(Origin::new(scheme, authority).unwrap())
}

/// A base URL at which nobody listens.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn the_first_row_uses_the_connection_of_the_warm_up() {
    let origin = origin(&[]).await;
    let client = Client::new(|_| {});
    within(client.transport.warm_up(&origin_of(&origin.url()), None)).await.unwrap();
    assert_eq!((client.transport.connections().opened, origin.report().requests), (1, 0));
    let (_, facts) = client.get(&origin.url(), "/").await;
    assert_eq!((facts.connection_uses, origin.report().connections), (Some(1), 1));
}

#[test]
fn a_head_asks_for_the_base_path_once_and_spends_no_slot_of_the_rate() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let origin = runtime.block_on(origin(&[]));
    // A second slot would come after a quarter of an hour.
    let transport =
        "{warmup: head}\nexecution: {max_requests_per_second: 0.001}\nauth: {type: bearer, token: hunter2}";
    let session = started(
        Process::new(Registry::default()).unwrap(),
        &compiled(&format!("{}/v1/a b", origin.url()), transport),
        1,
    );
    assert_eq!(texts(&drive(&session, 1), "outcome"), ["success"]);
    let asked: Vec<_> = origin.requests().into_iter().map(|r| (r.method, r.path, r.connection)).collect();
    let connection = asked[0].2;
    assert_eq!(
        asked,
        [
            ("HEAD".into(), "/v1/a%20b".into(), connection),
            ("GET".into(), "/v1/a%20b/rows/0".into(), connection)
        ]
    );
    assert!(!origin.requests()[0].headers.iter().any(|(name, _)| name == "authorization"));
}

#[test]
fn a_failure_ends_the_task_before_any_row_where_the_config_wants_that() {
    let base = closed();
    let compiled = compiled(&base, "{warmup_failure: error}");
    let session = started(Process::new(Registry::default()).unwrap(), &compiled, 2);
    let error = session.wait(Duration::from_secs(10), true).unwrap_err();
    let RuntimeError::Unreachable(why) = &error else { panic!("{error:?}") };
    assert!(why.starts_with(&format!("no connection to {}", base.trim_start_matches("http://"))), "{why}");
    assert!(error.to_string().starts_with("the API cannot be reached, and no row was sent: "), "{error}");
    assert_eq!(session.counts().attempts, 0);
}

#[test]
fn a_failure_is_else_one_line_in_the_log_and_the_rows_are_sent() {
    let session = started(Process::new(Registry::default()).unwrap(), &compiled(&closed(), "{}"), 2);
    assert_eq!(texts(&drive(&session, 2), "outcome"), ["transport_error"; 2]);
    let logs = session.take_logs();
    assert_eq!(logs.len(), 1, "{logs:?}");
    assert_eq!((logs[0].logger, logs[0].level), (Logger::Native, LogLevel::Warn));
    assert!(logs[0].text.starts_with("the warm-up failed, and the rows are sent all the same: "), "{logs:?}");
}

#[test]
fn a_warm_up_that_hangs_ends_with_its_own_time() {
    // It accepts and never says a word of TLS.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let compiled = compiled(&format!("https://{peer}"), "{warmup_timeout: 0.05, warmup_failure: error}");
    let session = started(Process::new(Registry::default()).unwrap(), &compiled, 1);
    let error = session.wait(Duration::from_secs(10), true).unwrap_err();
    let told = format!("{peer}: no end of the warm-up within 50 ms (transport.warmup_timeout)");
    assert_eq!(error, RuntimeError::Unreachable(told));
}
