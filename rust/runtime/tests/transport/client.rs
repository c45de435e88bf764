//! An engine and what it takes to ask it.

use std::sync::Arc;
use std::time::Duration;

use apisink_origin::{Origin, Script};
use apisink_plan::{Secret, SecretValues, TransportPlan};
use apisink_runtime::transport::{EngineContext, HyperTransport, Permit, Transport};
use apisink_runtime::{
    ByteBudget, Failure, RateLimiter, Request, Reservation, Response, RuntimeError, TransportFacts,
};
use http::Method;

/// An engine with a plan of its own.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) transport: Arc<HyperTransport>,
    pub(crate) limiter: Arc<RateLimiter>,
}

/// How an attempt ended, and what is known about its connection.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) result: Result<Response, Failure>,
    pub(crate) facts: TransportFacts,
}

impl Client {
    /// An engine with the defaults, changed as said.
    pub(crate) fn new(change: impl FnOnce(&mut TransportPlan)) -> Self {
        Self::try_new(&[], change).unwrap()
    }

    /// The same, with the values of the secret slots.
    pub(crate) fn try_new(
        slots: &[&str],
        change: impl FnOnce(&mut TransportPlan),
    ) -> Result<Self, RuntimeError> {
        Ok(Self::of(engine(slots, change)?))
    }

    /// That engine.
    pub(crate) fn of(transport: HyperTransport) -> Self {
        Self { transport: Arc::new(transport), limiter: Arc::new(RateLimiter::new(None)) }
    }

    /// At most so many requests per second.
    pub(crate) fn limited(mut self, per_second: f64) -> Self {
        self.limiter = Arc::new(RateLimiter::new(Some(per_second)));
        self
    }

    pub(crate) async fn sent(&self, request: &Request) -> Sent {
        let mut memory = ByteBudget::new(64 << 20).take(0);
        within(self.sent_with(request, &mut memory)).await
    }

    /// The same with the memory that it takes, for as long as that lasts.
    pub(crate) async fn sent_with(&self, request: &Request, memory: &mut Reservation) -> Sent {
        let mut facts = TransportFacts::default();
        let result = self.transport.send(request, Permit::of(&self.limiter), memory, &mut facts).await;
        Sent { result, facts }
    }

    /// Asks with GET, and must be answered.
    pub(crate) async fn get(&self, base: &str, path: &str) -> (Response, TransportFacts) {
        let Sent { result, facts } = self.sent(&get(base, path)).await;
        (result.unwrap_or_else(|failure| panic!("{path}: {failure:?}")), facts)
    }

    /// Asks with GET, and must get no answer.
    pub(crate) async fn fail(&self, base: &str, path: &str) -> Failure {
        self.sent(&get(base, path)).await.result.unwrap_err()
    }

    /// Asks so many times at once; all must be answered.
    pub(crate) async fn get_at_once(&self, base: &str, path: &str, count: usize) {
        let tasks: Vec<_> = (0..count)
            .map(|_| {
                let (client, base, path) = (self.clone(), base.to_owned(), path.to_owned());
                tokio::spawn(async move { client.get(&base, &path).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
}

/// An engine with the defaults, changed as said, and the values of the secret slots.
pub(crate) fn engine(
    slots: &[&str],
    change: impl FnOnce(&mut TransportPlan),
) -> Result<HyperTransport, RuntimeError> {
    let mut plan = crate::support::compiled("http://127.0.0.1", "{}").plan.transport;
    change(&mut plan);
    let mut secrets = SecretValues::default();
    for value in slots {
        secrets.push(Secret::new(*value));
    }
    HyperTransport::new(&EngineContext::new(&plan, &secrets))
}

/// A request to a base URL without a path.
pub(crate) fn get(base: &str, path: &str) -> Request {
    let (scheme, authority) = base.split_once("://").unwrap();
    let origin = apisink_runtime::Origin::new(scheme, authority).unwrap();
    Request::new(Method::GET, Arc::new(origin), path.to_owned())
}

/// An origin with a script.
pub(crate) async fn origin(args: &[&str]) -> Origin {
    Origin::start(Script::from_args(args).unwrap()).await
}

/// What hangs is a failed test, not a hanging one.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it hangs")
}
