//! Holding the MySQL driver to the authorities of `tls_ca`.
//!
//! The driver trusts the public authorities beside those it is given, and has no switch against
//! that: whoever has any public certificate could stand in for a server of `verify-ca`. But it
//! verifies with the process's [`CryptoProvider`], and every chain ends with a signature that is
//! checked with the authority's own key. So a provider of ours refuses the keys of the public
//! authorities while a connection that names its own is made on the same thread.

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{
    AlgorithmIdentifier, Der, InvalidSignature, SignatureVerificationAlgorithm,
};
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

thread_local! {
    static REFUSED: RefCell<Refused> = const { RefCell::new(Refused(None)) };
}

/// The key information of authorities that are not to be trusted. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Refused(Option<Arc<[Der<'static>]>>);

impl Refused {
    /// The public authorities that are not among `ours`.
    pub(crate) fn all_but(ours: &RootCertStore) -> Refused {
        let is_ours = |key: &Der<'_>| {
            ours.roots.iter().any(|root| root.subject_public_key_info.as_ref() == key.as_ref())
        };
        let public = webpki_roots::TLS_SERVER_ROOTS.iter();
        let keys = public.map(|root| root.subject_public_key_info.clone());
        Refused(Some(keys.filter(|key| !is_ours(key)).collect()))
    }

    /// Refuses them on this thread while what is returned lives. [`None`] if the program has set
    /// another provider for the whole process, under which that can't be done.
    pub(crate) fn hold(&self) -> Option<Held> {
        let default = CryptoProvider::get_default()?;
        if !std::ptr::eq(default.signature_verification_algorithms.all, strict().all) {
            return None;
        }
        REFUSED.set(self.clone());
        Some(Held(PhantomData))
    }

    /// A key stands at the end of its key information.
    fn hold_key(&self, key: &[u8]) -> bool {
        self.0.as_deref().unwrap_or_default().iter().any(|known| known.ends_with(key))
    }
}

/// Ends what [`Refused::hold`] began when it is dropped.
#[must_use = "it ends when it is dropped"]
pub(crate) struct Held(PhantomData<*const ()>);

impl Drop for Held {
    fn drop(&mut self) {
        REFUSED.set(Refused(None));
    }
}

/// Makes ours the process's provider, unless there is one. To be called before the driver first
/// speaks TLS, since it sets ring's own then.
pub(crate) fn install() {
    // Whoever was first has set it; `hold` sees who that was.
    let _ = provider().install_default();
}

/// Returns ring's provider with verifiers that can be held to some authorities.
fn provider() -> CryptoProvider {
    CryptoProvider { signature_verification_algorithms: strict(), ..ring::default_provider() }
}

/// Returns ring's verifiers, each in a [`Strict`]. Made once, since rustls wants them to live for
/// ever.
fn strict() -> WebPkiSupportedAlgorithms {
    type Verifier = &'static dyn SignatureVerificationAlgorithm;
    static STRICT: OnceLock<WebPkiSupportedAlgorithms> = OnceLock::new();
    let strict = |&inner: &Verifier| -> Verifier { Box::leak(Box::new(Strict { inner })) };
    let all = |inner: &[Verifier]| -> &'static [Verifier] {
        Box::leak(inner.iter().map(strict).collect())
    };
    *STRICT.get_or_init(|| {
        let ring = ring::default_provider().signature_verification_algorithms;
        let mapping = ring.mapping.iter().map(|(scheme, inner)| (*scheme, all(inner)));
        WebPkiSupportedAlgorithms { all: all(ring.all), mapping: Box::leak(mapping.collect()) }
    })
}

/// A verifier that refuses the keys of some authorities while they are held.
#[derive(Debug)]
struct Strict {
    inner: &'static dyn SignatureVerificationAlgorithm,
}

impl SignatureVerificationAlgorithm for Strict {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        if REFUSED.with_borrow(|refused| refused.hold_key(public_key)) {
            return Err(InvalidSignature);
        }
        self.inner.verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.signature_alg_id()
    }

    fn fips(&self) -> bool {
        self.inner.fips()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{CertificateError, Error};

    /// An authority, and the certificate of `clinic` that it signed.
    fn authority() -> (CertificateDer<'static>, CertificateDer<'static>) {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().der().clone();
        let leaf = CertificateParams::new(["clinic".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &Issuer::new(params, key));
        (root, leaf.unwrap().der().clone())
    }

    /// Verifies as the driver does, with the process's provider.
    fn verify(leaf: &CertificateDer<'_>, roots: &RootCertStore) -> Result<(), Error> {
        let verifier = WebPkiServerVerifier::builder(Arc::new(roots.clone())).build().unwrap();
        let name = ServerName::try_from("clinic").unwrap();
        verifier.verify_server_cert(leaf, &[], &name, &[], UnixTime::now()).map(drop)
    }

    #[test]
    fn a_chain_to_a_refused_authority_is_refused_on_this_thread_and_while_held() {
        install();
        let ((ours, ours_leaf), (public, public_leaf)) = (authority(), authority());
        let mut roots = RootCertStore::empty();
        roots.add(ours).unwrap();
        roots.add(public).unwrap();
        verify(&public_leaf, &roots).unwrap();
        let refused = Refused(Some([roots.roots[1].subject_public_key_info.clone()].into()));

        let held = refused.hold().unwrap();
        let bad = Error::InvalidCertificate(CertificateError::BadSignature);
        assert_eq!(verify(&public_leaf, &roots), Err(bad));
        verify(&ours_leaf, &roots).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| verify(&public_leaf, &roots).unwrap());
        });
        drop(held);
        verify(&public_leaf, &roots).unwrap();
    }

    #[test]
    fn public_authorities_are_refused_unless_they_are_ours() {
        let public = webpki_roots::TLS_SERVER_ROOTS;
        let key = |index: usize| public[index].subject_public_key_info.as_ref();
        let refused = Refused::all_but(&RootCertStore { roots: vec![public[1].clone()] });
        assert!(refused.hold_key(&key(0)[20..]) && !refused.hold_key(&key(1)[20..]));
        assert!(!Refused(None).hold_key(key(0)));
    }
}
