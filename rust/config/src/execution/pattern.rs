//! Patterns of hosts and paths, in which `*` stands for text that varies.

/// A host, with or without a port: `api.example.com`, `*.example.com:8443`. `*` stands for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    host: Glob,
    port: Option<u16>,
}

/// A path as it is sent, without query: `/v1/bulk/*`, `/v1/**`. `*` stands for anything within a segment, `**` for
/// anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern(Glob);

impl HostPattern {
    /// The pattern that a text is.
    ///
    /// # Errors
    ///
    /// Why no host can match it, and what to write.
    pub fn parse(text: &str) -> Result<Self, (String, &'static str)> {
        const HINT: &str = "write a host such as api.example.com, api.example.com:8443 or *.example.com";
        let refuse = |why: &str| Err((why.to_owned(), HINT));
        if text.contains("://") || text.contains('/') {
            return refuse("is no host: it has a scheme or a path");
        }
        if text.contains('@') {
            return refuse("holds a user");
        }
        // The colons of an IPv6 address stand in brackets.
        let after_address = text.rfind(']').map_or(0, |end| end + 1);
        let (host, port) = match text[after_address..].rfind(':') {
            Some(colon) => (&text[..after_address + colon], Some(&text[after_address + colon + 1..])),
            None => (text, None),
        };
        let port = match port.map(str::parse::<u16>) {
            None => None,
            Some(Ok(port)) if port > 0 => Some(port),
            Some(_) => return refuse("has a port that is no number from 1 to 65535"),
        };
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._*".contains(c);
        let fits = match address {
            Some(address) => address.chars().all(|c| c.is_ascii_hexdigit() || ":.*".contains(c)),
            None => host.chars().all(allowed),
        };
        let host = address.unwrap_or(host);
        if host.is_empty() || !fits {
            return refuse("has characters that no host has; one that is not ASCII is sent in its xn-- form");
        }
        Ok(Self { host: Glob::new(&host.to_ascii_lowercase(), Star::Anything), port })
    }

    /// Whether a host (without brackets) and port match.
    #[must_use]
    pub fn matches(&self, host: &str, port: u16) -> bool {
        self.port.is_none_or(|own| own == port) && self.host.matches(&host.to_ascii_lowercase())
    }

    /// Whether it matches whatever the other one matches.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.port.is_none_or(|port| other.port == Some(port)) && self.host.covers(&other.host)
    }
}

impl PathPattern {
    /// The pattern that a text is.
    ///
    /// # Errors
    ///
    /// Why no path can match it, and what to write.
    pub fn parse(text: &str) -> Result<Self, (String, &'static str)> {
        const NEVER_SENT: &str = " \"<>\\^`[]|";
        let refuse = |why: &str, hint| Err((why.to_owned(), hint));
        if text.contains("://") || !text.starts_with('/') {
            return refuse(
                "does not begin with `/`",
                "write a path such as /v1/bulk/*, and the host as `host`",
            );
        }
        if text.contains(['?', '#']) {
            return refuse("has a query or a fragment", "write the path alone: the query has no say");
        }
        if text.contains(['{', '}']) {
            return refuse("has a placeholder", "write `*` for what differs from row to row");
        }
        if !text.is_ascii() || text.contains(|c: char| c.is_control() || NEVER_SENT.contains(c)) {
            return refuse(
                "has characters that are sent in an encoded form only",
                "write them as they are sent, for example %20 for a space",
            );
        }
        Ok(Self(Glob::new(text, Star::Segment)))
    }

    /// Whether a path, as it is sent and without its query, matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.0.matches(path)
    }

    /// Whether it matches whatever the other one matches.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.0.covers(&other.0)
    }
}

/// What a single star stands for.
#[derive(Clone, Copy)]
enum Star {
    Anything,
    Segment,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Glob(Vec<Part>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Byte(u8),
    /// Any text without `/`, the empty one too.
    WithinSegment,
    /// Any text.
    Anything,
}

impl Part {
    /// Whether it may take in one more of these.
    fn takes(self, one: Part) -> bool {
        match self {
            Part::Byte(_) => self == one,
            Part::WithinSegment => one != Part::Byte(b'/') && one != Part::Anything,
            Part::Anything => true,
        }
    }

    fn is_star(self) -> bool {
        !matches!(self, Part::Byte(_))
    }
}

impl Glob {
    fn new(text: &str, star: Star) -> Self {
        let mut parts = Vec::with_capacity(text.len());
        let mut bytes = text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            parts.push(match (byte, star) {
                (b'*', Star::Segment) if bytes.next_if_eq(&b'*').is_none() => Part::WithinSegment,
                (b'*', _) => Part::Anything,
                (byte, _) => Part::Byte(byte),
            });
        }
        Self(parts)
    }

    fn matches(&self, text: &str) -> bool {
        self.accepts(text.bytes().map(Part::Byte))
    }

    /// A star of the other one counts as a text that only a star as wide can take in: whatever it stands for is taken in
    /// as well.
    fn covers(&self, other: &Self) -> bool {
        self.accepts(other.0.iter().copied())
    }

    /// All ways to match are followed side by side.
    fn accepts(&self, text: impl Iterator<Item = Part>) -> bool {
        let parts = &self.0;
        let mut reached = vec![false; parts.len() + 1];
        reached[0] = true;
        self.skip_stars(&mut reached);
        for one in text {
            let mut next = vec![false; parts.len() + 1];
            for (index, part) in parts.iter().enumerate().filter(|(index, _)| reached[*index]) {
                if part.takes(one) {
                    next[if part.is_star() { index } else { index + 1 }] = true;
                }
            }
            self.skip_stars(&mut next);
            reached = next;
        }
        reached[parts.len()]
    }

    fn skip_stars(&self, reached: &mut [bool]) {
        for (index, part) in self.0.iter().enumerate() {
            reached[index + 1] |= reached[index] && part.is_star();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(pattern: &str) -> PathPattern {
        PathPattern::parse(pattern).unwrap()
    }

    fn host(pattern: &str) -> HostPattern {
        HostPattern::parse(pattern).unwrap()
    }

    #[test]
    fn a_star_stays_within_its_segment_and_two_do_not() {
        for (pattern, matched, others) in [
            ("/v1/bulk", vec!["/v1/bulk"], vec!["/v1/bulk/", "/v1/bul", "/V1/bulk"]),
            ("/v1/*", vec!["/v1/", "/v1/a"], vec!["/v1", "/v1/a/b"]),
            ("/v1/*/rows", vec!["/v1/a/rows"], vec!["/v1/rows", "/v1/a/b/rows"]),
            ("/v1/**", vec!["/v1/", "/v1/a/b/c"], vec!["/v1", "/v2/a"]),
            ("/**/rows", vec!["/a/rows", "/a/b/rows"], vec!["/rows", "/a/rows/b"]),
            ("/a*b*c", vec!["/abc", "/axbxbxc"], vec!["/ab", "/abcd"]),
        ] {
            for text in matched {
                assert!(path(pattern).matches(text), "{pattern} {text}");
            }
            for text in others {
                assert!(!path(pattern).matches(text), "{pattern} {text}");
            }
        }
    }

    #[test]
    fn a_host_matches_with_any_port_unless_it_names_one() {
        assert!(host("API.example.com").matches("api.EXAMPLE.com", 443));
        assert!(host("*.example.com").matches("a.b.example.com", 8443));
        assert!(!host("*.example.com").matches("example.com", 443));
        assert!(host("api:8443").matches("api", 8443) && !host("api:8443").matches("api", 443));
        assert!(host("[::1]:80").matches("::1", 80) && host("[::1]").matches("::1", 8080));
    }

    #[test]
    fn a_pattern_covers_another_only_if_it_matches_all_that_one_matches() {
        for (wide, narrow) in [
            ("/v1/*", "/v1/a"),
            ("/v1/*", "/v1/a*"),
            ("/v1/**", "/v1/*/x"),
            ("/**", "/v1/**"),
            ("/v1", "/v1"),
        ] {
            assert!(path(wide).covers(&path(narrow)), "{wide} {narrow}");
        }
        for (wide, narrow) in
            [("/v1/*", "/v1/**"), ("/v1/*/*", "/v1/**"), ("/v1/a", "/v1/*"), ("/v1/a*", "/v1/*")]
        {
            assert!(!path(wide).covers(&path(narrow)), "{wide} {narrow}");
        }
        assert!(host("*.com").covers(&host("api.com:80")) && !host("api.com:80").covers(&host("api.com")));
    }
}
