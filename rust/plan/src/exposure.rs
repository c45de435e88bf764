//! What goes over the network in the open.

use apisink_config::{Auth, Code, names_a_credential};

use crate::links::Claims;
use crate::plan::NamedPieces;
use crate::state::State;
use crate::url::{Url, is_loopback};

/// Refuses credentials that would go over http to another machine, unless the config allows it; then says so.
pub(crate) fn check(
    state: &mut State<'_>,
    url: &Url,
    headers: &[NamedPieces],
    claims: &Claims,
) -> Vec<String> {
    if url.scheme != "http" || is_loopback(&url.authority) {
        return Vec::new();
    }
    let config = state.config;
    let mut names = headers.iter().map(|header| &header.name).chain(claims.iter().map(|(name, _)| name));
    let named = names.find(|name| names_a_credential(name));
    let what = match (&config.auth.value, named) {
        (Auth::None, Some(header)) => format!("the header `{header}` is sent"),
        (Auth::None, None) if state.masked().is_empty() => return Vec::new(),
        (Auth::None, None) => "a credential in the URL or a header is sent".to_owned(),
        (auth, _) => format!("auth `{}` sends its credentials", auth.name()),
    };
    let what = format!("{what} to http://{} without encryption", url.authority);
    if config.transport.allow_insecure_http {
        return vec![format!("{what}; use https")];
    }
    state.note(
        url.at,
        Code::InvalidValue,
        what,
        "write https://, or `allow_insecure_http: true` under `transport` if the network in between may be trusted",
    );
    Vec::new()
}
