//! The checks of `--basic`, `--bearer`, `--api-key`, `--oauth` and `--sigv4`.

use std::borrow::Cow;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use crate::oauth::Oauth;
use crate::script::Script;
use crate::sigv4::{Message, Sigv4};

/// A key that requests must show: `header:X-Api-Key=k3y` or `query:key=k3y`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Whether it stands in the query, and not in a header.
    pub query: bool,
    /// Name of the header or parameter.
    pub name: String,
    /// The key.
    pub key: String,
}

impl FromStr for ApiKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':').and_then(|(place, rest)| Some((place, rest.split_once('=')?)));
        match parts {
            Some((place @ ("header" | "query"), (name, key))) => {
                Ok(Self { query: place == "query", name: name.to_owned(), key: key.to_owned() })
            }
            _ => Err(format!("`{text}` is no API key: write header:NAME=KEY or query:NAME=KEY")),
        }
    }
}

impl ApiKey {
    fn is_shown(&self, headers: &HeaderMap, query: Option<&str>) -> bool {
        if self.query {
            let query = query.unwrap_or_default();
            return form_urlencoded::parse(query.as_bytes())
                .any(|(name, value)| name == self.name && value == self.key);
        }
        headers.get(&self.name).is_some_and(|value| value.as_bytes() == self.key.as_bytes())
    }
}

/// Why a request may not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denial {
    /// It shows no credential, or not the right one: 401.
    Unauthorized,
    /// Its signature is wrong: 403, with the reason.
    Forbidden(String),
}

/// What a request must show. With several kinds configured, any is enough; with an API key or a signature, that alone
/// is.
pub(crate) struct Auth {
    basic: Option<String>,
    bearer: Option<String>,
    api_key: Option<ApiKey>,
    sigv4: Option<Sigv4>,
    pub(crate) oauth: Option<Oauth>,
}

impl Auth {
    pub(crate) fn of(script: &Script) -> Self {
        Self {
            basic: script.basic.as_ref().map(|pair| STANDARD.encode(pair)),
            bearer: script.bearer.clone(),
            api_key: script.api_key.clone(),
            sigv4: script.sigv4.clone(),
            oauth: Oauth::of(script),
        }
    }

    /// Whether a request may pass; `body` is the whole of it when signatures are looked at. The scheme's name has no
    /// case, its credentials have.
    pub(crate) fn admit(&self, head: &Parts, body: &[u8]) -> Result<(), Denial> {
        if let Some(sigv4) = &self.sigv4 {
            let mut headers = Cow::Borrowed(&head.headers);
            // In HTTP/2 the host is no header, and is signed as if it were one.
            if let (None, Some(authority)) = (head.headers.get(HOST), head.uri.authority())
                && let Ok(host) = HeaderValue::from_str(authority.as_str())
            {
                headers.to_mut().insert(HOST, host);
            }
            let message = Message {
                method: head.method.as_str(),
                path: head.uri.path(),
                query: head.uri.query().unwrap_or_default(),
                headers: &headers,
                body,
            };
            return sigv4.verify(&message, Timestamp::now()).map_err(Denial::Forbidden);
        }
        if self.admits(head) { Ok(()) } else { Err(Denial::Unauthorized) }
    }

    /// Whether bodies must be read to their end before a request may pass.
    pub(crate) fn looks_at_bodies(&self) -> bool {
        self.sigv4.is_some()
    }

    fn admits(&self, head: &Parts) -> bool {
        let headers = &head.headers;
        if let Some(key) = &self.api_key {
            return key.is_shown(headers, head.uri.query());
        }
        if self.basic.is_none() && self.bearer.is_none() && self.oauth.is_none() {
            return true;
        }
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some((scheme, credentials)) = shown.and_then(|value| value.split_once(' ')) else {
            return false;
        };
        let matches = |name: &str, wanted: &Option<String>| {
            scheme.eq_ignore_ascii_case(name) && wanted.as_deref() == Some(credentials.trim())
        };
        let issued =
            |oauth: &Oauth| scheme.eq_ignore_ascii_case("bearer") && oauth.admits(credentials.trim());
        matches("basic", &self.basic)
            || matches("bearer", &self.bearer)
            || self.oauth.as_ref().is_some_and(issued)
    }

    /// The WWW-Authenticate headers of a 401.
    pub(crate) fn challenges(&self) -> impl Iterator<Item = HeaderValue> {
        let basic = self.basic.as_ref().map(|_| HeaderValue::from_static("Basic realm=\"apisink-origin\""));
        let bearer =
            self.bearer.as_ref().map(|_| HeaderValue::from_static("Bearer realm=\"apisink-origin\""));
        let issued = self
            .oauth
            .as_ref()
            .map(|_| HeaderValue::from_static("Bearer realm=\"apisink-origin\", error=\"invalid_token\""));
        basic.into_iter().chain(bearer).chain(issued)
    }
}
