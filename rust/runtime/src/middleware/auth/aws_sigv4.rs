//! `aws_sigv4`: every writing of a request signed with a key of AWS (Signature Version 4).
//!
//! Signed are the body, host, path and query as they are sent, the type of the body, and what is said to AWS. Other headers
//! are left out, for proxies may change them.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use apisink_plan::AwsSigv4Spec;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use crate::error::{RowError, RuntimeError};
use crate::middleware::{BuildContext, Common, Link, Part};
use crate::request::{LateHeaders, Request, encode_into};

/// What stands in the record of a request for its signature, which is made later.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Services that take a path as it is, and not once more encoded.
const TAKE_PATHS_AS_THEY_ARE: [&str; 3] = ["s3", "s3-object-lambda", "s3-outposts"];

/// Services that ask for the body's digest in a header.
const ASK_FOR_A_DIGEST: [&str; 4] = ["aoss", "s3", "s3-object-lambda", "s3-outposts"];

pub(super) fn make(context: &BuildContext<'_, '_>, spec: &AwsSigv4Spec) -> Result<Link, RuntimeError> {
    let session_token = spec.session_token.map(|slot| context.secret(slot)).transpose()?;
    let credentials = Credentials::new(
        context.secret(spec.access_key_id)?,
        context.secret(spec.secret_access_key)?,
        session_token.map(str::to_owned),
        None,
        "apisink",
    );
    Ok(Link::Common(Box::new(AwsSigv4(Arc::new(Signer::new(credentials, &spec.region, &spec.service))))))
}

struct AwsSigv4(Arc<Signer>);

impl Common for AwsSigv4 {
    fn apply(&self, _: &Part, request: &mut Request) -> Result<(), RowError> {
        let mut algorithm = HeaderValue::from_static(ALGORITHM);
        algorithm.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, algorithm);
        request.late = Some(self.0.clone());
        Ok(())
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}

struct Signer {
    credentials: Credentials,
    region: String,
    service: String,
    settings: SigningSettings,
}

impl Signer {
    fn new(credentials: Credentials, region: &str, service: &str) -> Self {
        let mut settings = SigningSettings::default();
        if TAKE_PATHS_AS_THEY_ARE.contains(&service) {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        if ASK_FOR_A_DIGEST.contains(&service) {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        Self { credentials, region: region.to_owned(), service: service.to_owned(), settings }
    }

    /// Puts the signature of this time into the headers of the message.
    fn sign(&self, request: &Request, headers: &mut HeaderMap, time: SystemTime) -> Result<(), RowError> {
        // What any step says is about the request; the credentials are opaque to it.
        let unfit = |why: &dyn std::fmt::Display| {
            RowError::new("signature", format!("the request cannot be signed: {why}"))
        };
        let identity = self.credentials.clone().into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(time)
            .settings(self.settings.clone())
            .build()
            .map_err(|e| unfit(&e))?
            .into();
        let signed: Vec<(&str, &str)> = headers
            .iter()
            .filter(|(name, _)| is_signed(name))
            .map(|(name, value)| Ok((name.as_str(), value.to_str()?)))
            .collect::<Result<_, http::header::ToStrError>>()
            .map_err(|e| unfit(&e))?;
        let origin = &request.origin;
        let url = format!("{}://{}{}", origin.scheme(), origin.authority, self.target(&request.target));
        let body = SignableBody::Bytes(&request.body);
        let signable = SignableRequest::new(request.method.as_str(), url, signed.into_iter(), body)
            .map_err(|e| unfit(&e))?;
        let (made, _) = sign(signable, &params).map_err(|e| unfit(&e))?.into_parts();
        for header in made.into_parts().0 {
            let mut value = HeaderValue::from_str(header.value()).map_err(|e| unfit(&e))?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(header.name()), value);
        }
        Ok(())
    }

    /// Path and query as the service takes them. What S3 decodes and encodes again may have been sent with less encoded.
    fn target<'t>(&self, target: &'t str) -> Cow<'t, str> {
        if self.settings.percent_encoding_mode != PercentEncodingMode::Single {
            return target.into();
        }
        let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
        let mut canonical = String::with_capacity(target.len());
        for (index, segment) in path.split('/').enumerate() {
            if index > 0 {
                canonical.push('/');
            }
            encode_into(&percent_decode_str(segment).collect::<Vec<u8>>(), &mut canonical);
        }
        canonical.push_str(query);
        canonical.into()
    }
}

fn is_signed(name: &HeaderName) -> bool {
    *name == HOST || *name == CONTENT_TYPE || name.as_str().starts_with("x-amz-")
}

impl LateHeaders for Signer {
    fn put(&self, request: &Request, headers: &mut HeaderMap) -> Result<(), RowError> {
        self.sign(request, headers, SystemTime::now())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::Method;

    use super::*;
    use crate::request::Origin;

    /// 2015-08-30T12:36:00Z, the time of the examples that AWS has published.
    const TIME: Duration = Duration::from_secs(1_440_938_160);

    fn signer(service: &str) -> Signer {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        Signer::new(Credentials::new("AKIDEXAMPLE", secret, None, None, "test"), "us-east-1", service)
    }

    fn signed(service: &str, target: &str, body: &'static [u8], after: Duration) -> HeaderMap {
        let origin = Arc::new(Origin::new("https", "example.amazonaws.com").unwrap());
        let mut request = Request::new(Method::GET, origin, target.into());
        request.body = Bytes::from_static(body);
        let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("example.amazonaws.com"))]);
        headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
        signer(service).sign(&request, &mut headers, SystemTime::UNIX_EPOCH + TIME + after).unwrap();
        headers
    }

    #[test]
    fn the_signature_is_the_published_one() {
        let headers = signed("service", "/", b"", Duration::ZERO);
        assert_eq!(
            headers[AUTHORIZATION],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        assert_eq!(headers["x-amz-date"], "20150830T123600Z");
        assert!(headers[AUTHORIZATION].is_sensitive() && !headers.contains_key("x-amz-content-sha256"));
    }

    #[test]
    fn time_body_and_query_change_the_signature() {
        let of = |target, body, after| {
            signed("service", target, body, Duration::from_secs(after))[AUTHORIZATION].clone()
        };
        let first = of("/a?b=c", b"x", 0);
        assert_eq!(first, of("/a?b=c", b"x", 0));
        for other in [of("/a?b=c", b"x", 1), of("/a?b=c", b"y", 0), of("/a?b=d", b"x", 0)] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn s3_gets_the_digest_of_the_body_and_its_path_encoded_once() {
        let headers = signed("s3", "/", b"x", Duration::ZERO);
        assert_eq!(
            headers["x-amz-content-sha256"],
            "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
        );
        assert_eq!(signer("s3").target("/a:b/%7Ec%20/../d?e:=f"), "/a%3Ab/~c%20/../d?e:=f");
        assert_eq!(signer("lambda").target("/a:b?c"), "/a:b?c");
    }
}
