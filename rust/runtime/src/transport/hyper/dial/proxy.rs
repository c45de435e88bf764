//! Through a proxy.

use apisink_plan::{ProxyKind, ProxyPlan};
use bytes::Bytes;
use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use http::{Method, Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;

use crate::basic::basic_pair;
use crate::error::RuntimeError;
use crate::exchange::{Failure, FailureKind};
use crate::request::Origin;
use crate::transport::EngineContext;
use crate::transport::failure::not_sent;

/// A proxy and who may use it.
pub(in crate::transport::hyper) struct Proxy {
    kind: ProxyKind,
    pub(super) origin: Origin,
    credentials: Option<Credentials>,
    no_proxy: Vec<String>,
}

struct Credentials {
    username: String,
    password: String,
    basic: HeaderValue,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxy({})", self.origin.authority)
    }
}

impl Proxy {
    pub(super) fn new(plan: &ProxyPlan, context: &EngineContext<'_>) -> Result<Self, RuntimeError> {
        let credentials = match plan.credentials {
            None => None,
            Some((username, password)) => {
                let (username, password) = (context.secret(username)?, context.secret(password)?);
                let basic = format!("Basic {}", basic_pair(username, password));
                let mut basic = HeaderValue::try_from(basic)
                    .map_err(|_| RuntimeError::Plan("transport.proxy: its user cannot be sent".into()))?;
                basic.set_sensitive(true);
                Some(Credentials { username: username.to_owned(), password: password.to_owned(), basic })
            }
        };
        Ok(Self {
            kind: plan.kind,
            origin: Origin::new("http", &plan.authority)?,
            credentials,
            no_proxy: plan.no_proxy.clone(),
        })
    }

    /// Whether a host is reached through it.
    pub(super) fn is_for(&self, host: &str) -> bool {
        if host.parse::<std::net::IpAddr>().is_ok() {
            return !self.no_proxy.iter().any(|known| known == host);
        }
        let below = |known: &String| {
            host.strip_suffix(known.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        !self.no_proxy.iter().any(below)
    }

    /// Whether requests to an origin are given to the proxy as they are, and not through a tunnel.
    pub(super) fn is_plain(&self, origin: &Origin) -> bool {
        self.kind == ProxyKind::Http && !origin.tls && self.is_for(&origin.host)
    }

    /// The header that names the user, if there is one.
    pub(in crate::transport::hyper) fn authorization(&self) -> Option<&HeaderValue> {
        self.credentials.as_ref().map(|credentials| &credentials.basic)
    }

    /// Turns a connection to the proxy into one to the origin, as far as one is needed.
    pub(super) async fn reach(&self, origin: &Origin, stream: TcpStream) -> Result<TcpStream, Failure> {
        match self.kind {
            ProxyKind::Http if self.is_plain(origin) => Ok(stream),
            ProxyKind::Http => self.tunnel(origin, stream).await,
            ProxyKind::Socks5 => self.socks(origin, stream).await,
        }
    }

    async fn socks(&self, origin: &Origin, stream: TcpStream) -> Result<TcpStream, Failure> {
        // The name goes to the proxy, which resolves it.
        let target = (origin.host.as_str(), origin.port);
        let connected = match &self.credentials {
            None => Socks5Stream::connect_with_socket(stream, target).await,
            Some(Credentials { username, password, .. }) => {
                Socks5Stream::connect_with_password_and_socket(stream, target, username, password).await
            }
        };
        connected.map(Socks5Stream::into_inner).map_err(|error| self.failed(origin, &error.to_string()))
    }

    async fn tunnel(&self, origin: &Origin, stream: TcpStream) -> Result<TcpStream, Failure> {
        let failed = |error: &dyn std::fmt::Display| self.failed(origin, &error.to_string());
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|e| failed(&e))?;
        // The connection ends with its upgrade, or with the sender.
        tokio::spawn(connection.with_upgrades());
        let authority = format!("{}:{}", bracketed(&origin.host), origin.port);
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = authority.parse().map_err(|e| failed(&e))?;
        let host = HeaderValue::from_str(&authority).map_err(|e| failed(&e))?;
        request.headers_mut().insert(HOST, host);
        if let Some(authorization) = self.authorization() {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        let mut response = sender.send_request(request).await.map_err(|e| failed(&e))?;
        let status = response.status();
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            let hint = "set transport.proxy.username and transport.proxy.password to what it accepts";
            return Err(failed(&format!("it answers {status}; {hint}")));
        }
        if !status.is_success() {
            return Err(failed(&format!("it answers {status}")));
        }
        let upgraded = hyper::upgrade::on(&mut response).await.map_err(|e| failed(&e))?;
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
            _ => Err(failed(&"it sent more than its answer")),
        }
    }

    fn failed(&self, origin: &Origin, why: &str) -> Failure {
        let message = format!(
            "no connection to {} through the proxy {}: {why}",
            origin.authority, self.origin.authority
        );
        not_sent(FailureKind::Connect, message)
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}
