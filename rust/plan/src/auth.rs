//! `auth`: its credentials, in slots.

use apisink_config::{
    ApiKey, Auth, Basic, Bearer, ClientAuth as Written, Code, KeyPlace as Place, Located, Oauth2Client,
    Oauth2Password, SecretText, Text,
};

use crate::plan::{AuthSpec, ClientAuth, KeyPlace, Oauth2Grant, Oauth2Spec, SecretSlot};
use crate::state::State;
use crate::{headers, url};

/// What the section `auth` yields; none without authentication.
pub(crate) fn compile(state: &mut State<'_>) -> Option<AuthSpec> {
    match &state.config.auth.value {
        Auth::None => None,
        Auth::Basic(Basic { username, password }) => {
            let name = username.expose();
            let username = state.credential(name, "`auth.username`", |value| {
                let colon = "holds a colon, which separates user and password in basic authentication";
                if value.contains(':') { Some(colon) } else { no_control(value) }
            });
            let password = state.credential(password.expose(), "`auth.password`", no_control);
            state.identifies(name, username?);
            Some(AuthSpec::Basic { username: username?, password: password? })
        }
        Auth::Bearer(Bearer { token }) => {
            let token = state.credential(token.expose(), "`auth.token`", headers::unfit_for_header)?;
            Some(AuthSpec::Bearer { token })
        }
        Auth::ApiKey(key) => api_key(state, key),
        Auth::Oauth2Password(auth) => password_grant(state, auth),
        Auth::Oauth2ClientCredentials(auth) => client_grant(state, auth),
    }
}

fn no_control(value: &str) -> Option<&'static str> {
    value.contains(|c: char| c.is_control()).then_some("holds a line break or another control character")
}

fn api_key(state: &mut State<'_>, key: &ApiKey) -> Option<AuthSpec> {
    let endpoint = &state.config.endpoint;
    let (place, name, taken) = match key.place {
        Place::Header => {
            let taken = endpoint.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(&key.name));
            (KeyPlace::Header, headers::request_header(state, &key.name, key.name.at), taken)
        }
        Place::Query => {
            let taken = endpoint.query.iter().any(|(name, _)| name.value == key.name.value);
            (KeyPlace::Query, Some(key.name.value.clone()), taken)
        }
    };
    if taken {
        let what = format!("`{}` is set by `auth` and under `endpoint` too", key.name.value);
        state.note(key.name.at, Code::Conflict, what, "keep one of them");
    }
    let check: fn(&str) -> Option<&'static str> = match place {
        KeyPlace::Header => headers::unfit_for_header,
        KeyPlace::Query => no_control,
    };
    let value = state.credential(key.value.expose(), "`auth.value`", check);
    Some(AuthSpec::ApiKey { place, name: name?, value: value? })
}

fn password_grant(state: &mut State<'_>, auth: &Oauth2Password) -> Option<AuthSpec> {
    let username = user(state, &auth.username, "`auth.username`");
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

fn client_grant(state: &mut State<'_>, auth: &Oauth2Client) -> Option<AuthSpec> {
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
        let client_id = user(state, self.id, "`auth.client_id`");
        let client_secret =
            self.secret.map(|secret| state.credential(secret.expose(), "`auth.client_secret`", no_control));
        let scope = self.scope.map(|scope| state.plain(scope, "`auth.scope`"));
        let audience = self.audience.map(|audience| state.plain(audience, "`auth.audience`"));
        let mut params = Some(Vec::new());
        for (name, value) in self.params {
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

/// Turns "not written" into `Some(None)` and "written, but wrong" into none.
#[allow(clippy::option_option)]
fn flat<T>(written: Option<Option<T>>) -> Option<Option<T>> {
    written.map_or(Some(None), |made| made.map(Some))
}

/// A name that goes with a credential and is none itself, unless a secret store holds it.
fn user(state: &mut State<'_>, text: &SecretText, name: &str) -> Option<SecretSlot> {
    let slot = state.credential(text.expose(), name, no_control)?;
    state.identifies(text.expose(), slot);
    Some(slot)
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
