//! Errors while connecting, as sentences that name the remedy.
//!
//! The sides are the names of the sections in `handoff.toml`, so a remedy may point at a key.

use crate::dial::DialFailure;
use crate::fault::kind::FaultKind;
use crate::fault::server_fault::{Fault, FaultNames};
use crate::fault::side::Side;
use crate::my_line::LineError;
use crate::pg_guard::PgRefusal;
use crate::quote::quote_my;
use crate::tls::WrongFingerprint;
use handoff_settings::{MySqlServer, PgServer, TlsSettings};
use mysql::{DriverError, Error};
use rustls::{CertificateError as Cert, OtherError};
use std::error::Error as _;
use std::io;

/// The server that a connection was to reach.
pub(super) struct ServerPlace<'a> {
    pub(super) side: Side,
    host: &'a str,
    port: u16,
    pub(super) user: &'a str,
    database: &'a str,
    has_password: bool,
    tls: &'a TlsSettings,
}

/// Makes a [`ServerPlace`] of either kind of server: their settings have the same fields.
macro_rules! place_of {
    ($side:expr, $server:expr) => {
        ServerPlace {
            side: $side,
            host: &$server.host,
            port: $server.port,
            user: &$server.user,
            database: &$server.database,
            has_password: !$server.password.is_empty(),
            tls: &$server.tls,
        }
    };
}

/// Reduces an error of connecting to MySQL or MariaDB.
pub(crate) fn my_connect(side: Side, server: &MySqlServer, error: LineError) -> Fault {
    let place: ServerPlace<'_> = place_of!(side, server);
    let error = match error {
        LineError::NoTls => return Fault::new(side, place.no_tls()),
        LineError::Tls(error) => return Fault::new(side, place.tls_failed(&error)),
        LineError::Refused(refused) => return Fault::new(side, place.my_refused(&refused)),
        LineError::DriverLeft => Error::IoError(io::ErrorKind::UnexpectedEof.into()),
        LineError::Io(error) => Error::IoError(error),
        LineError::Driver(error) => error,
    };
    let fault = Fault::my(side, &error);
    match &error {
        Error::DriverError(error) => place.my_driver(fault, error),
        Error::MySqlError(error) => match place.my_server(error.code, &error.message) {
            Some(message) => fault.saying(format!("{message} (error {})", error.code)),
            None => fault,
        },
        Error::IoError(error) => match error.kind() {
            io::ErrorKind::InvalidData => Fault::new(side, place.no_mysql()),
            io::ErrorKind::InvalidInput | io::ErrorKind::PermissionDenied => {
                Fault::new(side, error.to_string())
            }
            kind => fault.saying(place.unreachable(kind, &error.to_string())),
        },
        _ => fault,
    }
}

/// Reduces an error of looking for a PostgreSQL server's host.
pub(crate) fn pg_unreachable(side: Side, server: &PgServer, error: &io::Error) -> Fault {
    let place: ServerPlace<'_> = place_of!(side, server);
    Fault::new(side, place.unreachable(error.kind(), &error.to_string()))
}

/// Reduces an error of connecting to PostgreSQL.
pub(crate) fn pg_connect(side: Side, server: &PgServer, error: &postgres::Error) -> Fault {
    let place: ServerPlace<'_> = place_of!(side, server);
    let fault = Fault::pg(side, error);
    if let Some(error) = error.as_db_error() {
        return match place.pg_server(error.code().code(), error.message()) {
            Some(message) => fault.saying(format!("{message} (SQLSTATE {})", error.code().code())),
            None => fault,
        };
    }
    if let Some(refused) = cause_of::<PgRefusal>(error.source()) {
        return fault.lasting(place.pg_refused(refused));
    }
    if let Some(error) = cause_of::<rustls::Error>(error.source()) {
        return fault.lasting(place.tls_failed(error));
    }
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    if text.contains("server does not support TLS") {
        return fault.lasting(place.no_tls());
    }
    if text.contains("password missing") {
        return fault.lasting(place.wrong_password(place.user));
    }
    if text.contains("channel binding") {
        return fault.lasting(place.unbound());
    }
    match error.source().and_then(|cause| cause.downcast_ref::<io::Error>()) {
        Some(error) => fault.saying(place.unreachable(error.kind(), &text)),
        None if error.to_string().contains("error connecting to server") => {
            fault.saying(place.unreachable(io::ErrorKind::TimedOut, &text))
        }
        None => fault,
    }
}

/// Says that connecting came to nothing before the driver had an error.
pub(crate) fn not_connected(side: Side, at: &str, failure: DialFailure) -> Fault {
    match failure {
        DialFailure::Unanswered(time) => Fault::disconnect(
            side,
            format!(
                "{at} does not sign us in within {} s: is the server up and not frozen, the VPN \
                 connected, and no firewall in the way?",
                time.as_secs().max(1)
            ),
        ),
        DialFailure::Panic => Fault::new(
            side,
            format!("{at} speaks no known protocol: check the port in the url of [{side}]"),
        ),
        DialFailure::NoThread => Fault::new(side, "the system has no thread left to connect on"),
    }
}

impl Fault {
    fn lasting(self, message: String) -> Fault {
        let code = self.0.code;
        Fault::build(self.0.side, message, code, FaultNames::default(), FaultKind::Lasting)
    }
}

impl ServerPlace<'_> {
    pub(super) fn at(&self) -> String {
        if self.host.starts_with('/') {
            format!("{} (port {})", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    fn unreachable(&self, kind: io::ErrorKind, text: &str) -> String {
        use io::ErrorKind as K;
        let at = self.at();
        let side = self.side;
        match kind {
            _ if text.contains("lookup address") || text.contains("not resolve any") => {
                format!("nobody knows the host {}: check the url of [{side}]", self.host)
            }
            K::ConnectionRefused => format!(
                "cannot reach {at}, it refuses connections: is the server up, and are host and \
                 port in the url of [{side}] right?"
            ),
            K::TimedOut | K::WouldBlock | K::HostUnreachable | K::NetworkUnreachable => format!(
                "cannot reach {at}, it does not answer: is the server up, the VPN connected, and \
                 no firewall in the way?"
            ),
            K::NotFound => format!("there is no socket at {at}: is the server up?"),
            _ => format!("cannot reach {at} ({text}): is a database server listening there?"),
        }
    }

    /// `account` may be what the server takes us for: an account of the right name for another
    /// host is refused in the same words.
    fn wrong_password(&self, account: &str) -> String {
        let side = self.side;
        let at = self.at();
        if self.has_password {
            format!(
                "{at} refuses the account {account}: check the user in the url of [{side}] and its password"
            )
        } else {
            format!(
                "{at} refuses the account {account} without a password: set password_env or password_file in [{side}]"
            )
        }
    }

    fn no_tls(&self) -> String {
        let side = self.side;
        format!(
            "{} offers no TLS and [{side}] demands it: switch TLS on at the server; if it was on, \
             somebody may sit in between",
            self.at()
        )
    }

    /// Says that a server did not bind its SCRAM to the certificate.
    fn unbound(&self) -> String {
        let side = self.side;
        format!(
            "{} does not bind its answers to its certificate, which require_auth in [{side}] \
             demands: it needs TLS, with an RSA or ECDSA certificate, and a password stored as \
             scram-sha-256; if it has them, somebody may sit in between",
            self.at()
        )
    }

    pub(super) fn no_mysql(&self) -> String {
        let side = self.side;
        let at = self.at();
        format!("{at} does not speak MySQL's protocol: check the port in the url of [{side}]")
    }

    fn tls_failed(&self, error: &rustls::Error) -> String {
        let ServerPlace { side, host, .. } = self;
        let at = self.at();
        let ca = match &self.tls.ca {
            Some(file) => format!("the authorities in {}", file.display()),
            None => "the public authorities".to_owned(),
        };
        match error {
            rustls::Error::InvalidCertificate(error) => match error {
                Cert::Expired | Cert::ExpiredContext { .. } => {
                    format!("the certificate of {at} has expired: renew it at the server")
                }
                Cert::NotValidYet | Cert::NotValidYetContext { .. } => {
                    format!(
                        "the certificate of {at} is not valid yet: check the clocks of both machines"
                    )
                }
                Cert::NotValidForName | Cert::NotValidForNameContext { .. } => format!(
                    "the certificate of {at} is not made out to {host}: use the name it is made \
                     out to in the url of [{side}], or have one made out to {host}"
                ),
                Cert::Other(OtherError(other)) if other.is::<WrongFingerprint>() => {
                    let seen = other.downcast_ref().map(|WrongFingerprint(seen)| *seen);
                    seen.map_or_else(String::new, |seen| self.wrong_fingerprint(seen))
                }
                Cert::UnknownIssuer => format!(
                    "the certificate of {at} is signed by none of {ca}: name the file of its \
                     authority as tls_ca in [{side}]"
                ),
                other => format!("the certificate of {at} is refused: {other}"),
            },
            other => format!("TLS with {at} failed: {other}"),
        }
    }

    fn my_driver(&self, fault: Fault, error: &DriverError) -> Fault {
        match error {
            DriverError::UnsupportedProtocol(_)
            | DriverError::Protocol41NotSet
            | DriverError::UnexpectedPacket
            | DriverError::CouldNotParseVersion => fault.lasting(self.no_mysql()),
            _ => fault,
        }
    }

    /// Returns our sentence for an error of a MySQL server, where its own says too little.
    fn my_server(&self, code: u16, message: &str) -> Option<String> {
        let ServerPlace { side, user, database, .. } = self;
        let at = self.at();
        Some(match code {
            1045 | 1698 => self.wrong_password(account(message).unwrap_or(user)),
            1044 => {
                let named = account(message).unwrap_or(user);
                let rights = if *side == Side::Source { "SELECT" } else { "ALL" };
                format!(
                    "the account {named} may not use the database {database}, or it does not \
                     exist: run on {at}, as an administrator, GRANT {rights} ON {}.* TO {named}",
                    quote_my(*database)
                )
            }
            1049 => format!(
                "there is no database {database} on {at}: check the url of [{side}], or create it"
            ),
            1129 => format!(
                "{message}: {at} shuts this machine out after too many failed connections; run \
                 FLUSH HOSTS there"
            ),
            1130 => format!(
                "{at} allows no connections from this machine: create the account for this host \
                 ({message})"
            ),
            1040 | 1203 | 1226 => format!(
                "{at} has no connection left ({message}): lower jobs in [run] or raise the limit"
            ),
            1820 | 1862 => format!("the password of {user} on {at} has expired: set a new one"),
            3118 | 4151 => format!("the account {user} on {at} is locked: unlock it"),
            2061 | 3159 => {
                format!("{at} signs {user} in over TLS only: set tls = \"require\" in [{side}]")
            }
            _ => return None,
        })
    }

    /// Returns our sentence for an error of a PostgreSQL server, where its own says too little.
    fn pg_server(&self, code: &str, message: &str) -> Option<String> {
        let ServerPlace { side, user, database, .. } = self;
        let at = self.at();
        Some(match code {
            "28P01" => self.wrong_password(user),
            "28000" if message.contains("pg_hba.conf") => format!(
                "{at} allows no such connection: add a line for this machine, {user} and \
                 {database} to its pg_hba.conf ({message})"
            ),
            "28000" => format!("{at} refuses {user}: {message}"),
            "3D000" => format!(
                "there is no database {database} on {at}: check the url of [{side}], or create it \
                 with CREATE DATABASE \"{database}\" ENCODING 'UTF8' TEMPLATE template0"
            ),
            "42501" => {
                format!("{message}: run GRANT CONNECT ON DATABASE \"{database}\" TO \"{user}\"")
            }
            "53300" => format!(
                "{at} has no connection left ({message}): lower jobs in [run] or raise \
                 max_connections"
            ),
            "57P03" => format!("{at} is not ready yet: {message}"),
            _ => return None,
        })
    }
}

/// Returns the account that MySQL's "access denied" names: `'user'@'host'`.
fn account(message: &str) -> Option<&str> {
    let rest = message.split_once("for user ")?.1;
    let end = rest.find(" (using").or_else(|| rest.find(" to database")).unwrap_or(rest.len());
    Some(rest[..end].trim_end())
}

/// Looks for an error of a kind down the chain; an `io::Error` hides it one level deeper.
fn cause_of<'a, E: std::error::Error + 'static>(
    mut cause: Option<&'a (dyn std::error::Error + 'static)>,
) -> Option<&'a E> {
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<E>() {
            return Some(error);
        }
        cause = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
