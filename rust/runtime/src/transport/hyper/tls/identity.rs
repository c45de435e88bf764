//! Who we are: a client certificate and its key, in PEM form or as a PKCS#12 store.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::provider;

/// The values of a plan's client certificate.
#[derive(Clone, Copy)]
pub(in crate::transport::hyper) enum ClientCertificate<'a> {
    /// Certificates, the client's own first, and the key.
    Pem { certificate: &'a str, key: &'a str },
    /// A PKCS#12 store in Base64, and its password.
    Pkcs12 { store: &'a str, password: &'a str },
}

impl ClientCertificate<'_> {
    /// Reads it. The error says which key of the config is at fault and cites nothing of its value.
    pub(super) fn read(self) -> Result<CertifiedKey, String> {
        match self {
            Self::Pem { certificate, key } => {
                certified("client_cert", "client_key", certificates(certificate)?, private_key(key)?)
            }
            Self::Pkcs12 { store, password } => {
                let (certificates, key) = unpacked(store, password)?;
                certified("client_p12", "client_p12", certificates, key)
            }
        }
    }
}

fn wrong(key: &str, why: impl std::fmt::Display) -> String {
    format!("transport.tls.{key}: {why}")
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| wrong("client_cert", e))?;
    if certificates.is_empty() {
        let why = "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)";
        return Err(wrong("client_cert", why));
    }
    Ok(certificates)
}

fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, String> {
    // What the parser says about a key is not repeated: it could cite it.
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
        let encrypted = pem.contains("ENCRYPTED");
        let why = if encrypted { "the key is encrypted" } else { "it holds no private key in PEM form" };
        let hint = "write it unencrypted as PKCS#8, PKCS#1 or SEC1 (openssl pkey -in KEY)";
        wrong("client_key", format!("{why}; {hint}"))
    })
}

/// Key and certificates of a store, the key's own certificate first.
fn unpacked(
    store: &str,
    password: &str,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let compact: String = store.split_whitespace().collect();
    let bytes = STANDARD.decode(compact).map_err(|_| wrong("client_p12", "it is no Base64"))?;
    let store = KeyStore::from_pkcs12(&bytes, password, Pkcs12ImportPolicy::Relaxed).map_err(|error| {
        use p12_keystore::error::Error;
        match error {
            // A wrong password shows by the digest of the whole, else by what comes out of the decryption.
            Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => {
                wrong("client_p12_password", "it is not the password of client_p12, or the store is damaged")
            }
            _ => wrong(
                "client_p12",
                format!("it is no PKCS#12 store that can be read: {error}; openssl pkcs12 -in FILE -info looks into it"),
            ),
        }
    })?;
    let (_, chain) = store
        .private_key_chain()
        .filter(|(_, chain)| !chain.certs().is_empty())
        .ok_or_else(|| wrong("client_p12", "it holds no private key with its certificate"))?;
    let certificates = chain.certs().iter().map(|der| CertificateDer::from(der.as_der().to_vec())).collect();
    let key = PrivateKeyDer::try_from(chain.key().as_der().to_vec())
        .map_err(|_| wrong("client_p12", "its private key cannot be used"))?;
    Ok((certificates, key))
}

fn certified(
    certificate_at: &str,
    key_at: &str,
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, String> {
    let key = provider()
        .key_provider
        .load_private_key(key)
        .map_err(|_| wrong(key_at, "a key of this kind cannot be used; RSA, ECDSA and Ed25519 can"))?;
    let identity = CertifiedKey::new(certificates, key);
    match identity.keys_match() {
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
            Err(wrong(key_at, "it is not the key of the client certificate, whose chain begins with its own"))
        }
        Err(e) if !matches!(e, rustls::Error::InconsistentKeys(_)) => Err(wrong(certificate_at, e)),
        _ => Ok(identity),
    }
}
