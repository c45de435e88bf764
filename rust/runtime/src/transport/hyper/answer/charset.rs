//! Text in another charset than UTF-8, as Content-Type says.

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};
use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The charset of an answer with these headers; none when it is UTF-8, not said or not known.
pub(super) fn of(headers: &HeaderMap) -> Option<&'static Encoding> {
    const PARAMETER: &[u8] = b"charset=";
    let value = headers.get(CONTENT_TYPE)?.as_bytes();
    // Most have no parameter at all.
    let value = &value[value.iter().position(|byte| *byte == b';')?..];
    let at = value.windows(PARAMETER.len()).position(|window| window.eq_ignore_ascii_case(PARAMETER))?;
    let rest = &value[at + PARAMETER.len()..];
    let end = rest.iter().position(|byte| *byte == b';').unwrap_or(rest.len());
    let label = rest[..end].trim_ascii();
    let quoted = label.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    Encoding::for_label(quoted.unwrap_or(label)).filter(|encoding| *encoding != UTF_8)
}

/// A body as UTF-8; none when it is not in this charset after all. The last character of one that was cut off may be
/// cut off as well.
pub(super) fn to_utf8(body: &[u8], charset: &'static Encoding, truncated: bool) -> Option<Bytes> {
    let (text, _, malformed) = charset.decode(body);
    (truncated || !malformed).then(|| text.into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_is_found_in_any_spelling() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
            of(&headers).map(Encoding::name)
        };
        assert_eq!(of("text/plain; charset=iso-8859-1"), Some("windows-1252"));
        assert_eq!(of("text/plain;CharSet=\"Shift_JIS\" ; x=y"), Some("Shift_JIS"));
        assert_eq!(of("application/json; charset=utf-8"), None);
        assert_eq!(of("application/json"), None);
        assert_eq!(of("text/plain; charset=klingon"), None);
    }

    #[test]
    fn what_is_not_in_its_charset_stays_as_it_is() {
        let utf16 = encoding_rs::UTF_16LE;
        assert_eq!(to_utf8(b"h\0i\0", utf16, false).unwrap(), "hi");
        assert_eq!(to_utf8(b"h\0i", utf16, false), None);
        assert!(to_utf8(b"h\0i", utf16, true).unwrap().starts_with(b"h"));
    }
}
