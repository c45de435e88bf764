//! Faults that a request asks for itself: `/_fault/KIND/ARGUMENT/…`. What follows is up to the test, so that a
//! base URL can carry the marker.

use std::time::Duration;

use http::StatusCode;

use crate::faults::{Action, Refusal, RetryAfter, parse_status};

/// The prefix of a marked path.
pub(crate) const PREFIX: &str = "/_fault/";

const FORMS: &str = "status/CODE, empty/CODE, stall, slow/MILLISECONDS, bytes/COUNT, garbage, \
                     reset-before, reset-amid, reset-after, retry-after/SECONDS, retry-after-date/SECONDS";

/// What a path asks for; `None` where it is not marked. `attempt` counts the requests with the same key.
pub(crate) fn parse(path: &str, attempt: u64) -> Option<Result<Action, String>> {
    path.strip_prefix(PREFIX).map(|marker| read(marker, attempt))
}

fn read(marker: &str, attempt: u64) -> Result<Action, String> {
    let mut parts = marker.split('/');
    let kind = parts.next().unwrap_or_default();
    let argument = parts.next().unwrap_or_default();
    let number = || {
        argument
            .parse::<u64>()
            .map_err(|_| format!("`{argument}` after {PREFIX}{kind}/ is not a whole number"))
    };
    let once = |retry_after| match attempt {
        1 => {
            Action::Refuse(Refusal { status: StatusCode::TOO_MANY_REQUESTS, retry_after: Some(retry_after) })
        }
        _ => Action::Answer,
    };
    Ok(match kind {
        "status" => Action::Refuse(Refusal { status: parse_status(argument)?, retry_after: None }),
        "empty" => Action::Empty(parse_status(argument)?),
        "stall" => Action::Stall,
        "slow" => Action::Slow(Duration::from_millis(number()?)),
        "bytes" => Action::Bytes(number()?),
        "garbage" => Action::Garbage,
        "reset-before" => Action::ResetBefore,
        "reset-amid" => Action::ResetAmid,
        "reset-after" => Action::ResetAfter,
        "retry-after" => once(RetryAfter::Seconds(number()?)),
        "retry-after-date" => once(RetryAfter::Date(number()?)),
        _ => return Err(format!("there is no fault `{kind}`: write {PREFIX} and one of {FORMS}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_read_whatever_follows_it() {
        assert_eq!(parse("/_fault/slow/500/a/b", 1), Some(Ok(Action::Slow(Duration::from_millis(500)))));
        assert_eq!(parse("/_fault/bytes/1048576", 1), Some(Ok(Action::Bytes(1_048_576))));
        assert_eq!(parse("/_fault/stall/patients/1", 1), Some(Ok(Action::Stall)));
        assert_eq!(parse("/_fault/empty/204/x", 1), Some(Ok(Action::Empty(StatusCode::NO_CONTENT))));
        assert_eq!(parse("/patients/_fault/stall", 1), None);
    }

    #[test]
    fn retry_after_refuses_the_first_attempt_only() {
        assert!(matches!(parse("/_fault/retry-after/2/x", 1), Some(Ok(Action::Refuse(_)))));
        assert_eq!(parse("/_fault/retry-after/2/x", 2), Some(Ok(Action::Answer)));
    }

    #[test]
    fn an_unknown_marker_is_told_the_known_ones() {
        let told = |path| parse(path, 1).unwrap().unwrap_err();
        assert!(told("/_fault/sleep/1").contains("one of status/CODE"));
        assert!(told("/_fault/slow/soon").contains("`soon` after /_fault/slow/ is not a whole number"));
        assert!(told("/_fault/status/99").contains("from 200 to 599"));
    }
}
