//! Certificates made by the test.

use handoff_testbed::{Postgres, ServerOptions};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// An authority and what it signs, for 127.0.0.1 and no other name.
pub struct Certificates {
    folder: TempDir,
    authority: Issuer<'static, KeyPair>,
    key: KeyPair,
}

impl Certificates {
    /// Writes `ca.pem`, which signs, and `other.pem`, which does not.
    pub fn new() -> Certificates {
        let folder = tempfile::tempdir().unwrap();
        // The servers run as other users.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (authority, pem) = authority("ours");
        fs::write(folder.path().join("ca.pem"), pem).unwrap();
        fs::write(folder.path().join("other.pem"), self::authority("other").1).unwrap();
        Certificates { folder, authority, key: KeyPair::generate().unwrap() }
    }

    /// The path of a file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder with the files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Has a MariaDB or MySQL server present what was written.
    pub fn arguments(&self) -> ServerOptions {
        let named = |option, file| format!("--{option}={}", self.file(file).display());
        let arguments = vec![named("ssl-cert", "server.pem"), named("ssl-key", "server.key")];
        ServerOptions { arguments, ..ServerOptions::default() }
    }

    fn certificate(&self, until: i32) -> String {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        params.signed_by(&self.key, &self.authority).unwrap().pem()
    }

    /// Writes what the server presents from its next reload on.
    pub fn write(&self, until: i32) {
        fs::write(self.file("server.pem"), self.certificate(until)).unwrap();
        fs::write(self.file("server.key"), self.key.serialize_pem()).unwrap();
    }
}

fn authority(name: &str) -> (Issuer<'static, KeyPair>, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), pem)
}

/// Has the server write its own certificate and key, so that the key is its user's alone.
pub fn install(server: &Postgres, certificates: &Certificates, until: i32) {
    let mut admin = server.endpoint().admin().unwrap();
    certificates.write(until);
    for file in ["server.pem", "server.key"] {
        let text = fs::read_to_string(certificates.file(file)).unwrap();
        admin
            .batch_execute(&format!(
                "COPY (SELECT unnest(string_to_array('{text}', E'\\n'))) \
                 TO PROGRAM 'umask 077; cat > {file}'"
            ))
            .unwrap();
    }
    for setting in ["ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.key'", "ssl = on"] {
        admin.batch_execute(&format!("ALTER SYSTEM SET {setting}")).unwrap();
    }
    admin.batch_execute("SELECT pg_reload_conf(), pg_sleep(0.3)").unwrap();
}
