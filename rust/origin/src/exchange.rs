//! One request from its arrival to its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use serde::Serialize;

use crate::answer::{Answer, Content, respond};
use crate::auth::{Auth, Denial};
use crate::book::Arrival;
use crate::dice::Dice;
use crate::faults::{Action, Refusal, decide};
use crate::link::{Ending, Link};
use crate::marker;
use crate::recorded::{self, KEPT_BODY, Recorded};
use crate::recorder::Recorder;
use crate::report::Report;
use crate::script::Script;

/// Of so many bytes bodies are compressed beforehand.
const ZIPPED_BYTES: u64 = 4 << 20;

/// What all requests of an origin share.
pub(crate) struct Shared {
    pub(crate) script: Script,
    pub(crate) auth: Auth,
    pub(crate) recorder: Arc<Recorder>,
    /// Bodies of `--body-bytes` as `--gzip` sends them in turn: made once, for a bench counts what an answer costs.
    zipped: Vec<Content>,
    /// Bodies of `--body-bytes` so far.
    sized: AtomicU64,
}

impl Shared {
    pub(crate) fn new(script: Script) -> Self {
        let zipped = script.body_bytes.filter(|_| script.gzip).map_or_else(Vec::new, |count| {
            let several = (ZIPPED_BYTES / count.max(1)).clamp(1, 256);
            (0..several).map(|number| numbered(&script, count, number).gzip()).collect()
        });
        let sized = AtomicU64::new(0);
        Self { auth: Auth::of(&script), recorder: Recorder::new(), zipped, sized, script }
    }

    /// What was seen so far.
    pub(crate) fn report(&self) -> Report {
        let tokens = self.auth.oauth.as_ref().map(|oauth| oauth.counts()).unwrap_or_default();
        Report { tokens, ..self.recorder.report() }
    }

    /// Waits until the report fulfils a condition, and returns that report.
    pub(crate) async fn until(&self, condition: impl Fn(&Report) -> bool) -> Report {
        self.recorder.until(|_| condition(&self.report())).await;
        self.report()
    }

    /// Answers a token request.
    pub(crate) async fn issue(
        &self,
        link: &Arc<Link>,
        request: Request<Incoming>,
    ) -> Result<Response<Answer>, GivenUp> {
        let Some(oauth) = &self.auth.oauth else { return Err(GivenUp) };
        let response = oauth.serve(link, request).await;
        // Who waits for a report looks at it again.
        self.recorder.update(|_| ());
        response
    }

    /// Forgets what was seen.
    pub(crate) fn reset(&self) {
        self.recorder.reset();
        if let Some(oauth) = &self.auth.oauth {
            oauth.reset();
        }
    }
}

/// Ends the connection, or the stream, without a whole answer; how is noted in its link.
#[derive(Debug)]
pub(crate) struct GivenUp;

impl std::fmt::Display for GivenUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request gets no answer")
    }
}

impl std::error::Error for GivenUp {}

/// The ordinary answer.
#[derive(Serialize)]
struct Ordinary<'a> {
    path: &'a str,
    query: Option<&'a str>,
    received: u64,
    key: Option<&'a str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    echo: Option<Echo>,
}

/// What `--echo` adds to it.
#[derive(Serialize)]
struct Echo {
    method: String,
    #[serde(serialize_with = "recorded::headers_as_object")]
    headers: Vec<(String, String)>,
    body: String,
    body_base64: bool,
}

/// The answer of a fault.
#[derive(Serialize)]
struct Refused<'a> {
    error: &'a str,
    status: u16,
    attempt: u64,
}

/// Serves a request that counts.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    link: Arc<Link>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, GivenUp> {
    let (head, body) = request.into_parts();
    let key = head.headers.get("idempotency-key").map(|value| String::from_utf8_lossy(value.as_bytes()));
    let path = head.uri.path();
    let by_path = !shared.script.fail_first.is_empty() || path.starts_with(marker::PREFIX);
    let arrival = shared.recorder.arrive(key.as_deref(), by_path.then_some(path));
    link.begin(Some(arrival.clone()));

    let whole = shared.script.echo || shared.script.mirror || shared.auth.looks_at_bodies();
    let keep = match (whole, shared.script.no_recording) {
        (true, _) => usize::MAX,
        (false, false) => KEPT_BODY,
        (false, true) => 0,
    };
    let (body, received) = read(body, keep).await?;
    let exchange =
        Exchange { shared: &shared, link: &link, head: &head, key: key.as_deref(), arrival: &arrival };
    if !shared.script.no_recording {
        exchange.record(&body, received);
    }
    exchange.act(&body, received).await
}

/// Reads a body to its end, and keeps its first bytes.
async fn read(mut body: Incoming, keep: usize) -> Result<(Bytes, u64), GivenUp> {
    let (mut kept, mut received) = (BytesMut::new(), 0);
    if body.is_end_stream() {
        return Ok((Bytes::new(), 0));
    }
    while let Some(frame) = body.frame().await {
        // The client left amid its request.
        let Ok(data) = frame.map_err(|_| GivenUp)?.into_data() else {
            continue;
        };
        received += data.len() as u64;
        kept.extend_from_slice(&data[..data.len().min(keep - kept.len())]);
    }
    Ok((kept.freeze(), received))
}

struct Exchange<'a> {
    shared: &'a Shared,
    link: &'a Arc<Link>,
    head: &'a Parts,
    key: Option<&'a str>,
    arrival: &'a Arrival,
}

impl Exchange<'_> {
    fn record(&self, body: &[u8], received: u64) {
        let (body, body_base64) = recorded::body_text(&body[..body.len().min(KEPT_BODY)]);
        let request = Recorded {
            ordinal: self.arrival.ordinal,
            attempt: self.arrival.attempt,
            connection: self.link.id,
            arrived_ms: self.arrival.at as f64 / 1000.0,
            method: self.head.method.to_string(),
            path: self.head.uri.path().to_owned(),
            query: self.head.uri.query().map(str::to_owned),
            headers: recorded::headers(&self.head.headers),
            body,
            body_base64,
            body_bytes: received,
            key: self.key.map(str::to_owned),
            status: None,
        };
        self.shared.recorder.update(|book| book.record(self.arrival, request));
    }

    async fn act(&self, body: &[u8], received: u64) -> Result<Response<Answer>, GivenUp> {
        let Shared { script, auth, recorder, .. } = self.shared;
        let mut dice = Dice::of(script.seed, self.arrival.ordinal);
        let action = match marker::parse(self.head.uri.path(), self.arrival.attempt) {
            _ if let Err(denial) = auth.admit(self.head, body) => Err(denial),
            Some(Ok(action)) => Ok(action),
            Some(Err(problem)) => return Ok(self.problem(&problem)),
            None => Ok(decide(script, self.arrival.ordinal, self.arrival.attempt, &mut dice)),
        };
        if let Some(fault) = action.as_ref().ok().and_then(|action| action.fault()) {
            recorder.update(|book| book.fault(self.arrival, fault));
        }
        let mut wait = script.latency.draw(&mut dice);
        if let Ok(Action::Slow(more)) = action {
            wait += more;
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let action = match action {
            Ok(action) => action,
            Err(denial) => return Ok(self.denied(&denial)),
        };
        match action {
            Action::Answer | Action::Slow(_) => Ok(self.ordinary(body, received, Fate::Whole)),
            Action::ResetAmid => Ok(self.ordinary(body, received, Fate::ResetAmid)),
            Action::ResetAfter => Ok(self.ordinary(body, received, Fate::ResetAfter)),
            Action::Bytes(count) => {
                Ok(self.respond(StatusCode::OK, sized(script, count, Content::filler), Fate::Whole))
            }
            Action::Empty(status) => Ok(self.respond(status, Content::empty(), Fate::Whole)),
            Action::Refuse(refusal) => Ok(self.refuse(refusal)),
            Action::ResetBefore => self.give_up(Ending::Reset),
            Action::Garbage => self.give_up(Ending::Garbage),
            // hyper drops this future when it sees that the client has left.
            Action::Stall => std::future::pending().await,
        }
    }

    fn give_up(&self, ending: Ending) -> Result<Response<Answer>, GivenUp> {
        self.link.end(ending);
        Err(GivenUp)
    }

    fn respond(&self, status: StatusCode, content: Content, fate: Fate) -> Response<Answer> {
        let content = if self.takes_gzip() { content.gzip() } else { content };
        self.link.answer(status.as_u16(), matches!(fate, Fate::ResetAfter).then_some(Ending::Reset));
        respond(self.link, status, content, matches!(fate, Fate::ResetAmid))
    }

    /// Whether the script lets answers be compressed and the request asks for it.
    fn takes_gzip(&self) -> bool {
        self.shared.script.gzip
            && self
                .head
                .headers
                .get_all(ACCEPT_ENCODING)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .any(names_gzip)
    }

    fn ordinary(&self, body: &[u8], received: u64, fate: Fate) -> Response<Answer> {
        if let Some(count) = self.shared.script.body_bytes {
            let number = self.shared.sized.fetch_add(1, Ordering::Relaxed);
            let zipped = &self.shared.zipped;
            let content = match !zipped.is_empty() && self.takes_gzip() {
                true => zipped[(number % zipped.len() as u64) as usize].clone(),
                false => numbered(&self.shared.script, count, number),
            };
            return self.respond(StatusCode::OK, content, fate);
        }
        if self.shared.script.mirror {
            let kind = self.head.headers.get(CONTENT_TYPE).cloned();
            return self.respond(StatusCode::OK, Content::whole(kind, Bytes::copy_from_slice(body)), fate);
        }
        let echo = self.shared.script.echo.then(|| {
            let (body, body_base64) = recorded::body_text(body);
            let headers = recorded::headers(&self.head.headers);
            Echo { method: self.head.method.to_string(), headers, body, body_base64 }
        });
        let (path, query) = (self.head.uri.path(), self.head.uri.query());
        let content = Content::json(&Ordinary { path, query, received, key: self.key, echo });
        self.respond(StatusCode::OK, content, fate)
    }

    fn refuse(&self, refusal: Refusal) -> Response<Answer> {
        let status = refusal.status.as_u16();
        let content = match status {
            // These have no body, by definition.
            204 | 205 | 304 => Content::empty(),
            _ => Content::json(&Refused { error: "scripted", status, attempt: self.arrival.attempt }),
        };
        let mut response = self.respond(refusal.status, content, Fate::Whole);
        if let Some(retry_after) = refusal.retry_after
            && let Ok(value) = HeaderValue::try_from(retry_after.header(SystemTime::now()))
        {
            response.headers_mut().insert(RETRY_AFTER, value);
        }
        response
    }

    fn denied(&self, denial: &Denial) -> Response<Answer> {
        self.shared.recorder.update(|book| book.unauthorized(self.arrival));
        let (status, error) = match denial {
            Denial::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Denial::Forbidden(why) => (StatusCode::FORBIDDEN, why.as_str()),
        };
        let refused = Refused { error, status: status.as_u16(), attempt: self.arrival.attempt };
        let mut response = self.respond(status, Content::json(&refused), Fate::Whole);
        if *denial == Denial::Unauthorized {
            for challenge in self.shared.auth.challenges() {
                response.headers_mut().append(WWW_AUTHENTICATE, challenge);
            }
        }
        response
    }

    fn problem(&self, problem: &str) -> Response<Answer> {
        let content = Content::json(&Refused { error: problem, status: 404, attempt: self.arrival.attempt });
        self.respond(StatusCode::NOT_FOUND, content, Fate::Whole)
    }
}

/// A body of so many bytes: a binary one if the script says so, else that text.
fn sized(script: &Script, count: u64, text: impl FnOnce(u64) -> Content) -> Content {
    if script.body_binary { Content::binary(count) } else { text(count) }
}

/// A body of `--body-bytes`.
fn numbered(script: &Script, count: u64, number: u64) -> Content {
    sized(script, count, |count| Content::words(count, number))
}

/// Whether one entry of an Accept-Encoding is gzip, and not to say that it is unwanted.
fn names_gzip(entry: &str) -> bool {
    let (name, weight) = entry.split_once(';').unwrap_or((entry, ""));
    let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
    name.trim().eq_ignore_ascii_case("gzip") && weight != Some(0.0)
}

/// What becomes of a decided answer on its way.
#[derive(Clone, Copy)]
enum Fate {
    Whole,
    ResetAmid,
    ResetAfter,
}
