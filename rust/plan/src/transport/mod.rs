//! `transport`: config to plan.

mod http;
mod plan;
mod proxy;

use apisink_config::{OldestTls, SecretText, TcpConnection, Text, Tls, Transport, WarmupFailure, WarmupKind};

use crate::compile::millis;
use crate::plan::SecretSlot;
use crate::state::State;
use crate::url::Url;
pub use plan::*;

/// The transport's part of the plan; `url` is that of the requests.
pub(crate) fn compile(state: &mut State<'_>, url: Option<&Url>) -> TransportPlan {
    let transport: &Transport = &state.config.transport;
    let proxy = transport.proxy.as_ref().and_then(|proxy| proxy::compile(state, proxy));
    TransportPlan {
        engine: transport.engine.as_str().to_owned(),
        base_timeout_ms: millis(transport.base_timeout),
        connect_timeout_ms: millis(transport.connect_timeout),
        tls_timeout_ms: millis(transport.tls_timeout),
        first_byte_timeout_ms: transport.first_byte_timeout.map(millis),
        between_bytes_timeout_ms: transport.between_bytes_timeout.map(millis),
        decompress: transport.decompress,
        max_response_bytes: transport.max_response_bytes,
        dns_cache_ms: millis(transport.dns_cache),
        http_version: http::version(state, url, proxy.as_ref()),
        http2: http::http2(&transport.http2),
        proxy,
        redirects: (transport.redirects.max > 0).then(|| RedirectPlan {
            max: transport.redirects.max,
            hosts: transport.redirects.hosts.iter().map(|host| host.value.to_ascii_lowercase()).collect(),
        }),
        warmup: warmup(transport, url.map_or("/", |url| &url.base)),
        tcp: tcp(&transport.tcp_connection),
        tls: tls(state, &transport.tls),
    }
}

/// `base` is the path that all requests have in common.
fn warmup(transport: &Transport, base: &str) -> Option<WarmupPlan> {
    let head = match transport.warmup {
        WarmupKind::None => return None,
        WarmupKind::Connect => None,
        WarmupKind::Head => Some(base.to_owned()),
    };
    let timeout_ms = Some(millis(transport.warmup_timeout)).filter(|timeout| *timeout > 0)?;
    Some(WarmupPlan { head, timeout_ms, required: transport.warmup_failure == WarmupFailure::Error })
}

fn tcp(tcp: &TcpConnection) -> TcpPlan {
    TcpPlan {
        limit: tcp.limit,
        limit_per_host: tcp.limit_per_host,
        idle_timeout_ms: millis(tcp.idle_timeout),
        lifetime_ms: tcp.lifetime.map(millis),
        keep_alive: tcp.keep_alive,
        requests_per_connection: tcp.requests_per_connection,
        probe_interval_ms: Some(millis(tcp.probe_interval)).filter(|interval| *interval > 0),
    }
}

fn tls(state: &mut State<'_>, tls: &Tls) -> TlsPlan {
    let ca = tls.ca_file.as_ref().and_then(|file| state.plain(file, "`transport.tls.ca_file`"));
    TlsPlan {
        ca,
        client: client_certificate(state, tls),
        server_name: tls.server_name.as_ref().map(|name| name.value.clone()),
        min_version: match tls.min_version {
            OldestTls::V1_2 => TlsVersion::V1_2,
            OldestTls::V1_3 => TlsVersion::V1_3,
        },
        pins: tls.pins.iter().map(|pin| pin.value.clone()).collect(),
        session_resumption: tls.session_resumption,
        verify: !tls.danger_accept_any_server_certificate.value,
    }
}

fn client_certificate(state: &mut State<'_>, tls: &Tls) -> Option<ClientCertificatePlan> {
    let certificate = material(state, &tls.client_cert_file, &tls.client_cert, "client_cert");
    let key = material(state, &tls.client_key_file, &tls.client_key, "client_key");
    let store = material(state, &tls.client_p12_file, &tls.client_p12, "client_p12");
    let password = material(state, &None, &tls.client_p12_password, "client_p12_password");
    match (certificate, key, store) {
        (Some(certificate), Some(key), _) => Some(ClientCertificatePlan::Pem { certificate, key }),
        (.., Some(store)) => Some(ClientCertificatePlan::Pkcs12 { store, password }),
        _ => None,
    }
}

/// The slot of a file's content, or of a text.
fn material(
    state: &mut State<'_>,
    file: &Option<Text>,
    text: &Option<SecretText>,
    key: &str,
) -> Option<SecretSlot> {
    let given = file.as_ref().or(text.as_ref().map(SecretText::expose))?;
    let slot = state.credential(given, &format!("`transport.tls.{key}`"), |_| None)?;
    // It never leaves this side, so that no answer can echo it.
    state.stays_here(slot);
    Some(slot)
}
