//! Behind a real nginx. Not run without one: `make test-nginx`.

mod server;

use std::collections::BTreeMap;

use apisink_origin::Origin;
use apisink_plan::{ClientCertificatePlan, Compiled, HttpVersionPlan, SecretSlot};
use apisink_runtime::Process;
use apisink_runtime::middleware::Registry;
use apisink_runtime::transport::Transport;

use self::server::{Conf, Nginx};
use crate::client::{Client, origin};
use crate::support::{compile, run, texts};
use crate::tls::{Authority, Identity};

/// Certificate and key of a server, and that it speaks TLS with them.
const TLS: &str = "ssl_certificate FOLDER/server.pem;\n    ssl_certificate_key FOLDER/server.key;";

/// HTTP/1.1 and HTTP/2 over TLS as nginx listens to them.
const BOTH: [(&str, &str); 2] = [("ssl", "HTTP/1.1"), ("ssl http2", "HTTP/2")];

/// An nginx that speaks TLS in front of an origin, and who has issued its certificate.
struct Site {
    origin: Origin,
    nginx: Nginx,
    authority: Authority,
}

impl Site {
    async fn start(listen: &str, http: &str, server: &str, latency: &str) -> Self {
        let origin = origin(&["--latency", latency]).await;
        let authority = Authority::new();
        let Identity { certificate, key } = authority.server();
        let (certificate, key) = (certificate.pem(), key.serialize_pem());
        let clients = authority.trusted().ca.unwrap();
        let files = [("server.pem", &*certificate), ("server.key", &*key), ("clients.pem", &*clients)];
        let server = format!("{TLS}\n    {server}");
        let conf = Conf { listen, http, server: &server, files: &files };
        let nginx = Nginx::start(origin.addr(), conf).await;
        Self { origin, nginx, authority }
    }

    fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.nginx.port)
    }

    fn client(&self, limit: usize) -> Client {
        Client::new(|plan| {
            plan.tls = self.authority.trusted();
            plan.tcp.limit = limit;
        })
    }

    /// A config whose rows go to it.
    fn config(&self, method: &str, sections: &str) -> Compiled {
        let mut compiled = compile(&format!(
            "endpoint: {{method: {method}, base_path: '{}', url_path: '/rows/{{id}}'}}
{sections}
tables:
  source: {{id_column: id}}
  column_mapping: [{{source_column: id, endpoint_param: id, in: path}}]
  sink: {{path: /tmp/sink}}
",
            self.url()
        ));
        compiled.plan.transport.tls = self.authority.trusted();
        compiled
    }
}

/// Sends rows through a session; how many ended with each outcome.
async fn outcomes(compiled: Compiled, rows: i64) -> BTreeMap<String, usize> {
    let process = Process::new(Registry::default()).unwrap();
    let batch = tokio::task::spawn_blocking(move || run(process, &compiled, rows)).await.unwrap();
    let mut counts = BTreeMap::new();
    for outcome in texts(&batch, "outcome") {
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}

fn all_succeed(outcomes: &BTreeMap<String, usize>, rows: usize) {
    assert_eq!(outcomes, &BTreeMap::from([("success".to_owned(), rows)]));
}

#[tokio::test]
#[ignore = "needs nginx: make test-nginx"]
async fn its_limit_of_requests_per_connection_costs_no_failed_row() {
    for (listen, protocol) in BOTH {
        let site = Site::start(listen, "keepalive_requests 5;", "", "fixed:1ms").await;
        let client = site.client(16);
        client.get_at_once(&site.url(), "/", 400).await;
        let (_, facts) = client.get(&site.url(), "/").await;
        assert_eq!(facts.protocol, Some(protocol));
        assert!(client.transport.connections().opened >= 80, "{:?}", client.transport.connections());
        assert_eq!(site.origin.report().requests, 401, "nothing is sent twice");
    }
}

#[tokio::test]
#[ignore = "needs nginx: make test-nginx"]
async fn many_requests_share_a_connection_within_its_limit_of_streams() {
    let site = Site::start("ssl http2", "http2_max_concurrent_streams 10;", "", "fixed:20ms").await;
    let client = site.client(1);
    client.get_at_once(&site.url(), "/", 100).await;
    assert_eq!(client.transport.connections().opened, 1);
    let report = site.origin.report();
    assert!((2..=10).contains(&report.highest_concurrency), "{}", report.highest_concurrency);
}

#[tokio::test]
#[ignore = "needs nginx: make test-nginx"]
async fn http2_without_tls_is_spoken_with_prior_knowledge() {
    let origin = origin(&[]).await;
    let nginx = Nginx::start(origin.addr(), Conf { listen: "http2", ..Conf::default() }).await;
    let client = Client::new(|plan| plan.http_version = HttpVersionPlan::Http2);
    let (_, facts) = client.get(&format!("http://127.0.0.1:{}", nginx.port), "/").await;
    assert_eq!(facts.protocol, Some("HTTP/2"));
}

#[tokio::test]
#[ignore = "needs nginx: make test-nginx"]
async fn what_it_compresses_is_decompressed() {
    for (listen, _) in BOTH {
        let gzip = "gzip on;\n  gzip_types application/json;\n  gzip_proxied any;";
        let site = Site::start(listen, gzip, "", "none").await;
        let (answer, facts) = site.client(1).get(&site.url(), "/_fault/bytes/100000/a").await;
        assert_eq!(answer.body.len(), 100_000);
        assert!(facts.bytes_received.unwrap() < 10_000, "{facts:?}");
    }
}

#[tokio::test]
#[ignore = "needs nginx: make test-nginx"]
async fn a_client_certificate_opens_it_and_a_strangers_does_not() {
    for (listen, _) in BOTH {
        let server = "ssl_client_certificate FOLDER/clients.pem;\n    ssl_verify_client on;";
        let site = Site::start(listen, "", server, "none").await;
        let client = |issuer: &Authority| {
            let Identity { certificate, key } = issuer.server();
            Client::try_new(&[&certificate.pem(), &key.serialize_pem()], |plan| {
                plan.tls = site.authority.trusted();
                let (certificate, key) = (SecretSlot(0), SecretSlot(1));
                plan.tls.client = Some(ClientCertificatePlan::Pem { certificate, key });
            })
            .unwrap()
        };
        assert_eq!(client(&site.authority).get(&site.url(), "/").await.0.status, 200);
        // It lets them in, and tells them in HTTP.
        for stranger in [client(&Authority::new()), site.client(1)] {
            let (answer, _) = stranger.get(&site.url(), "/").await;
            assert_eq!(answer.status, 400);
            assert!(String::from_utf8_lossy(&answer.body).contains("SSL certificate"));
        }
        assert_eq!(site.origin.report().requests, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx: make test-nginx"]
async fn basic_credentials_open_it_and_others_do_not() {
    let origin = origin(&[]).await;
    let server = "auth_basic site;\n    auth_basic_user_file FOLDER/users;";
    let files = [("users", "me:{PLAIN}it is me\n")];
    let nginx = Nginx::start(origin.addr(), Conf { server, files: &files, ..Conf::default() }).await;
    for (password, outcome) in [("it is me", "success"), ("it is not", "http_error")] {
        let config = compile(&format!(
            "endpoint: {{method: GET, base_path: 'http://127.0.0.1:{}', url_path: /a}}
auth: {{type: basic, username: me, password: '{password}'}}
tables: {{source: {{id_column: id}}, sink: {{path: /tmp/sink}}}}
",
            nginx.port
        ));
        assert_eq!(outcomes(config, 10).await, BTreeMap::from([(outcome.to_owned(), 10)]));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx: make test-nginx"]
async fn rows_that_its_rate_limit_refuses_are_tried_again_until_they_pass() {
    for (listen, _) in BOTH {
        for status in [503, 429] {
            let zone = "limit_req_zone $binary_remote_addr zone=all:1m rate=100r/s;";
            let server = format!("limit_req zone=all burst=5 nodelay;\n    limit_req_status {status};");
            let site = Site::start(listen, zone, &server, "none").await;
            let retry = "middleware: [{type: retry, max_attempts: 20, base_delay: 0.05, max_delay: 0.5}]";
            all_succeed(&outcomes(site.config("POST", retry), 60).await, 60);
            let log = site.nginx.log("access.log");
            assert!(log.contains(&format!("\" {status} ")), "no row was refused: {log}");
            assert_eq!(site.origin.report().keys_answered_2xx_twice, 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx: make test-nginx"]
async fn reloads_amid_the_load_cost_no_row() {
    for (listen, _) in BOTH {
        let site = Site::start(listen, "", "", "fixed:20ms").await;
        let config = site.config(
            "POST",
            "transport: {tcp_connection: {limit: 16}}\nmiddleware: [{type: retry, max_attempts: 5, base_delay: 0.05}]",
        );
        let sending = tokio::spawn(outcomes(config, 1_000));
        for reload in 1..=4 {
            site.origin.until(|report| report.requests >= reload * 150).await;
            site.nginx.signal("reload");
        }
        all_succeed(&sending.await.unwrap(), 1_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx: make test-nginx"]
async fn a_restart_amid_the_load_costs_no_row() {
    for (listen, _) in BOTH {
        let mut site = Site::start(listen, "", "", "fixed:20ms").await;
        let config = site.config(
            "POST",
            "transport: {tcp_connection: {limit: 16}}\nmiddleware: [{type: retry, max_attempts: 10, base_delay: 0.1}]",
        );
        let sending = tokio::spawn(outcomes(config, 1_000));
        site.origin.until(|report| report.requests >= 300).await;
        site.nginx.stop();
        site.nginx.run().await;
        all_succeed(&sending.await.unwrap(), 1_000);
        assert!(site.origin.report().requests >= 1_000);
    }
}
