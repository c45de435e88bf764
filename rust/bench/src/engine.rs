//! The transport alone: an engine that sends what the bare loop sends, without session, chain or rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use apisink_plan::{HttpVersionPlan, Inputs, SecretValues};
use apisink_runtime::transport::{EngineContext, HyperTransport, Permit, Transport};
use apisink_runtime::{ByteBudget, Origin, RateLimiter, Request, TransportFacts};

use crate::{Ask, Failure, IN_FLIGHT, PATH, body, headers};

/// An engine, and what it takes to ask it.
#[derive(Clone)]
pub struct Engine {
    transport: Arc<HyperTransport>,
    budget: Arc<ByteBudget>,
    limiter: Arc<RateLimiter>,
    origin: Arc<Origin>,
}

impl Engine {
    /// One that speaks this HTTP to a host and port. Connects when it first sends.
    pub fn new(address: &str, version: HttpVersionPlan) -> Self {
        let config = "endpoint: {method: POST, base_path: 'http://127.0.0.1', url_path: /}\n\
                      tables: {source: {id_column: id}, sink: {path: /sink}}";
        let config = apisink_config::parse(config.as_bytes(), "bench.yaml").expect("the config is one");
        let compiled = apisink_plan::compile(&config, &Inputs::default()).expect("it compiles");
        let mut plan = compiled.plan.transport;
        plan.tcp.limit = IN_FLIGHT as usize;
        plan.http_version = version;
        let secrets = SecretValues::default();
        let transport = HyperTransport::new(&EngineContext::new(&plan, &secrets)).expect("an engine");
        Self {
            transport: Arc::new(transport),
            budget: ByteBudget::new(64 << 20),
            limiter: Arc::new(RateLimiter::new(None)),
            origin: Arc::new(Origin::new("http", address).expect("an address")),
        }
    }

    /// Sends so many requests, [`IN_FLIGHT`] at a time. Panics when one is not answered well.
    pub async fn send(&self, requests: u64) {
        let next = Arc::new(AtomicU64::new(0));
        let loops: Vec<_> =
            (0..IN_FLIGHT).map(|_| tokio::spawn(self.clone().one(next.clone(), requests))).collect();
        for one in loops {
            one.await.expect("no panic");
        }
    }

    async fn one(mut self, next: Arc<AtomicU64>, requests: u64) {
        loop {
            let row = next.fetch_add(1, Ordering::Relaxed);
            if row >= requests {
                return;
            }
            self.ask(row).await.expect("an answer");
        }
    }
}

impl Ask for Engine {
    async fn ask(&mut self, row: u64) -> Result<(), Failure> {
        let mut request = Request::new(http::Method::POST, self.origin.clone(), PATH.to_owned());
        // As sessions make them.
        request.headers.reserve(6);
        request.headers.extend(headers(row)?);
        request.body = body(row);
        let mut memory = self.budget.take(request.body.len());
        let mut facts = TransportFacts::default();
        match self.transport.send(&request, Permit::of(&self.limiter), &mut memory, &mut facts).await {
            Ok(answer) if answer.status.is_success() => Ok(()),
            Ok(answer) => Err(format!("the server answered {}", answer.status).into()),
            Err(failure) => Err(format!("{failure:?}").into()),
        }
    }
}
