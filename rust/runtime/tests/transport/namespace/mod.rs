//! A server behind a link of its own, in another network namespace: what the kernel makes of a network that fails. Not run
//! where the user may not make one: `make test-network`.

mod link;

use apisink_runtime::FailureKind;
use apisink_runtime::transport::Transport;

use self::link::Link;
use crate::client::{Client, within};

/// The network is whole again: the next row is answered, and in the end no connection is left.
async fn recovers(client: Client, link: Link) {
    client.get(&link.url, "/").await;
    within(client.transport.shut_down()).await;
    link.until(|report| report.open_connections == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants a network namespace: make test-network"]
async fn a_connection_whose_answers_vanish_is_a_connect_timeout_and_nothing_has_left() {
    let link = Link::start(&[]).await;
    let client = Client::new(|plan| plan.connect_timeout_ms = 300);
    link.swallow(true).await;
    let failure = client.fail(&link.url, "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::ConnectTimeout, false), "{failure:?}");
    link.swallow(false).await;
    recovers(client, link).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants a network namespace: make test-network"]
async fn a_request_that_was_heard_and_whose_answer_vanishes_may_have_been_processed() {
    let link = Link::start(&[]).await;
    let client = Client::new(|plan| plan.first_byte_timeout_ms = Some(300));
    client.get(&link.url, "/").await;
    link.swallow(true).await;
    let failure = client.fail(&link.url, "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::FirstByteTimeout, true), "{failure:?}");
    assert_eq!(link.origin.report().requests, 2, "the server has heard it");
    link.swallow(false).await;
    recovers(client, link).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants a network namespace: make test-network"]
async fn an_outage_that_ends_in_time_costs_no_row_and_sends_none_twice() {
    let link = Link::start(&[]).await;
    let client = Client::new(|plan| plan.tcp.limit = 20);
    client.get_at_once(&link.url, "/", 20).await;
    let before = link.origin.report().requests;
    link.swallow(true).await;
    let rows = client.get_at_once(&link.url, "/", 20);
    let outage = async {
        link.until(|report| report.requests == before + 20).await;
        link.swallow(false).await;
    };
    tokio::join!(rows, outage);
    assert_eq!(link.origin.report().requests, before + 20);
    recovers(client, link).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants a network namespace: make test-network"]
async fn over_a_narrow_link_an_answer_may_take_as_long_as_it_goes_on() {
    let link = Link::start(&[]).await;
    link.narrow(400).await;
    // Two seconds' worth of bytes.
    let long = "/_fault/bytes/100000/a";
    let patient = Client::new(|plan| plan.between_bytes_timeout_ms = Some(1_000));
    assert_eq!(patient.get(&link.url, long).await.0.body.len(), 100_000);
    let hasty = Client::new(|plan| plan.base_timeout_ms = 500);
    let failure = hasty.fail(&link.url, long).await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Timeout, true), "{failure:?}");
    within(hasty.transport.shut_down()).await;
    recovers(patient, link).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants a network namespace: make test-network"]
async fn a_host_that_is_gone_is_told_and_nothing_has_left() {
    let link = Link::start(&[]).await;
    link.unplug().await;
    let client = Client::new(|_| {});
    let failure = client.fail(&link.url, "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Connect, false), "{failure:?}");
    assert!(failure.message.contains("No route to host"), "{failure:?}");
}
