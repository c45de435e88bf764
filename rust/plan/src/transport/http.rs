//! `transport.http_version` and `transport.http2`.

use apisink_config::{Code, Http2, HttpVersion};

use super::{Http2Plan, HttpVersionPlan, ProxyKind, ProxyPlan};
use crate::compile::millis;
use crate::state::State;
use crate::url::Url;

/// Which HTTP is spoken. HTTP/2 is refused where it cannot be.
pub(super) fn version(
    state: &mut State<'_>,
    url: Option<&Url>,
    proxy: Option<&ProxyPlan>,
) -> HttpVersionPlan {
    let transport = &state.config.transport;
    let mut refuse = |why: &str, hint: &str| {
        let what = format!("`transport.http_version` is http2, but {why}");
        state.note(transport.http_version.at, Code::Conflict, what, hint);
    };
    match transport.http_version.value {
        HttpVersion::Http1 => HttpVersionPlan::Http1,
        // A connection for each request has nothing to share.
        HttpVersion::Auto if !transport.tcp_connection.keep_alive => HttpVersionPlan::Http1,
        HttpVersion::Auto => HttpVersionPlan::Auto,
        HttpVersion::Http2 => {
            if !transport.tcp_connection.keep_alive {
                refuse(
                    "with `tcp_connection.keep_alive: false` each request has a connection of its own",
                    "remove one of the two",
                );
            }
            let plain = url.is_some_and(|url| url.scheme == "http")
                && proxy.is_some_and(|proxy| proxy.kind == ProxyKind::Http);
            if plain {
                refuse(
                    "an HTTP proxy takes requests to http URLs as HTTP/1.1",
                    "write `http_version: auto`, or go through a socks5 proxy",
                );
            }
            HttpVersionPlan::Http2
        }
    }
}

/// How connections of HTTP/2 are shared.
pub(super) fn http2(http2: &Http2) -> Http2Plan {
    Http2Plan {
        streams_per_connection: http2.streams_per_connection,
        window_bytes: http2.window_bytes,
        ping_interval_ms: Some(millis(http2.ping_interval)).filter(|interval| *interval > 0),
        ping_timeout_ms: millis(http2.ping_timeout),
    }
}
