//! Questions of a server that were not answered, as sentences that say what to do.

use super::connect::ServerPlace;
use crate::fault::side::Side;
use crate::protection::LinkProtection;
use crate::{my_line, pg_guard};
use handoff_settings::CertificatePin;

impl ServerPlace<'_> {
    /// Says what a MySQL server asked for, and how it can be had.
    pub(super) fn my_refused(&self, refused: &my_line::LineRefusal) -> String {
        let ServerPlace { side, user, .. } = self;
        let at = self.at();
        match &refused.asked {
            my_line::MyDemand::Password => {
                let peer = whom(&refused.protection);
                let remedy = self.my_remedy(&refused.protection);
                format!(
                    "{at} asks for the password of {user} itself, {peer}; it was not sent. {remedy}"
                )
            }
            my_line::MyDemand::Plugin(plugin) => format!(
                "{at} wants {user} to sign in by {plugin}, which reveals the password or is not \
                 supported; it was not sent. If that account is meant, give it a way that reveals \
                 nothing: on MySQL ALTER USER … IDENTIFIED WITH caching_sha2_password BY …, on \
                 MariaDB ALTER USER … IDENTIFIED VIA ed25519 USING PASSWORD(…)"
            ),
            my_line::MyDemand::ShortNonce => format!(
                "{at} wants {user} to sign in by a number that is too short to be safe; nothing was \
                 sent. No server does that by itself: check the url of [{side}], and who is on the \
                 way there"
            ),
            my_line::MyDemand::Nonsense => self.no_mysql(),
        }
    }

    fn my_remedy(&self, protection: &LinkProtection) -> String {
        match protection.fingerprint {
            Some(fingerprint) => self.pin(fingerprint),
            None => format!(
                "Switch TLS on at the server; or copy its public key to this machine (public_key.pem \
                 in its data folder) and write below [{}]: server_public_key = \"public_key.pem\"",
                self.side
            ),
        }
    }

    /// Says what a PostgreSQL server asked for, and how it can be had.
    pub(super) fn pg_refused(&self, refused: &pg_guard::PgRefusal) -> String {
        let ServerPlace { side, user, .. } = self;
        let at = self.at();
        let whom = whom(&refused.protection);
        let how = match refused.asked {
            pg_guard::PgDemand::Password => "itself",
            pg_guard::PgDemand::Md5 => "as an MD5 hash, which is as good as the password",
            pg_guard::PgDemand::Nothing => {
                return format!(
                    "{at} lets {user} in without showing that it knows the password, which \
                     require_auth in [{side}] demands: set the method in its pg_hba.conf to \
                     scram-sha-256, and give {user} a password"
                );
            }
            pg_guard::PgDemand::Rounds(rounds) => {
                return format!(
                    "{at} wants the password of {user} hashed in {rounds} rounds, which is beyond \
                     reason; nothing was sent. If the server is yours, run there: SET \
                     scram_iterations = 4096; ALTER ROLE \"{user}\" PASSWORD …"
                );
            }
            pg_guard::PgDemand::Nonsense => {
                return format!(
                    "{at} does not speak PostgreSQL's protocol: check the port in the url of [{side}]"
                );
            }
        };
        if refused.protection.is_trusted() {
            return format!(
                "{at} asks for the password of {user} {how}, which require_auth in [{side}] forbids; \
                 it was not sent. Set the method in its pg_hba.conf to scram-sha-256, and give {user} \
                 its password anew under password_encryption = 'scram-sha-256'"
            );
        }
        let remedy = match refused.protection.fingerprint {
            Some(fingerprint) => self.pin(fingerprint),
            None => "Switch TLS on at the server (ssl = on)".to_owned(),
        };
        format!(
            "{at} asks for the password of {user} {how}, {whom}; it was not sent. Set the method in \
             its pg_hba.conf to scram-sha-256 and give {user} its password anew. {remedy}"
        )
    }

    /// Says how the server is pinned, as ssh does when it meets one.
    pub(super) fn pin(&self, fingerprint: CertificatePin) -> String {
        let side = self.side;
        let init =
            if side == Side::Source { ", or give etl init --source-fingerprint" } else { "" };
        format!(
            "If openssl x509 -noout -fingerprint -sha256 -in FILE, run on the server with the file of \
             its certificate, prints the same digits, write below [{side}]{init}: tls_fingerprint = \
             \"{fingerprint}\""
        )
    }

    /// Says that the certificate is not the pinned one.
    pub(super) fn wrong_fingerprint(&self, seen: CertificatePin) -> String {
        format!(
            "the certificate of {} is not the one that tls_fingerprint in [{}] names: somebody may \
             sit in between, or the server has a new one. {}",
            self.at(),
            self.side,
            self.pin(seen)
        )
    }
}

/// Says to whom the password would go.
fn whom(protection: &LinkProtection) -> &'static str {
    if protection.encrypted {
        "behind a certificate that nobody vouches for, so that anybody on the way may be asking"
    } else {
        "in plain text, so that anybody on the way may be asking and reads along"
    }
}
