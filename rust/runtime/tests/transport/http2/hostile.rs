//! Servers of HTTP/2 that mean harm: bounded memory, an error, and the next request is answered.

use std::sync::Arc;

use apisink_runtime::{ByteBudget, FailureKind};
use tokio::sync::Notify;

use super::client;
use super::frames::{
    CONTINUATION, DATA, END_HEADERS, HEADERS, OK, PING, Peer, RST_STREAM, SETTINGS, Server, frame,
};
use crate::client::{Client, get, within};

/// Resident memory in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// Writes the same piece for ever, and reads what comes back.
async fn flood(peer: Peer, piece: Vec<u8>) {
    let (mut reading, mut writing) = peer.stream.into_split();
    let many = piece.repeat(1 + 65_536 / piece.len());
    let draining = tokio::spawn(async move { tokio::io::copy(&mut reading, &mut tokio::io::sink()).await });
    while tokio::io::AsyncWriteExt::write_all(&mut writing, &many).await.is_ok() {}
    draining.abort();
}

/// The first connection answers with `begin` and then with `piece` for ever; the others answer as they should.
async fn flooding(
    begin: impl Fn(u32) -> Vec<u8> + Copy + Send + 'static,
    piece: impl Fn(u32) -> Vec<u8> + Copy + Send + 'static,
) -> Server {
    Server::start(move |mut peer| async move {
        if peer.number > 1 {
            return peer.answer_all().await;
        }
        let stream = peer.request().await.unwrap();
        peer.send(&begin(stream)).await;
        flood(peer, piece(stream)).await;
    })
    .await
}

/// Asks once in vain, looks at the memory, and asks again.
async fn survives(client: &Client, server: &Server) -> FailureKind {
    let before = resident();
    let failure = client.fail(&server.url, "/").await;
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more: {failure:?}");
    assert!(failure.may_have_left);
    client.get(&server.url, "/").await;
    failure.kind
}

fn nothing(_: u32) -> Vec<u8> {
    Vec::new()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_settings_and_pings_end_with_the_attempts_time() {
    let settings = flooding(nothing, |_| frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255])).await;
    let pings = flooding(nothing, |_| frame(PING, 0, 0, b"aaaaaaaa")).await;
    for server in [settings, pings] {
        let client = client(|plan| plan.base_timeout_ms = 300);
        assert_eq!(survives(&client, &server).await, FailureKind::Timeout);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_without_end_are_an_invalid_answer() {
    let filler = [&[0x40, 5][..], b"x-abc", &[20], b"aaaaaaaaaaaaaaaaaaaa"].concat();
    let begin = |stream| frame(HEADERS, 0, stream, OK);
    let full = flooding(begin, move |stream| {
        let filler = [&[0x40, 5][..], b"x-abc", &[20], b"aaaaaaaaaaaaaaaaaaaa"].concat();
        frame(CONTINUATION, 0, stream, &filler.repeat(500))
    })
    .await;
    let small = flooding(begin, |stream| frame(CONTINUATION, 0, stream, &[0x82])).await;
    let empty = flooding(begin, |stream| frame(CONTINUATION, 0, stream, &[])).await;
    assert!(filler.len() * 500 < 16_384);
    for server in [full, small, empty] {
        assert_eq!(survives(&client(|_| {}), &server).await, FailureKind::InvalidResponse);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_unfold_into_megabytes_are_an_invalid_answer() {
    let server = Server::start(|mut peer| async move {
        if peer.number > 1 {
            return peer.answer_all().await;
        }
        let stream = peer.request().await.unwrap();
        // One entry of 3,000 bytes in the table, and 10,000 references to it.
        let entry = [&[0x40, 1, b'a', 0x7f, 0xb9, 0x16][..], &[b'a'; 3_000]].concat();
        let bomb = [OK, &entry, &[0xbe; 10_000]].concat();
        peer.send(&frame(HEADERS, END_HEADERS, stream, &bomb)).await;
        while peer.next().await.is_some() {}
    })
    .await;
    let kind = survives(&client(|plan| plan.base_timeout_ms = 5_000), &server).await;
    assert_eq!(kind, FailureKind::InvalidResponse);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn empty_data_without_end_is_an_invalid_answer() {
    let begin = |stream| frame(HEADERS, END_HEADERS, stream, OK);
    let server = flooding(begin, |stream| frame(DATA, 0, stream, &[])).await;
    assert_eq!(survives(&client(|_| {}), &server).await, FailureKind::InvalidResponse);
}

#[tokio::test]
async fn data_beyond_its_window_is_not_kept() {
    let refused = Arc::new(Notify::new());
    let told = refused.clone();
    let server = Server::start(move |mut peer| {
        let told = told.clone();
        async move {
            let stream = peer.request().await.unwrap();
            let piece = frame(DATA, 0, stream, &[b'a'; 16_384]);
            let head = frame(HEADERS, END_HEADERS, stream, OK);
            peer.send(&[head, piece.repeat(100)].concat()).await.unwrap();
            while peer.next().await.unwrap().kind != RST_STREAM {}
            told.notify_one();
            peer.next().await;
        }
    })
    .await;
    let client = client(|_| {});
    let budget = ByteBudget::new(1);
    // While the budget is full nothing of the answer is read.
    let mut holder = budget.take(0);
    holder.grow(2).await;
    let mut memory = budget.take(0);
    let request = get(&server.url, "/");
    let sending = client.sent_with(&request, &mut memory);
    let freeing = async {
        refused.notified().await;
        drop(holder);
    };
    let (sent, ()) = within(async { tokio::join!(sending, freeing) }).await;
    let failure = sent.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidResponse, "{failure:?}");
    assert!(
        failure.message.ends_with("the server broke the rules of HTTP/2: flow-control protocol violated")
    );
}
