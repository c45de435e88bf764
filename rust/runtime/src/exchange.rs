//! The exchange: one row's request, its attempts, its response and what was recorded about it.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use uuid::Uuid;

use crate::budget::Reservation;
use crate::error::{RowError, RuntimeError};
use crate::gate::Passage;
use crate::parsed::{BodyVerdict, Parsed};
use crate::request::Request;
use crate::source_columns::SourceRow;
use crate::traffic::Cost;
use crate::window::Turn;

/// One row's request, its attempts, its response and what was recorded about it.
#[derive(Debug)]
pub struct Exchange {
    /// The source row's own key; none only for a row whose key is null.
    pub tracking_id: Option<String>,
    /// Fixed before the first attempt.
    pub request_id: Uuid,
    /// Digest of the rendered request without credentials and request_id: 128 bits of SHA-256 in hexadecimal.
    pub request_digest: Option<String>,
    /// The request as the chain has shaped it so far.
    pub request: Request,
    /// What came of it: set by the transport, or by a middleware that ends the exchange itself.
    pub result: Option<Result<Response, Failure>>,
    /// What `json_response` made of the answer.
    pub parsed: Option<Parsed>,
    /// Attempts made so far, in order.
    pub attempts: Vec<Attempt>,
    /// What listeners recorded.
    pub notes: Notes,
    /// When the exchange was admitted.
    pub started_at: SystemTime,
    /// Why no row can be sent any more; then this one stays without an answer.
    pub(crate) stopped: Option<RuntimeError>,
    /// What the sink keeps of the source row, if anything.
    pub(crate) source: Option<SourceRow>,
    /// Pauses before the next attempt so far: backoff, not yet part of an attempt.
    pub(crate) pause: Duration,
    /// What its attempts have cost so far.
    pub(crate) cost: Cost,
    /// While it does not pause.
    pub(crate) turn: Option<Turn>,
    /// Passed while an attempt is written or what became of it is not settled.
    pub(crate) passage: Passage,
    /// The bytes that this exchange holds from the process's budget.
    pub(crate) memory: Reservation,
}

impl Exchange {
    /// Bytes that it holds, its share of the kept source columns included.
    pub(crate) fn bytes(&self) -> usize {
        self.memory.bytes() + self.source.as_ref().map_or(0, SourceRow::bytes)
    }

    /// The result in one word.
    pub fn outcome(&self) -> Outcome {
        if let Some(verdict) = self.verdict() {
            return verdict.outcome;
        }
        match &self.result {
            Some(Ok(response)) if response.status.is_success() => Outcome::Success,
            Some(Ok(_)) => Outcome::HttpError,
            Some(Err(failure)) => failure.kind.outcome(),
            None => Outcome::Unknown,
        }
    }

    /// Why the answer is no success although its status says so.
    pub fn verdict(&self) -> Option<&BodyVerdict> {
        self.parsed.as_ref().filter(|_| matches!(self.result, Some(Ok(_))))?.verdict.as_ref()
    }

    /// Drops an answer that is not wanted, and the memory it held, before the request is sent again.
    pub(crate) fn forget_answer(&mut self) {
        self.result = None;
        self.parsed = None;
        self.memory.shrink_to(self.request.bytes());
    }

    /// Ends the exchange because its row cannot be sent.
    pub fn refuse(&mut self, error: RowError) {
        self.result = Some(Err(Failure {
            kind: FailureKind::InvalidRow(error.kind),
            message: error.message,
            may_have_left: false,
        }));
    }

    /// Ends the session because no row can be sent any more, whatever its data. The exchange has no answer then and
    /// makes no row of the sink: it is sent when the run goes on.
    pub fn stop(&mut self, error: RuntimeError) {
        self.result = None;
        self.stopped = Some(error);
    }

    /// Whether sending the request again cannot do harm: an idempotent method (RFC 9110, 9.2.2), a request that
    /// carries its idempotency key, or one of which no byte can have left.
    pub fn is_safe_to_repeat(&self) -> bool {
        let left = match &self.result {
            Some(Err(failure)) => failure.may_have_left,
            _ => true,
        };
        !left || self.request.method.is_idempotent() || self.request.has_idempotency_key
    }
}

/// One HTTP round trip.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When the attempt began to wait for its connection and its slot.
    pub started_at: SystemTime,
    /// Status of the answer, if one came.
    pub status: Option<StatusCode>,
    /// What kind of failure there was otherwise.
    pub failure: Option<FailureKind>,
    /// What went wrong then, for people.
    pub error: Option<String>,
    /// Time from the connection's asking to the answer's last byte, the waits for connection and slot left out.
    pub elapsed: Duration,
    /// Time spent before: backoff, pooled connection, rate limit.
    pub wait: Duration,
}

/// An answer, read to its end or to the cap.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Whether the body was cut off at the cap.
    pub truncated: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// What happened, for people; never a secret.
    pub message: String,
    /// Whether bytes of the request may have left this machine, and the server does not say that it refused them.
    pub may_have_left: bool,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The host name has no address.
    Dns,
    /// No TCP connection could be made.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The server's certificate is refused: expired, for another name, of an unknown authority, not pinned.
    ServerCertificate,
    /// The server refuses the client certificate, or misses it.
    ClientCertificate,
    /// DNS and TCP together took too long.
    ConnectTimeout,
    /// The TLS handshake took too long.
    TlsTimeout,
    /// The answer took too long to begin.
    FirstByteTimeout,
    /// The answer stopped too long amid its body.
    BetweenBytesTimeout,
    /// A PING of HTTP/2 was not answered in time.
    PingTimeout,
    /// The whole attempt took too long.
    Timeout,
    /// The connection was reset or closed before the answer's end.
    Reset,
    /// What came back is not HTTP.
    InvalidResponse,
    /// Another failure of the connection.
    Transport,
    /// The row cannot be sent; the word says why.
    InvalidRow(&'static str),
}

impl FailureKind {
    /// The stable word of the sink's `error.kind`.
    pub fn word(self) -> &'static str {
        match self {
            FailureKind::Dns => "dns",
            FailureKind::Connect => "connect",
            FailureKind::Tls => "tls",
            FailureKind::ServerCertificate => "server_certificate",
            FailureKind::ClientCertificate => "client_certificate",
            FailureKind::ConnectTimeout => "connect_timeout",
            FailureKind::TlsTimeout => "tls_timeout",
            FailureKind::FirstByteTimeout => "first_byte_timeout",
            FailureKind::BetweenBytesTimeout => "between_bytes_timeout",
            FailureKind::PingTimeout => "ping_timeout",
            FailureKind::Timeout => "timeout",
            FailureKind::Reset => "reset",
            FailureKind::InvalidResponse => "invalid_http",
            FailureKind::Transport => "transport",
            FailureKind::InvalidRow(word) => word,
        }
    }

    fn outcome(self) -> Outcome {
        match self {
            FailureKind::InvalidRow(_) => Outcome::InvalidRow,
            FailureKind::InvalidResponse => Outcome::InvalidResponse,
            _ => Outcome::TransportError,
        }
    }
}

/// The result of an exchange in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// An answer with a 2xx status.
    Success,
    /// An answer with another status.
    HttpError,
    /// No answer: DNS, connection, TLS, timeout, reset.
    TransportError,
    /// The row could not be sent.
    InvalidRow,
    /// An answer that cannot be understood.
    InvalidResponse,
    /// It is not known what became of the request.
    Unknown,
}

impl Outcome {
    /// The sink's word.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::HttpError => "http_error",
            Outcome::TransportError => "transport_error",
            Outcome::InvalidRow => "invalid_row",
            Outcome::InvalidResponse => "invalid_response",
            Outcome::Unknown => "unknown",
        }
    }
}

/// What listeners recorded: each field is null in the sink unless its middleware is in the chain.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// `timing`: time from the listener's place in the chain and back.
    pub elapsed: Option<Duration>,
    /// `timing`: whether the phases of the last attempt are kept.
    pub phases: bool,
    /// `transport_diagnostic`: whether the connection of the last attempt is kept.
    pub connection: bool,
    /// `worker_identity`: whether the worker is kept.
    pub worker: bool,
    /// `logging`: the line, for the sink's `log` column.
    pub log: Option<String>,
    /// Facts of the last attempt, from the transport.
    pub facts: TransportFacts,
}

/// What the transport knows about an attempt's connection.
#[derive(Clone, Debug, Default)]
pub struct TransportFacts {
    /// `HTTP/1.1` or `HTTP/2`.
    pub protocol: Option<&'static str>,
    /// Address and port of the peer.
    pub remote_addr: Option<std::net::SocketAddr>,
    /// Whether the connection had carried a request before.
    pub reused: Option<bool>,
    /// Time to resolve the name; of a new connection only.
    pub dns: Option<Duration>,
    /// Time of the TCP handshake; of a new connection only.
    pub connect: Option<Duration>,
    /// Time of the TLS handshake; of a new TLS connection only.
    pub tls: Option<Duration>,
    /// Time from the request's writing to the head of the answer.
    pub first_byte: Option<Duration>,
    /// Bytes of the request as they left, TLS included. Over a connection that is shared, those since the last attempt
    /// that ended there: their sum is right.
    pub bytes_sent: Option<u64>,
    /// Bytes of the answer as they came, likewise.
    pub bytes_received: Option<u64>,
    /// How long the connection had been open when the request got it.
    pub connection_age: Option<Duration>,
    /// How many requests the connection has carried, this one included.
    pub connection_uses: Option<u64>,
    /// Time spent waiting for a pooled connection.
    pub pool_wait: Duration,
    /// Time spent waiting for the rate limit.
    pub rate_wait: Duration,
}

#[cfg(test)]
pub(crate) mod sample {
    //! Exchanges for the tests of middleware.

    use std::sync::Arc;

    use super::*;
    use crate::budget::ByteBudget;
    use crate::request::Origin;

    /// A POST without an idempotency key that has not been sent.
    pub(crate) fn exchange() -> Exchange {
        let origin = Arc::new(Origin::new("http", "api.example.com").unwrap());
        Exchange {
            tracking_id: Some("t-1".into()),
            request_id: Uuid::nil(),
            request_digest: None,
            request: Request::new(http::Method::POST, origin, "/patients".into()),
            result: None,
            parsed: None,
            attempts: Vec::new(),
            notes: Notes::default(),
            started_at: SystemTime::UNIX_EPOCH,
            stopped: None,
            turn: None,
            passage: Passage::default(),
            source: None,
            pause: Duration::ZERO,
            cost: Cost::default(),
            memory: ByteBudget::new(1 << 20).take(0),
        }
    }

    /// An answer.
    pub(crate) fn answer(status: u16, headers: &[(&'static str, &str)]) -> Result<Response, Failure> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Ok(Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: map,
            body: Bytes::new(),
            truncated: false,
        })
    }

    /// A failure.
    pub(crate) fn failure(kind: FailureKind, may_have_left: bool) -> Result<Response, Failure> {
        Err(Failure { kind, message: "it broke".into(), may_have_left })
    }
}
