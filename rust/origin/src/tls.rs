//! TLS without an authority: a certificate that is made on the spot.

use std::io;
use std::sync::Arc;

use rcgen::CertifiedKey;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A certificate of an origin's own for `localhost` and `127.0.0.1`, for [`crate::Origin::try_start_tls`].
pub struct SelfSigned {
    /// TLS with this certificate; HTTP/2 goes before HTTP/1.1 with clients that speak both.
    pub config: Arc<ServerConfig>,
    /// The certificate as PEM: who trusts it trusts the origin.
    pub certificate: String,
}

impl SelfSigned {
    /// Makes one with a new key.
    ///
    /// # Errors
    /// When the system has no randomness to make a key of.
    pub fn make() -> io::Result<Self> {
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).map_err(io::Error::other)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key))
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), certificate: cert.pem() })
    }
}
