//! Networks that fail, between the engine and a server that does not: the right error, the next row is answered, and no
//! connection is left behind.

mod fault_proxy;

use std::sync::Arc;
use std::time::Duration;

use apisink_origin::{Origin, Script};
use apisink_plan::{HttpVersionPlan, TransportPlan};
use apisink_runtime::transport::Transport;
use apisink_runtime::{Failure, FailureKind};

use self::fault_proxy::{Fault, FaultProxy};
use crate::client::{Client, origin, within};
use crate::tls::{Authority, config};

/// Longer than any answer's head, shorter than the bodies that are asked for.
const AMID_THE_BODY: usize = 5_000;
const LONG: &str = "/_fault/bytes/100000/a";

/// An engine, a proxy, a server.
struct Path {
    origin: Origin,
    proxy: FaultProxy,
    client: Client,
    url: String,
}

impl Path {
    /// One that speaks this HTTP, with a connection that has carried a request.
    async fn warm(version: HttpVersionPlan, change: impl FnOnce(&mut TransportPlan)) -> Self {
        let args: &[&str] = if version == HttpVersionPlan::Http2 { &["--http2"] } else { &[] };
        let origin = origin(args).await;
        let proxy = FaultProxy::start(origin.addr()).await;
        let client = Client::new(|plan| {
            plan.http_version = version;
            change(plan);
        });
        let url = format!("http://{}", proxy.addr);
        client.get(&url, "/").await;
        Self { origin, proxy, client, url }
    }

    async fn fails(&self, path: &str) -> Failure {
        self.client.fail(&self.url, path).await
    }

    /// The fault is over: the next row is answered, and in the end no connection is left anywhere.
    async fn recovers(self) {
        self.proxy.set(Fault::None);
        let (answer, _) = self.client.get(&self.url, LONG).await;
        assert_eq!(answer.body.len(), 100_000);
        within(self.client.transport.shut_down()).await;
        assert_eq!(self.client.transport.connections().open, 0);
        within(async {
            while self.proxy.open() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        within(self.origin.until(|report| report.open_connections == 0)).await;
    }
}

const BOTH: [HttpVersionPlan; 2] = [HttpVersionPlan::Http1, HttpVersionPlan::Http2];

fn told(failure: &Failure) -> (FailureKind, bool) {
    (failure.kind, failure.may_have_left)
}

#[tokio::test]
async fn a_delay_is_waited_for_up_to_the_first_bytes_timeout() {
    for version in BOTH {
        let path = Path::warm(version, |plan| plan.first_byte_timeout_ms = Some(300)).await;
        path.proxy.set(Fault::Delay(Duration::from_millis(20)));
        let (_, facts) = path.client.get(&path.url, "/").await;
        assert!(facts.first_byte.unwrap() >= Duration::from_millis(40), "{facts:?}");
        path.proxy.set(Fault::Delay(Duration::from_millis(400)));
        assert_eq!(told(&path.fails("/").await), (FailureKind::FirstByteTimeout, true));
        path.recovers().await;
    }
}

#[tokio::test]
async fn a_stall_amid_an_answer_is_a_between_bytes_timeout_unless_it_ends_in_time() {
    for version in BOTH {
        let path = Path::warm(version, |plan| plan.between_bytes_timeout_ms = Some(200)).await;
        path.proxy.set(Fault::Stall { after: AMID_THE_BODY });
        assert_eq!(told(&path.fails(LONG).await), (FailureKind::BetweenBytesTimeout, true));
        path.recovers().await;

        let patient = Path::warm(version, |_| {}).await;
        patient.proxy.set(Fault::Stall { after: AMID_THE_BODY });
        let ends = async {
            within(patient.origin.until(|report| report.requests == 2)).await;
            patient.proxy.set(Fault::None);
        };
        let (sent, ()) = tokio::join!(patient.client.get(&patient.url, LONG), ends);
        assert_eq!(sent.0.body.len(), 100_000);
        patient.recovers().await;
    }
}

#[tokio::test]
async fn a_reset_before_or_amid_an_answer_is_told_as_one() {
    for version in BOTH {
        for after in [0, AMID_THE_BODY] {
            let path = Path::warm(version, |_| {}).await;
            path.proxy.set(Fault::Reset { after });
            assert_eq!(told(&path.fails(LONG).await), (FailureKind::Reset, true), "{version:?}, {after}");
            assert_eq!(path.origin.report().requests, 2, "it is not sent again");
            path.recovers().await;
        }
    }
}

#[tokio::test]
async fn a_reset_of_an_idle_connection_costs_no_failed_row() {
    for version in BOTH {
        let path = Path::warm(version, |_| {}).await;
        path.proxy.cut();
        within(async {
            while path.proxy.open() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(path.client.get(&path.url, "/").await.1.reused, Some(false));
        path.recovers().await;
    }
}

#[tokio::test]
async fn a_half_closed_connection_ends_the_answer_too_early() {
    for version in BOTH {
        for after in [0, AMID_THE_BODY] {
            let path = Path::warm(version, |_| {}).await;
            path.proxy.set(Fault::HalfClose { after });
            assert_eq!(told(&path.fails(LONG).await), (FailureKind::Reset, true), "{version:?}, {after}");
            path.recovers().await;
        }
    }
}

#[tokio::test]
async fn a_network_that_swallows_everything_ends_each_row_with_its_time_and_the_connection_with_the_first() {
    for version in BOTH {
        let path = Path::warm(version, |plan| plan.base_timeout_ms = 200).await;
        path.proxy.set(Fault::Blackhole);
        let failure = path.fails("/").await;
        assert_eq!(told(&failure), (FailureKind::Timeout, true), "{failure:?}");
        path.proxy.set(Fault::None);
        assert_eq!(path.client.get(&path.url, "/").await.1.reused, Some(false));
        path.recovers().await;
    }
}

#[tokio::test]
async fn a_swallowed_ping_ends_all_rows_of_its_connection() {
    let path = Path::warm(HttpVersionPlan::Http2, |plan| {
        plan.http2.ping_interval_ms = Some(50);
        plan.http2.ping_timeout_ms = 50;
    })
    .await;
    path.proxy.set(Fault::Blackhole);
    let (one, other) = tokio::join!(path.fails("/"), path.fails("/"));
    assert_eq!(told(&one), (FailureKind::PingTimeout, true), "{one:?}");
    assert_eq!(told(&other), (FailureKind::PingTimeout, true), "{other:?}");
    path.recovers().await;
}

#[tokio::test]
async fn a_swallowed_handshake_is_a_timeout_of_its_own_and_nothing_has_left() {
    let authority = Authority::new();
    let server = Arc::new(config(&authority.server(), rustls::ALL_VERSIONS, None));
    let origin = Origin::start_tls(Script::default(), server).await;
    let proxy = FaultProxy::start(origin.addr()).await;
    let client = Client::new(|plan| {
        plan.tls = authority.trusted();
        plan.tls_timeout_ms = 200;
    });
    let url = format!("https://{}", proxy.addr);
    proxy.set(Fault::Blackhole);
    let failure = client.fail(&url, "/").await;
    assert_eq!(told(&failure), (FailureKind::TlsTimeout, false), "{failure:?}");
    Path { origin, proxy, client, url }.recovers().await;
}
