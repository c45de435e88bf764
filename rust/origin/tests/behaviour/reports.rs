use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;

use apisink_origin::{Origin, Report, Script};
use serde_json::{Value, json};

use crate::support::{Client, get, once, origin, within};

#[tokio::test]
async fn bytes_are_exactly_those_on_the_wire() {
    let origin = origin(&[]).await;
    let mut client = Client::connect(origin.addr()).await;
    let (mut sent, mut received) = (0, 0);
    for key in ["a", "b", "c"] {
        sent += get("/x", Some(key)).len();
        received += client.get("/x", Some(key)).await.length;
        client.get("/_origin/report", None).await;
    }
    let report = origin.report();
    assert_eq!((report.bytes_in, report.bytes_out), (sent as u64, received as u64));
}

#[tokio::test]
async fn concurrency_is_what_was_in_flight_at_once() {
    let origin = origin(&[]).await;
    let mut clients = Vec::new();
    for _ in 0..7 {
        let mut client = Client::connect(origin.addr()).await;
        client.send(get("/_fault/stall/x", None).as_bytes()).await;
        clients.push(client);
    }
    within(origin.until(|report| report.in_flight == 7)).await;
    drop(clients);
    let report = within(origin.until(|report| report.in_flight == 0)).await;
    for _ in 0..20 {
        once(&origin, "/", None).await;
    }
    assert_eq!(report.aborted, 7);
    assert_eq!(origin.report().highest_concurrency, 7);
}

#[tokio::test]
async fn connections_are_counted_unless_they_only_ask_for_the_report() {
    let origin = origin(&[]).await;
    let mut reporter = Client::connect(origin.addr()).await;
    reporter.get("/_origin/report", None).await;
    let _warm = Client::connect(origin.addr()).await;
    let mut used = Client::connect(origin.addr()).await;
    used.get("/", None).await;
    used.get("/", None).await;
    within(origin.until(|report| report.open_connections == 2)).await;
    drop(used);
    within(origin.until(|report| report.open_connections == 1)).await;
    once(&origin, "/", None).await;
    let report: Report = serde_json::from_slice(&reporter.get("/_origin/report", None).await.body).unwrap();
    assert_eq!((report.connections, report.highest_connections, report.requests), (3, 2, 3));
}

#[tokio::test]
async fn keys_tell_what_was_sent_and_answered_twice() {
    let origin = origin(&["--fail-first", "1:503"]).await;
    let mut client = Client::connect(origin.addr()).await;
    for key in ["a", "b", "b", "c", "c", "c"] {
        client.get("/", Some(key)).await;
    }
    let report = origin.report();
    assert_eq!((report.keys, report.keys_twice, report.keys_answered_2xx_twice), (3, 2, 1));
    assert_eq!(report.responses, BTreeMap::from([(200, 3), (503, 3)]));
    let answer = client.get("/_origin/keys", None).await;
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let text = String::from_utf8(answer.body).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines,
        [
            json!({"key": "a", "requests": 1, "statuses": [503]}),
            json!({"key": "b", "requests": 2, "statuses": [503, 200]}),
            json!({"key": "c", "requests": 3, "statuses": [503, 200, 200]}),
        ]
    );
}

#[tokio::test]
async fn a_cut_success_is_no_success() {
    let origin = origin(&[]).await;
    for _ in 0..2 {
        let mut client = Client::connect(origin.addr()).await;
        client.send(get("/_fault/reset-amid/x", Some("a")).as_bytes()).await;
        assert_eq!(client.rest().await.1, Err(ErrorKind::ConnectionReset));
    }
    once(&origin, "/", Some("a")).await;
    let report = within(origin.until(|report| report.in_flight == 0)).await;
    assert_eq!((report.keys_twice, report.keys_answered_2xx_twice), (1, 0));
    assert_eq!(origin.keys()[0].statuses, [None, None, Some(200)]);
}

#[tokio::test]
async fn a_client_that_leaves_amid_its_request_is_counted_as_aborted() {
    let origin = origin(&[]).await;
    let mut client = Client::connect(origin.addr()).await;
    client.send(b"POST / HTTP/1.1\r\nHost: o\r\nContent-Length: 10\r\n\r\nhalf").await;
    within(origin.until(|report| report.in_flight == 1)).await;
    drop(client);
    let report = within(origin.until(|report| report.in_flight == 0)).await;
    assert_eq!((report.requests, report.aborted), (1, 1));
}

#[tokio::test]
async fn what_is_not_http_is_counted_as_malformed() {
    let origin = origin(&[]).await;
    let mut client = Client::connect(origin.addr()).await;
    client.send(b"\x16\x03\x01 hello\r\n\r\n").await;
    let (bytes, _) = client.rest().await;
    assert!(bytes.starts_with(b"HTTP/1.1 400"));
    let report = within(origin.until(|report| report.open_connections == 0)).await;
    assert_eq!((report.malformed, report.requests, report.connections), (1, 0, 1));
}

#[tokio::test]
async fn a_reset_clears_counters_and_what_is_known_of_keys() {
    let origin = origin(&["--fail-first", "1:503"]).await;
    let mut client = Client::connect(origin.addr()).await;
    client.get("/", Some("a")).await;
    assert_eq!(client.get("/", Some("a")).await.status, 200);
    assert_eq!(client.get("/_origin/reset", None).await.status, 405);
    client.send(b"POST /_origin/reset HTTP/1.1\r\nHost: o\r\n\r\n").await;
    assert_eq!(client.answer(true).await.unwrap().status, 204);
    let report = origin.report();
    assert_eq!((report.requests, report.keys, report.connections, report.open_connections), (0, 0, 0, 1));
    assert_eq!((report.bytes_in, report.bytes_out, report.first_arrival_ms), (0, 0, None));
    assert!(origin.requests().is_empty());
    assert_eq!(client.get("/", Some("a")).await.status, 503);
}

#[tokio::test]
async fn requests_show_what_was_really_sent() {
    let origin = origin(&["--fail-first", "1:503"]).await;
    let mut client = Client::connect(origin.addr()).await;
    client
        .send(b"POST /p?q=1 HTTP/1.1\r\nHost: o\r\nX-Id: 7\r\nIdempotency-Key: k\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
        .await;
    client.answer(true).await.unwrap();
    client.get("/second", None).await;
    let shown = client.get("/_origin/requests?limit=5", None).await.json();
    let first = &shown[0];
    assert_eq!(shown.as_array().unwrap().len(), 2);
    assert_eq!(
        (&first["method"], &first["path"], &first["query"]),
        (&json!("POST"), &json!("/p"), &json!("q=1"))
    );
    assert_eq!((&first["headers"]["x-id"], &first["body"]), (&json!("7"), &json!("{\"a\":1}")));
    assert_eq!(
        (&first["status"], &first["attempt"], &first["connection"]),
        (&json!(503), &json!(1), &json!(1))
    );
    let last = client.get("/_origin/requests?limit=1", None).await.json();
    assert_eq!(last[0]["path"], "/second");
    assert_eq!(client.get("/_origin/requests?limit=x", None).await.status, 400);
    assert_eq!(client.get("/_origin/else", None).await.status, 404);
    assert_eq!(origin.requests()[0].header("x-id"), Some("7"));
}

#[tokio::test]
async fn a_recording_keeps_the_last_thousand_requests_and_64_kb_of_each_body() {
    let origin = origin(&[]).await;
    let mut client = Client::connect(origin.addr()).await;
    for n in 0..1001 {
        client.get(&format!("/{n}"), None).await;
    }
    client.send(b"POST /long HTTP/1.1\r\nHost: o\r\nContent-Length: 100000\r\n\r\n").await;
    client.send(&[b'z'; 100_000]).await;
    client.answer(true).await.unwrap();
    let requests = origin.requests();
    assert_eq!((requests.len(), requests[0].path.as_str()), (1000, "/2"));
    assert_eq!((requests[999].body.len(), requests[999].body_bytes), (65_536, 100_000));
}

#[tokio::test]
async fn without_recording_no_request_is_kept() {
    let origin = origin(&["--no-recording"]).await;
    once(&origin, "/", None).await;
    assert_eq!(once(&origin, "/_origin/requests", None).await.status, 409);
    assert!(origin.requests().is_empty());
}

#[tokio::test]
async fn reports_are_never_counted_failed_or_asked_for_credentials() {
    let origin = origin(&["--stall", "1", "--bearer", "t", "--fail-every", "1:500"]).await;
    let told: Report = serde_json::from_slice(&once(&origin, "/_origin/report", None).await.body).unwrap();
    let mut report = origin.report();
    assert!(report.now_ms >= told.now_ms && told.now_ms > 0.0);
    report.now_ms = told.now_ms;
    assert_eq!(report, told);
    report.now_ms = 0.0;
    assert_eq!(report, Report::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_that_was_received_is_in_the_report_even_across_threads() {
    let origin = Arc::new(origin(&["--no-recording"]).await);
    let client = tokio::task::spawn_blocking({
        let origin = origin.clone();
        move || {
            // It spins, so that it looks at the report while the origin may still be within its write.
            let mut stream = std::net::TcpStream::connect(origin.addr()).unwrap();
            stream.set_nonblocking(true).unwrap();
            for n in 1..=5_000 {
                stream.write_all(get("/", Some("a")).as_bytes()).unwrap();
                let mut answer = Vec::new();
                while !answer.ends_with(b"}") {
                    if let Err(error) = stream.read_to_end(&mut answer) {
                        assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    }
                }
                assert_eq!(origin.report().responses.get(&200), Some(&n));
            }
        }
    });
    within(client).await.unwrap();
    let report = origin.report();
    assert_eq!((report.highest_concurrency, report.keys_answered_2xx_twice), (1, 1));
}

#[tokio::test]
async fn a_shutdown_closes_listener_and_connections() {
    let origin = origin(&[]).await;
    let addr = origin.addr();
    let mut client = Client::connect(addr).await;
    client.get("/", None).await;
    within(origin.shutdown()).await;
    assert_eq!(client.rest().await, (Vec::new(), Ok(())));
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_script_that_cannot_be_carried_out_is_refused() {
    let script = Script { stall: 0.7, reset_before: 0.7, ..Script::default() };
    let error = Origin::try_start(script).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("must not exceed 1"), "{error}");
}
