//! Servers that mean harm, or are broken: bounded memory, an error that says what, and the next request is answered.

use std::time::Duration;

use apisink_runtime::transport::Transport;
use apisink_runtime::{ByteBudget, Failure, FailureKind, Response};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::client::{Client, get, within};
use crate::raw::{Raw, read_head};

/// Begins each answer as said, and goes on with the same piece for as long as the client reads.
async fn endless(begin: &'static str, piece: &'static str, pause: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                if read_head(&mut stream).await.is_none() || stream.write_all(begin.as_bytes()).await.is_err()
                {
                    return;
                }
                while stream.write_all(piece.as_bytes()).await.is_ok() {
                    if !pause.is_zero() {
                        tokio::time::sleep(pause).await;
                    }
                }
            });
        }
    });
    url
}

/// Asks once; the answer and the most memory that it was given.
async fn ask(client: &Client, url: &str) -> (Result<Response, Failure>, usize) {
    let budget = ByteBudget::new(64 << 20);
    let mut memory = budget.take(0);
    let sent = within(client.sent_with(&get(url, "/"), &mut memory)).await;
    (sent.result, memory.bytes())
}

#[tokio::test]
async fn endless_headers_are_an_invalid_answer() {
    for begin in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nx-long: "] {
        let url = endless(begin, "x-filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Duration::ZERO).await;
        let (result, memory) = ask(&Client::new(|_| {}), &url).await;
        let failure = result.unwrap_err();
        assert_eq!(
            (failure.kind, failure.may_have_left),
            (FailureKind::InvalidResponse, true),
            "{failure:?}"
        );
        assert_eq!(memory, 0);
    }
    let lines = endless("HTTP/1.1 200 OK\r\n", "x-filler: a\r\n", Duration::ZERO).await;
    let failure = ask(&Client::new(|_| {}), &lines).await.0.unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidResponse, "{failure:?}");
}

#[tokio::test]
async fn an_endless_body_is_cut_off_at_the_cap_and_its_connection_is_not_used_again() {
    for begin in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9223372036854775807\r\n\r\n",
    ] {
        let url = endless(begin, "4\r\naaaa\r\n", Duration::ZERO).await;
        let client = Client::new(|plan| plan.max_response_bytes = 10_000);
        for _ in 0..2 {
            let (result, memory) = ask(&client, &url).await;
            let response = result.unwrap();
            assert!(response.truncated);
            assert_eq!((response.body.len(), memory), (10_000, 10_000));
        }
        assert_eq!(client.transport.connections().opened, 2);
    }
}

#[tokio::test]
async fn interim_answers_without_end_end_with_the_attempts_time() {
    let piece = "HTTP/1.1 102 Processing\r\n\r\n";
    let url = endless("", piece, Duration::from_millis(1)).await;
    let client = Client::new(|plan| plan.base_timeout_ms = 100);
    assert_eq!(ask(&client, &url).await.0.unwrap_err().kind, FailureKind::Timeout);
}

#[tokio::test]
async fn a_slow_drip_ends_with_the_attempts_time_although_each_byte_comes_in_time() {
    let url = endless("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", "a", Duration::from_millis(5)).await;
    let client = Client::new(|plan| {
        plan.base_timeout_ms = 150;
        plan.between_bytes_timeout_ms = Some(10_000);
    });
    let failure = ask(&client, &url).await.0.unwrap_err();
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Timeout, true));
}

#[tokio::test]
async fn an_answer_that_stops_amid_its_body_is_a_between_bytes_timeout() {
    let server = Raw::start("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await;
    let client = Client::new(|plan| plan.between_bytes_timeout_ms = Some(50));
    let failure = client.fail(&server.url, "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::BetweenBytesTimeout, true));
    assert!(
        failure.message.ends_with("the answer did not go on within 50 ms (transport.between_bytes_timeout)")
    );
}

#[tokio::test]
async fn an_answer_that_breaks_the_rules_of_its_length_is_invalid() {
    for broken in [
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello, too long\r\n",
        "HTTP/1.1 200 OK\r\nx-a\0b: c\r\n\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "<html>hello</html>\r\n\r\n",
        "\x16\x03\x01\x02\x00",
    ] {
        let server = Raw::start(broken).await;
        let client = Client::new(|plan| plan.base_timeout_ms = 5_000);
        let failure = client.fail(&server.url, "/").await;
        assert_eq!((failure.kind, failure.may_have_left), (FailureKind::InvalidResponse, true), "{broken:?}");
    }
}

#[tokio::test]
async fn a_second_answer_hidden_behind_the_first_answers_nobody() {
    let split =
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    let server = Raw::start(split).await;
    let client = Client::new(|_| {});
    for _ in 0..20 {
        // Either the answer of its own, or the end of a connection that has spoken unasked.
        if let Ok(response) = client.sent(&get(&server.url, "/")).await.result {
            assert_eq!(response.body, "ok");
        }
    }
    assert_eq!(client.get(&server.url, "/").await.0.body, "ok");
}

#[tokio::test]
async fn a_connection_that_is_never_made_is_a_connect_timeout() {
    // Its queue of connections is full: what comes now is not answered.
    let full = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket2::SockRef::from(&full).listen(0).unwrap();
    let peer = full.local_addr().unwrap();
    let _fill: Vec<_> =
        (0..2).map(|_| std::net::TcpStream::connect_timeout(&peer, Duration::from_millis(200))).collect();
    let client = Client::new(|plan| plan.connect_timeout_ms = 50);
    let failure = client.fail(&format!("http://{peer}"), "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::ConnectTimeout, false));
    assert_eq!(failure.message, format!("{peer}: no connection within 50 ms (transport.connect_timeout)"));
}
