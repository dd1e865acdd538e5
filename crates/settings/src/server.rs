//! The address of a server and the way to speak to it.

use crate::fingerprint::CertificatePin;
use crate::secret::Secret;
use std::path::PathBuf;

/// The protection that a connection must have; the names are libpq's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// Plain text.
    Disable,
    /// TLS where the server offers it, unverified; plain text otherwise.
    #[default]
    Prefer,
    /// TLS or nothing, unverified.
    Require,
    /// TLS with a certificate of a known authority.
    VerifyCa,
    /// TLS with a certificate of a known authority for this host.
    VerifyFull,
}

/// The TLS settings of one server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsSettings {
    /// The protection that the connection must have.
    pub mode: TlsMode,
    /// A PEM file of the authorities to trust instead of the public ones.
    pub ca: Option<PathBuf>,
    /// The certificate that the server must present, whoever signed it. Demands TLS.
    pub fingerprint: Option<CertificatePin>,
}

impl TlsSettings {
    /// Returns true if the server must show who it is.
    pub fn verifies(&self) -> bool {
        self.mode.verifies() || self.fingerprint.is_some()
    }

    /// Returns true if plain text will do where the server offers no TLS.
    pub fn is_optional(&self) -> bool {
        self.mode == TlsMode::Prefer && self.fingerprint.is_none()
    }
}

/// The ways in which a PostgreSQL server may let us in; the names are those of libpq's
/// `require_auth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequireAuth {
    /// As it likes, but a password that can be read never goes to an unverified peer.
    #[default]
    Any,
    /// By SCRAM, in which the server shows that it knows the password too.
    Scram,
    /// By SCRAM that is bound to the certificate, so that nobody sits in between.
    ScramPlus,
}

impl RequireAuth {
    /// Every demand with its name in the settings.
    pub const NAMES: &'static [(&'static str, RequireAuth)] = &[
        ("any", RequireAuth::Any),
        ("scram-sha-256", RequireAuth::Scram),
        ("scram-sha-256-plus", RequireAuth::ScramPlus),
    ];
}

/// A MySQL or MariaDB server, an account and a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MySqlServer {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Account.
    pub user: String,
    /// Its password, empty for none.
    pub password: Secret,
    /// The database.
    pub database: String,
    /// Protection of the connection.
    pub tls: TlsSettings,
    /// A PEM file of the server's RSA key, to encrypt the password with where there is no TLS.
    pub public_key: Option<PathBuf>,
}

/// A PostgreSQL server, an account and a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgServer {
    /// Host name, address, or the folder of a Unix socket.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Role.
    pub user: String,
    /// Its password, empty for none.
    pub password: Secret,
    /// The database.
    pub database: String,
    /// Protection of the connection.
    pub tls: TlsSettings,
    /// The ways in which the server may let us in.
    pub require_auth: RequireAuth,
}

impl MySqlServer {
    /// Returns true if both name one database of one server, as far as the names tell.
    ///
    /// `localhost` and the loopback addresses are one host. A server may have more names than
    /// that, which only asking it can show.
    pub fn is_same_database(&self, other: &MySqlServer) -> bool {
        self.place() == other.place() && self.database == other.database
    }

    /// Returns the host, loopback addresses being one, and the port.
    fn place(&self) -> (String, u16) {
        (canonical_host(&self.host), self.port)
    }
}

fn canonical_host(host: &str) -> String {
    match host.to_ascii_lowercase() {
        host if host == "localhost" || host == "::1" || host.starts_with("127.") => {
            "localhost".to_owned()
        }
        host => host,
    }
}

impl TlsMode {
    /// Every mode with its name in the settings, from the weakest to the strongest.
    pub const NAMES: &'static [(&'static str, TlsMode)] = &[
        ("disable", TlsMode::Disable),
        ("prefer", TlsMode::Prefer),
        ("require", TlsMode::Require),
        ("verify-ca", TlsMode::VerifyCa),
        ("verify-full", TlsMode::VerifyFull),
    ];

    /// Returns true if the server must show a certificate of a known authority.
    pub fn verifies(self) -> bool {
        matches!(self, TlsMode::VerifyCa | TlsMode::VerifyFull)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> MySqlServer {
        MySqlServer::from_url(url).unwrap()
    }

    #[test]
    fn loopback_addresses_are_one_host_and_other_names_are_not() {
        let source = server("mysql://a@localhost/d");
        for same in ["mysql://b@127.0.0.1/d", "mysql://b@LOCALHOST:3306/d", "mysql://b@127.9.9.9/d"]
        {
            assert!(source.is_same_database(&server(same)), "{same}");
        }
        for other in ["mysql://a@localhost:3307/d", "mysql://a@localhost/e", "mysql://a@clinic/d"] {
            assert!(!source.is_same_database(&server(other)), "{other}");
        }
    }

    #[test]
    fn a_pinned_certificate_demands_tls_and_tells_who_the_server_is() {
        let pinned = TlsSettings {
            fingerprint: Some(CertificatePin::new([7; 32])),
            ..TlsSettings::default()
        };
        assert!(pinned.verifies() && !pinned.is_optional());
        assert!(TlsSettings::default().is_optional() && !TlsSettings::default().verifies());
    }

    #[test]
    fn only_the_two_strongest_modes_verify() {
        let verifying: Vec<&str> = TlsMode::NAMES
            .iter()
            .filter(|(_, mode)| mode.verifies())
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(verifying, ["verify-ca", "verify-full"]);
    }
}
