//! The checks of `--basic`, `--bearer` and `--oauth`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use crate::oauth::Oauth;
use crate::script::Script;

/// What a request must show. With several kinds configured, any is enough.
pub(crate) struct Auth {
    basic: Option<String>,
    bearer: Option<String>,
    pub(crate) oauth: Option<Oauth>,
}

impl Auth {
    pub(crate) fn of(script: &Script) -> Self {
        Self {
            basic: script.basic.as_ref().map(|pair| STANDARD.encode(pair)),
            bearer: script.bearer.clone(),
            oauth: Oauth::of(script),
        }
    }

    /// Whether a request with these headers may pass. The scheme's name has no case, its credentials have.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
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
