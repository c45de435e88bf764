//! Whether a server's certificate is accepted.

use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

/// SHA-256 of a certificate's public key (SubjectPublicKeyInfo, RFC 7469, 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pin([u8; 32]);

impl FromStr for Pin {
    type Err = String;

    /// Reads `sha256/` and 32 bytes in base64.
    fn from_str(text: &str) -> Result<Self, String> {
        let decoded = text.strip_prefix("sha256/").and_then(|digest| STANDARD.decode(digest).ok());
        let digest = decoded.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        digest.map(Self).ok_or_else(|| {
            format!("transport.tls.pins: {text} is not `sha256/` and the base64 of a SHA-256 digest")
        })
    }
}

impl std::fmt::Display for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha256/{}", STANDARD.encode(self.0))
    }
}

/// None of the pins is that of the server's key.
#[derive(Debug)]
pub(super) struct NotPinned {
    /// The pin of the key that the server has.
    pub(super) found: Pin,
}

impl std::fmt::Display for NotPinned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "its key {} is none of transport.tls.pins", self.found)
    }
}

impl std::error::Error for NotPinned {}

/// Checks chain and name unless told not to, then the pins. Signatures of the handshake are always checked.
#[derive(Debug)]
pub(super) struct Verifier {
    /// None when certificates are not to be checked.
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    pins: Vec<Pin>,
}

impl Verifier {
    pub(super) fn new(
        roots: Arc<RootCertStore>,
        provider: Arc<CryptoProvider>,
        verify: bool,
        pins: Vec<Pin>,
    ) -> Result<Self, String> {
        let chain = verify
            .then(|| WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build())
            .transpose()
            .map_err(|e| e.to_string())?;
        Ok(Self { chain, provider, pins })
    }

    fn check_pins(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        if self.pins.is_empty() {
            return Ok(());
        }
        let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
        let found = Pin(Sha256::digest(key.as_ref()).into());
        if self.pins.contains(&found) {
            return Ok(());
        }
        Err(CertificateError::Other(OtherError(Arc::new(NotPinned { found }))).into())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(chain) = &self.chain {
            chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        }
        self.check_pins(end_entity)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
