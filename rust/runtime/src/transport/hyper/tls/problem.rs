//! What a TLS error means, and what to do about it.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError, Error};

use super::verifier::NotPinned;
use crate::exchange::FailureKind;

/// Kind and words of a TLS error; `name` is the name that the certificate was to hold.
pub(in crate::transport) fn explain(error: &Error, name: &str) -> (FailureKind, String) {
    match error {
        Error::InvalidCertificate(why) => (
            FailureKind::ServerCertificate,
            format!("the server's certificate is refused: {}", refused(why, name)),
        ),
        Error::AlertReceived(alert) => alerted(*alert),
        other => (FailureKind::Tls, other.to_string()),
    }
}

fn refused(why: &CertificateError, name: &str) -> String {
    let (what, hint) = match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            format!("it has expired ({why})"),
            "the API's owner must renew it; check the executor's clock, too",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            (format!("it is not valid yet ({why})"), "check the executor's clock")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("it is not for {name} ({why})"),
            "use the name that the certificate holds in the URL, or set transport.tls.server_name",
        ),
        // A bad signature is what an issuer with the name of a trusted one, but another key, looks like.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "its issuer is not trusted".to_owned(),
            "set transport.tls.ca_file to the certificate of the authority that issued it",
        ),
        CertificateError::Revoked => ("it was revoked".to_owned(), "the API's owner must replace it"),
        CertificateError::Other(other) if other.0.downcast_ref::<NotPinned>().is_some() => (
            other.0.to_string(),
            "if the API's owner has changed the key, add the new pin; if not, somebody is in between",
        ),
        other => (other.to_string(), "the API's owner must replace it"),
    };
    format!("{what}; {hint}")
}

fn alerted(alert: AlertDescription) -> (FailureKind, String) {
    use AlertDescription as A;
    let said = format!("the server ended TLS with the alert {alert:?}");
    let hint = match alert {
        A::CertificateRequired => {
            "it asks for a client certificate; set transport.tls.client_cert and client_key"
        }
        A::BadCertificate | A::UnsupportedCertificate | A::CertificateUnknown | A::UnknownCA => {
            "it does not accept the client certificate; check that its issuer is one that the server trusts"
        }
        A::CertificateExpired | A::CertificateRevoked => {
            "the client certificate is no longer valid; renew transport.tls.client_cert"
        }
        A::AccessDenied => "it does not let the owner of this client certificate in",
        A::ProtocolVersion => {
            let hint = "it speaks no version of TLS that is allowed here; see transport.tls.min_version";
            return (FailureKind::Tls, format!("{said}: {hint}"));
        }
        A::HandshakeFailure => {
            let hint = "no cipher or key is common to both sides, or it misses a client certificate";
            return (FailureKind::Tls, format!("{said}: {hint}"));
        }
        A::UnrecognisedName => {
            let hint = "it does not know the host name; see transport.tls.server_name";
            return (FailureKind::Tls, format!("{said}: {hint}"));
        }
        _ => return (FailureKind::Tls, said),
    };
    (FailureKind::ClientCertificate, format!("{said}: {hint}"))
}

/// The TLS error at the bottom of an error, if there is one.
pub(in crate::transport) fn of_error<'e>(mut error: &'e (dyn StdError + 'static)) -> Option<&'e Error> {
    loop {
        if let Some(io) = error.downcast_ref::<io::Error>()
            && let Some(found) = io.get_ref().and_then(|inner| inner.downcast_ref::<Error>())
        {
            return Some(found);
        }
        error = error.source()?;
    }
}
