//! Each timeout has a kind of its own, and says whether bytes may have left.

use apisink_runtime::FailureKind;
use tokio::net::TcpListener;

use crate::client::{Client, origin};

#[tokio::test]
async fn a_silent_tls_server_is_a_tls_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = listener.local_addr().unwrap().to_string();
    let client = Client::new(|plan| plan.tls_timeout_ms = 30);
    let failure = client.fail(&format!("https://{peer}"), "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::TlsTimeout, false));
    let told = format!("{peer}: no end of the TLS handshake within 30 ms (transport.tls_timeout)");
    assert_eq!(failure.message, told);
}

#[tokio::test]
async fn an_answer_that_does_not_begin_is_a_first_byte_timeout() {
    let origin = origin(&[]).await;
    let client = Client::new(|plan| plan.first_byte_timeout_ms = Some(30));
    let failure = client.fail(&origin.url(), "/_fault/stall/a").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::FirstByteTimeout, true));
}

#[tokio::test]
async fn the_whole_attempt_is_bounded_whatever_the_phases_allow() {
    let origin = origin(&[]).await;
    let client = Client::new(|plan| {
        plan.base_timeout_ms = 30;
        plan.first_byte_timeout_ms = Some(5_000);
    });
    let failure = client.fail(&origin.url(), "/_fault/stall/a").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Timeout, true));
    assert!(failure.message.ends_with("no answer within 30 ms (transport.base_timeout)"), "{failure:?}");
}

#[tokio::test]
async fn waiting_for_a_slot_or_a_connection_is_not_the_attempts_time() {
    let origin = origin(&["--latency", "fixed:20ms"]).await;
    let client = Client::new(|plan| {
        plan.base_timeout_ms = 500;
        plan.tcp.limit = 1;
    })
    .limited(5.0);
    client.get_at_once(&origin.url(), "/", 5).await;
    assert_eq!(origin.report().responses[&200], 5);
}
