//! `POST /oauth/token`: an authorization server that issues bearer tokens (RFC 6749). Its requests are counted on
//! their own, for they are not the API's.

use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;

use crate::answer::{Answer, Content, respond};
use crate::exchange::GivenUp;
use crate::faults::parse_status;
use crate::link::Link;
use crate::recorder::lock;
use crate::report;
use crate::script::Script;
use crate::tokens::Tokens;

/// Where tokens are asked for.
pub(crate) const PATH: &str = "/oauth/token";

/// So many token requests are kept for tests to look at.
const KEPT: usize = 1000;

/// The first token requests are refused: `2:503`, `1:400:invalid_grant`, `1:400:invalid_grant=wrong password`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailTokens {
    /// How many, counted from when the rule was set.
    pub count: u64,
    /// The status.
    pub status: StatusCode,
    /// `error` of the body; without one the body is empty.
    pub error: Option<String>,
    /// `error_description` of the body.
    pub description: Option<String>,
}

impl FromStr for FailTokens {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let count = parts.next().unwrap_or_default();
        let count = count.parse().map_err(|_| format!("`{count}` is not a count of token requests"))?;
        let status = parse_status(parts.next().unwrap_or_default())?;
        let (error, description) = match parts.next().map(|tail| tail.split_once('=').unwrap_or((tail, ""))) {
            None => (None, None),
            Some((error, "")) => (Some(error.to_owned()), None),
            Some((error, description)) => (Some(error.to_owned()), Some(description.to_owned())),
        };
        Ok(Self { count, status, error, description })
    }
}

/// A token request as it came, as in `GET /_origin/token-requests`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TokenRequest {
    /// `basic` or `body`: where the client's credentials stood.
    pub client_auth: &'static str,
    /// The client, decoded.
    pub client_id: String,
    /// Its secret, decoded.
    pub client_secret: String,
    /// The media type of the body.
    pub content_type: String,
    /// The parameters of the body, decoded, in their order.
    pub parameters: Vec<(String, String)>,
}

impl TokenRequest {
    /// The first value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        let parameters: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let text = |name: &str| {
            headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let mut request = Self {
            client_auth: "body",
            client_id: String::new(),
            client_secret: String::new(),
            content_type: text("content-type"),
            parameters,
        };
        match basic(headers) {
            Some((id, secret)) => {
                request.client_auth = "basic";
                (request.client_id, request.client_secret) = (id, secret);
            }
            None => {
                let value = |name: &str| request.parameter(name).unwrap_or_default().to_owned();
                (request.client_id, request.client_secret) = (value("client_id"), value("client_secret"));
            }
        }
        request
    }
}

/// Client and secret of basic authentication, each form-urlencoded before they were joined (RFC 6749, 2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let joined = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = joined.split_once(':').filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let decoded = |text: &str| {
        let pair = format!("v={text}");
        form_urlencoded::parse(pair.as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    Some((decoded(id), decoded(secret)))
}

/// The authorization server of one origin.
pub(crate) struct Oauth {
    client: (String, String),
    user: Option<(String, String)>,
    life: Duration,
    omit_expiry: bool,
    refresh: bool,
    latency: Duration,
    start: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tokens: Tokens,
    failing: Option<FailTokens>,
    requests: Vec<TokenRequest>,
}

/// An answer that is no token.
struct Refusal {
    status: StatusCode,
    error: Option<String>,
    description: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, error: &str, description: &str) -> Self {
        Self { status, error: Some(error.into()), description: Some(description.into()) }
    }
}

impl Oauth {
    /// The authorization server that a script asks for, if it does.
    pub(crate) fn of(script: &Script) -> Option<Self> {
        let pair = |text: &String| {
            let (name, secret) = text.split_once(':').unwrap_or((text, ""));
            (name.to_owned(), secret.to_owned())
        };
        Some(Self {
            client: pair(script.oauth.as_ref()?),
            user: script.oauth_user.as_ref().map(pair),
            life: script.token_life,
            omit_expiry: script.token_omit_expiry,
            refresh: script.token_refresh,
            latency: script.token_latency,
            start: Instant::now(),
            state: Mutex::new(State { failing: script.token_fail.clone(), ..State::default() }),
        })
    }

    /// Whether a request shows a valid token.
    pub(crate) fn admits(&self, token: &str) -> bool {
        lock(&self.state).tokens.admits(token, self.start.elapsed())
    }

    pub(crate) fn revoke(&self, refresh: bool) {
        lock(&self.state).tokens.revoke(refresh);
    }

    pub(crate) fn fail(&self, rule: FailTokens) {
        lock(&self.state).failing = Some(rule);
    }

    pub(crate) fn counts(&self) -> report::Tokens {
        lock(&self.state).tokens.counts()
    }

    pub(crate) fn requests(&self) -> Vec<TokenRequest> {
        lock(&self.state).requests.clone()
    }

    pub(crate) fn reset(&self) {
        let mut state = lock(&self.state);
        state.tokens.reset();
        state.requests.clear();
    }

    /// Answers a token request.
    pub(crate) async fn serve(
        &self,
        link: &Arc<Link>,
        request: Request<Incoming>,
    ) -> Result<Response<Answer>, GivenUp> {
        link.begin(None);
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| GivenUp)?.to_bytes();
        let asked = TokenRequest::read(&head.headers, &body);
        let failing = {
            let mut state = lock(&self.state);
            state.tokens.asked();
            if state.requests.len() < KEPT {
                state.requests.push(asked.clone());
            }
            state.failing.take_if(|rule| rule.count == 0);
            state.failing.as_mut().map(|rule| {
                rule.count -= 1;
                Refusal {
                    status: rule.status,
                    error: rule.error.clone(),
                    description: rule.description.clone(),
                }
            })
        };
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        let answer = match failing {
            Some(refusal) => Err(refusal),
            None if head.method != Method::POST => {
                Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "write POST"))
            }
            None => self.grant(&asked),
        };
        let (status, content) = match &answer {
            Ok(token) => (StatusCode::OK, Content::json(token)),
            Err(Refusal { status, error: None, .. }) => (*status, Content::empty()),
            Err(Refusal { status, error: Some(error), description: None }) => {
                (*status, Content::json(&json!({ "error": error })))
            }
            Err(Refusal { status, error, description }) => {
                (*status, Content::json(&json!({ "error": error, "error_description": description })))
            }
        };
        if answer.is_err() {
            lock(&self.state).tokens.refused();
        }
        link.answer(status.as_u16(), None);
        let mut response = respond(link, status, content, false);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"tokens\""));
        }
        Ok(response)
    }

    fn grant(&self, asked: &TokenRequest) -> Result<serde_json::Value, Refusal> {
        let bad = |error, description| Err(Refusal::new(StatusCode::BAD_REQUEST, error, description));
        if !asked.content_type.starts_with("application/x-www-form-urlencoded") {
            return bad("invalid_request", "the body is no form");
        }
        if (&asked.client_id, &asked.client_secret) != (&self.client.0, &self.client.1) {
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                &format!("the client {} is not known, or its secret is another", asked.client_id),
            ));
        }
        let mut state = lock(&self.state);
        let value = |name: &str| asked.parameter(name).unwrap_or_default();
        match value("grant_type") {
            "client_credentials" => {}
            "password" => {
                let user = self.user.as_ref().map(|(name, password)| (name.as_str(), password.as_str()));
                if user != Some((value("username"), value("password"))) {
                    return bad("invalid_grant", "user or password is wrong");
                }
            }
            "refresh_token" => {
                if !state.tokens.redeem(value("refresh_token")) {
                    return bad("invalid_grant", "the refresh token is not known, or was used");
                }
            }
            _ => return bad("unsupported_grant_type", "write password, client_credentials or refresh_token"),
        }
        let issued = state.tokens.issue(self.start.elapsed(), self.life, self.refresh);
        let mut token = json!({ "access_token": issued.access, "token_type": "Bearer" });
        if !self.omit_expiry {
            token["expires_in"] = json!(self.life.as_secs_f64().floor() as u64);
        }
        if let Some(refresh) = issued.refresh {
            token["refresh_token"] = json!(refresh);
        }
        Ok(token)
    }
}
