//! The token endpoint's answer: a token, or why there is none (RFC 6749, 5.1 and 5.2).

use std::time::Duration;

use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::exchange::Response;

/// So much of an error's words is shown.
const SHOWN: usize = 300;

/// What the endpoint gave.
pub(super) struct Grant {
    pub(super) header: HeaderValue,
    /// How long it lives; none when the endpoint does not say.
    pub(super) life: Option<Duration>,
    pub(super) refresh: Option<String>,
}

/// What the endpoint gave instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// In words, not masked.
    pub(super) why: String,
    /// Whether asking again may help.
    pub(super) passing: bool,
    /// Whether what was shown is wrong, be it a refresh token or a credential.
    pub(super) grant: bool,
}

#[derive(Deserialize)]
struct Body {
    access_token: Option<String>,
    token_type: Option<String>,
    /// A number; some servers write it as a string.
    #[serde(default)]
    expires_in: Value,
    refresh_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Reads an answer.
pub(super) fn read(answer: &Response) -> Result<Grant, Refused> {
    let body = serde_json::from_slice::<Body>(&answer.body).ok();
    if !answer.status.is_success() {
        return Err(refusal(answer, body));
    }
    let wrong = |why: &str| Refused { why: why.to_owned(), passing: false, grant: false };
    let Some(body) = body else {
        return Err(wrong(
            "answered with status 200 and something else than a JSON object: is it a token endpoint?",
        ));
    };
    if let Some(kind) = body.token_type.filter(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        let why = format!("gave a token of type {}, and only Bearer can be sent", bounded(&kind));
        return Err(wrong(&why));
    }
    let token = body.access_token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| wrong("answered with status 200 and no access_token"))?;
    let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| wrong("gave a token with a character that an HTTP header does not allow"))?;
    header.set_sensitive(true);
    Ok(Grant { header, life: life(&body.expires_in), refresh: body.refresh_token.filter(|t| !t.is_empty()) })
}

fn refusal(answer: &Response, body: Option<Body>) -> Refused {
    let status = answer.status.as_u16();
    let passing = answer.status.is_server_error()
        || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&answer.status);
    let error = body.as_ref().and_then(|body| body.error.as_deref());
    let mut why = format!("answered with status {status}");
    for words in
        [error, body.as_ref().and_then(|body| body.error_description.as_deref())].into_iter().flatten()
    {
        why = format!("{why}: {}", bounded(words));
    }
    if let Some(hint) = error.and_then(hint) {
        why = format!("{why}. {hint}");
    }
    Refused { why, passing, grant: !passing }
}

/// What to do about the errors of RFC 6749, 5.2.
fn hint(error: &str) -> Option<&'static str> {
    Some(match error {
        "invalid_client" => {
            "Check auth.client_id and auth.client_secret, and whether the client shows them as auth.client_auth says"
        }
        "invalid_grant" => "Check auth.username and auth.password",
        "unauthorized_client" | "unsupported_grant_type" => {
            "Let the server's administrator allow this client the grant of auth.type, or write the other one"
        }
        "invalid_scope" => "Check auth.scope",
        "invalid_request" => {
            "Check auth.audience and auth.token_params: the server misses a parameter or does not know one"
        }
        _ => return None,
    })
}

/// Words for people: on one line, and not too many.
fn bounded(words: &str) -> String {
    let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    if words.chars().count() > SHOWN { format!("{line}…") } else { line }
}

/// Seconds as a number or as text; what is not above 0 says nothing.
fn life(value: &Value) -> Option<Duration> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    if seconds > 0.0 { Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)) } else { None }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.to_owned().into(),
            truncated: false,
        }
    }

    fn why(status: u16, body: &str) -> Refused {
        read(&answer(status, body)).err().unwrap()
    }

    #[test]
    fn the_life_of_a_token_is_read_however_it_is_written_and_may_be_missing() {
        for (written, life) in [
            ("", None),
            (",\"expires_in\":null", None),
            (",\"expires_in\":0", None),
            (",\"expires_in\":-1", None),
            (",\"expires_in\":3600", Some(Duration::from_secs(3600))),
            (",\"expires_in\":\"3600\"", Some(Duration::from_secs(3600))),
            (",\"expires_in\":1.5", Some(Duration::from_millis(1500))),
            (",\"expires_in\":1e300", Some(Duration::MAX)),
        ] {
            let body = format!("{{\"access_token\":\"a\"{written}}}");
            assert_eq!(read(&answer(200, &body)).ok().unwrap().life, life, "{written}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_endpoints_words_with_what_to_do() {
        let refused = why(401, r#"{"error":"invalid_client","error_description":"no\nsuch client"}"#);
        assert_eq!(
            refused.why,
            "answered with status 401: invalid_client: no such client. Check auth.client_id and \
             auth.client_secret, and whether the client shows them as auth.client_auth says"
        );
        assert!(!refused.passing && refused.grant);
        let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(10_000));
        assert!(why(400, &long).why.len() < 400);
        assert_eq!(why(503, "<html>").why, "answered with status 503");
        assert!(why(503, "").passing && why(429, "").passing && !why(404, "").passing);
    }

    #[test]
    fn what_is_no_bearer_token_is_not_used() {
        assert!(why(200, "<html>").why.contains("is it a token endpoint?"));
        assert!(why(200, "{}").why.contains("no access_token"));
        assert!(why(200, r#"{"access_token":"a","token_type":"mac"}"#).why.contains("type mac"));
        assert!(why(200, r#"{"access_token":"a\r\nb"}"#).why.contains("character"));
        assert!(read(&answer(200, r#"{"access_token":"a","token_type":"bearer"}"#)).is_ok());
    }
}
