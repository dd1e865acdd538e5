//! The certificate that the source presented.

use handoff_connect::{MyPool, PeerTrust, SessionProfile};
use handoff_session::{SessionError, SessionResult};
use handoff_settings::MySqlServer;
use serde::Serialize;

/// The certificate of a source on another machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeenCertificate {
    /// Its fingerprint, as `tls_fingerprint` takes it.
    pub fingerprint: String,
    /// The trust that it deserves.
    pub standing: CertificateStanding,
}

/// The trust that a certificate deserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateStanding {
    /// It is the one that was given.
    Given,
    /// It is that of whoever answered.
    Seen,
    /// It lasts until the server is started anew.
    Passing,
}

/// Returns the certificate that is to be pinned, or might be: of a source that is known by nothing
/// else.
pub(crate) fn seen(source: &MySqlServer, pool: &MyPool) -> SessionResult<Option<SeenCertificate>> {
    let protection = pool.protection();
    let standing = match protection.peer {
        PeerTrust::Verified if source.tls.fingerprint.is_some() => CertificateStanding::Given,
        PeerTrust::Unverified if lasts(pool)? => CertificateStanding::Seen,
        PeerTrust::Unverified => CertificateStanding::Passing,
        PeerTrust::Verified | PeerTrust::Local => return Ok(None),
    };
    let fingerprint = protection.fingerprint.map(|fingerprint| fingerprint.to_string());
    Ok(fingerprint.map(|fingerprint| SeenCertificate { fingerprint, standing }))
}

/// Returns false if the server makes a certificate of its own at each start, as MariaDB does from 11.4
/// on where it is given none.
fn lasts(pool: &MyPool) -> SessionResult<bool> {
    let mut conn = pool.get(SessionProfile::Read).map_err(SessionError::Connect)?;
    let variable = conn
        .query_first::<(String, String), _>("SHOW GLOBAL VARIABLES LIKE 'ssl_cert'")
        .map_err(|error| SessionError::Connect(conn.fault(&error)))?;
    Ok(variable.is_some_and(|(_, file)| !file.is_empty()))
}

impl SeenCertificate {
    /// Writes the setting that pins it, with how far it can be trusted.
    pub(crate) fn lines(&self) -> String {
        let line = format!("tls_fingerprint = \"{}\"\n", self.fingerprint);
        match self.standing {
            CertificateStanding::Given => format!("# The server's certificate, as given.\n{line}"),
            CertificateStanding::Seen => format!(
                "# The certificate of the server that answered etl init, not verified (nobody vouched for it).\n\
                 # Compare it with the output of openssl x509 -noout -fingerprint -sha256 -in FILE on the\n\
                 # server (docs/security.md).\n{line}"
            ),
            CertificateStanding::Passing => format!(
                "# The certificate of the server that answered etl init. The server has no ssl_cert and makes a\n\
                 # new certificate at its next start: set ssl_cert and ssl_key there, and pin that certificate.\n\
                 #{line}"
            ),
        }
    }
}
