//! What becomes of a request: the rules of a script, and the one pure function that applies them.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use http::StatusCode;

use crate::dice::Dice;
use crate::script::Script;

/// When a refused client may come back: the two forms of the Retry-After header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// In so many seconds.
    Seconds(u64),
    /// At an HTTP date at least so many seconds ahead. Such dates hold whole seconds, so it is rounded up.
    Date(u64),
}

impl RetryAfter {
    /// The header's value, for an answer written at `now`.
    pub(crate) fn header(self, now: SystemTime) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Date(seconds) => httpdate::fmt_http_date(
                now + Duration::from_secs(seconds) + Duration::from_nanos(999_999_999),
            ),
        }
    }
}

/// An answer that is not a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The answer's status.
    pub status: StatusCode,
    /// The answer's Retry-After header, if it has one.
    pub retry_after: Option<RetryAfter>,
}

/// A share of all requests is refused: `0.1:503`, `0.1:429:retry-after=2`, `0.1:503:retry-after-date=2`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FailShare {
    /// Between 0 and 1.
    pub share: f64,
    /// How.
    pub refusal: Refusal,
}

/// The first attempts of each key are refused: `2:503`, `1:429:retry-after=1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailFirst {
    /// How many attempts of each Idempotency-Key, or of each path where a request has no key.
    pub attempts: u64,
    /// How.
    pub refusal: Refusal,
}

/// Every n-th request is refused: `10:500`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailEvery {
    /// The requests n, 2n, 3n … in the order of arrival.
    pub nth: u64,
    /// How.
    pub refusal: Refusal,
}

/// What to do with one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Action {
    /// The ordinary answer.
    Answer,
    /// The ordinary answer, later.
    Slow(Duration),
    /// A successful answer with a body of so many bytes.
    Bytes(u64),
    /// A status and no body.
    Empty(StatusCode),
    Refuse(Refusal),
    /// Never answers.
    Stall,
    /// A reset before any byte of the answer.
    ResetBefore,
    /// Status line, headers and half the body, then a reset.
    ResetAmid,
    /// The whole answer, then a reset.
    ResetAfter,
    /// Bytes that are not HTTP.
    Garbage,
}

impl Action {
    /// Its name in the report's `faults`; `None` for what any honest server does.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        match self {
            Self::Answer | Self::Bytes(_) | Self::Empty(_) => None,
            Self::Slow(_) => Some("slow"),
            Self::Refuse(_) => Some("status"),
            Self::Stall => Some("stall"),
            Self::ResetBefore => Some("reset-before"),
            Self::ResetAmid => Some("reset-amid"),
            Self::ResetAfter => Some("reset-after"),
            Self::Garbage => Some("garbage"),
        }
    }
}

/// Applies a script to the `ordinal`-th request, which is the `attempt`-th with its key. What is certain goes
/// before what is drawn, and one draw decides among all shares, so that each gets exactly its share.
pub(crate) fn decide(script: &Script, ordinal: u64, attempt: u64, dice: &mut Dice) -> Action {
    let mut attempts = 0;
    for rule in &script.fail_first {
        attempts += rule.attempts;
        if attempt <= attempts {
            return Action::Refuse(rule.refusal);
        }
    }
    if let Some(rule) = script.fail_every.iter().find(|rule| ordinal.is_multiple_of(rule.nth)) {
        return Action::Refuse(rule.refusal);
    }
    let refusals = script.fail.iter().map(|rule| (rule.share, Action::Refuse(rule.refusal)));
    let mut left = dice.share();
    for (share, action) in script.shares().into_iter().chain(refusals) {
        if left < share {
            return action;
        }
        left -= share;
    }
    Action::Answer
}

/// Reads a status that a server may end a request with.
pub(crate) fn parse_status(text: &str) -> Result<StatusCode, String> {
    match text.parse::<u16>().ok().filter(|code| (200..=599).contains(code)).map(StatusCode::from_u16) {
        Some(Ok(status)) => Ok(status),
        _ => Err(format!("`{text}` is not a status: write a number from 200 to 599")),
    }
}

impl FromStr for Refusal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (status, tail) = text.split_once(':').map_or((text, None), |(status, tail)| (status, Some(tail)));
        let retry_after = tail.map(parse_retry_after).transpose()?;
        Ok(Self { status: parse_status(status)?, retry_after })
    }
}

fn parse_retry_after(text: &str) -> Result<RetryAfter, String> {
    let wrong =
        || format!("`{text}` is not understood: write retry-after=SECONDS or retry-after-date=SECONDS");
    let (name, seconds) = text.split_once('=').ok_or_else(wrong)?;
    let seconds = seconds.parse().map_err(|_| wrong())?;
    match name {
        "retry-after" => Ok(RetryAfter::Seconds(seconds)),
        "retry-after-date" => Ok(RetryAfter::Date(seconds)),
        _ => Err(wrong()),
    }
}

/// Reads a share of all requests.
pub(crate) fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("`{text}` is not a share: write a number from 0 to 1, such as 0.01")),
    }
}

fn parse_count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(format!("`{text}` is not a count: write a whole number above 0")),
    }
}

fn split<'a>(text: &'a str, what: &str) -> Result<(&'a str, &'a str), String> {
    text.split_once(':').ok_or_else(|| format!("`{text}` lacks a status: write {what}:STATUS"))
}

impl FromStr for FailShare {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (share, refusal) = split(text, "SHARE")?;
        Ok(Self { share: parse_share(share)?, refusal: refusal.parse()? })
    }
}

impl FromStr for FailFirst {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (attempts, refusal) = split(text, "ATTEMPTS")?;
        Ok(Self { attempts: parse_count(attempts)?, refusal: refusal.parse()? })
    }
}

impl FromStr for FailEvery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (nth, refusal) = split(text, "N")?;
        Ok(Self { nth: parse_count(nth)?, refusal: refusal.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(args: &[&str]) -> Script {
        Script::from_args(args).unwrap()
    }

    fn status(action: Action) -> u16 {
        match action {
            Action::Refuse(refusal) => refusal.status.as_u16(),
            Action::Answer => 200,
            other => panic!("{other:?} has no status"),
        }
    }

    #[test]
    fn rules_are_read_with_and_without_retry_after() {
        let rule: FailShare = "0.1:503".parse().unwrap();
        assert_eq!(rule.share, 0.1);
        assert_eq!(rule.refusal, Refusal { status: StatusCode::SERVICE_UNAVAILABLE, retry_after: None });
        let rule: FailFirst = "2:429:retry-after=3".parse().unwrap();
        assert_eq!((rule.attempts, rule.refusal.retry_after), (2, Some(RetryAfter::Seconds(3))));
        let rule: FailEvery = "10:500:retry-after-date=4".parse().unwrap();
        assert_eq!((rule.nth, rule.refusal.retry_after), (10, Some(RetryAfter::Date(4))));
    }

    #[test]
    fn a_wrong_rule_is_refused_with_what_to_write_instead() {
        let told = |text: &str| text.parse::<FailShare>().unwrap_err();
        assert!(told("0.1").contains("write SHARE:STATUS"));
        assert!(told("2:503").contains("a number from 0 to 1"));
        assert!(told("NaN:503").contains("a number from 0 to 1"));
        assert!(told("0.1:99").contains("from 200 to 599"));
        assert!(told("0.1:503:retry=1").contains("write retry-after=SECONDS"));
        assert!("0:500".parse::<FailEvery>().unwrap_err().contains("a whole number above 0"));
    }

    #[test]
    fn a_date_is_never_earlier_than_the_seconds_asked_for() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_001);
        let date = httpdate::parse_http_date(&RetryAfter::Date(2).header(now)).unwrap();
        assert_eq!(date, SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_003));
        let whole = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let date = httpdate::parse_http_date(&RetryAfter::Date(2).header(whole)).unwrap();
        assert_eq!(date, whole + Duration::from_secs(2));
    }

    #[test]
    fn fail_first_rules_follow_each_other() {
        let script = script(&["--fail-first", "2:503", "--fail-first", "1:429"]);
        let statuses = [1, 2, 3, 4].map(|attempt| status(decide(&script, 1, attempt, &mut Dice::of(0, 1))));
        assert_eq!(statuses, [503, 503, 429, 200]);
    }

    #[test]
    fn fail_every_takes_the_nth_request_only() {
        let script = script(&["--fail-every", "3:500"]);
        let statuses: Vec<u16> =
            (1..=6).map(|n| status(decide(&script, n, 1, &mut Dice::of(0, n)))).collect();
        assert_eq!(statuses, [200, 200, 500, 200, 200, 500]);
    }

    #[test]
    fn each_share_is_its_own_and_the_seed_repeats_it() {
        let script = script(&["--fail", "0.1:503", "--fail", "0.2:429", "--stall", "0.05"]);
        let draw = |seed| -> Vec<Action> {
            (1..=20_000).map(|n| decide(&script, n, 1, &mut Dice::of(seed, n))).collect()
        };
        let actions = draw(9);
        let count = |wanted: fn(&Action) -> bool| actions.iter().filter(|a| wanted(a)).count();
        let refused = |code| {
            actions.iter().filter(|a| matches!(a, Action::Refuse(r) if r.status.as_u16() == code)).count()
        };
        assert!((850..1_150).contains(&count(|a| matches!(a, Action::Stall))));
        assert!((1_850..2_150).contains(&refused(503)));
        assert!((3_800..4_200).contains(&refused(429)));
        assert_eq!(actions, draw(9));
        assert_ne!(actions, draw(10));
    }
}
