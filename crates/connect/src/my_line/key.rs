//! The RSA key of a MySQL server, with which a password is encrypted where there is no TLS.

use crate::fault::{Fault, Result, Side};
use mysql_common::crypto::encrypt;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;

/// The bytes of a block that OAEP takes (RFC 8017, 7.1.1, with SHA-1).
const PADDING: usize = 42;

/// A public RSA key.
#[derive(Clone)]
pub(crate) struct ServerKey {
    pem: Vec<u8>,
    /// The bytes of its modulus.
    size: usize,
}

impl ServerKey {
    /// Reads the file of `server_public_key`.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if it can't be read or holds no such key.
    pub(crate) fn load(side: Side, file: &Path) -> Result<ServerKey> {
        let pem = std::fs::read(file)
            .map_err(|error| unusable(side, file, &format!("cannot be read: {error}")))?;
        ServerKey::of_pem(pem)
            .ok_or_else(|| unusable(side, file, "holds no public RSA key: it must be a PEM file"))
    }

    /// Reads a key; [`None`] if it is none.
    pub(super) fn of_pem(pem: Vec<u8>) -> Option<ServerKey> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(&pem).ok()?;
        let size = modulus(&der)?.len();
        Some(ServerKey { pem, size })
    }

    /// Encrypts what the driver would send in clear, mixed with the server's number as the server
    /// expects; [`None`] if it is too long for the key.
    pub(super) fn encrypt(&self, password: &[u8], nonce: &[u8]) -> Option<Vec<u8>> {
        if nonce.is_empty() || password.len() + PADDING > self.size {
            return None;
        }
        let mixed: Vec<u8> =
            password.iter().zip(nonce.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        Some(encrypt(&mixed, &self.pem))
    }
}

fn unusable(side: Side, file: &Path, why: &str) -> Fault {
    Fault::new(side, format!("server_public_key in [{side}]: {} {why}", file.display()))
}

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an RSA key of {} bits", self.size * 8)
    }
}

/// The tags of DER that a key is made of (RFC 8017, A.1.1; RFC 5280, 4.1).
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// Returns the modulus of a public RSA key. The driver's own reader panics at anything else.
fn modulus(der: &[u8]) -> Option<&[u8]> {
    let (info, _) = element(SEQUENCE, der)?;
    let (_, rest) = element(SEQUENCE, info)?;
    let (bits, _) = element(BIT_STRING, rest)?;
    let (key, _) = element(SEQUENCE, bits.strip_prefix(&[0])?)?;
    let (signed, rest) = element(INTEGER, key)?;
    element(INTEGER, rest)?;
    let modulus = signed.strip_prefix(&[0]).unwrap_or(signed);
    modulus.first().is_some_and(|&first| first >= 0x80).then_some(modulus)
}

/// Takes an element of this kind off; returns its content and what follows.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, short], rest) = der.split_first_chunk::<2>()?;
    let digits = if short < 0x80 { 0 } else { usize::from(short & 0x7f) };
    if found != tag || digits > 2 || short == 0x80 {
        return None;
    }
    let (written, content) = rest.split_at_checked(digits)?;
    let long = written.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
    content.split_at_checked(if digits == 0 { usize::from(short) } else { long })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxSKOcxiet8lLMn8ImyUE
bGGKob5EdRz/4wdiw12ED0GfKKTKhVnodFCfm1mdy7bKOX5QxL9skrvYodpW43eR
R5bfOzIgy1qIB8RYb6qOXRBw1oA4snBDqtUjDv/lbHLJN+IbzM4oU+e3Lt9rXyLX
VY289ewONPweXHqSCnTL91w+wkU1peIFV2QhZ+upUCdCtwOn5hnJPNgxtbklFoya
C8W3Z7Xx7He2QDJsEWAqX197efw0L6j8X8Tyd8Uwb7zUB1tfMGhHfm9EwejPAtzx
4GztQNtNMtGS2oGZLQBLV9hib4dDL92iiZeckg2LAf4GsJofLLR8mcHCRoqVbQJ1
YQIDAQAB
-----END PUBLIC KEY-----
";

    fn key() -> ServerKey {
        ServerKey::of_pem(KEY.into()).unwrap()
    }

    #[test]
    fn a_password_is_encrypted_as_far_as_it_fits() {
        let key = key();
        assert_eq!(key.size, 256);
        let longest = vec![b'x'; 214];
        assert_eq!(key.encrypt(&longest, &[1; 20]).unwrap().len(), 256);
        assert_eq!(key.encrypt(&[&longest[..], b"x"].concat(), &[1; 20]), None);
        assert_eq!(key.encrypt(b"p\0", &[]), None);
    }

    #[test]
    fn what_is_no_key_is_refused_without_a_panic() {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(KEY.as_bytes()).unwrap();
        for end in 0..der.len() {
            assert_eq!(modulus(&der[..end]), None, "cut at {end}");
        }
        let lines: Vec<&str> = KEY.lines().collect();
        let short = [lines[0], "AAAA", lines[8]].join("\n");
        for pem in ["", "nonsense", &short, &KEY.replace("PUBLIC", "PRIVATE")] {
            assert!(ServerKey::of_pem(pem.into()).is_none(), "{pem}");
        }
    }
}
