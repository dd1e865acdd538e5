//! What `psql` does, for comparison.

use crate::hop2::DATABASE;
use crate::{Described, Hop2, Result, lap};
use handoff_schema::ddl;
use handoff_testbed::quoted_pg;
use postgres::Config;
use postgres::config::Host;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// `psql` in one database.
pub struct Psql {
    config: Config,
}

impl Psql {
    /// Prepares to connect to the server of a URL.
    pub(crate) fn new(url: &str) -> Result<Psql> {
        Ok(Psql { config: url.parse()? })
    }

    /// Runs commands in one session.
    ///
    /// # Errors
    ///
    /// Returns an error if `psql` is missing or a command fails.
    pub fn run(&self, commands: &[&str]) -> Result<()> {
        let Some(Host::Tcp(host)) = self.config.get_hosts().first() else {
            return Err("the target's URL names no host".into());
        };
        let port = self.config.get_ports().first().map(u16::to_string).unwrap_or_default();
        let password = self.config.get_password().unwrap_or_default();
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1"])
            .env("PGHOST", host)
            .env("PGPORT", port)
            .env("PGUSER", self.config.get_user().unwrap_or_default())
            .env("PGPASSWORD", String::from_utf8(password.into())?)
            .env("PGDATABASE", DATABASE)
            .env("PGOPTIONS", "--client-min-messages=warning");
        for command in commands {
            psql.args(["--command", command]);
        }
        let status = psql.status()?;
        if status.success() { Ok(()) } else { Err(format!("psql: {status}").into()) }
    }
}

/// `psql \copy … FROM 'file' (FORMAT binary)` of the rows that a load has brought.
///
/// As a load does, it makes the table in the transaction that fills it, so that both are logged
/// alike, and the key behind the rows; unlike a load it reads a local file that is in its final form.
pub struct PsqlCopy<'a> {
    hop: &'a Hop2,
    psql: Psql,
    table: String,
    /// What makes its key, if it has one.
    key: Option<String>,
    file: PathBuf,
    _folder: TempDir,
}

/// Whether statistics are gathered before the commit, as a load does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Analyze {
    /// They are.
    Yes,
    /// They are not.
    No,
}

impl<'a> PsqlCopy<'a> {
    /// Writes the file from what is in the target now.
    ///
    /// # Errors
    ///
    /// Returns an error if `psql` is missing or fails.
    pub fn new(hop: &'a Hop2, described: &Described) -> Result<PsqlCopy<'a>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("rows");
        let table = described.mapping.pg_table.clone();
        let key = ddl::add_key(&described.mapping, "raw", &table);
        let copy = PsqlCopy { hop, psql: hop.psql()?, table, key, file, _folder: folder };
        let (from, model) = (copy.quoted(&copy.table), copy.quoted(&copy.model()));
        let none = format!("DROP TABLE IF EXISTS {model}");
        let like = format!("CREATE TABLE {model} (LIKE {from})");
        copy.psql.run(&[&copy.meta(&from, "TO"), &none, &like])?;
        Ok(copy)
    }

    /// Copies the file into a table of the same definition.
    ///
    /// # Errors
    ///
    /// Returns an error if a server or `psql` fails.
    pub fn run(&self, analyze: Analyze) -> Result<Duration> {
        self.hop.clear(&self.table)?;
        let (table, model) = (self.quoted(&self.table), self.quoted(&self.model()));
        let create = format!("CREATE TABLE {table} (LIKE {model})");
        let (copy, gather) = (self.meta(&table, "FROM"), format!("ANALYZE {table}"));
        let mut commands = vec!["BEGIN", &create, &copy];
        commands.extend(self.key.as_deref());
        if analyze == Analyze::Yes {
            commands.push(&gather);
        }
        commands.push("COMMIT");
        lap(|| self.psql.run(&commands))
    }

    fn meta(&self, table: &str, direction: &str) -> String {
        format!(r"\copy {table} {direction} '{}' (FORMAT binary)", self.file.display())
    }

    fn model(&self) -> String {
        format!("{} as loaded", self.table)
    }

    fn quoted(&self, table: &str) -> String {
        format!("raw.{}", quoted_pg(table))
    }
}
