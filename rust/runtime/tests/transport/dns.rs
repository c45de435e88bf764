//! Names and addresses.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use apisink_origin::{Origin, Script};
use apisink_runtime::FailureKind;

use crate::client::{Client, engine};

/// The addresses that a name has now.
type Zone = Arc<Mutex<Vec<IpAddr>>>;

fn client(zone: &Zone, cache_ms: u64) -> Client {
    let zone = zone.clone();
    let engine = engine(&[], |plan| {
        plan.dns_cache_ms = cache_ms;
        plan.tcp.keep_alive = false;
    });
    Client::of(engine.unwrap().with_lookup(Arc::new(move |name| {
        assert_eq!(name, "api.test");
        let addresses = zone.lock().unwrap().clone();
        Box::pin(std::future::ready(Ok(addresses)))
    })))
}

/// An API at 127.0.0.`last`, on a port of its own or on this one.
async fn api(last: u8, port: u16) -> Origin {
    let listen = (Ipv4Addr::new(127, 0, 0, last), port).into();
    Origin::start(Script { listen, ..Script::default() }).await
}

#[tokio::test]
async fn a_name_that_moves_is_followed_when_its_time_is_over_or_its_old_address_is_closed() {
    let old = api(1, 0).await;
    let port = old.addr().port();
    let new = api(2, port).await;
    let base = format!("http://api.test:{port}");
    let zone = Zone::new(Mutex::new(vec![old.addr().ip()]));
    let (kept, fresh) = (client(&zone, 3_600_000), client(&zone, 0));
    kept.get(&base, "/").await;
    fresh.get(&base, "/").await;
    *zone.lock().unwrap() = vec![new.addr().ip()];
    fresh.get(&base, "/").await;
    assert_eq!((old.report().requests, new.report().requests), (2, 1));
    kept.get(&base, "/").await;
    assert_eq!((old.report().requests, new.report().requests), (3, 1));
    old.shutdown().await;
    // The attempt that finds the old address closed forgets it.
    assert_eq!(kept.fail(&base, "/").await.kind, FailureKind::Connect);
    kept.get(&base, "/").await;
    assert_eq!(new.report().requests, 2);
}

#[tokio::test]
async fn all_addresses_of_a_name_share_its_connections_and_a_closed_one_costs_none() {
    let one = api(1, 0).await;
    let port = one.addr().port();
    let other = api(2, port).await;
    let zone = Zone::new(Mutex::new([1, 2, 3].map(|last| IpAddr::from([127, 0, 0, last])).to_vec()));
    let client = client(&zone, 3_600_000);
    for _ in 0..6 {
        client.get(&format!("http://api.test:{port}"), "/").await;
    }
    let (one, other) = (one.report().requests, other.report().requests);
    assert_eq!(one + other, 6);
    assert!(one >= 2 && other >= 2, "{one} and {other}");
}

#[tokio::test]
async fn a_name_without_an_address_is_told() {
    let zone = Zone::default();
    let failure = client(&zone, 0).fail("http://api.test", "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Dns, false));
    assert_eq!(failure.message, "api.test cannot be resolved: it has no address");
}
