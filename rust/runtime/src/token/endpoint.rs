//! The token request (RFC 6749, 4.3, 4.4 and 6): built once, over connections of its own.

use std::sync::Arc;
use std::time::Duration;

use apisink_plan::{
    ClientAuth, HttpVersionPlan, Oauth2Grant, Oauth2Spec, Plan, Secret, SecretValues, TcpPlan, TransportPlan,
};
use form_urlencoded::{Serializer, byte_serialize};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method};

use super::grant::{self, Grant, Refused};
use crate::basic::basic_pair;
use crate::budget::ByteBudget;
use crate::error::RuntimeError;
use crate::exchange::{FailureKind, TransportFacts};
use crate::mask::Mask;
use crate::rate::RateLimiter;
use crate::request::{Origin, PRODUCT, Request, secret};
use crate::transport::{EngineContext, Engines, Permit, Transport};

/// No answer of a token endpoint is longer.
const LONGEST_ANSWER: usize = 1 << 20;

/// The token endpoint of a plan.
pub(super) struct Endpoint {
    transport: Box<dyn Transport>,
    /// Without parameters: who we are, and where.
    request: Request,
    url: String,
    /// What every form holds beside the grant.
    common: Vec<(String, Secret)>,
    grant: Vec<(String, Secret)>,
    budget: Arc<ByteBudget>,
    limiter: RateLimiter,
    mask: Arc<Mask>,
}

impl Endpoint {
    pub(super) fn new(
        spec: &Oauth2Spec,
        plan: &Plan,
        secrets: &SecretValues,
        engines: &Engines,
        mask: Arc<Mask>,
    ) -> Result<Self, RuntimeError> {
        let value = |slot| secret(secrets, slot).map(Secret::new);
        let mut request = blank(&spec.token_url)?;
        let mut common = Vec::new();
        match (spec.client_auth, spec.client_secret) {
            (ClientAuth::Basic, Some(client_secret)) => {
                let pair = client_pair(secret(secrets, spec.client_id)?, secret(secrets, client_secret)?);
                let mut header = HeaderValue::from_str(&format!("Basic {pair}"))
                    .map_err(|_| RuntimeError::Plan("auth: the client cannot be shown".into()))?;
                header.set_sensitive(true);
                request.headers.insert(AUTHORIZATION, header);
            }
            (ClientAuth::Body, Some(client_secret)) => {
                common.push(("client_id".to_owned(), value(spec.client_id)?));
                common.push(("client_secret".to_owned(), value(client_secret)?));
            }
            (_, None) => common.push(("client_id".to_owned(), value(spec.client_id)?)),
        }
        for (name, text) in [("scope", &spec.scope), ("audience", &spec.audience)] {
            common.extend(text.as_ref().map(|text| (name.to_owned(), Secret::new(text))));
        }
        for (name, slot) in &spec.params {
            common.push((name.clone(), value(*slot)?));
        }
        let grant = match spec.grant {
            Oauth2Grant::ClientCredentials => vec![grant_type("client_credentials")],
            Oauth2Grant::Password { username, password } => vec![
                grant_type("password"),
                ("username".to_owned(), value(username)?),
                ("password".to_owned(), value(password)?),
            ],
        };
        let transport_plan = transport_plan(plan, &request.origin);
        let transport = engines.make(&EngineContext::new(&transport_plan, secrets))?;
        Ok(Self {
            transport,
            request,
            url: spec.token_url.clone(),
            common,
            grant,
            budget: ByteBudget::new(LONGEST_ANSWER),
            limiter: RateLimiter::new(None),
            mask,
        })
    }

    /// Asks once, with the refresh token if there is one.
    pub(super) async fn ask(&self, refresh: Option<&Secret>) -> Result<Grant, Refused> {
        let mut request = self.request.clone();
        request.body = self.form(refresh).into();
        let mut memory = self.budget.take(0);
        let mut facts = TransportFacts::default();
        match self.transport.send(&request, Permit::of(&self.limiter), &mut memory, &mut facts).await {
            Ok(answer) => grant::read(&answer),
            Err(failure) => Err(Refused {
                why: format!("did not answer: {}", failure.message),
                passing: !matches!(
                    failure.kind,
                    FailureKind::ServerCertificate
                        | FailureKind::ClientCertificate
                        | FailureKind::InvalidRow(_)
                ),
                grant: false,
            }),
        }
    }

    /// Closes the connections.
    pub(super) async fn shut_down(&self) {
        self.transport.shut_down().await;
    }

    fn form(&self, refresh: Option<&Secret>) -> String {
        let refreshing =
            refresh.map(|token| [grant_type("refresh_token"), ("refresh_token".to_owned(), token.clone())]);
        let grant = refreshing.as_ref().map_or(self.grant.as_slice(), |pairs| pairs.as_slice());
        let mut form = Serializer::new(String::new());
        for (name, value) in grant.iter().chain(&self.common) {
            form.append_pair(name, value.expose());
        }
        form.finish()
    }

    /// For the log: a token has come.
    pub(super) fn granted(&self, life: Option<Duration>) -> String {
        let life =
            life.map_or("its life is not told".to_owned(), |life| format!("good for {} s", life.as_secs()));
        format!("a new token from {}, {life}", self.url)
    }

    /// For the log: the refresh token is of no use.
    pub(super) fn not_refreshed(&self, refused: &Refused) -> String {
        format!("no token from {} for the refresh token: it {}; asked for without it", self.url, refused.why)
    }

    /// For the log: no token yet.
    pub(super) fn asked_again(&self, refused: &Refused, attempts: u32, pause: Duration) -> String {
        let (url, why) = (&self.url, &refused.why);
        format!(
            "no token from {url} in attempt {attempts}: it {why}; asked again in {:.1} s",
            pause.as_secs_f64()
        )
    }

    /// What ends the run, for people: the endpoint's words without any credential.
    pub(super) fn error(&self, refused: &Refused, attempts: u32) -> RuntimeError {
        let times = if attempts > 1 { format!(" ({attempts} attempts)") } else { String::new() };
        let text = format!("no token from {}{times}: it {}", self.url, refused.why);
        RuntimeError::Token(self.mask.text(&text).into_owned())
    }
}

/// The value of client_secret_basic: both parts are encoded as in a form before they are joined (RFC 6749, 2.3.1).
pub(crate) fn client_pair(id: &str, secret: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    basic_pair(&encoded(id), &encoded(secret))
}

fn grant_type(name: &str) -> (String, Secret) {
    ("grant_type".to_owned(), Secret::new(name))
}

fn blank(url: &str) -> Result<Request, RuntimeError> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let origin = Arc::new(Origin::new(&scheme.to_ascii_lowercase(), &rest[..end])?);
    let target = match &rest[end..] {
        "" => "/".to_owned(),
        query if query.starts_with('?') => format!("/{query}"),
        target => target.to_owned(),
    };
    let mut request = Request::new(Method::POST, origin, target);
    request.headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
        (ACCEPT, HeaderValue::from_static("application/json")),
        (USER_AGENT, HeaderValue::from_static(PRODUCT)),
    ]);
    Ok(request)
}

/// The API's transport, with what concerns the API's host alone left out when the token endpoint has another one.
fn transport_plan(plan: &Plan, origin: &Origin) -> TransportPlan {
    let mut transport = plan.transport.clone();
    transport.tcp = TcpPlan { limit: 2, ..TcpPlan::default() };
    transport.max_response_bytes = LONGEST_ANSWER;
    transport.warmup = None;
    if transport.http_version == HttpVersionPlan::Http2 {
        // What is known of the API's server says nothing of this one.
        transport.http_version = HttpVersionPlan::Auto;
    }
    if origin.authority != plan.request.authority {
        transport.tls.server_name = None;
        transport.tls.pins = Vec::new();
    }
    transport
}
