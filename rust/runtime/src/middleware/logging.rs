//! `logging` (listener): one structured line per exchange, with secrets masked; without bodies unless they are asked for.

use std::sync::Arc;
use std::time::Duration;

use apisink_plan::{LogLevel, LoggingSpec};
use serde::Serialize;

use super::{BuildContext, Link, Listener};
use crate::error::RuntimeError;
use crate::exchange::{Exchange, Notes, Outcome};
use crate::mask::{ExchangeMask, Mask};
use crate::session::LogLines;

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    Ok(Link::Listener(Box::new(Logging {
        spec: context.spec()?,
        enabled: context.log_level,
        lines: context.lines.clone(),
        mask: context.mask.clone(),
    })))
}

struct Logging {
    spec: LoggingSpec,
    enabled: LogLevel,
    lines: Arc<LogLines>,
    mask: Arc<Mask>,
}

impl Logging {
    /// Whether an exchange is among those that have a line: the same in every attempt and run on.
    #[allow(clippy::cast_precision_loss, reason = "a share needs no more")]
    fn is_sampled(&self, exchange: &Exchange) -> bool {
        // A name-based UUID is a digest: its bytes are as good as drawn.
        let (drawn, _) = exchange.request_id.as_u64_pair();
        self.spec.sample >= 1.0 || (drawn as f64) < self.spec.sample * (u64::MAX as f64)
    }
}

/// The beginning of a body, masked; of one that is no text, its size.
fn beginning(body: &[u8], cut: bool, most: usize, mask: &ExchangeMask) -> String {
    let masked = mask.body(body, cut);
    let Ok(text) = std::str::from_utf8(&masked) else { return format!("({} bytes, no text)", body.len()) };
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}… ({} bytes)", &text[..text.floor_char_boundary(most)], body.len())
}

#[derive(Serialize)]
struct Line<'a> {
    tracking_id: Option<&'a str>,
    request_id: uuid::Uuid,
    method: &'a str,
    url: String,
    outcome: &'static str,
    status: Option<u16>,
    error: Option<&'a str>,
    attempts: usize,
    elapsed_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_body: Option<String>,
}

impl Listener for Logging {
    fn after(&self, exchange: &Exchange, elapsed: Duration, notes: &mut Notes) {
        let outcome = exchange.outcome();
        let level =
            if outcome == Outcome::Success { self.spec.level } else { self.spec.level.min(LogLevel::Warn) };
        let wanted = level <= self.enabled;
        let sampled = outcome != Outcome::Success || self.is_sampled(exchange);
        if !sampled || !wanted && !self.spec.to_sink {
            return;
        }
        let bodies = self.spec.body_bytes.map(|most| {
            let mask = self.mask.of(&exchange.request.headers);
            let response = match &exchange.result {
                Some(Ok(response)) => Some(beginning(&response.body, response.truncated, most, &mask)),
                _ => None,
            };
            (beginning(exchange.request.shown_body(), false, most, &mask), response)
        });
        let (request_body, response_body) =
            bodies.map_or((None, None), |(request, response)| (Some(request), response));
        let (status, error) = match &exchange.result {
            Some(Ok(response)) if exchange.verdict().is_some() => {
                let said = exchange.verdict().map(|verdict| verdict.message.as_str());
                (Some(response.status.as_u16()), said)
            }
            Some(Ok(response)) => (Some(response.status.as_u16()), None),
            Some(Err(failure)) => (None, Some(failure.message.as_str())),
            None => (None, None),
        };
        let line = Line {
            tracking_id: exchange.tracking_id.as_deref(),
            request_id: exchange.request_id,
            method: exchange.request.method.as_str(),
            url: exchange.request.display_url(),
            outcome: outcome.word(),
            status,
            error,
            attempts: exchange.attempts.len(),
            elapsed_ms: elapsed.as_secs_f64() * 1e3,
            request_body,
            response_body,
        };
        let line = serde_json::to_string(&line).unwrap_or_default();
        if self.spec.to_sink {
            notes.log = Some(line.clone());
        }
        if wanted {
            self.lines.push(level, line);
        }
    }
}
