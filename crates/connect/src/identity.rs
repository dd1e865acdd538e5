//! The identity of the database that an address leads to.
//!
//! An address can lead elsewhere tomorrow, and a server can be reached by another one. So a database is
//! known by facts of its place (the address in the settings, what the server says of its machine) and
//! facts of its data (the id in the server's data directory, when the database was made). One
//! of each kind has to agree.

use crate::fault::{Fault, Result};
use crate::my_conn::MyConn;
use crate::pg_conn::PgConn;
use crate::version::ServerFlavor;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The facts by which a database is known again. As JSON it stands in the tracking tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseIdentity {
    /// The host in the settings.
    pub host: String,
    /// The port in the settings.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The id that lies in the server's data directory: MySQL's `server_uuid`, PostgreSQL's system
    /// identifier. MariaDB has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_id: Option<String>,
    /// The host name, port and data directory of a MySQL or MariaDB server, as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// A fact the database was made with: when its oldest table was made (MySQL, MariaDB), its oid
    /// (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthmark: Option<String>,
    /// True if the server takes names of databases that differ in case for one.
    #[serde(default)]
    pub folds_case: bool,
}

/// The verdict of two identities on two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityMatch {
    /// They are one, at one address.
    Same,
    /// They are one, at another address, on another machine or with another id.
    Moved,
    /// They are two databases of one server.
    OtherDatabase,
    /// They are on two servers, as far as the facts tell.
    OtherServer,
}

impl DatabaseIdentity {
    /// Describes a database of which the address is all that is known.
    pub fn at(host: &str, port: u16, database: &str) -> DatabaseIdentity {
        DatabaseIdentity {
            host: host.to_owned(),
            port,
            database: database.to_owned(),
            server_id: None,
            machine: None,
            birthmark: None,
            folds_case: false,
        }
    }

    /// Compares what was recorded with what is found now.
    pub fn compare(&self, now: &DatabaseIdentity) -> IdentityMatch {
        if !self.is_on_server_of(now) {
            IdentityMatch::OtherServer
        } else if !self.has_name_of(now) {
            IdentityMatch::OtherDatabase
        } else if self.is_at_address_of(now)
            && (&self.server_id, &self.machine) == (&now.server_id, &now.machine)
        {
            IdentityMatch::Same
        } else {
            IdentityMatch::Moved
        }
    }

    /// Returns true if both have one address and one name: all that counts where servers take turns
    /// behind an address.
    pub fn is_at_place_of(&self, now: &DatabaseIdentity) -> bool {
        self.is_at_address_of(now) && self.has_name_of(now)
    }

    /// Returns true if the server told nothing by which it could be known.
    pub fn is_address_alone(&self) -> bool {
        self.server_id.is_none() && self.machine.is_none()
    }

    fn is_on_server_of(&self, now: &DatabaseIdentity) -> bool {
        let address = self.is_at_address_of(now);
        if self.is_address_alone() || now.is_address_alone() {
            return address;
        }
        let machine = self.machine == now.machine;
        let birthmark = self.birthmark.is_some() && self.birthmark == now.birthmark;
        match (&self.server_id, &now.server_id) {
            // A copy of a data directory has its id, on another machine and at another address.
            (Some(one), Some(other)) if one == other => address || machine,
            // MySQL makes a new one where auto.cnf was deleted.
            (Some(_), Some(_)) => address && machine && birthmark,
            // The oldest table may have been altered, which makes it anew.
            _ => (address && machine) || (birthmark && (address || machine)),
        }
    }

    fn is_at_address_of(&self, now: &DatabaseIdentity) -> bool {
        self.host.eq_ignore_ascii_case(&now.host) && self.port == now.port
    }

    fn has_name_of(&self, now: &DatabaseIdentity) -> bool {
        self.database == now.database
            || now.folds_case && self.database.to_lowercase() == now.database.to_lowercase()
    }
}

impl fmt::Display for DatabaseIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DatabaseIdentity { host, port, database, .. } = self;
        write!(f, "`{database}` at {host}:{port}")?;
        match self.server_id.as_ref().or(self.machine.as_ref()) {
            Some(server) => write!(f, " (server {server})"),
            None => Ok(()),
        }
    }
}

/// A server id, the host name, port and data directory, and `lower_case_table_names`.
type ServerRow = (Option<String>, String, u16, String, u8);

impl MyConn {
    /// Asks the server for the identity of the pool's database, in one statement; the birthmark is the
    /// catalogue's. A server that refuses to tell is known by its address alone.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server is gone.
    pub fn identity(&mut self) -> Result<DatabaseIdentity> {
        let pool = self.pool().clone();
        let server_id = match pool.version().flavor {
            ServerFlavor::MySql => "@@global.server_uuid",
            ServerFlavor::MariaDb => "NULL",
        };
        let sql = format!(
            "SELECT {server_id}, @@global.hostname, @@global.port, @@global.datadir, \
             @@global.lower_case_table_names"
        );
        let (host, port) = pool.address();
        let known = DatabaseIdentity::at(host, port, pool.database());
        let told = self.query_first::<ServerRow, _>(sql);
        match told.map_err(|error| self.fault(&error)) {
            Ok(None) => Ok(known),
            Ok(Some((server_id, machine, port, folder, folding))) => Ok(DatabaseIdentity {
                server_id,
                machine: Some(format!("{machine}:{port}:{folder}")),
                folds_case: folding != 0,
                ..known
            }),
            Err(fault) => told_nothing(known, fault),
        }
    }
}

impl PgConn {
    /// Asks the server for the identity of the pool's database, in one statement. A server that refuses
    /// to tell is known by its address alone.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server is gone.
    pub fn identity(&mut self) -> Result<DatabaseIdentity> {
        let pool = self.pool().clone();
        let (host, port) = pool.address();
        let known = DatabaseIdentity::at(host, port, pool.database());
        let sql = "SELECT system_identifier::pg_catalog.text, \
                   (SELECT oid::pg_catalog.text FROM pg_catalog.pg_database \
                   WHERE datname = pg_catalog.current_database()) \
                   FROM pg_catalog.pg_control_system()";
        let told = self.query_typed(sql, &[]).map_err(|error| self.fault(&error));
        let rows = match told {
            Ok(rows) => rows,
            Err(fault) => return told_nothing(known, fault),
        };
        let text = |column: usize| {
            rows.first().and_then(|row| row.try_get::<_, Option<String>>(column).ok().flatten())
        };
        Ok(DatabaseIdentity { server_id: text(0), birthmark: text(1), ..known })
    }
}

/// A server that answers, and refuses, has told all that it will.
fn told_nothing(known: DatabaseIdentity, fault: Fault) -> Result<DatabaseIdentity> {
    if fault.is_disconnect() { Err(fault) } else { Ok(known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `opendental` on a MySQL server.
    fn mysql() -> DatabaseIdentity {
        DatabaseIdentity {
            server_id: Some("uuid-1".to_owned()),
            machine: Some("db1:3306:/var/lib/mysql/".to_owned()),
            birthmark: Some("2020-01-01 00:00:00".to_owned()),
            ..DatabaseIdentity::at("clinic", 3306, "opendental")
        }
    }

    /// The same on MariaDB, which has no id.
    fn mariadb() -> DatabaseIdentity {
        DatabaseIdentity { server_id: None, ..mysql() }
    }

    #[track_caller]
    fn check(
        recorded: &DatabaseIdentity,
        change: impl Fn(&mut DatabaseIdentity),
        expected: IdentityMatch,
    ) {
        let mut now = recorded.clone();
        change(&mut now);
        assert_eq!(recorded.compare(&now), expected, "{recorded} against {now}");
    }

    fn text(fact: &str) -> Option<String> {
        Some(fact.to_owned())
    }

    #[test]
    fn one_fact_of_the_place_and_one_of_the_data_have_to_agree() {
        use IdentityMatch::{Moved, OtherDatabase, OtherServer, Same};
        for recorded in [mysql(), mariadb()] {
            let check = |change: &dyn Fn(&mut DatabaseIdentity), expected| {
                check(&recorded, change, expected);
            };
            check(&|_| {}, Same);
            check(&|now| now.host = "CLINIC".to_owned(), Same);
            // A proxy, another name, a tunnel.
            check(&|now| (now.host, now.port) = ("127.0.0.1".to_owned(), 3307), Moved);
            // A container that was made anew over its volume.
            check(&|now| now.machine = text("f00d:3306:/var/lib/mysql/"), Moved);
            // ALTER TABLE makes the oldest table anew.
            check(&|now| now.birthmark = text("2021-01-01 00:00:00"), Same);
            check(&|now| now.database = "other".to_owned(), OtherDatabase);
            check(&|now| now.database = "OpenDental".to_owned(), OtherDatabase);
            // A copy of the data directory, at another place.
            check(
                &|now| {
                    now.host = "staging".to_owned();
                    now.machine = text("staging:3306:/var/lib/mysql/");
                },
                OtherServer,
            );
            // A dump that was played into another server, which took over the address.
            check(
                &|now| {
                    now.server_id = now.server_id.as_ref().and_then(|_| text("uuid-2"));
                    now.machine = text("db2:3306:/var/lib/mysql/");
                    now.birthmark = text("2026-01-01 00:00:00");
                },
                OtherServer,
            );
        }
        // auto.cnf was deleted.
        check(&mysql(), |now| now.server_id = text("uuid-2"), Moved);
        // The server was set up anew in the same place.
        check(
            &mysql(),
            |now| {
                now.server_id = text("uuid-2");
                now.birthmark = text("2026-01-01 00:00:00");
            },
            OtherServer,
        );
    }

    #[test]
    fn names_have_no_case_where_the_server_has_none() {
        let folds = |database: &str| DatabaseIdentity {
            folds_case: true,
            database: database.to_owned(),
            ..mariadb()
        };
        assert_eq!(folds("OpenDental").compare(&folds("opendental")), IdentityMatch::Same);
    }

    #[test]
    fn a_server_that_tells_nothing_is_its_address() {
        let told = || DatabaseIdentity::at("clinic", 3306, "opendental");
        assert_eq!(told().compare(&told()), IdentityMatch::Same);
        assert_eq!(told().compare(&mysql()), IdentityMatch::Moved);
        check(&told(), |now| now.port = 3307, IdentityMatch::OtherServer);
    }

    #[test]
    fn an_identity_is_read_as_it_is_written_and_later_facts_are_passed_over() {
        let json = serde_json::to_string(&mysql()).unwrap();
        assert_eq!(serde_json::from_str::<DatabaseIdentity>(&json).unwrap(), mysql());
        let later = json.replace('}', ",\"more\":1}");
        assert_eq!(serde_json::from_str::<DatabaseIdentity>(&later).unwrap(), mysql());
        assert_eq!(mysql().to_string(), "`opendental` at clinic:3306 (server uuid-1)");
    }
}
