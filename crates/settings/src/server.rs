//! Where a server is and how to speak to it.

use crate::Secret;
use std::path::PathBuf;

/// How far a connection must be protected; the names are libpq's.
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
pub struct Tls {
    /// How far the connection must be protected.
    pub mode: TlsMode,
    /// A PEM file of the authorities to trust instead of the public ones.
    pub ca: Option<PathBuf>,
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
    pub tls: Tls,
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
    pub tls: Tls,
}

impl MySqlServer {
    /// Returns true if both name one database of one server, as far as the names tell.
    ///
    /// `localhost` and the loopback addresses are one host. A server may have more names than
    /// that, which only asking it can show.
    pub fn is_same_database(&self, other: &MySqlServer) -> bool {
        let place = |server: &MySqlServer| (canonical_host(&server.host), server.port);
        place(self) == place(other) && self.database == other.database
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
