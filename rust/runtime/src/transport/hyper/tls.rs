//! TLS by rustls with aws-lc-rs.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// Which authorities are trusted.
#[derive(Clone, Debug)]
pub enum Roots {
    /// Those of the operating system.
    Platform,
    /// These certificates and no others.
    These(Vec<CertificateDer<'static>>),
}

/// A client configuration made at the first TLS connection: a plain-HTTP plan never reads the platform's roots.
#[derive(Debug)]
pub(super) struct LazyTls {
    roots: Roots,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl LazyTls {
    pub(super) fn new(roots: Roots) -> Self {
        Self { roots, config: OnceLock::new() }
    }

    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, String> {
        self.config.get_or_init(|| client_config(&self.roots).map(Arc::new)).clone()
    }
}

fn client_config(roots: &Roots) -> Result<ClientConfig, String> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::These(certificates) => {
            for certificate in certificates {
                store
                    .add(certificate.clone())
                    .map_err(|e| format!("a given CA certificate cannot be used: {e}"))?;
            }
        }
        Roots::Platform => {
            let loaded = rustls_native_certs::load_native_certs();
            let (added, _) = store.add_parsable_certificates(loaded.certs);
            if added == 0 {
                let why = loaded.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string);
                return Err(format!("no CA certificate of the operating system can be used: {why}"));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
