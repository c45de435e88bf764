//! Streams: how many, over how many connections, and what is known of them.

use apisink_runtime::transport::Transport;

use super::client;
use super::frames::{self, Server};
use crate::client::{get, origin, within};

#[tokio::test]
async fn requests_at_once_share_one_connection() {
    let origin = origin(&["--http2", "--latency", "fixed:50ms"]).await;
    let client = client(|_| {});
    client.get_at_once(&origin.url(), "/", 50).await;
    let report = origin.report();
    assert_eq!((report.responses[&200], report.connections), (50, 1));
    assert!(report.highest_concurrency > 1);
    assert_eq!(client.transport.connections().opened, 1);
}

#[tokio::test]
async fn a_further_connection_is_made_when_all_streams_are_in_use() {
    let origin = origin(&["--http2", "--latency", "fixed:20ms"]).await;
    let client = client(|plan| {
        plan.http2.streams_per_connection = 4;
        plan.tcp.limit = 2;
    });
    client.get_at_once(&origin.url(), "/", 40).await;
    let report = origin.report();
    assert_eq!((report.responses[&200], report.connections, report.highest_concurrency), (40, 2, 8));
}

#[tokio::test]
async fn a_server_that_allows_fewer_streams_gets_fewer() {
    let origin = origin(&["--http2", "--http2-streams", "3", "--latency", "fixed:20ms"]).await;
    let client = client(|plan| plan.tcp.limit = 1);
    client.get_at_once(&origin.url(), "/", 20).await;
    let report = origin.report();
    assert_eq!((report.responses[&200], report.connections, report.highest_concurrency), (20, 1, 3));
}

#[tokio::test]
async fn age_uses_and_bytes_are_told_for_each_stream() {
    let origin = origin(&["--http2", "--latency", "fixed:20ms"]).await;
    let client = client(|_| {});
    let (_, first) = client.get(&origin.url(), "/").await;
    assert_eq!((first.protocol, first.reused, first.connection_uses), (Some("HTTP/2"), Some(false), Some(1)));
    assert!(first.connect.is_some() && first.dns.is_some() && first.tls.is_none());
    let (_, second) = client.get(&origin.url(), "/").await;
    assert_eq!((second.reused, second.connection_uses, second.connect), (Some(true), Some(2), None));
    assert!(second.connection_age > first.connection_age);

    let url = origin.url();
    let ((_, third), (_, fourth)) = tokio::join!(client.get(&url, "/"), client.get(&url, "/"));
    let mut uses = [third.connection_uses, fourth.connection_uses];
    uses.sort_unstable();
    assert_eq!(uses, [Some(3), Some(4)]);
    // Those of two requests at once cannot be told apart, but none is lost. The server's SETTINGS, 24 bytes of preface
    // and our own SETTINGS belong to none.
    let sent: u64 = [&first, &second, &third, &fourth].iter().map(|facts| facts.bytes_sent.unwrap()).sum();
    let received: u64 =
        [first, second, third, fourth].iter().map(|facts| facts.bytes_received.unwrap()).sum();
    drop(client);
    let report = within(origin.until(|report| report.open_connections == 0)).await;
    let (others_in, others_out) = (report.bytes_in - sent, report.bytes_out - received);
    assert!((24..200).contains(&others_in) && (9..200).contains(&others_out), "{others_in} {others_out}");
}

#[tokio::test]
async fn a_connection_carries_as_many_requests_as_allowed() {
    let origin = origin(&["--http2"]).await;
    let client = client(|plan| plan.tcp.requests_per_connection = Some(3));
    for _ in 0..6 {
        client.get(&origin.url(), "/").await;
    }
    assert_eq!(origin.report().connections, 2);
    client.get_at_once(&origin.url(), "/", 12).await;
    assert_eq!(within(origin.until(|report| report.connections == 6)).await.requests, 18);
}

#[tokio::test]
async fn idle_and_old_connections_are_closed_without_being_asked() {
    let origin = origin(&["--http2"]).await;
    let idle = client(|plan| plan.tcp.idle_timeout_ms = 50);
    let old = client(|plan| plan.tcp.lifetime_ms = Some(50));
    idle.get(&origin.url(), "/").await;
    old.get(&origin.url(), "/").await;
    within(origin.until(|report| report.open_connections == 0)).await;
}

#[tokio::test]
async fn an_idle_connection_to_another_host_makes_room() {
    let (one, other) = (origin(&["--http2"]).await, origin(&["--http2"]).await);
    let client = client(|plan| plan.tcp.limit = 1);
    for _ in 0..2 {
        client.get(&one.url(), "/").await;
        client.get(&other.url(), "/").await;
    }
    assert_eq!((one.report().connections, other.report().connections), (2, 2));
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_costs_no_failed_row() {
    let origin = origin(&["--http2", "--close-idle", "20ms"]).await;
    let client = client(|_| {});
    for _ in 0..3 {
        let (_, facts) = client.get(&origin.url(), "/").await;
        assert_eq!(facts.reused, Some(false));
        within(origin.until(|report| report.open_connections == 0)).await;
    }
    assert_eq!(origin.report().requests, 3);
}

#[tokio::test]
async fn a_shut_down_lets_what_is_in_flight_finish_and_takes_nothing_new() {
    let origin = origin(&["--http2"]).await;
    let client = client(|_| {});
    client.get_at_once(&origin.url(), "/", 3).await;
    let (in_flight, base) = (client.clone(), origin.url());
    let slow = tokio::spawn(async move { in_flight.get(&base, "/_fault/slow/200/a").await });
    within(origin.until(|report| report.in_flight == 1)).await;
    within(client.transport.shut_down()).await;
    assert_eq!(slow.await.unwrap().0.status, 200);
    assert_eq!(client.transport.connections().open, 0);
    let refused = client.sent(&get(&origin.url(), "/")).await.result.unwrap_err();
    assert_eq!(refused.message, "the transport is shut down");
}

#[tokio::test]
async fn who_waits_for_a_connection_shares_its_failure() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = client(|_| {});
    let asked: Vec<_> = (0..20)
        .map(|_| {
            let (client, url) = (client.clone(), url.clone());
            tokio::spawn(async move { client.fail(&url, "/").await.message })
        })
        .collect();
    for one in asked {
        assert!(one.await.unwrap().contains("no connection to 127.0.0.1"));
    }
    assert_eq!(client.transport.connections().opened, 1);
}

#[tokio::test]
async fn requests_are_written_at_their_slots() {
    let origin = origin(&["--http2"]).await;
    let client = client(|_| {}).limited(5.0);
    client.get_at_once(&origin.url(), "/", 5).await;
    let requests = origin.requests();
    assert_eq!(requests.len(), 5);
    let spread = requests[4].arrived_ms - requests[0].arrived_ms;
    // Four times 200, but for what the first one is late on a machine that stands still.
    assert!(spread >= 500.0, "five requests at 5 a second arrived within {spread} ms");
}

#[tokio::test]
async fn each_answer_has_the_window_that_the_config_says() {
    let (told, settings) = tokio::sync::oneshot::channel();
    let told = std::sync::Mutex::new(Some(told));
    let server = Server::start(move |mut peer| {
        let told = told.lock().unwrap().take();
        async move {
            let (first, second) = (peer.next().await.unwrap(), peer.next().await.unwrap());
            told.unwrap().send((first, second)).ok().unwrap();
            peer.answer_all().await;
        }
    })
    .await;
    let client = client(|plan| {
        plan.http2.window_bytes = 100_000;
        plan.http2.streams_per_connection = 7;
    });
    client.get(&server.url, "/").await;
    let (first, second) = within(settings).await.unwrap();
    let window = first.payload.chunks(6).find(|setting| setting[..2] == [0, 4]).unwrap();
    assert_eq!((first.kind, &window[2..]), (frames::SETTINGS, &100_000_u32.to_be_bytes()[..]));
    let whole = u32::from_be_bytes(second.payload[..].try_into().unwrap()) + 65_535;
    assert_eq!((second.kind, whole), (frames::WINDOW_UPDATE, 700_000));
}

#[tokio::test]
async fn an_answer_that_waits_for_memory_holds_up_no_other_one() {
    let origin = origin(&["--http2"]).await;
    let client = client(|plan| plan.http2.window_bytes = 16_384);
    let budget = apisink_runtime::ByteBudget::new(1);
    // It alone may exceed the budget.
    let mut holder = budget.take(0);
    holder.grow(2).await;
    let large: Vec<_> = (0..8)
        .map(|_| {
            let (client, base, budget) = (client.clone(), origin.url(), budget.clone());
            tokio::spawn(async move {
                let mut memory = budget.take(0);
                let request = get(&base, "/_fault/bytes/1000000/a");
                client.sent_with(&request, &mut memory).await.result
            })
        })
        .collect();
    within(origin.until(|report| report.in_flight == 8)).await;
    for _ in 0..20 {
        assert_eq!(client.get(&origin.url(), "/_fault/bytes/200000/b").await.0.body.len(), 200_000);
    }
    drop(holder);
    for one in large {
        assert_eq!(within(one).await.unwrap().unwrap().body.len(), 1_000_000);
    }
    assert_eq!(origin.report().connections, 1);
}
