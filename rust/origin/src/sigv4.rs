//! The check of `--sigv4`: Signature Version 4 of AWS, worked out from its public description and not by the signer
//! that the client uses.
//!
//! ```text
//! request ─► canonical request ─► string to sign ─► signature, compared with the one shown
//! ```

use std::fmt::Write;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};

/// A signature is good for so many seconds before and after its time.
const WINDOW: i64 = 300;

/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The key that requests must be signed with, and for what: `AKID:SECRET:REGION:SERVICE[:SESSION_TOKEN]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sigv4 {
    /// The key's id.
    pub access_key_id: String,
    /// The key.
    pub secret: String,
    /// Where the service is.
    pub region: String,
    /// Its name.
    pub service: String,
    /// What must be shown with a temporary key.
    pub session_token: Option<String>,
}

impl FromStr for Sigv4 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.splitn(5, ':').collect();
        let [access_key_id, secret, region, service, rest @ ..] = parts.as_slice() else {
            return Err(
                "write ACCESS_KEY_ID:SECRET:REGION:SERVICE, and :SESSION_TOKEN if there is one".into()
            );
        };
        let [access_key_id, secret, region, service] =
            [access_key_id, secret, region, service].map(|part| (*part).to_owned());
        let session_token = rest.first().map(|token| (*token).to_owned());
        Ok(Self { access_key_id, secret, region, service, session_token })
    }
}

/// What of a request is signed.
pub(crate) struct Message<'a> {
    pub(crate) method: &'a str,
    /// Path as it came, encoded.
    pub(crate) path: &'a str,
    /// Query as it came, encoded.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// The parts of the header Authorization.
struct Shown<'a> {
    credential: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Shown<'a> {
    fn of(message: &Message<'a>) -> Result<Self, String> {
        let value = text(message.headers, AUTHORIZATION.as_str()).ok_or("there is no signature")?;
        let parts = value.strip_prefix(ALGORITHM).ok_or("the request is not signed by AWS4-HMAC-SHA256")?;
        let part = |name: &str| {
            let found = parts.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
            found.ok_or_else(|| format!("the signature lacks its {name}"))
        };
        Ok(Self {
            credential: part("Credential")?,
            signed_headers: part("SignedHeaders")?.split(';').collect(),
            signature: part("Signature")?,
        })
    }
}

impl Sigv4 {
    /// Whether a request is signed as it must be, `now`; else why not.
    pub(crate) fn verify(&self, message: &Message<'_>, now: Timestamp) -> Result<(), String> {
        let shown = Shown::of(message)?;
        let time = text(message.headers, "x-amz-date").ok_or("there is no x-amz-date")?;
        let signed_at = seconds(time).ok_or_else(|| format!("{time} is no time"))?;
        if (now.as_second() - signed_at).abs() > WINDOW {
            return Err(format!("the signature is of {time}, too far from now"));
        }
        let (date, _) = time.split_once('T').unwrap_or_default();
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        if shown.credential != format!("{}/{scope}", self.access_key_id) {
            return Err(format!("{} is not the key and scope that are asked for", shown.credential));
        }
        if text(message.headers, "x-amz-security-token") != self.session_token.as_deref() {
            return Err("the session token is not the one that goes with the key".into());
        }
        must_be_signed(message.headers, &shown.signed_headers)?;
        let digest = self.payload(message)?;
        let canonical = self.canonical(message, &shown.signed_headers, &digest)?;
        let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        if hex(&mac(&self.key(date), &to_sign)) != shown.signature {
            return Err("the signature does not follow from the request and the key".into());
        }
        Ok(())
    }

    /// S3 takes a path as it is, once encoded; other services normalise it and encode it once more.
    fn is_s3(&self) -> bool {
        self.service == "s3"
    }

    fn key(&self, date: &str) -> Vec<u8> {
        let begin = format!("AWS4{}", self.secret).into_bytes();
        [date, &self.region, &self.service, "aws4_request"].iter().fold(begin, |key, part| mac(&key, part))
    }

    /// The digest of the body, which must be the one that a header tells, if any does.
    fn payload(&self, message: &Message<'_>) -> Result<String, String> {
        let digest = hex(&Sha256::digest(message.body));
        match text(message.headers, "x-amz-content-sha256") {
            Some(told) if told != digest => Err("x-amz-content-sha256 is not the body's".into()),
            None if self.is_s3() => Err("s3 asks for x-amz-content-sha256".into()),
            _ => Ok(digest),
        }
    }

    fn canonical(&self, message: &Message<'_>, signed: &[&str], digest: &str) -> Result<String, String> {
        let mut canonical =
            format!("{}\n{}\n{}\n", message.method, self.path(message.path), query(message.query));
        for name in signed {
            let values: Vec<String> = message
                .headers
                .get_all(*name)
                .iter()
                .map(|value| {
                    String::from_utf8_lossy(value.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" ")
                })
                .collect();
            if values.is_empty() {
                return Err(format!("the header {name} is signed and not there"));
            }
            // Writing to a string does not fail.
            let _ = writeln!(canonical, "{name}:{}", values.join(","));
        }
        let _ = write!(canonical, "\n{}\n{digest}", signed.join(";"));
        Ok(canonical)
    }

    fn path(&self, path: &str) -> String {
        let encode = |bytes: &[u8]| percent_encode(bytes, ENCODED).to_string();
        if self.is_s3() {
            let segments =
                path.split('/').map(|segment| encode(&percent_decode_str(segment).collect::<Vec<u8>>()));
            return segments.collect::<Vec<_>>().join("/");
        }
        let mut kept = Vec::new();
        for segment in path.split('/') {
            match segment {
                "" | "." => {}
                ".." => drop(kept.pop()),
                _ => kept.push(encode(segment.as_bytes())),
            }
        }
        let is_folder = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
        let end = if is_folder && !kept.is_empty() { "/" } else { "" };
        format!("/{}{end}", kept.join("/"))
    }
}

/// Host, type of the body and all that is said to AWS.
fn must_be_signed(headers: &HeaderMap, signed: &[&str]) -> Result<(), String> {
    let must =
        |name: &str| name == HOST.as_str() || name == CONTENT_TYPE.as_str() || name.starts_with("x-amz-");
    match headers.keys().find(|name| must(name.as_str()) && !signed.contains(&name.as_str())) {
        Some(name) => Err(format!("the header {name} is not signed")),
        None => Ok(()),
    }
}

/// The parameters in the order of their encoded names and values.
fn query(query: &str) -> String {
    let encode = |text: &str| percent_encode(text.as_bytes(), ENCODED).to_string();
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (encode(&name), encode(&value)))
        .collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The seconds of `20150830T123600Z` since 1970.
fn seconds(time: &str) -> Option<i64> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", time).ok()?;
    Some(Offset::UTC.to_timestamp(time).ok()?.as_second())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // Keys of any length are taken.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!());
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    /// Method, path, query, further headers, body, signature.
    type Example = (&'static str, &'static str, &'static str, Headers, &'static str, &'static str);
    type Headers = &'static [(&'static str, &'static str)];

    /// Examples that AWS has published for its signatures. All are of one key, one time and one service.
    const EXAMPLES: &[Example] = &[
        ("GET", "/", "", &[], "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("GET", "/./", "", &[], "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "GET",
            "/",
            "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
            &[],
            "",
            "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        ),
        ("GET", "/", "ሴ=bar", &[], "", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        (
            "GET",
            "/example space/",
            "",
            &[],
            "",
            "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
        ),
        (
            "GET",
            "/",
            "",
            &[("my-header1", "value1"), ("my-header2", "\"a   b   c\"")],
            "",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "GET",
            "/",
            "",
            &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
            "",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "POST",
            "/",
            "",
            &[
                ("content-length", "13"),
                ("content-type", "application/x-www-form-urlencoded"),
                ("x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"),
            ],
            "Param1=value1",
            "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        ),
        (
            "GET",
            "/",
            "",
            &[("x-amz-security-token", TOKEN)],
            "",
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        ),
    ];

    const TOKEN: &str = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
    const KEY: &str = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY:us-east-1:service";

    fn headers(further: &[(&str, &str)], signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let known = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
        for (name, value) in known.iter().chain(further) {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let mut signed: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        signed.sort_unstable();
        let shown = format!(
            "{ALGORITHM} Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={}, \
             Signature={signature}",
            signed.join(";")
        );
        headers.insert(AUTHORIZATION, HeaderValue::try_from(shown).unwrap());
        headers
    }

    fn verdict(key: &str, message: &Message<'_>, time: &str) -> Result<(), String> {
        let now = Timestamp::from_second(seconds(time).unwrap()).unwrap();
        key.parse::<Sigv4>().unwrap().verify(message, now)
    }

    #[test]
    fn the_published_examples_pass() {
        for (method, path, query, further, body, signature) in EXAMPLES {
            let headers = headers(further, signature);
            let message = Message { method, path, query, headers: &headers, body: body.as_bytes() };
            let token = further.iter().any(|(name, _)| *name == "x-amz-security-token");
            let key = if token { format!("{KEY}:{TOKEN}") } else { KEY.to_owned() };
            assert_eq!(
                verdict(&key, &message, "20150830T123559Z"),
                Ok(()),
                "{method} {path}?{query} {further:?}"
            );
        }
    }

    #[test]
    fn what_is_not_as_it_was_signed_is_refused() {
        let (.., signature) = EXAMPLES[0];
        let good = headers(&[], signature);
        fn message(headers: &HeaderMap) -> Message<'_> {
            Message { method: "GET", path: "/", query: "", headers, body: b"" }
        }
        let why =
            |key: &str, headers: &HeaderMap, time: &str| verdict(key, &message(headers), time).unwrap_err();
        let now = "20150830T123600Z";
        assert!(why(&KEY.replace("EXAMPLEKEY", "ANOTHERKEY"), &good, now).contains("does not follow"));
        assert!(why(&KEY.replace("AKID", "AKIX"), &good, now).contains("not the key"));
        assert!(why(&KEY.replace("us-east-1", "eu-west-1"), &good, now).contains("not the key and scope"));
        assert!(why(&format!("{KEY}:{TOKEN}"), &good, now).contains("session token"));
        assert!(why(KEY, &good, "20150830T124101Z").contains("too far from now"));
        assert!(why(KEY, &HeaderMap::new(), now).contains("no signature"));
        let mut more = good.clone();
        more.insert("x-amz-meta", HeaderValue::from_static("later"));
        assert!(why(KEY, &more, now).contains("x-amz-meta is not signed"));
        let other = Message { body: b"x", ..message(&good) };
        assert!(verdict(KEY, &other, now).is_err());
    }

    #[test]
    fn a_path_is_encoded_once_more_but_for_s3() {
        let of = |service: &str, path: &str| {
            let key = KEY.replace("service", service).parse::<Sigv4>().unwrap();
            key.path(path)
        };
        // As published for Lambda and the API Gateway.
        assert_eq!(of("lambda", "/arn%3Aaws/x"), "/arn%253Aaws/x");
        assert_eq!(of("execute-api", "/test/@connections/JBD%3D"), "/test/%40connections/JBD%253D");
        assert_eq!(of("execute-api", "//a/../b/."), "/b/");
        assert_eq!(of("s3", "//a/../b:%3A%20c"), "//a/../b%3A%3A%20c");
    }
}
