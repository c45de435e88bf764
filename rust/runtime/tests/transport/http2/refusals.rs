//! Requests that the server says it has not processed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apisink_runtime::transport::Transport;
use apisink_runtime::{FailureKind, LateHeaders, Request, RowError};
use http::HeaderMap;

use super::client;
use super::frames::{self, Server, answer, go_away, reset};
use crate::client::get;

/// Refuses what comes over the first connection, and answers over the others.
async fn refusing(refusal: fn(u32) -> Vec<u8>) -> Server {
    Server::start(move |mut peer| async move {
        if peer.number > 1 {
            return peer.answer_all().await;
        }
        while let Some(stream) = peer.request().await {
            if peer.send(&refusal(stream)).await.is_none() {
                return;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_refused_request_goes_again_over_a_fresh_connection() {
    for refusal in [(|_| go_away(0, frames::NO_ERROR)) as fn(u32) -> Vec<u8>, |stream| {
        reset(stream, frames::REFUSED_STREAM)
    }] {
        let server = refusing(refusal).await;
        let client = client(|_| {});
        let (response, facts) = client.get(&server.url, "/").await;
        assert_eq!((response.body.as_ref(), facts.reused), (b"ok".as_ref(), Some(false)));
        assert_eq!(client.transport.connections().opened, 2);
    }
}

/// Counts how often it is asked.
#[derive(Default)]
struct Asked(AtomicUsize);

impl LateHeaders for Asked {
    fn put(&self, _: &Request, headers: &mut HeaderMap) -> Result<(), RowError> {
        assert!(headers.contains_key(http::header::HOST), "what is to be signed");
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test]
async fn a_request_that_goes_again_spends_a_slot_and_asks_for_its_late_headers_anew() {
    let server = refusing(|_| go_away(0, frames::NO_ERROR)).await;
    // Two seconds to the next slot: most of them are left, also on a machine that stands still for a while.
    let client = client(|_| {}).limited(0.5);
    let asked = Arc::new(Asked::default());
    let mut request = get(&server.url, "/");
    request.late = Some(asked.clone());
    let sent = client.sent(&request).await;
    assert!(sent.result.is_ok(), "{:?}", sent.result);
    assert_eq!(asked.0.load(Ordering::Relaxed), 2);
    assert!(sent.facts.rate_wait >= Duration::from_millis(450), "{:?}", sent.facts.rate_wait);
}

#[tokio::test]
async fn what_a_goaway_lets_pass_is_answered_and_what_is_beyond_goes_again() {
    let server = Server::start(|mut peer| async move {
        if peer.number > 1 {
            return peer.answer_all().await;
        }
        let first = peer.request().await.unwrap();
        peer.request().await.unwrap();
        peer.send(&go_away(first, frames::NO_ERROR)).await;
        peer.send(&answer(first, b"first")).await;
        peer.next().await;
    })
    .await;
    let client = client(|_| {});
    let ((one, _), (other, _)) = tokio::join!(client.get(&server.url, "/"), client.get(&server.url, "/"));
    let mut bodies = [one.body, other.body];
    bodies.sort();
    assert_eq!(bodies, ["first", "ok"]);
}

#[tokio::test]
async fn what_a_goaway_has_let_pass_and_then_dropped_is_not_sent_again() {
    let server = Server::start(|mut peer| async move {
        let stream = peer.request().await.unwrap();
        peer.send(&go_away(stream, frames::INTERNAL_ERROR)).await;
    })
    .await;
    let client = client(|_| {});
    let failure = client.fail(&server.url, "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Reset, true), "{failure:?}");
    assert_eq!(client.transport.connections().opened, 1);
}

#[tokio::test]
async fn a_server_that_refuses_everything_is_not_asked_for_ever() {
    let server = Server::start(|mut peer| async move {
        while let Some(stream) = peer.request().await {
            peer.send(&reset(stream, frames::REFUSED_STREAM)).await;
        }
    })
    .await;
    let client = client(|_| {});
    let failure = client.fail(&server.url, "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Reset, false), "{failure:?}");
    assert!(failure.message.contains("the server reset the stream"), "{failure:?}");
    assert_eq!(client.transport.connections().opened, 3);
}

#[tokio::test]
async fn many_rows_pass_a_server_that_ends_each_connection_after_a_few() {
    let server = Server::start(|mut peer| async move {
        for left in (0..4).rev() {
            let Some(stream) = peer.request().await else { return };
            let last = if left == 0 { go_away(stream, frames::NO_ERROR) } else { Vec::new() };
            if peer.send(&[last, answer(stream, b"ok")].concat()).await.is_none() {
                return;
            }
        }
        // What comes now is refused already.
        while peer.next().await.is_some() {}
    })
    .await;
    client(|_| {}).get_at_once(&server.url, "/", 100).await;
}
