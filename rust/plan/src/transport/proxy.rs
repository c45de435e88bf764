//! `transport.proxy`.

use apisink_config::{Code, Proxy};

use super::{ProxyKind, ProxyPlan};
use crate::state::State;

/// The proxy's part of the plan. No message cites the URL: it may hold a password.
pub(super) fn compile(state: &mut State<'_>, proxy: &Proxy) -> Option<ProxyPlan> {
    const NAME: &str = "`transport.proxy.url`";
    let at = proxy.url.at();
    let url = state.plain(&proxy.url, NAME)?;
    let mut credential = |text: &Option<apisink_config::SecretText>, key: &str| {
        let text = text.as_ref()?.expose();
        state.credential(text, &format!("`transport.proxy.{key}`"), |value| {
            // RFC 1929 has one byte for the length.
            (value.len() > 255).then_some("is longer than 255 bytes")
        })
    };
    let credentials = credential(&proxy.username, "username").zip(credential(&proxy.password, "password"));
    let mut refuse = |what: &str, hint: &str| {
        state.note(at, Code::InvalidValue, format!("{NAME} {what}"), hint);
        None
    };
    let (scheme, rest) = url.split_once("://").unwrap_or(("", &url));
    let kind = match scheme.to_ascii_lowercase().as_str() {
        "http" => ProxyKind::Http,
        "socks5" | "socks5h" => ProxyKind::Socks5,
        _ => {
            return refuse(
                "has another scheme than http and socks5",
                "write http://HOST:PORT or socks5://HOST:PORT",
            );
        }
    };
    if rest.contains('@') {
        return refuse("holds a user or password", "write them as `username` and `password` beside it");
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
    let well_formed = authority
        .parse::<http::uri::Authority>()
        .is_ok_and(|parsed| !parsed.host().is_empty() && parsed.port_u16().is_some_and(|port| port > 0));
    if !well_formed {
        return refuse("has no host and port", "write both, as in http://proxy.example.com:3128");
    }
    let no_proxy = proxy.no_proxy.iter();
    let no_proxy = no_proxy.map(|host| host.trim_start_matches('.').to_ascii_lowercase()).collect();
    Some(ProxyPlan { kind, authority, credentials, no_proxy })
}
