//! `logging` (listener): one structured line per exchange, without bodies and with secrets masked.

use std::time::Duration;

use apisink_plan::{LogLevel, LoggingSpec};
use serde::Serialize;

use super::{BuildContext, Link, Listener};
use crate::error::RuntimeError;
use crate::exchange::{Exchange, Notes, Outcome};

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    Ok(Link::Listener(Box::new(Logging {
        spec: context.spec()?,
        enabled: context.log_level,
        lines: context.lines.clone(),
    })))
}

struct Logging {
    spec: LoggingSpec,
    enabled: LogLevel,
    lines: std::sync::Arc<crate::session::LogLines>,
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
}

impl Listener for Logging {
    fn after(&self, exchange: &Exchange, elapsed: Duration, notes: &mut Notes) {
        let outcome = exchange.outcome();
        let level =
            if outcome == Outcome::Success { self.spec.level } else { self.spec.level.min(LogLevel::Warn) };
        let wanted = level <= self.enabled;
        if !wanted && !self.spec.to_sink {
            return;
        }
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
