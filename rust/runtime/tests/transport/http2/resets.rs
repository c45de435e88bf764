//! Streams and connections that end before their answers do.

use std::time::Duration;

use apisink_runtime::FailureKind;
use apisink_runtime::transport::Transport;

use super::client;
use super::frames::{self, DATA, END_HEADERS, HEADERS, OK, Server, frame, reset};
use crate::client::{origin, within};

/// Begins each answer, and then resets its stream.
async fn resetting(code: u32) -> Server {
    Server::start(move |mut peer| async move {
        while let Some(stream) = peer.request().await {
            let begin = [frame(HEADERS, END_HEADERS, stream, OK), frame(DATA, 0, stream, b"half")].concat();
            if peer.send(&[begin, reset(stream, code)].concat()).await.is_none() {
                return;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_reset_amid_an_answer_is_an_error_that_says_so_and_leaves_the_connection() {
    for (code, word) in [
        (frames::INTERNAL_ERROR, "the server reset the stream: unexpected internal error encountered"),
        (frames::CANCEL, "the server reset the stream: stream no longer needed"),
        (frames::NO_ERROR, "the server reset the stream amid its answer"),
    ] {
        let server = resetting(code).await;
        let client = client(|_| {});
        for _ in 0..2 {
            let failure = client.fail(&server.url, "/").await;
            assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Reset, true), "{failure:?}");
            assert!(failure.message.ends_with(word), "{failure:?}");
        }
        assert_eq!(client.transport.connections().opened, 1);
    }
}

#[tokio::test]
async fn a_reset_instead_of_an_answer_may_have_been_processed() {
    let origin = origin(&["--http2"]).await;
    let client = client(|_| {});
    let failure = client.fail(&origin.url(), "/_fault/reset-before/a").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Reset, true));
    client.get(&origin.url(), "/").await;
    assert_eq!((origin.report().requests, origin.report().connections), (2, 1));
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_the_connection_to_the_others() {
    let origin = origin(&["--http2"]).await;
    let client = client(|plan| plan.first_byte_timeout_ms = Some(200));
    let (slow, base) = (client.clone(), origin.url());
    let stalled = tokio::spawn(async move { slow.fail(&base, "/_fault/stall/a").await });
    within(origin.until(|report| report.in_flight == 1)).await;
    client.get(&origin.url(), "/").await;
    assert_eq!(stalled.await.unwrap().kind, FailureKind::FirstByteTimeout);
    within(origin.until(|report| report.in_flight == 0 && report.aborted == 1)).await;
    client.get(&origin.url(), "/").await;
    assert_eq!(origin.report().connections, 1);
}

#[tokio::test]
async fn a_connection_over_which_nobody_is_answered_is_used_no_more() {
    let server = Server::start(|mut peer| async move {
        match peer.number {
            // It reads, and says nothing.
            1 => while peer.next().await.is_some() {},
            _ => peer.answer_all().await,
        }
    })
    .await;
    let client = client(|plan| plan.first_byte_timeout_ms = Some(50));
    assert_eq!(client.fail(&server.url, "/").await.kind, FailureKind::FirstByteTimeout);
    assert_eq!(client.get(&server.url, "/").await.1.reused, Some(false));
}

#[tokio::test]
async fn a_peer_that_does_not_answer_a_ping_is_given_up() {
    let server = Server::start(|mut peer| async move {
        match peer.number {
            1 => while peer.next().await.is_some() {},
            _ => peer.answer_all().await,
        }
    })
    .await;
    let client = client(|plan| {
        plan.http2.ping_interval_ms = Some(20);
        plan.http2.ping_timeout_ms = 20;
    });
    let failure = client.fail(&server.url, "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::PingTimeout, true), "{failure:?}");
    client.get(&server.url, "/").await;
}

#[tokio::test]
async fn a_peer_that_answers_pings_may_take_its_time() {
    let origin = origin(&["--http2"]).await;
    let client = client(|plan| {
        plan.http2.ping_interval_ms = Some(10);
        plan.http2.ping_timeout_ms = 5_000;
    });
    client.get(&origin.url(), "/_fault/slow/200/a").await;
}

#[tokio::test]
async fn a_connection_that_breaks_fails_all_its_requests() {
    let server = Server::start(|mut peer| async move {
        for _ in 0..3 {
            peer.request().await;
        }
    })
    .await;
    let client = client(|plan| plan.base_timeout_ms = 10_000);
    let asked: Vec<_> = (0..3)
        .map(|_| {
            let (client, url) = (client.clone(), server.url.clone());
            tokio::spawn(async move { client.fail(&url, "/").await })
        })
        .collect();
    for one in asked {
        let failure = one.await.unwrap();
        assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Reset, true), "{failure:?}");
    }
    tokio::time::timeout(Duration::from_secs(10), client.transport.shut_down()).await.unwrap();
    assert_eq!(client.transport.connections().open, 0);
}
