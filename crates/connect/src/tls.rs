//! Whom to trust: the verifier of both drivers' lines.

use crate::fault::{Fault, Result, Side};
use handoff_settings::{CertificatePin, TlsMode, TlsSettings};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};
use sha2::{Digest, Sha256};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// The terms of TLS with one server.
#[derive(Debug, Clone)]
pub(crate) struct TlsTerms {
    provider: Arc<CryptoProvider>,
    rule: TrustRule,
    optional: bool,
}

/// The certificates that will do.
#[derive(Debug, Clone)]
enum TrustRule {
    /// Every one, as for libpq's `require`.
    Any,
    /// One only, whoever signed it and whenever it expires.
    Pinned(CertificatePin),
    /// Those of an authority, for any name.
    Authority(Arc<WebPkiServerVerifier>),
    /// Those of an authority for the host's name.
    Name(Arc<WebPkiServerVerifier>),
}

impl TlsTerms {
    /// Reads the settings of a server; [`None`] for plain text.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the file of authorities can't be used.
    pub(crate) fn new(side: Side, tls: &TlsSettings) -> Result<Option<TlsTerms>> {
        let provider = Arc::new(ring::default_provider());
        let rule = match (tls.mode, tls.fingerprint) {
            (_, Some(fingerprint)) => TrustRule::Pinned(fingerprint),
            (TlsMode::Disable, None) => return Ok(None),
            (TlsMode::Prefer | TlsMode::Require, None) => TrustRule::Any,
            (TlsMode::VerifyCa, None) => TrustRule::Authority(web_pki(side, tls, &provider)?),
            (TlsMode::VerifyFull, None) => TrustRule::Name(web_pki(side, tls, &provider)?),
        };
        Ok(Some(TlsTerms { provider, rule, optional: tls.is_optional() }))
    }

    /// Returns true if plain text will do where there is no TLS.
    pub(crate) fn are_optional(&self) -> bool {
        self.optional
    }

    /// Returns true if a peer that they let pass is the one that was meant.
    pub(crate) fn verify(&self) -> bool {
        !matches!(self.rule, TrustRule::Any)
    }

    /// Makes the configuration of one connection, and what then tells of its certificate.
    ///
    /// # Errors
    ///
    /// Returns an error if the provider knows no protocol of ours.
    pub(crate) fn config(&self) -> Result<(ClientConfig, Arc<PeerVerifier>), Error> {
        let verifier = Arc::new(PeerVerifier {
            provider: Arc::clone(&self.provider),
            rule: self.rule.clone(),
            seen: OnceLock::new(),
            proven: AtomicBool::new(false),
        });
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        Ok((config, verifier))
    }
}

/// Returns the name that a certificate is to be for. A host that can be no name in a certificate is
/// one that none is for.
pub(crate) fn server_name(host: &str) -> ServerName<'static> {
    let none = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    ServerName::try_from(host.to_owned()).unwrap_or(ServerName::IpAddress(none.into()))
}

/// Reads a PEM file of authorities.
fn authorities(side: Side, file: &Path) -> Result<RootCertStore> {
    let wrong =
        |why: String| Fault::new(side, format!("tls_ca in [{side}]: {} {why}", file.display()));
    let pem = std::fs::read(file).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let mut roots = RootCertStore::empty();
    for read in CertificateDer::pem_slice_iter(&pem) {
        let certificate = read.map_err(|_| wrong("is not a PEM file".into()))?;
        roots
            .add(certificate)
            .map_err(|error| wrong(format!("holds a certificate of no authority: {error}")))?;
    }
    if roots.is_empty() {
        return Err(wrong("holds no certificate: it must be a PEM file".into()));
    }
    Ok(roots)
}

fn web_pki(
    side: Side,
    tls: &TlsSettings,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>> {
    let roots = match &tls.ca {
        Some(file) => authorities(side, file)?,
        None if tls.mode == TlsMode::VerifyCa => {
            let text = format!(
                "tls in [{side}] is \"verify-ca\", which takes a certificate for any name, so that \
                 the public authorities will not do: name the file of the server's own as tls_ca"
            );
            return Err(Fault::new(side, text));
        }
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    };
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| Fault::new(side, format!("TLS cannot be set up: {error}")))
}

/// The verifier of one connection, which remembers the certificate.
#[derive(Debug)]
pub(crate) struct PeerVerifier {
    provider: Arc<CryptoProvider>,
    rule: TrustRule,
    seen: OnceLock<CertificatePin>,
    proven: AtomicBool,
}

impl PeerVerifier {
    /// Returns the fingerprint of the certificate that was presented.
    pub(crate) fn seen(&self) -> Option<CertificatePin> {
        self.seen.get().copied()
    }

    /// Returns true if the peer showed that it has the key of its certificate. Without that the
    /// certificate may be anybody's, and nothing can be bound to it.
    pub(crate) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    /// Judges a signature of the handshake. A certificate that nobody looks at need not be one that
    /// we can read: MySQL 5.7 makes some of the first version of X.509.
    fn judge(
        &self,
        verified: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        match (verified, &self.rule) {
            (Ok(valid), _) => {
                self.proven.store(true, Ordering::Relaxed);
                Ok(valid)
            }
            (Err(_), TrustRule::Any) => Ok(HandshakeSignatureValid::assertion()),
            (Err(error), _) => Err(error),
        }
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let seen = *self.seen.get_or_init(|| CertificatePin::new(Sha256::digest(end).into()));
        match &self.rule {
            TrustRule::Any => Ok(ServerCertVerified::assertion()),
            TrustRule::Pinned(pinned) if *pinned == seen => Ok(ServerCertVerified::assertion()),
            TrustRule::Pinned(_) => Err(WrongFingerprint(seen).into()),
            TrustRule::Name(authority) => {
                authority.verify_server_cert(end, between, name, ocsp, now)
            }
            TrustRule::Authority(authority) => {
                match authority.verify_server_cert(end, between, name, ocsp, now) {
                    Err(Error::InvalidCertificate(
                        CertificateError::NotValidForName
                        | CertificateError::NotValidForNameContext { .. },
                    )) => Ok(ServerCertVerified::assertion()),
                    done => done,
                }
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        self.judge(verify_tls12_signature(message, certificate, signed, known))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        self.judge(verify_tls13_signature(message, certificate, signed, known))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut known = self.provider.signature_verification_algorithms.supported_schemes();
        if matches!(self.rule, TrustRule::Any) {
            // Old servers sign with nothing else, and here the signature decides nothing.
            known.extend([SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::ECDSA_SHA1_Legacy]);
        }
        known
    }
}

/// A certificate that is not the pinned one.
#[derive(Debug)]
pub(crate) struct WrongFingerprint(pub(crate) CertificatePin);

impl fmt::Display for WrongFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate is another one, {}", self.0)
    }
}

impl std::error::Error for WrongFingerprint {}

impl From<WrongFingerprint> for Error {
    fn from(wrong: WrongFingerprint) -> Error {
        CertificateError::Other(OtherError(Arc::new(wrong))).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::server::{ClientHello, ResolvesServerCert};
    use rustls::sign::{CertifiedKey, Signer, SigningKey};
    use rustls::{
        ClientConnection, ServerConfig, ServerConnection, SignatureAlgorithm,
        SupportedProtocolVersion, version,
    };

    /// A server's certificate, and the key that belongs to it or only pretends to.
    #[derive(Debug)]
    struct Shown(Arc<CertifiedKey>);

    impl ResolvesServerCert for Shown {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }

    /// The key of somebody who has seen a certificate and has no more of it.
    #[derive(Debug)]
    struct Stranger(Arc<dyn SigningKey>);

    impl SigningKey for Stranger {
        fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
            self.0.choose_scheme(offered)
        }

        fn algorithm(&self) -> SignatureAlgorithm {
            self.0.algorithm()
        }
    }

    fn signing_key() -> (KeyPair, Arc<dyn SigningKey>) {
        let key = KeyPair::generate().unwrap();
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signs = ring::default_provider().key_provider.load_private_key(der).unwrap();
        (key, signs)
    }

    fn server(
        has_key: bool,
        version: &'static SupportedProtocolVersion,
    ) -> (ServerConfig, CertificatePin) {
        let (key, mut signs) = signing_key();
        let params = CertificateParams::new(["clinic".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let fingerprint = CertificatePin::new(Sha256::digest(&certificate).into());
        if !has_key {
            signs = Arc::new(Stranger(signing_key().1));
        }
        let shown = Shown(Arc::new(CertifiedKey::new(vec![certificate], signs)));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(shown));
        (config, fingerprint)
    }

    /// Shakes hands; returns what is known of the peer then.
    fn meet(tls: &TlsSettings, server: ServerConfig) -> Result<Arc<PeerVerifier>, Error> {
        let (config, verifier) = TlsTerms::new(Side::Target, tls).unwrap().unwrap().config()?;
        let mut ours = ClientConnection::new(Arc::new(config), server_name("clinic"))?;
        let mut theirs = ServerConnection::new(Arc::new(server)).unwrap();
        while ours.is_handshaking() || theirs.is_handshaking() {
            let mut wire = Vec::new();
            while ours.wants_write() {
                ours.write_tls(&mut wire).unwrap();
            }
            theirs.read_tls(&mut &wire[..]).unwrap();
            theirs.process_new_packets().unwrap();
            wire.clear();
            while theirs.wants_write() {
                theirs.write_tls(&mut wire).unwrap();
            }
            ours.read_tls(&mut &wire[..]).unwrap();
            ours.process_new_packets()?;
        }
        Ok(verifier)
    }

    #[test]
    fn a_certificate_counts_for_whoever_has_its_key() {
        for version in [&version::TLS12, &version::TLS13] {
            for has_key in [true, false] {
                let any = TlsSettings { mode: TlsMode::Require, ..TlsSettings::default() };
                let (config, fingerprint) = server(has_key, version);
                let met = meet(&any, config).unwrap();
                assert_eq!(
                    (met.seen(), met.is_proven()),
                    (Some(fingerprint), has_key),
                    "{version:?}"
                );

                let (config, fingerprint) = server(has_key, version);
                let pinned =
                    TlsSettings { fingerprint: Some(fingerprint), ..TlsSettings::default() };
                assert_eq!(meet(&pinned, config).is_ok(), has_key, "{version:?}");
            }
            let (config, _) = server(true, version);
            let other = TlsSettings {
                fingerprint: Some(CertificatePin::new([1; 32])),
                ..TlsSettings::default()
            };
            assert!(meet(&other, config).is_err(), "{version:?}");
        }
    }
}
