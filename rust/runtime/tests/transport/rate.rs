//! The pool and the rate limit together.

use crate::client::{Client, origin};

#[tokio::test]
async fn requests_that_wait_for_their_slots_do_not_sit_on_connections() {
    let origin = origin(&[]).await;
    let client = Client::new(|plan| plan.tcp.limit = 8).limited(0.5);
    client.get_at_once(&origin.url(), "/", 3).await;
    let report = origin.report();
    assert_eq!(report.requests, 3);
    // Slots are two seconds apart, and a connection is taken half a second ahead: the one before is free again by then.
    assert_eq!(report.connections, 1);
}

#[tokio::test]
async fn a_connection_that_goes_stale_before_its_slot_costs_no_failed_row() {
    let origin = origin(&["--close-idle", "30ms"]).await;
    let client = Client::new(|_| {}).limited(5.0);
    client.get_at_once(&origin.url(), "/", 5).await;
    assert_eq!(origin.report().responses[&200], 5);
}
