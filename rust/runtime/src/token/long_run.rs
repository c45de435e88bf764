//! Tokens over many of their lives, on a clock that runs ahead whenever nothing is left to do but to wait.

use std::sync::Arc;
use std::time::Duration;

use apisink_origin::{Origin, Script};
use apisink_plan::Inputs;
use futures_util::future::join_all;
use http::header::AUTHORIZATION;
use http::{Method, StatusCode};
use tokio::time::{Instant, sleep};

use crate::budget::ByteBudget;
use crate::engine::Engine;
use crate::exchange::TransportFacts;
use crate::rate::RateLimiter;
use crate::request::{self, Request};
use crate::transport::{Engines, Permit};

const RUN: Duration = Duration::from_secs(30);
const TASKS: usize = 8;

fn engine(origin: &Origin) -> Engine {
    let url = origin.url();
    let config = format!(
        "auth: {{type: oauth2_client_credentials, token_url: \"{url}/oauth/token\", client_id: c, client_secret: s3cret}}\n\
         endpoint: {{method: GET, base_path: \"{url}\", url_path: /}}\n\
         tables: {{source: {{id_column: id}}, sink: {{path: /out}}}}\n"
    );
    let config = apisink_config::parse(config.as_bytes(), "c.yaml").unwrap();
    let compiled = apisink_plan::compile(&config, &Inputs::default()).unwrap();
    let limiter = |_| Arc::new(RateLimiter::new(None));
    Engine::new(compiled.plan, compiled.secrets, &Engines::default(), limiter).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_run_of_thirty_seconds_with_tokens_that_live_two_meets_no_refusal() {
    let flags = ["--oauth", "c:s3cret", "--token-life", "2s", "--token-latency", "80ms", "--no-recording"];
    let origin = Origin::start(Script::from_args(flags).unwrap()).await;
    let engine = engine(&origin);
    let tokens = engine.tokens.as_ref().unwrap();
    let place = Arc::new(request::Origin::new("http", &origin.addr().to_string()).unwrap());
    let begin = Instant::now();
    join_all((0..TASKS).map(|_| async {
        let budget = ByteBudget::new(1 << 20);
        while begin.elapsed() < RUN {
            let mut request = Request::new(Method::GET, place.clone(), "/".into());
            request.headers.insert(AUTHORIZATION, tokens.get().await.unwrap().header());
            let permit = Permit::of(engine.limits.of(&request));
            let (mut memory, mut facts) = (budget.take(0), TransportFacts::default());
            let answer = engine.transport.send(&request, permit, &mut memory, &mut facts).await;
            assert_eq!(answer.unwrap().status, StatusCode::OK);
            sleep(Duration::from_millis(50)).await;
        }
    }))
    .await;
    let report = origin.report();
    assert!(report.requests > 3_000, "{report:?}");
    assert!((15..=20).contains(&report.tokens.issued), "{:?}", report.tokens);
}
