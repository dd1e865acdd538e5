//! The settings of a line, and the reasons for which it was not opened.

use super::judge::MyDemand;
use super::key::ServerKey;
use crate::protection::LinkProtection;
use crate::tls::TlsTerms;
use rustls::pki_types::ServerName;
use std::io;

/// The settings that a line is opened with.
#[derive(Debug, Clone)]
pub(crate) struct LineTerms {
    /// The set-up of TLS, if it is spoken at all.
    pub(crate) tls: Option<TlsTerms>,
    /// The name that the certificate is to be for.
    pub(crate) name: ServerName<'static>,
    /// The server's key, for a password that goes in plain text otherwise.
    pub(crate) key: Option<ServerKey>,
    /// True if the server may ask for a file, which is only ever one that we made up.
    pub(crate) files: bool,
}

/// The reason for which a line was not opened.
#[derive(Debug)]
pub(crate) enum LineError {
    /// The connection failed.
    Io(io::Error),
    /// TLS failed.
    Tls(rustls::Error),
    /// The server offers no TLS, and it is demanded.
    NoTls,
    /// The server asked for more than it may have.
    Refused(LineRefusal),
    /// The driver went away in the middle.
    DriverLeft,
    /// The driver gave up, or the server refused us.
    Driver(mysql::Error),
}

/// A question that was not answered.
#[derive(Debug)]
pub(crate) struct LineRefusal {
    pub(crate) asked: MyDemand,
    pub(crate) protection: LinkProtection,
}

impl From<io::Error> for LineError {
    fn from(error: io::Error) -> LineError {
        LineError::Io(error)
    }
}
