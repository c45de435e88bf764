//! `auth`: its credentials, in slots. Each kind has a file of its own, a line in [`AuthSpec`], and one in [`compile`].

mod api_key;
mod aws_sigv4;
mod basic;
mod bearer;
mod oauth2;

pub use api_key::KeyPlace;
pub use aws_sigv4::AwsSigv4Spec;
pub use oauth2::{ClientAuth, Oauth2Grant, Oauth2Spec};

use apisink_config::{Auth, Config, SecretText};
use serde::{Deserialize, Serialize};

use crate::plan::SecretSlot;
use crate::state::State;

/// `auth`: what the config's auth section yields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuthSpec {
    /// RFC 7617.
    Basic {
        /// User id; may not hold a colon.
        username: SecretSlot,
        /// Password.
        password: SecretSlot,
    },
    /// RFC 6750.
    Bearer {
        /// The token.
        token: SecretSlot,
    },
    /// A key of the API's own.
    ApiKey {
        /// Where it stands.
        place: KeyPlace,
        /// Header name in lower case, or query parameter name as written (not encoded).
        name: String,
        /// The key.
        value: SecretSlot,
    },
    /// RFC 6749: a token that the executors fetch and renew.
    Oauth2(Oauth2Spec),
    /// Signature Version 4 of AWS.
    AwsSigv4(AwsSigv4Spec),
}

/// What the section `auth` yields; none without authentication. `query` are the names of the request's parameters.
pub(crate) fn compile(state: &mut State<'_>, query: &[&str]) -> Option<AuthSpec> {
    match &state.config.auth.value {
        Auth::None => None,
        Auth::Basic(basic) => basic::compile(state, basic),
        Auth::Bearer(bearer) => bearer::compile(state, bearer),
        Auth::ApiKey(key) => api_key::compile(state, key, query),
        Auth::Oauth2Password(auth) => oauth2::password(state, auth),
        Auth::Oauth2ClientCredentials(auth) => oauth2::client_credentials(state, auth),
        Auth::AwsSigv4(auth) => aws_sigv4::compile(state, auth),
    }
}

/// Whether requests get this header, in lower case, from `auth`.
pub(crate) fn sets_header(auth: &Auth, header: &str) -> bool {
    match auth {
        Auth::None => false,
        Auth::ApiKey(key) => api_key::sets_header(key, header),
        Auth::AwsSigv4(_) => aws_sigv4::HEADERS.contains(&header),
        Auth::Basic(_) | Auth::Bearer(_) | Auth::Oauth2Password(_) | Auth::Oauth2ClientCredentials(_) => {
            header == "authorization"
        }
    }
}

/// What is allowed with this kind and may surprise.
pub(crate) fn warnings(config: &Config) -> Vec<String> {
    match &config.auth.value {
        Auth::ApiKey(key) => api_key::warnings(config, key),
        _ => Vec::new(),
    }
}

fn no_control(value: &str) -> Option<&'static str> {
    value.contains(|c: char| c.is_control()).then_some("holds a line break or another control character")
}

/// A name that goes with a credential and is none itself, unless a secret store holds it.
fn user(
    state: &mut State<'_>,
    text: &SecretText,
    name: &str,
    check: fn(&str) -> Option<&'static str>,
) -> Option<SecretSlot> {
    let slot = state.credential(text.expose(), name, check)?;
    state.identifies(text.expose(), slot);
    Some(slot)
}

/// Turns "not written" into `Some(None)` and "written, but wrong" into none.
#[allow(clippy::option_option)]
fn flat<T>(written: Option<Option<T>>) -> Option<Option<T>> {
    written.map_or(Some(None), |made| made.map(Some))
}
