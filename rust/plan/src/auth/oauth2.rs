//! `oauth2_password` and `oauth2_client_credentials`: where tokens come from.

use apisink_config::{ClientAuth as Written, Code, Located, Oauth2Client, Oauth2Password, SecretText, Text};
use serde::{Deserialize, Serialize};

use super::{AuthSpec, flat, no_control, user};
use crate::plan::SecretSlot;
use crate::state::State;
use crate::url;

/// Where the tokens of OAuth 2.0 come from, and for what (RFC 6749).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Oauth2Spec {
    /// Where tokens are asked for.
    pub token_url: String,
    /// What is shown for a token.
    pub grant: Oauth2Grant,
    /// The client.
    pub client_id: SecretSlot,
    /// The client's secret; none of a public client.
    pub client_secret: Option<SecretSlot>,
    /// How the client shows its secret.
    pub client_auth: ClientAuth,
    /// Scopes, separated by spaces.
    pub scope: Option<String>,
    /// Whom the token is for.
    pub audience: Option<String>,
    /// Further parameters of the token request.
    pub params: Vec<(String, SecretSlot)>,
}

/// What is shown for a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oauth2Grant {
    /// RFC 6749, section 4.3.
    Password {
        /// The user.
        username: SecretSlot,
        /// The user's password.
        password: SecretSlot,
    },
    /// RFC 6749, section 4.4: the client's secret alone.
    ClientCredentials,
}

/// How a client shows its secret (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// As user and password in the header Authorization.
    Basic,
    /// As parameters of the body.
    Body,
}

pub(super) fn password(state: &mut State<'_>, auth: &Oauth2Password) -> Option<AuthSpec> {
    let username = user(state, &auth.username, "`auth.username`", no_control);
    let password = state.credential(auth.password.expose(), "`auth.password`", no_control);
    let client = Client {
        token_url: &auth.token_url,
        id: &auth.client_id,
        secret: auth.client_secret.as_ref(),
        auth: auth.client_auth,
        scope: auth.scope.as_ref(),
        audience: auth.audience.as_ref(),
        params: &auth.token_params,
    };
    let grant =
        username.zip(password).map(|(username, password)| Oauth2Grant::Password { username, password });
    client.compile(state, grant)
}

pub(super) fn client_credentials(state: &mut State<'_>, auth: &Oauth2Client) -> Option<AuthSpec> {
    let client = Client {
        token_url: &auth.token_url,
        id: &auth.client_id,
        secret: Some(&auth.client_secret),
        auth: auth.client_auth,
        scope: auth.scope.as_ref(),
        audience: auth.audience.as_ref(),
        params: &auth.token_params,
    };
    client.compile(state, Some(Oauth2Grant::ClientCredentials))
}

/// Parameters of a token request that follow from keys of the config.
const OF_KEYS: [(&str, &str); 7] = [
    ("audience", "audience"),
    ("client_id", "client_id"),
    ("client_secret", "client_secret"),
    ("grant_type", "type"),
    ("password", "password"),
    ("scope", "scope"),
    ("username", "username"),
];

/// What both grants have in common.
struct Client<'a> {
    token_url: &'a Text,
    id: &'a SecretText,
    secret: Option<&'a SecretText>,
    auth: Written,
    scope: Option<&'a Text>,
    audience: Option<&'a Text>,
    params: &'a [(Located<String>, Text)],
}

impl Client<'_> {
    fn compile(&self, state: &mut State<'_>, grant: Option<Oauth2Grant>) -> Option<AuthSpec> {
        let token_url = token_url(state, self.token_url);
        let client_id = user(state, self.id, "`auth.client_id`", no_control);
        let client_secret =
            self.secret.map(|secret| state.credential(secret.expose(), "`auth.client_secret`", no_control));
        let scope = self.scope.map(|scope| state.plain(scope, "`auth.scope`"));
        let audience = self.audience.map(|audience| state.plain(audience, "`auth.audience`"));
        let mut params = Some(Vec::new());
        for (name, value) in self.params {
            if let Some((_, key)) = OF_KEYS.iter().find(|(known, _)| *known == name.value) {
                let what =
                    format!("`auth.token_params` holds `{}`, which follows from `auth.{key}`", name.value);
                state.note(name.at, Code::Conflict, what, "remove it");
            }
            let value = state.credential(value, &format!("`auth.token_params.{}`", name.value), no_control);
            params = params.zip(value).map(|(mut params, value)| {
                params.push((name.value.clone(), value));
                params
            });
        }
        // A part that could not be made is noted; the others are looked at all the same.
        Some(AuthSpec::Oauth2(Oauth2Spec {
            token_url: token_url?,
            grant: grant?,
            client_id: client_id?,
            client_secret: flat(client_secret)?,
            client_auth: match self.auth {
                Written::Basic => ClientAuth::Basic,
                Written::Body => ClientAuth::Body,
            },
            scope: flat(scope)?,
            audience: flat(audience)?,
            params: params?,
        }))
    }
}

/// The token endpoint: what is sent there is a credential, so that it must be https or this machine.
fn token_url(state: &mut State<'_>, text: &Text) -> Option<String> {
    let url = state.plain(text, "`auth.token_url`")?;
    let at = text.at();
    let (scheme, authority, _) = url::split_base(state, &url, "`auth.token_url`", at)?;
    if scheme == "http" && !url::is_loopback(&authority) && !state.config.transport.allow_insecure_http {
        state.note(
            at,
            Code::InvalidValue,
            "`auth.token_url` sends credentials over http, without encryption",
            "write https://, or `allow_insecure_http: true` under `transport` if the network in between may be trusted",
        );
        return None;
    }
    Some(url)
}
