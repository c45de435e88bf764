//! Pauses that a server asks everybody for: Retry-After (RFC 9110, section 10.2.3) on 429 and 503, and the fields that say
//! that a quota is used up: RateLimit (draft-ietf-httpapi-ratelimit-headers), RateLimit-Remaining with RateLimit-Reset
//! of its earlier drafts, X-RateLimit-Remaining with X-RateLimit-Reset as many servers have them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, StatusCode};

/// A reset beyond this many seconds is a moment (seconds since 1970), not a span.
const LONGEST_SPAN: u64 = 366 * 24 * 3600;

/// How long the server wants no request, if it says so.
pub(crate) fn pause(status: StatusCode, headers: &HeaderMap, now: fn() -> SystemTime) -> Option<Duration> {
    let busy = status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE;
    // Of the answers that say nothing about it, most have few headers: a look at their names costs less than asking for each.
    if !busy && !headers.keys().any(|name| names_a_limit(name.as_str())) {
        return None;
    }
    let after =
        if busy { text(headers, "retry-after").and_then(|value| retry_after(value, now)) } else { None };
    let draft = pair(headers, "ratelimit-remaining", "ratelimit-reset", now);
    let common = pair(headers, "x-ratelimit-remaining", "x-ratelimit-reset", now);
    let pause = [after, quota(headers), draft, common];
    pause.into_iter().flatten().max().filter(|pause| !pause.is_zero())
}

/// Names are short: a search that prepares itself takes longer than these few comparisons.
fn names_a_limit(name: &str) -> bool {
    const WORD: &[u8] = b"ratelimit";
    name.as_bytes().windows(WORD.len()).any(|part| part == WORD)
}

/// When a quota that is used up is filled again, for the row that was refused. With 429 it is used up, whether the fields
/// tell how much remains or not.
pub(crate) fn reset(status: StatusCode, headers: &HeaderMap, now: fn() -> SystemTime) -> Option<Duration> {
    let refused = status == StatusCode::TOO_MANY_REQUESTS;
    let pairs = [("ratelimit-remaining", "ratelimit-reset"), ("x-ratelimit-remaining", "x-ratelimit-reset")];
    let pairs = pairs.into_iter().filter_map(|(remaining, reset)| {
        if refused && !headers.contains_key(remaining) {
            moment(text(headers, reset)?, now)
        } else {
            pair(headers, remaining, reset, now)
        }
    });
    pairs.chain(quota(headers)).max().filter(|pause| !pause.is_zero())
}

/// The value of Retry-After: seconds, or a date.
pub(crate) fn retry_after(value: &str, now: fn() -> SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now()).unwrap_or_default())
}

/// `RateLimit: "default";r=0;t=30`: any policy whose quota is used up.
fn quota(headers: &HeaderMap) -> Option<Duration> {
    let items = headers.get_all("ratelimit").iter().filter_map(|value| value.to_str().ok());
    items
        .flat_map(|value| value.split(','))
        .filter_map(|item| {
            let parameter = |name: &str| {
                item.split(';')
                    .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok())
            };
            (parameter("r")? == 0).then(|| parameter("t").map(Duration::from_secs))?
        })
        .max()
}

/// Nothing remains until the reset: seconds, or a moment in seconds since 1970.
fn pair(headers: &HeaderMap, remaining: &str, reset: &str, now: fn() -> SystemTime) -> Option<Duration> {
    let remaining: f64 = text(headers, remaining)?.trim().parse().ok()?;
    if remaining > 0.0 {
        return None;
    }
    moment(text(headers, reset)?, now)
}

/// Seconds, or a moment in seconds since 1970.
fn moment(reset: &str, now: fn() -> SystemTime) -> Option<Duration> {
    let reset = Duration::try_from_secs_f64(reset.trim().parse().ok()?).ok()?;
    if reset.as_secs() <= LONGEST_SPAN {
        return Some(reset);
    }
    Some((UNIX_EPOCH + reset).duration_since(now()).unwrap_or_default())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::HeaderName;

    use super::*;

    fn asked(status: u16, fields: &[(&'static str, &'static str)]) -> Option<u64> {
        let headers = fields
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let now = || UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        pause(StatusCode::from_u16(status).unwrap(), &headers, now).map(|pause| pause.as_secs())
    }

    #[test]
    fn retry_after_counts_on_429_and_503_in_both_forms() {
        assert_eq!(asked(429, &[("retry-after", "7")]), Some(7));
        assert_eq!(asked(503, &[("retry-after", "Tue, 14 Nov 2023 22:13:50 GMT")]), Some(30));
        assert_eq!(asked(429, &[("retry-after", "0")]), None);
        assert_eq!(asked(429, &[("retry-after", "soon")]), None);
        assert_eq!(asked(301, &[("retry-after", "7")]), None);
    }

    #[test]
    fn a_quota_counts_when_it_is_used_up_whatever_the_status() {
        assert_eq!(asked(200, &[("ratelimit", "\"default\";r=0;t=30")]), Some(30));
        assert_eq!(asked(200, &[("ratelimit", "\"a\";r=5;t=30, \"b\"; r=0; t=3")]), Some(3));
        assert_eq!(asked(200, &[("ratelimit", "\"default\";r=1;t=30")]), None);
        assert_eq!(asked(200, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "12")]), Some(12));
        assert_eq!(asked(200, &[("ratelimit-remaining", "3"), ("ratelimit-reset", "12")]), None);
        assert_eq!(
            asked(200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1700000040")]),
            Some(40)
        );
        assert_eq!(asked(429, &[("x-ratelimit-remaining", "0"), ("retry-after", "2")]), Some(2));
    }
}
