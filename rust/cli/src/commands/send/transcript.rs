//! An exchange as a person reads it: the request with `>`, the answer with `<`, what else is known with `*`.

use std::fmt::Write;

use crate::exchanges::{Attempt, Exchange, Transport};

/// Longest body that is shown, in characters.
const MOST_SHOWN: usize = 2000;

/// One exchange.
pub(crate) fn of(exchange: &Exchange) -> String {
    let mut text = String::new();
    let id = exchange.tracking_id.as_deref().unwrap_or("null");
    line(&mut text, "\n*", &format!("row {id}, request_id {}", exchange.request_id));
    if let (Some(method), Some(url)) = (&exchange.method, &exchange.url) {
        line(&mut text, ">", &format!("{method} {url}"));
        for (name, value) in exchange.request_headers.iter().flatten() {
            line(&mut text, ">", &format!("{name}: {value}"));
        }
        body(&mut text, ">", exchange.request_body.as_deref().unwrap_or_default());
    }
    for (index, attempt) in exchange.attempt_log.iter().flatten().enumerate() {
        line(&mut text, "*", &format!("attempt {}: {}", index + 1, attempted(attempt)));
    }
    if let Some(status) = exchange.status_code {
        line(&mut text, "<", &format!("status {status}"));
        for (name, value) in exchange.response_headers.iter().flatten() {
            line(&mut text, "<", &format!("{name}: {value}"));
        }
        let answer = exchange.response_body().unwrap_or_default();
        match std::str::from_utf8(&answer) {
            Ok(answer) => body(&mut text, "<", answer),
            Err(_) => line(&mut text, "<", &format!("({} bytes that are no text)", answer.len())),
        }
        if exchange.response_body_truncated == Some(true) {
            line(&mut text, "*", "the body was longer and is cut off (`transport.max_response_bytes`)");
        }
    }
    if let Some(error) = &exchange.error {
        let kind = error.kind.as_deref().unwrap_or("error");
        line(&mut text, "*", &format!("{kind}: {}", error.message.as_deref().unwrap_or_default()));
    }
    if let Some(transport) = exchange.transport.as_ref().and_then(connection) {
        line(&mut text, "*", &transport);
    }
    let attempts = match exchange.attempts {
        1 => "1 attempt".to_owned(),
        many => format!("{many} attempts"),
    };
    let elapsed = exchange.elapsed_ms.map(|elapsed| format!(" in {elapsed:.1} ms")).unwrap_or_default();
    line(&mut text, "*", &format!("{}, {attempts}{elapsed}", exchange.outcome));
    text
}

fn attempted(attempt: &Attempt) -> String {
    let what = match (attempt.status, &attempt.error) {
        (Some(status), _) => format!("status {status}"),
        (None, Some(error)) => error.clone(),
        (None, None) => "no answer".to_owned(),
    };
    let after =
        attempt.wait_ms.filter(|wait| *wait >= 0.05).map(|wait| format!(", after a wait of {wait:.1} ms"));
    let took = attempt.elapsed_ms.map(|elapsed| format!(", took {elapsed:.1} ms"));
    format!("{what}{}{}", took.unwrap_or_default(), after.unwrap_or_default())
}

fn connection(transport: &Transport) -> Option<String> {
    let address = transport.remote_addr.as_ref()?;
    let protocol = transport.protocol.as_deref().unwrap_or("HTTP");
    let kind = if transport.connection_reused == Some(true) { "used" } else { "new" };
    let phases = [
        ("DNS", transport.dns_ms),
        ("TCP", transport.connect_ms),
        ("TLS", transport.tls_ms),
        ("first byte", transport.ttfb_ms),
    ];
    let mut text = format!("{protocol} to {address} over a {kind} connection");
    for (name, time) in phases {
        if let Some(time) = time {
            // Writing to a string does not fail.
            let _ = write!(text, ", {name} {time:.1} ms");
        }
    }
    Some(text)
}

fn line(text: &mut String, mark: &str, content: &str) {
    text.push_str(mark);
    if !content.is_empty() {
        text.push(' ');
    }
    text.extend(content.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }));
    text.push('\n');
}

fn body(text: &mut String, mark: &str, body: &str) {
    if body.is_empty() {
        return;
    }
    let shown: String = body.chars().take(MOST_SHOWN).collect();
    line(text, mark, "");
    for part in shown.lines() {
        line(text, mark, part);
    }
    if shown.len() < body.len() {
        line(text, "*", &format!("{} of {} bytes are shown", shown.len(), body.len()));
    }
}
