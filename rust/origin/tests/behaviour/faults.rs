use std::io::ErrorKind;
use std::time::{Duration, Instant, SystemTime};

use crate::support::{Client, get, once, origin, within};

#[tokio::test]
async fn a_reset_before_the_answer_sends_nothing_but_the_reset() {
    let origin = origin(&[]).await;
    let mut client = Client::connect(origin.addr()).await;
    client.send(get("/_fault/reset-before/a", Some("k")).as_bytes()).await;
    assert_eq!(client.rest().await, (Vec::new(), Err(ErrorKind::ConnectionReset)));
    let report = origin.until(|report| report.in_flight == 0).await;
    assert_eq!((report.requests, report.aborted, report.responses.len()), (1, 0, 0));
    assert_eq!(report.faults["reset-before"], 1);
    assert_eq!(origin.keys()[0].statuses, [None]);
}

#[tokio::test]
async fn a_reset_amid_the_answer_sends_the_head_and_half_the_body() {
    let origin = origin(&["--body-bytes", "1000"]).await;
    let mut client = Client::connect(origin.addr()).await;
    client.send(get("/_fault/reset-amid/a", Some("k")).as_bytes()).await;
    let (bytes, end) = client.rest().await;
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("content-length: 1000"), "{head}");
    assert_eq!(body.len(), 500);
    let report = origin.until(|report| report.in_flight == 0).await;
    assert_eq!((report.responses.len(), report.faults["reset-amid"], report.aborted), (0, 1, 0));
    assert_eq!(report.bytes_out, text.len() as u64);
}

#[tokio::test]
async fn a_long_answer_is_cut_after_half_of_it_as_well() {
    let origin = origin(&["--body-bytes", "4000000", "--reset-amid", "1"]).await;
    let mut client = Client::connect(origin.addr()).await;
    client.send(get("/", None).as_bytes()).await;
    let (bytes, end) = client.rest().await;
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!((2_000_000..2_001_000).contains(&bytes.len()), "{} bytes came", bytes.len());
}

#[tokio::test]
async fn a_reset_after_the_answer_spoils_the_connection_only() {
    let origin = origin(&["--reset-after", "1"]).await;
    let mut client = Client::connect(origin.addr()).await;
    let answer = client.get("/", Some("k")).await;
    assert_eq!((answer.status, answer.json()["key"].as_str()), (200, Some("k")));
    assert_eq!(client.rest().await, (Vec::new(), Err(ErrorKind::ConnectionReset)));
    let report = origin.until(|report| report.open_connections == 0).await;
    assert_eq!((report.responses[&200], report.faults["reset-after"], report.aborted), (1, 1, 0));
}

#[tokio::test]
async fn a_stall_lasts_until_the_client_leaves() {
    let origin = origin(&["--stall", "1"]).await;
    let mut client = Client::connect(origin.addr()).await;
    client.send(get("/", None).as_bytes()).await;
    let report = within(origin.until(|report| report.faults.contains_key("stall"))).await;
    assert_eq!((report.in_flight, report.aborted), (1, 0));
    assert_eq!(client.stream.try_read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(client);
    let report = within(origin.until(|report| report.in_flight == 0)).await;
    assert_eq!((report.aborted, report.responses.len(), report.open_connections), (1, 0, 0));
}

#[tokio::test]
async fn garbage_is_not_http() {
    let origin = origin(&[]).await;
    let mut client = Client::connect(origin.addr()).await;
    client.send(get("/_fault/garbage/a", None).as_bytes()).await;
    let (bytes, end) = client.rest().await;
    assert!(!bytes.is_empty() && !bytes.starts_with(b"HTTP"));
    assert_eq!(end, Ok(()));
    let report = within(origin.until(|report| report.open_connections == 0)).await;
    assert_eq!(report.bytes_out, bytes.len() as u64);
}

#[tokio::test]
async fn an_idle_connection_is_closed_whether_it_was_used_or_not() {
    let origin = origin(&["--close-idle", "50ms"]).await;
    let mut used = Client::connect(origin.addr()).await;
    let unused = Client::connect(origin.addr()).await;
    let start = Instant::now();
    assert_eq!(used.get("/_fault/slow/120/a", None).await.status, 200);
    assert_eq!(used.rest().await, (Vec::new(), Ok(())));
    assert!(start.elapsed() >= Duration::from_millis(120 + 50), "closed after {:?}", start.elapsed());
    assert_eq!(unused.rest().await, (Vec::new(), Ok(())));
    let report = within(origin.until(|report| report.open_connections == 0)).await;
    assert_eq!((report.connections, report.aborted), (2, 0));
}

#[tokio::test]
async fn a_path_can_ask_for_a_status() {
    let origin = origin(&[]).await;
    let mut client = Client::connect(origin.addr()).await;
    for status in [200, 201, 204, 304, 404, 429, 500, 503] {
        let answer = client.get(&format!("/_fault/status/{status}/a"), None).await;
        assert_eq!(answer.status, status);
    }
    let empty = client.get("/_fault/empty/200/a", None).await;
    assert_eq!((empty.status, empty.header("content-length")), (200, Some("0")));
    assert_eq!(client.get("/_fault/empty/204/a", None).await.header("content-length"), None);
    let unknown = client.get("/_fault/sleep/1", None).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.json()["error"].as_str().unwrap().contains("there is no fault `sleep`"));
    assert_eq!(origin.report().connections, 1);
}

#[tokio::test]
async fn a_path_can_ask_for_a_slow_answer() {
    let origin = origin(&[]).await;
    let start = Instant::now();
    assert_eq!(once(&origin, "/_fault/slow/60/a", None).await.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn retry_after_refuses_the_first_attempt_of_each_key() {
    let origin = origin(&[]).await;
    let mut client = Client::connect(origin.addr()).await;
    for key in [Some("a"), Some("b"), None] {
        let refused = client.get("/_fault/retry-after/2/x", key).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("2")));
        assert_eq!(client.get("/_fault/retry-after/2/x", key).await.status, 200);
    }
}

#[tokio::test]
async fn retry_after_can_be_a_date() {
    let origin = origin(&[]).await;
    let before = SystemTime::now();
    let refused = once(&origin, "/_fault/retry-after-date/2/x", Some("a")).await;
    assert_eq!(refused.status, 429);
    let date = httpdate::parse_http_date(refused.header("retry-after").unwrap()).unwrap();
    assert!(date >= before + Duration::from_secs(2));
    assert!(date <= SystemTime::now() + Duration::from_secs(3));
}

#[tokio::test]
async fn the_first_attempts_of_each_key_fail_and_later_ones_succeed() {
    let origin = origin(&["--fail-first", "2:503:retry-after=1"]).await;
    let mut client = Client::connect(origin.addr()).await;
    let mut statuses = Vec::new();
    for key in ["a", "b", "a", "b", "a", "b", "a"] {
        let answer = client.get(&format!("/{}", statuses.len()), Some(key)).await;
        assert_eq!(answer.header("retry-after"), (answer.status == 503).then_some("1"));
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [503, 503, 503, 503, 200, 200, 200]);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(client.get("/no-key", None).await.status);
    }
    assert_eq!(statuses, [503, 503, 200]);
}

#[tokio::test]
async fn every_nth_request_fails() {
    let origin = origin(&["--fail-every", "3:500"]).await;
    let mut client = Client::connect(origin.addr()).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(client.get("/", None).await.status);
    }
    assert_eq!(statuses, [200, 200, 500, 200, 200, 500]);
}

#[tokio::test]
async fn the_seed_decides_which_requests_fail() {
    async fn statuses(seed: &str) -> Vec<u16> {
        let origin =
            origin(&["--fail", "0.3:503", "--fail", "0.2:429:retry-after-date=1", "--seed", seed]).await;
        let mut client = Client::connect(origin.addr()).await;
        let mut statuses = Vec::new();
        for _ in 0..100 {
            statuses.push(client.get("/", None).await.status);
        }
        origin.shutdown().await;
        statuses
    }
    let seven = statuses("7").await;
    assert_eq!(seven, statuses("7").await);
    assert_ne!(seven, statuses("8").await);
    assert!(seven.contains(&503) && seven.contains(&429) && seven.contains(&200));
}
