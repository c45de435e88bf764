//! Requests as they really came, kept for tests to look at.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde::{Serialize, Serializer};

/// How many requests are kept.
pub(crate) const KEPT_REQUESTS: usize = 1000;
/// How much of each body is kept.
pub(crate) const KEPT_BODY: usize = 64 * 1024;

/// One request whose body has arrived, as in `GET /_origin/requests`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Recorded {
    /// Its place in the order of arrival, from 1.
    pub ordinal: u64,
    /// Its place among the requests with the same key, or with the same path where that is counted, from 1.
    pub attempt: u64,
    /// Which connection it came on, in the order of acceptance, from 1.
    pub connection: u64,
    /// When it arrived, in milliseconds since the origin started.
    pub arrived_ms: f64,
    /// The method.
    pub method: String,
    /// The path, as it was written.
    pub path: String,
    /// What followed the question mark, as it was written.
    pub query: Option<String>,
    /// Names in lower case, and values. In JSON an object, with an array where a name came more than once.
    #[serde(serialize_with = "headers_as_object")]
    pub headers: Vec<(String, String)>,
    /// The first 64 KB of the body; in base64 if they are not UTF-8.
    pub body: String,
    /// Whether `body` is base64.
    pub body_base64: bool,
    /// The length of the whole body.
    pub body_bytes: u64,
    /// The Idempotency-Key.
    pub key: Option<String>,
    /// The status of its complete answer; none as long as there is no such thing.
    pub status: Option<u16>,
}

impl Recorded {
    /// The first value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The requests with one Idempotency-Key, as in `GET /_origin/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyReport {
    /// The key, as it was written.
    pub key: String,
    /// How many requests came with it.
    pub requests: u64,
    /// For each of them, in the order of arrival, the status of its complete answer.
    pub statuses: Vec<Option<u16>>,
}

/// The last requests, the oldest of them leaving when there is no more room.
#[derive(Default)]
pub(crate) struct Recent(VecDeque<Recorded>);

impl Recent {
    pub(crate) fn keep(&mut self, request: Recorded) {
        if self.0.len() == KEPT_REQUESTS {
            self.0.pop_front();
        }
        self.0.push_back(request);
    }

    /// Notes the answer of a request. The search is short: it begins at the youngest.
    pub(crate) fn answered(&mut self, ordinal: u64, status: u16) {
        if let Some(request) = self.0.iter_mut().rev().find(|request| request.ordinal == ordinal) {
            request.status = Some(status);
        }
    }

    /// The last `limit` requests, the oldest first.
    pub(crate) fn last(&self, limit: usize) -> Vec<Recorded> {
        self.0.iter().skip(self.0.len().saturating_sub(limit)).cloned().collect()
    }
}

/// A request's headers with readable values.
pub(crate) fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

/// A body as text, and whether that text is base64.
pub(crate) fn body_text(body: &[u8]) -> (String, bool) {
    match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        // A character that the limit cut in two makes no binary of a text.
        Err(error) if error.error_len().is_none() && body.len() == KEPT_BODY => {
            (String::from_utf8_lossy(&body[..error.valid_up_to()]).into_owned(), false)
        }
        Err(_) => (STANDARD.encode(body), true),
    }
}

/// Headers as an object: name to value, or to an array of values.
pub(crate) fn headers_as_object<S: Serializer>(
    headers: &[(String, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    use serde_json::Value;
    let mut object = serde_json::Map::new();
    for (name, value) in headers {
        let value = Value::from(value.as_str());
        match object.get_mut(name) {
            None => {
                object.insert(name.clone(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    object.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_header_becomes_an_array() {
        #[derive(Serialize)]
        struct Only {
            #[serde(serialize_with = "headers_as_object")]
            headers: Vec<(String, String)>,
        }
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let only = Only { headers: vec![pair("a", "1"), pair("b", "2"), pair("a", "3"), pair("a", "4")] };
        assert_eq!(serde_json::to_string(&only).unwrap(), r#"{"headers":{"a":["1","3","4"],"b":"2"}}"#);
    }

    #[test]
    fn a_text_cut_within_a_character_stays_text_and_binary_becomes_base64() {
        let mut text = vec![b'x'; KEPT_BODY - 1];
        text.push("é".as_bytes()[0]);
        assert_eq!(body_text(&text), ("x".repeat(KEPT_BODY - 1), false));
        assert_eq!(body_text(&[0xff, 0x00]), ("/wA=".to_owned(), true));
    }
}
