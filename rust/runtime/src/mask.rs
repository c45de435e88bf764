//! Masking of credentials in what comes back: APIs echo requests, in error pages above all.
//!
//! Every credential of the plan is looked for in each form that an echo may give it: as it is, percent-encoded, and
//! escaped for JSON; a user and password of basic authentication also as the Base64 of its header. Values that a
//! middleware obtained while sending, such as access tokens, are known by the sensitive headers of the request.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::{AhoCorasick, BuildError, MatchKind};
use apisink_plan::{AuthSpec, HeaderAuthSpec, HeaderCredential, LinkPlan, Plan, SecretValues};
use http::HeaderMap;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

use crate::basic::basic_pair;
use crate::error::RuntimeError;
use crate::request::{MASK, VALUE};
use crate::token::client_pair;

/// A shorter value is not looked for: it would be found in what is no secret.
const SHORTEST: usize = 4;

/// A shorter value is masked only where it stands alone, between bytes that are neither letters nor digits.
const SHORTEST_WITHIN: usize = 8;

/// Authentication schemes stand in headers beside credentials, and are none.
const SCHEMES: [&str; 8] =
    ["apikey", "aws4-hmac-sha256", "basic", "bearer", "digest", "hmac", "key", "token"];

/// Masks the credentials of a plan. Costs nothing when there is none.
pub(crate) struct Mask {
    needles: Option<Arc<Needles>>,
    known: HashSet<String>,
    /// Those of the last request that had others, for the next one most often has the same.
    recent: Mutex<Recent>,
}

/// Values and the needles made of them.
type Recent = (Vec<String>, Option<Arc<Needles>>);

impl Mask {
    pub(crate) fn new(plan: &Plan, secrets: &SecretValues) -> Result<Self, RuntimeError> {
        let slots = plan.sink.masked.iter().filter_map(|slot| secrets.get(*slot));
        let mut known: HashSet<String> = slots.filter_map(|secret| worth_masking(secret.expose())).collect();
        for link in &plan.chain {
            known.extend(match link.middleware.as_str() {
                "auth" => header_of(link, secrets),
                "header_auth" => header_of_user(link, secrets),
                _ => None,
            });
        }
        known.extend(header_of_proxy(plan, secrets));
        let needles = Needles::new(&known)
            .map_err(|_| RuntimeError::Plan("its secrets are too large to be masked in answers".into()))?;
        Ok(Self { needles: needles.map(Arc::new), known, recent: Mutex::default() })
    }

    /// The mask for what a request with these headers brings back.
    pub(crate) fn of(&self, request: &HeaderMap) -> ExchangeMask {
        ExchangeMask([self.needles.clone(), self.own(request)])
    }

    /// The text with every credential of the plan masked.
    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        ExchangeMask([self.needles.clone(), None]).text(text)
    }

    /// What is sensitive in these headers and not among the plan's credentials.
    fn own(&self, headers: &HeaderMap) -> Option<Arc<Needles>> {
        let mut own = Vec::new();
        for value in headers.values().filter(|value| value.is_sensitive()) {
            let Ok(text) = value.to_str() else { continue };
            let credential = text.split_once(' ').map_or(text, |(_, credential)| credential);
            if !self.known.contains(text) && !self.known.contains(credential) {
                own.extend(worth_masking(credential));
            }
        }
        if own.is_empty() {
            return None;
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.0 != own {
            // Some header values are far below the automaton's limits.
            let needles = Needles::new(&own).ok().flatten().map(Arc::new);
            *recent = (own, needles);
        }
        recent.1.clone()
    }
}

/// What stands for a pair of credentials in a header of basic authentication.
fn header_of(link: &LinkPlan, secrets: &SecretValues) -> Option<String> {
    let pair = |name, secret| Some((secrets.get(name)?.expose(), secrets.get(secret)?.expose()));
    match serde_json::from_value(link.spec.clone()).ok()? {
        AuthSpec::Basic { username, password } => {
            pair(username, password).map(|(name, secret)| basic_pair(name, secret))
        }
        AuthSpec::Oauth2(spec) => {
            pair(spec.client_id, spec.client_secret?).map(|(name, secret)| client_pair(name, secret))
        }
        _ => None,
    }
}

/// The same of a `header_auth` with a user.
fn header_of_user(link: &LinkPlan, secrets: &SecretValues) -> Option<String> {
    let spec: HeaderAuthSpec = serde_json::from_value(link.spec.clone()).ok()?;
    let HeaderCredential::User { username, password } = spec.credential else { return None };
    Some(basic_pair(secrets.get(username)?.expose(), secrets.get(password)?.expose()))
}

/// The same of a proxy that is shown a user.
fn header_of_proxy(plan: &Plan, secrets: &SecretValues) -> Option<String> {
    let (username, password) = plan.transport.proxy.as_ref()?.credentials?;
    Some(basic_pair(secrets.get(username)?.expose(), secrets.get(password)?.expose()))
}

/// The credentials of the plan, and those of one request beside them.
pub(crate) struct ExchangeMask([Option<Arc<Needles>>; 2]);

impl ExchangeMask {
    /// The text, masked.
    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(masked) => lossy(masked).into(),
        }
    }

    /// A body, masked; where it was cut off at the cap, also of the beginning of a credential at its end.
    pub(crate) fn body<'t>(&self, body: &'t [u8], truncated: bool) -> Cow<'t, [u8]> {
        let masked = self.bytes(body);
        if !truncated {
            return masked;
        }
        let begun = self.needles().map(|needles| needles.begun(&masked)).max().unwrap_or(0);
        if begun == 0 {
            return masked;
        }
        let mut cut = masked.into_owned();
        cut.truncate(cut.len() - begun);
        cut.extend_from_slice(MASK.as_bytes());
        cut.into()
    }

    fn bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        let mut masked = Cow::Borrowed(bytes);
        for needles in self.needles() {
            if let Some(further) = needles.mask(&masked) {
                masked = Cow::Owned(further);
            }
        }
        masked
    }

    fn needles(&self) -> impl Iterator<Item = &Needles> {
        self.0.iter().flatten().map(Arc::as_ref)
    }
}

/// A value to look for; none when it is too short or a scheme's name.
fn worth_masking(value: &str) -> Option<String> {
    let value = value.trim();
    let scheme = SCHEMES.iter().any(|scheme| value.eq_ignore_ascii_case(scheme));
    (value.len() >= SHORTEST && !scheme).then(|| value.to_owned())
}

/// Values in all their forms, and the automaton that finds them in one pass.
struct Needles {
    automaton: AhoCorasick,
    forms: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Needles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Needles {
    fn new<'v>(values: impl IntoIterator<Item = &'v String>) -> Result<Option<Self>, BuildError> {
        let values = values.into_iter();
        let mut forms: Vec<Vec<u8>> = values.flat_map(|value| forms(value)).map(String::into_bytes).collect();
        forms.sort_unstable();
        forms.dedup();
        if forms.is_empty() {
            return Ok(None);
        }
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&forms)?;
        Ok(Some(Self { automaton, forms }))
    }

    /// The text with every value masked; none when there is none in it.
    fn mask(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut masked = Vec::new();
        let mut done = 0;
        for found in self.automaton.find_iter(text) {
            if found.len() < SHORTEST_WITHIN && !stands_alone(text, found.range()) {
                continue;
            }
            masked.extend_from_slice(&text[done..found.start()]);
            masked.extend_from_slice(MASK.as_bytes());
            done = found.end();
        }
        if done == 0 {
            return None;
        }
        masked.extend_from_slice(&text[done..]);
        Some(masked)
    }

    /// How many bytes at the text's end may be the beginning of a value.
    fn begun(&self, text: &[u8]) -> usize {
        let begun = |form: &Vec<u8>| {
            let longest = form.len().saturating_sub(1).min(text.len());
            (SHORTEST..=longest).rev().find(|length| text.ends_with(&form[..*length]))
        };
        self.forms.iter().filter_map(begun).max().unwrap_or(0)
    }
}

fn stands_alone(text: &[u8], range: std::ops::Range<usize>) -> bool {
    let before = range.start.checked_sub(1).and_then(|at| text.get(at));
    let after = text.get(range.end);
    [before, after].into_iter().flatten().all(|byte| !byte.is_ascii_alphanumeric())
}

/// A value as servers may repeat it.
fn forms(value: &str) -> Vec<String> {
    let percent = |set| percent_encode(value.as_bytes(), set).to_string();
    let encoded = [percent(VALUE), percent(NON_ALPHANUMERIC)];
    let mut forms = vec![value.to_owned()];
    for text in encoded {
        forms.push(lower_hex(&text));
        // The encoding of HTML forms.
        forms.push(text.replace("%20", "+"));
        forms.push(text);
    }
    let json = serde_json::Value::from(value).to_string();
    let json = &json[1..json.len() - 1];
    for text in [json.to_owned(), ascii(json)] {
        forms.push(text.replace('/', "\\/"));
        forms.push(text);
    }
    forms
}

/// With the hexadecimal digits after each `%` in lower case.
fn lower_hex(percent_encoded: &str) -> String {
    let mut pieces = percent_encoded.split('%');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (hex, rest) = piece.split_at(2.min(piece.len()));
        out.push('%');
        out.push_str(&hex.to_ascii_lowercase());
        out.push_str(rest);
    }
    out
}

/// JSON with everything beyond ASCII escaped.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn mask(values: &[&str]) -> Mask {
        let known: HashSet<String> = values.iter().filter_map(|value| worth_masking(value)).collect();
        let needles = Needles::new(&known).unwrap().map(Arc::new);
        Mask { needles, known, recent: Mutex::default() }
    }

    fn sensitive(value: &'static str) -> HeaderMap {
        let mut value = HeaderValue::from_static(value);
        value.set_sensitive(true);
        HeaderMap::from_iter([(AUTHORIZATION, value)])
    }

    #[test]
    fn a_credential_is_masked_in_every_form_of_an_echo() {
        let secret = "p/ss w\u{f6}rd+\"=\\";
        let mask = mask(&[secret]);
        let json = serde_json::Value::from(secret).to_string();
        for echo in [
            secret.to_owned(),
            json.trim_matches('"').to_owned(),
            json.trim_matches('"').replace('/', "\\/"),
            json.trim_matches('"').replace('\u{f6}', "\\u00f6"),
            "p%2Fss%20w%C3%B6rd%2B%22%3D%5C".to_owned(),
            "p%2fss%20w%c3%b6rd%2b%22%3d%5c".to_owned(),
            "p%2Fss+w%C3%B6rd%2B%22%3D%5C".to_owned(),
        ] {
            assert_eq!(mask.text(&format!("before {echo} after")), "before *** after", "{echo}");
        }
    }

    #[test]
    fn text_without_a_credential_is_not_copied() {
        assert!(matches!(mask(&["hunter2-hunter2"]).text("hunter"), Cow::Borrowed("hunter")));
        assert!(matches!(mask(&[]).text("anything"), Cow::Borrowed("anything")));
    }

    #[test]
    fn short_values_are_masked_where_they_stand_alone_and_the_shortest_nowhere() {
        let mask = mask(&["user", "abc"]);
        assert_eq!(
            mask.text(r#"{"user":"user","users":1,"superuser":2}"#),
            r#"{"***":"***","users":1,"superuser":2}"#
        );
        assert_eq!(mask.text("abc abc"), "abc abc");
    }

    #[test]
    fn the_scheme_before_a_credential_is_no_credential() {
        let mask = mask(&["Bearer ", "s3cret-token"]);
        assert_eq!(mask.text("use Bearer s3cret-token"), "use Bearer ***");
    }

    #[test]
    fn a_token_that_was_obtained_while_sending_is_masked_in_the_answer_to_its_request() {
        let mask = mask(&["client-secret"]);
        let body = b"you sent fresh-token-1 for client-secret";
        let own = mask.of(&sensitive("Bearer fresh-token-1"));
        assert_eq!(own.body(body, false).as_ref(), b"you sent *** for ***");
        let next = mask.of(&sensitive("Bearer fresh-token-2"));
        assert_eq!(next.body(body, false).as_ref(), b"you sent fresh-token-1 for ***");
    }

    #[test]
    fn the_beginning_of_a_credential_at_the_cut_of_a_body_is_masked() {
        let mask = mask(&["s3cret-token"]).of(&HeaderMap::new());
        assert_eq!(mask.body(b"you sent s3cret-tok", true).as_ref(), b"you sent ***");
        assert_eq!(mask.body(b"you sent s3cret-tok", false).as_ref(), b"you sent s3cret-tok");
        assert_eq!(mask.body(b"you sent s3c", true).as_ref(), b"you sent s3c");
    }

    #[test]
    fn bytes_that_are_no_text_are_masked_too() {
        let mask = mask(&["s3cret-token"]).of(&HeaderMap::new());
        assert_eq!(mask.body(b"\xff\xfes3cret-token\x00", false).as_ref(), b"\xff\xfe***\x00");
    }

    #[test]
    fn values_do_not_print() {
        assert!(!format!("{:?}", mask(&["s3cret-token"]).needles).contains("s3cret"));
    }

    proptest! {
        #[test]
        fn no_text_around_a_credential_hides_it(
            secret in "[!-~]{8,40}",
            before in "\\PC{0,40}",
            after in "\\PC{0,40}",
        ) {
            prop_assume!(!MASK.contains(&secret) && !secret.contains('*'));
            let mask = mask(&[&secret]);
            let echoed = format!("{before}{secret}{after}");
            prop_assert!(!mask.text(&echoed).contains(&secret));
        }
    }
}
