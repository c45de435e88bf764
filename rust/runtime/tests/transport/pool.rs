//! The pool: limits, reuse, ends.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use apisink_runtime::FailureKind;
use apisink_runtime::transport::Transport;

use crate::client::{Client, get, origin, within};

#[tokio::test]
async fn no_more_connections_are_open_than_the_limit_and_each_is_used_again() {
    let origin = origin(&["--latency", "fixed:5ms"]).await;
    let client = Client::new(|plan| plan.tcp.limit = 3);
    client.get_at_once(&origin.url(), "/", 60).await;
    let report = origin.report();
    assert_eq!((report.responses[&200], report.connections, report.highest_connections), (60, 3, 3));
    assert_eq!(client.transport.connections().opened, 3);
}

#[tokio::test]
async fn the_latest_used_connection_is_taken_first_and_its_age_and_uses_are_told() {
    let origin = origin(&[]).await;
    let client = Client::new(|_| {});
    let (_, first) = client.get(&origin.url(), "/").await;
    assert_eq!((first.reused, first.connection_uses), (Some(false), Some(1)));
    assert!(first.connect.is_some() && first.dns.is_some() && first.tls.is_none());
    let (_, second) = client.get(&origin.url(), "/").await;
    assert_eq!((second.reused, second.connection_uses), (Some(true), Some(2)));
    assert_eq!((second.connect, second.dns), (None, None));
    assert!(second.connection_age > first.connection_age);
    let report = origin.report();
    assert_eq!(first.bytes_sent.unwrap() + second.bytes_sent.unwrap(), report.bytes_in);
    assert_eq!(first.bytes_received.unwrap() + second.bytes_received.unwrap(), report.bytes_out);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_costs_no_failed_row() {
    let origin = origin(&["--close-idle", "20ms"]).await;
    let client = Client::new(|_| {});
    for _ in 0..3 {
        let (_, facts) = client.get(&origin.url(), "/").await;
        assert_eq!(facts.reused, Some(false));
        within(origin.until(|report| report.open_connections == 0)).await;
    }
    assert_eq!(origin.report().requests, 3);
}

/// Answers one request per connection as if it kept the connection, and closes it.
fn closing_server(requests: usize) -> (String, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let mut read = 0;
        for _ in 0..requests {
            let (mut stream, _) = listener.accept().unwrap();
            read += usize::from(stream.read(&mut [0; 1024]).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        }
        read
    });
    (url, serving)
}

/// On one thread the connection's task cannot see the end before the next request is written.
#[tokio::test]
async fn an_end_that_lies_unread_in_the_kernel_is_seen_before_the_request_is_written() {
    let (url, serving) = closing_server(2);
    let client = Client::new(|_| {});
    client.get(&url, "/").await;
    // The runtime stands still meanwhile: nothing is awaited here.
    std::thread::sleep(Duration::from_millis(150));
    let (_, facts) = client.get(&url, "/").await;
    assert_eq!(facts.reused, Some(false));
    assert_eq!(serving.join().unwrap(), 2);
}

#[tokio::test]
async fn a_request_that_the_server_may_have_read_is_not_sent_again() {
    let origin = origin(&[]).await;
    let client = Client::new(|_| {});
    client.get(&origin.url(), "/").await;
    let failure = client.fail(&origin.url(), "/_fault/reset-before/a").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Reset, true));
    assert_eq!(origin.report().requests, 2);
}

#[tokio::test]
async fn a_server_that_closes_every_connection_at_once_is_asked_once_for_each_attempt() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::new(|_| {});
    let serving = tokio::spawn(async move {
        for accepted in 0.. {
            if accepted == 3 {
                return;
            }
            drop(listener.accept().await.unwrap());
        }
    });
    for _ in 0..3 {
        let failure = client.fail(&url, "/").await;
        assert_eq!(failure.kind, FailureKind::Reset, "{failure:?}");
    }
    within(serving).await.unwrap();
}

#[tokio::test]
async fn a_refused_connection_says_that_nothing_has_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = Client::new(|_| {}).fail(&url, "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Connect, false));
}

#[tokio::test]
async fn a_connection_carries_as_many_requests_as_allowed_and_its_last_one_says_so() {
    let origin = origin(&["--echo"]).await;
    let client = Client::new(|plan| plan.tcp.requests_per_connection = Some(3));
    let mut said = Vec::new();
    for _ in 0..6 {
        let (response, _) = client.get(&origin.url(), "/").await;
        said.push(String::from_utf8_lossy(&response.body).contains("\"connection\":\"close\""));
    }
    assert_eq!(said, [false, false, true, false, false, true]);
    assert_eq!(origin.report().connections, 2);
}

#[tokio::test]
async fn without_keep_alive_every_request_has_a_connection_of_its_own() {
    let origin = origin(&[]).await;
    let client = Client::new(|plan| plan.tcp.keep_alive = false);
    for _ in 0..3 {
        client.get(&origin.url(), "/").await;
    }
    let report = within(origin.until(|report| report.open_connections == 0)).await;
    assert_eq!(report.connections, 3);
}

#[tokio::test]
async fn idle_and_old_connections_are_closed_without_being_asked() {
    let origin = origin(&[]).await;
    let idle = Client::new(|plan| plan.tcp.idle_timeout_ms = 50);
    let old = Client::new(|plan| plan.tcp.lifetime_ms = Some(50));
    idle.get(&origin.url(), "/").await;
    old.get(&origin.url(), "/").await;
    within(origin.until(|report| report.open_connections == 0)).await;
}

#[tokio::test]
async fn an_idle_connection_to_another_host_makes_room() {
    let (one, other) = (origin(&[]).await, origin(&[]).await);
    let client = Client::new(|plan| plan.tcp.limit = 1);
    for _ in 0..2 {
        client.get(&one.url(), "/").await;
        client.get(&other.url(), "/").await;
    }
    assert_eq!((one.report().connections, other.report().connections), (2, 2));
}

#[tokio::test]
async fn a_host_that_is_busy_lets_another_wait_when_there_is_room_for_one_only() {
    let (one, other) = (origin(&["--latency", "fixed:30ms"]).await, origin(&[]).await);
    let client = Client::new(|plan| plan.tcp.limit = 1);
    let (one_url, other_url) = (one.url(), other.url());
    tokio::join!(client.get_at_once(&one_url, "/", 4), client.get_at_once(&other_url, "/", 4));
    assert_eq!((one.report().requests, other.report().requests), (4, 4));
    within(one.until(|report| report.highest_connections == 1)).await;
}

#[tokio::test]
async fn one_host_gets_no_more_than_its_own_limit() {
    let (one, other) = (origin(&["--latency", "fixed:5ms"]).await, origin(&["--latency", "fixed:5ms"]).await);
    let client = Client::new(|plan| {
        plan.tcp.limit = 4;
        plan.tcp.limit_per_host = Some(1);
    });
    let (one_url, other_url) = (one.url(), other.url());
    tokio::join!(client.get_at_once(&one_url, "/", 10), client.get_at_once(&other_url, "/", 10));
    assert_eq!((one.report().highest_connections, other.report().highest_connections), (1, 1));
}

#[tokio::test]
async fn a_shut_down_lets_what_is_in_flight_finish_and_takes_nothing_new() {
    let origin = origin(&[]).await;
    let client = Client::new(|_| {});
    client.get_at_once(&origin.url(), "/", 3).await;
    let (in_flight, base) = (client.clone(), origin.url());
    let slow = tokio::spawn(async move { in_flight.get(&base, "/_fault/slow/200/a").await });
    within(origin.until(|report| report.in_flight == 1)).await;
    within(client.transport.shut_down()).await;
    let (response, _) = slow.await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(client.transport.connections().open, 0);
    let refused = client.sent(&get(&origin.url(), "/")).await.result.unwrap_err();
    assert_eq!(refused.message, "the transport is shut down");
    assert!(!refused.may_have_left);
}
