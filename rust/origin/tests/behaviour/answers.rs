use std::io::Read;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::support::{Client, once, origin};

#[tokio::test]
async fn every_method_and_path_is_answered_with_what_was_asked() {
    let origin = origin(&[]).await;
    let mut client = Client::connect(origin.addr()).await;
    client
        .send(b"PUT /a%20b/c?x=1&y HTTP/1.1\r\nHost: o\r\nIdempotency-Key: k1\r\nContent-Length: 5\r\n\r\nhello")
        .await;
    let answer = client.answer(true).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json(), json!({"path": "/a%20b/c", "query": "x=1&y", "received": 5, "key": "k1"}));
    let answer = client.get("/", None).await;
    assert_eq!(answer.json(), json!({"path": "/", "query": null, "received": 0, "key": null}));
}

#[tokio::test]
async fn a_chunked_body_is_counted_by_its_content() {
    let origin = origin(&[]).await;
    let mut client = Client::connect(origin.addr()).await;
    client
        .send(b"POST / HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
        .await;
    assert_eq!(client.answer(true).await.unwrap().json()["received"], 7);
    assert_eq!(origin.requests()[0].body, "abcdefg");
}

#[tokio::test]
async fn an_echo_holds_the_headers_and_the_body() {
    let origin = origin(&["--echo"]).await;
    let mut client = Client::connect(origin.addr()).await;
    client.send(b"PATCH / HTTP/1.1\r\nHost: o\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\n{}").await;
    let echo = client.answer(true).await.unwrap().json();
    assert_eq!(echo["method"], "PATCH");
    assert_eq!(echo["headers"], json!({"host": "o", "x-a": ["1", "2"], "content-length": "2"}));
    assert_eq!((&echo["body"], &echo["body_base64"]), (&json!("{}"), &json!(false)));
}

#[tokio::test]
async fn a_mirror_answers_with_the_body_that_came() {
    let origin = origin(&["--mirror"]).await;
    let mut client = Client::connect(origin.addr()).await;
    client.send(b"POST / HTTP/1.1\r\nHost: o\r\nContent-Type: text/x\r\nContent-Length: 3\r\n\r\n[1]").await;
    let answer = client.answer(true).await.unwrap();
    assert_eq!((answer.body.as_slice(), answer.header("content-type")), (b"[1]".as_slice(), Some("text/x")));
}

#[tokio::test]
async fn an_answer_to_head_has_no_body_and_is_complete() {
    let origin = origin(&[]).await;
    let mut client = Client::connect(origin.addr()).await;
    client.send(b"HEAD / HTTP/1.1\r\nHost: o\r\n\r\n").await;
    assert_eq!(client.answer(false).await.unwrap().status, 200);
    assert_eq!(client.get("/", None).await.status, 200);
    let report = origin.report();
    assert_eq!((report.responses[&200], report.aborted), (2, 0));
}

#[tokio::test]
async fn a_body_has_the_bytes_asked_for() {
    let origin = origin(&["--body-bytes", "300000"]).await;
    let answer = once(&origin, "/", None).await;
    assert_eq!(answer.body.len(), 300_000);
    assert!(serde_json::from_slice::<Value>(&answer.body).is_ok());
    let answer = once(&origin, "/_fault/bytes/1048576/a", None).await;
    assert_eq!(answer.body.len(), 1_048_576);
}

#[tokio::test]
async fn a_binary_body_is_not_text() {
    let origin = origin(&["--body-bytes", "1000", "--body-binary"]).await;
    let answer = once(&origin, "/", None).await;
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    assert_eq!(answer.body, (0..1000).map(|n| (n % 256) as u8).collect::<Vec<u8>>());
    assert!(String::from_utf8(answer.body).is_err());
}

#[tokio::test]
async fn a_body_is_compressed_for_those_who_ask() {
    for flags in [&["--gzip"][..], &["--gzip", "--body-bytes", "10000"]] {
        let origin = origin(flags).await;
        let mut client = Client::connect(origin.addr()).await;
        let plain = client.get("/a", None).await;
        assert_eq!(plain.header("content-encoding"), None);
        for (accepted, zipped) in
            [("gzip", true), ("br, GZIP;q=0.5", true), ("br, gzip;q=0", false), ("x-gzip2", false)]
        {
            client
                .send(format!("GET /a HTTP/1.1\r\nHost: o\r\nAccept-Encoding: {accepted}\r\n\r\n").as_bytes())
                .await;
            let answer = client.answer(true).await.unwrap();
            assert_eq!(answer.header("content-encoding"), zipped.then_some("gzip"), "{accepted}");
            assert_eq!(answer.header("content-type"), Some("application/json"));
            let mut body = Vec::new();
            match zipped {
                true => GzDecoder::new(answer.body.as_slice()).read_to_end(&mut body).map(|_| ()).unwrap(),
                false => body = answer.body,
            }
            // Bodies of `--body-bytes` differ.
            assert_eq!(body.len(), plain.body.len(), "{accepted}");
            assert!(flags.len() > 1 || body == plain.body, "{accepted}");
            assert!(serde_json::from_slice::<Value>(&body).is_ok(), "{accepted}");
        }
    }
}

#[tokio::test]
async fn without_its_flag_nothing_is_compressed() {
    let origin = origin(&[]).await;
    let mut client = Client::connect(origin.addr()).await;
    client.send(b"GET / HTTP/1.1\r\nHost: o\r\nAccept-Encoding: gzip\r\n\r\n").await;
    assert_eq!(client.answer(true).await.unwrap().header("content-encoding"), None);
}

#[tokio::test]
async fn latency_delays_every_answer() {
    let origin = origin(&["--latency", "fixed:40ms"]).await;
    let start = Instant::now();
    once(&origin, "/", None).await;
    assert!(start.elapsed() >= Duration::from_millis(40));
    let start = Instant::now();
    assert_eq!(once(&origin, "/_fault/status/503", None).await.status, 503);
    assert!(start.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn without_credentials_there_is_a_challenge() {
    let origin = origin(&["--basic", "user:pass word", "--bearer", "t0ken"]).await;
    let mut client = Client::connect(origin.addr()).await;
    let refused = client.get("/", Some("k")).await;
    assert_eq!(refused.status, 401);
    let challenges: Vec<&str> = refused
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(challenges, ["Basic realm=\"apisink-origin\"", "Bearer realm=\"apisink-origin\""]);
    for (authorization, status) in [
        ("Basic dXNlcjpwYXNzIHdvcmQ=", 200),
        ("basic dXNlcjpwYXNzIHdvcmQ=", 200),
        ("Basic dXNlcjp3cm9uZw==", 401),
        ("Bearer t0ken", 200),
        ("Bearer T0KEN", 401),
        ("Bearer", 401),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: o\r\nAuthorization: {authorization}\r\n\r\n");
        client.send(request.as_bytes()).await;
        assert_eq!(client.answer(true).await.unwrap().status, status, "{authorization}");
    }
    let report = origin.report();
    assert_eq!((report.unauthorized, report.responses[&200], report.responses[&401]), (4, 3, 4));
}
