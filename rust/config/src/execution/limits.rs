//! `execution.limits`: rates of their own for some hosts or paths.

use super::pattern::{HostPattern, PathPattern};
use super::{RATES, lowest};
use crate::keys::{keys, number, whole, word};
use crate::problem::{Code, Located};
use crate::reader::Section;

keys! {
    /// A rate of its own for the attempts to some hosts or paths. The first entry that an attempt's URL matches is its
    /// limit, beside that of the whole run and not within it; attempts that match none keep to that one.
    pub struct RateLimit {
        /// Host, with or without a port; `*` stands for anything.
        host: Option<Located<String>> = word("\"*.example.com\"").optional("any host"),
        /// Path as it is sent, without its query; `*` stands for anything within a segment, `**` for anything.
        path: Option<Located<String>> = word("/v1/bulk/*").optional("any path"),
        /// Attempts per second, retries included. One of the three rates must be there; the lowest counts.
        max_requests_per_second: Option<f64> =
            number(0.000_1..=1_000_000.0, "attempts per second").for_example(5.0).optional("no limit"),
        /// Attempts per minute, spread evenly over it.
        max_requests_per_minute: Option<f64> =
            number(0.01..=60_000_000.0, "attempts per minute").for_example(100.0).optional("no limit"),
        /// Attempts per hour, spread evenly over it.
        max_requests_per_hour: Option<f64> =
            number(1.0..=3_600_000_000.0, "attempts per hour").for_example(3_600.0).optional("no limit"),
        /// Attempts that may go at once after a pause, before the limit's even pace.
        burst: u32 = whole(1..=1_000_000, "attempts").or(1),
    }
    check |section| {
        check_keys(section);
        check_pattern(section, "host", host.as_ref(), HostPattern::parse);
        check_pattern(section, "path", path.as_ref(), PathPattern::parse);
    };
}

fn check_keys(section: &Section<'_>) {
    if !section.has("host") && !section.has("path") {
        section.note(
            section.at(),
            Code::MissingKey,
            format!("`{}` says neither of which `host` nor of which `path` it is the limit", section.path()),
            "write one or both of them, or the run's own limit as `execution.max_requests_per_second`",
        );
    }
    if !RATES.iter().any(|rate| section.has(rate)) {
        section.note(
            section.at(),
            Code::MissingKey,
            format!("`{}` has no rate", section.path()),
            "write for example `max_requests_per_second: 5`",
        );
    }
}

fn check_pattern<T>(
    section: &Section<'_>,
    key: &str,
    pattern: Option<&Option<Located<String>>>,
    parse: impl FnOnce(&str) -> Result<T, (String, &'static str)>,
) {
    let Some(Some(pattern)) = pattern else { return };
    if let Err((why, hint)) = parse(pattern) {
        section.note(
            pattern.at,
            Code::InvalidValue,
            format!("{} is `{}`, which {why}", section.name(key), pattern.value),
            hint,
        );
    }
}

/// An entry that comes too late: whatever it matches is matched before.
pub(super) fn check_order(section: &Section<'_>, limits: Option<&[Located<RateLimit>]>) {
    let limits = limits.unwrap_or_default();
    for (place, limit) in limits.iter().enumerate() {
        if let Some(first) = limits[..place].iter().position(|earlier| earlier.covers(limit)) {
            section.note(
                limit.at,
                Code::Unused,
                format!(
                    "`{}.limits[{place}]` is the limit of nothing: `limits[{first}]` comes before it and matches all that \
                     it matches",
                    section.path()
                ),
                "write the narrower entry first, or remove one of the two",
            );
        }
    }
}

impl RateLimit {
    /// Attempts per second: the lowest of its rates.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        lowest(self.max_requests_per_second, self.max_requests_per_minute, self.max_requests_per_hour)
    }

    fn covers(&self, other: &Self) -> bool {
        let host = |limit: &Self| limit.host.as_ref().map(|host| HostPattern::parse(host));
        let path = |limit: &Self| limit.path.as_ref().map(|path| PathPattern::parse(path));
        let hosts = match (host(self), host(other)) {
            (None, _) => true,
            (Some(Ok(own)), Some(Ok(others))) => own.covers(&others),
            _ => false,
        };
        let paths = match (path(self), path(other)) {
            (None, _) => true,
            (Some(Ok(own)), Some(Ok(others))) => own.covers(&others),
            _ => false,
        };
        let says_something = self.host.is_some() || self.path.is_some();
        says_something && hosts && paths
    }
}
