//! HTTP/2.

mod frames;
mod hostile;
mod refusals;
mod resets;
mod sharing;
mod versions;

use apisink_plan::{HttpVersionPlan, TransportPlan};

use crate::client::Client;

/// A client that speaks HTTP/2 alone, changed as said.
fn client(change: impl FnOnce(&mut TransportPlan)) -> Client {
    Client::new(|plan| {
        plan.http_version = HttpVersionPlan::Http2;
        change(plan);
    })
}
