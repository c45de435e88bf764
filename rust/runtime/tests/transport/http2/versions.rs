//! Which HTTP is spoken.

use std::sync::Arc;

use apisink_origin::{Origin, Script};
use apisink_plan::HttpVersionPlan;
use apisink_runtime::FailureKind;

use crate::client::{Client, origin};
use crate::raw::Raw;
use crate::tls::{Authority, config};

/// A server that offers these protocols over TLS, and a client of a version.
async fn meet(offered: &[&str], version: HttpVersionPlan) -> (Origin, Client) {
    let authority = Authority::new();
    let mut config = config(&authority.server(), rustls::ALL_VERSIONS, None);
    config.alpn_protocols = offered.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let origin = Origin::start_tls(Script::default(), Arc::new(config)).await;
    let client = Client::new(|plan| {
        plan.tls = authority.trusted();
        plan.http_version = version;
    });
    (origin, client)
}

#[tokio::test]
async fn over_tls_the_server_chooses_among_what_the_config_allows() {
    use HttpVersionPlan::{Auto, Http1, Http2};
    let both: &[&str] = &["h2", "http/1.1"];
    for (offered, version, spoken) in [
        (both, Auto, "HTTP/2"),
        (both, Http1, "HTTP/1.1"),
        (both, Http2, "HTTP/2"),
        (&["http/1.1"], Auto, "HTTP/1.1"),
        (&[], Auto, "HTTP/1.1"),
    ] {
        let (origin, client) = meet(offered, version).await;
        let (response, facts) = client.get(&origin.url(), "/a").await;
        assert_eq!(
            (response.status.as_u16(), facts.protocol),
            (200, Some(spoken)),
            "{offered:?} {version:?}"
        );
        assert!(facts.tls.is_some());
    }
}

#[tokio::test]
async fn http2_alone_is_refused_by_a_server_that_does_not_offer_it() {
    let (origin, client) = meet(&[], HttpVersionPlan::Http2).await;
    let failure = client.fail(&origin.url(), "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Connect, false));
    assert!(failure.message.contains("does not offer HTTP/2 over TLS (ALPN)"), "{failure:?}");
    assert!(failure.message.contains("transport.http_version: auto"), "{failure:?}");
}

#[tokio::test]
async fn without_tls_http2_is_spoken_by_choice_alone() {
    let two = origin(&["--http2"]).await;
    let (_, facts) = super::client(|_| {}).get(&two.url(), "/").await;
    assert_eq!(facts.protocol, Some("HTTP/2"));
    let one = origin(&[]).await;
    let (_, facts) = Client::new(|_| {}).get(&one.url(), "/").await;
    assert_eq!(facts.protocol, Some("HTTP/1.1"));
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_told_before_anything_is_sent() {
    let one = Raw::start("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    let failure = super::client(|_| {}).fail(&one.url, "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Connect, false));
    assert!(failure.message.contains("does not begin to speak HTTP/2"), "{failure:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_a_connect_timeout() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let failure = super::client(|plan| plan.connect_timeout_ms = 50).fail(&url, "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::ConnectTimeout, false));
    assert!(
        failure.message.ends_with("no SETTINGS of HTTP/2 within 50 ms (transport.connect_timeout)"),
        "{failure:?}"
    );
}
