//! The certificate that a server is pinned to.

use std::fmt;

/// The SHA-256 of a certificate in DER, as `openssl x509 -noout -fingerprint -sha256` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificatePin([u8; 32]);

impl CertificatePin {
    /// Makes a fingerprint of a hash.
    pub fn new(sha256: [u8; 32]) -> CertificatePin {
        CertificatePin(sha256)
    }

    /// Reads `sha256:` and 64 hexadecimal digits, with or without colons between the bytes.
    pub fn parse(text: &str) -> Option<CertificatePin> {
        let digits: Vec<u8> =
            text.strip_prefix("sha256:")?.bytes().filter(|&byte| byte != b':').collect();
        if digits.len() != 64 {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        Some(CertificatePin(hash))
    }
}

impl fmt::Display for CertificatePin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_we_and_as_openssl_write_it() {
        let hash: [u8; 32] = std::array::from_fn(|index| u8::try_from(index * 8 + 3).unwrap());
        let fingerprint = CertificatePin::new(hash);
        let ours = fingerprint.to_string();
        assert!(ours.starts_with("sha256:030b131b"), "{ours}");
        assert_eq!(CertificatePin::parse(&ours), Some(fingerprint));
        let pairs: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(
            CertificatePin::parse(&format!("sha256:{}", pairs.join(":"))),
            Some(fingerprint)
        );
        let short = &ours[..ours.len() - 1];
        for wrong in ["", "sha256:", short, &format!("{ours}0"), &ours[7..], "md5:00"] {
            assert_eq!(CertificatePin::parse(wrong), None, "{wrong}");
        }
        assert_eq!(CertificatePin::parse(&ours.replace("03", "0g")), None);
    }
}
