//! Three databases for one test.

use crate::{Bed, MySqlEndpoint, PgEndpoint, Result, TestbedError, quoted_pg, system};
use mysql::prelude::Queryable;
use std::sync::atomic::{AtomicU32, Ordering};

/// Every database of ours begins with this, then names the machine and the process that made it.
const PREFIX: &str = "hot";

/// The longest name of a database, in bytes: PostgreSQL takes 63, MariaDB 64 with each `_` of a GRANT's
/// pattern as two.
const LONGEST_NAME: usize = 58;

/// A row of the target as text, column by column; `None` is NULL.
pub type Row = Vec<Option<String>>;

/// A source, a replica and a target database of one fresh name, dropped with this value.
///
/// Helpers panic on failure, as a test's assertions do.
#[derive(Debug)]
pub struct Trio {
    name: String,
    source: MySqlEndpoint,
    replica: MySqlEndpoint,
    target: PgEndpoint,
}

impl Trio {
    /// Makes the three databases on the shared [`Bed`].
    ///
    /// # Panics
    ///
    /// Panics if the servers or the databases can't be had.
    #[track_caller]
    pub fn new(test: &str) -> Trio {
        let bed = Bed::shared();
        Trio::on(test, bed.source(), bed.replica(), bed.target())
    }

    /// Makes the three databases on servers of the test's own, such as MySQL 9 or one that it will
    /// kill.
    ///
    /// # Panics
    ///
    /// Panics if the databases can't be had.
    #[track_caller]
    pub fn on(
        test: &str,
        source: &MySqlEndpoint,
        replica: &MySqlEndpoint,
        target: &PgEndpoint,
    ) -> Trio {
        let name = fresh_name(test);
        let trio =
            Trio { name, source: source.clone(), replica: replica.clone(), target: target.clone() };
        if let Err(error) = trio.create() {
            panic!("cannot make the databases of {test}: {}", error.chain());
        }
        trio
    }

    fn create(&self) -> Result<()> {
        self.source.create_database(&self.source_name())?;
        self.source.allow(&self.source_name())?;
        self.replica.create_database(&self.replica_name())?;
        self.replica.allow(&self.replica_name())?;
        self.target.create_database(&self.target_name())
    }

    /// Returns the name of the source database.
    pub fn source_name(&self) -> String {
        format!("{}_s", self.name)
    }

    /// Returns the name of the replica database.
    pub fn replica_name(&self) -> String {
        format!("{}_r", self.name)
    }

    /// Returns the name of the target database.
    pub fn target_name(&self) -> String {
        format!("{}_t", self.name)
    }

    /// Returns the source's server.
    pub fn source_server(&self) -> &MySqlEndpoint {
        &self.source
    }

    /// Returns the replica's server.
    pub fn replica_server(&self) -> &MySqlEndpoint {
        &self.replica
    }

    /// Returns the target's server.
    pub fn target_server(&self) -> &PgEndpoint {
        &self.target
    }

    /// Returns the read-only URL of the source.
    pub fn source_url(&self) -> String {
        self.source.reader_url(&self.source_name())
    }

    /// Returns the URL of the replica under the account `etl`.
    pub fn replica_url(&self) -> String {
        self.replica.etl_url(&self.replica_name())
    }

    /// Returns the URL of the target under the role `etl`.
    pub fn target_url(&self) -> String {
        self.target.etl_url(&self.target_name())
    }

    /// Connects to the source as its administrator.
    #[track_caller]
    pub fn source(&self) -> mysql::Conn {
        expect(self.source.admin_in(&self.source_name()))
    }

    /// Connects to the replica as its administrator.
    #[track_caller]
    pub fn replica(&self) -> mysql::Conn {
        expect(self.replica.admin_in(&self.replica_name()))
    }

    /// Connects to the target as its administrator.
    #[track_caller]
    pub fn target(&self) -> postgres::Client {
        expect(self.target.admin_in(&self.target_name()))
    }

    /// Runs statements, separated by `;`, on the source.
    #[track_caller]
    pub fn sql_source(&self, sql: &str) {
        run_all(&mut self.source(), sql);
    }

    /// Runs statements, separated by `;`, on the replica.
    #[track_caller]
    pub fn sql_replica(&self, sql: &str) {
        run_all(&mut self.replica(), sql);
    }

    /// Runs statements, separated by `;`, on the target.
    #[track_caller]
    pub fn sql_target(&self, sql: &str) {
        expect(
            self.target()
                .batch_execute(sql)
                .map_err(TestbedError::postgres("run a test's statements")),
        );
    }

    /// Returns a `handoff.toml` with the three URLs and the target schema `raw`.
    pub fn settings_toml(&self) -> String {
        format!(
            "[source]\nurl = \"{}\"\n\n[replica]\nurl = \"{}\"\n\n[target]\nurl = \"{}\"\n\
             schema = \"raw\"\n",
            self.source_url(),
            self.replica_url(),
            self.target_url()
        )
    }

    /// Returns a `handoff.toml` without a replica: the load reads the source.
    pub fn direct_settings_toml(&self) -> String {
        format!(
            "[source]\nurl = \"{}\"\n\n[target]\nurl = \"{}\"\nschema = \"raw\"\n",
            self.source_url(),
            self.target_url()
        )
    }

    /// Returns the rows of a table of the target's schema `raw` as PostgreSQL prints them, sorted as
    /// text column by column, NULL first.
    #[track_caller]
    pub fn rows(&self, table: &str) -> Vec<Row> {
        let mut client = self.target();
        let query = "SELECT string_agg(format('%I::text', attname), ', ' ORDER BY attnum) \
             FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped";
        let table = format!("raw.{}", quoted_pg(table));
        let failed = || TestbedError::postgres(format!("read {table}"));
        let columns = expect(client.query_one(query, &[&table]).map_err(failed()));
        let columns: Option<String> = columns.get(0);
        let columns = columns.unwrap_or_default();
        let read = client.query(&format!("SELECT {columns} FROM {table}"), &[]);
        let mut rows: Vec<Row> = expect(read.map_err(failed()))
            .iter()
            .map(|row| (0..row.len()).map(|index| row.get(index)).collect())
            .collect();
        rows.sort();
        rows
    }
}

impl Drop for Trio {
    fn drop(&mut self) {
        // A server that the test has killed took the database with it.
        let dropped = [
            self.source.drop_database(&self.source_name()),
            self.replica.drop_database(&self.replica_name()),
            self.target.drop_database(&self.target_name()),
        ];
        for error in dropped.into_iter().filter_map(Result::err) {
            log::debug!("{error}");
        }
    }
}

/// Makes a [`Row`] of a target table: `row!["1", NULL, "a"]`.
#[macro_export]
macro_rules! row {
    ($($cell:expr),* $(,)?) => {
        ::std::vec![$(::std::option::Option::<&str>::from($cell).map(::std::string::String::from)),*]
    };
}

/// The NULL of [`row!`].
pub const NULL: Option<&str> = None;

#[track_caller]
fn expect<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{}", error.chain()),
    }
}

#[track_caller]
fn run_all(conn: &mut mysql::Conn, sql: &str) {
    let mut run = || -> Result<(), mysql::Error> {
        let mut results = conn.query_iter(sql)?;
        while let Some(result) = results.iter() {
            for row in result {
                row?;
            }
        }
        Ok(())
    };
    expect(run().map_err(TestbedError::mysql("run a test's statements")));
}

/// Names the machine, the process (its id and its start, since ids are used again), a counter and
/// the test.
fn fresh_name(test: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let test: String =
        test.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let pid = std::process::id();
    let started = system::started_at(pid).unwrap_or_default();
    let mut name = format!("{PREFIX}_{}_{pid}_{started:x}_{count}_{test}", system::machine());
    name.truncate(LONGEST_NAME - "_s".len());
    name
}

/// Drops the databases that ended processes of this machine left on servers which outlived them.
pub(crate) fn sweep(mysql: &[&MySqlEndpoint], target: &PgEndpoint) -> Result<()> {
    for server in mysql {
        let mut conn = server.admin()?;
        let names: Vec<String> = conn
            .query(format!("SHOW DATABASES LIKE '{PREFIX}\\_%'"))
            .map_err(TestbedError::mysql("list databases"))?;
        for name in names.iter().filter(|name| is_left_over(name)) {
            server.drop_database(name)?;
        }
    }
    let listed = target
        .admin()?
        .query("SELECT datname::text FROM pg_database", &[])
        .map_err(TestbedError::postgres("list databases"))?;
    for name in listed.iter().map(|row| row.get::<_, String>(0)).filter(|name| is_left_over(name)) {
        target.drop_database(&name)?;
    }
    Ok(())
}

fn is_left_over(name: &str) -> bool {
    let mut parts = name.split('_');
    let ours = parts.next() == Some(PREFIX) && parts.next() == Some(system::machine().as_str());
    let pid = parts.next().and_then(|pid| pid.parse().ok());
    let started = parts.next().and_then(|ticks| u64::from_str_radix(ticks, 16).ok());
    match (ours, pid, started) {
        (true, Some(pid), Some(started)) => system::started_at(pid) != Some(started),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_databases_of_ended_processes_of_this_machine_are_left_over() {
        assert!(!is_left_over(&fresh_name("mine")));
        assert!(is_left_over(&format!("hot_{}_4194400_1_0_gone_s", system::machine())));
        assert!(!is_left_over("hot_elsewhere_4194400_1_0_gone_s"));
        assert!(!is_left_over("opendental"));
    }

    #[test]
    fn names_fit_into_both_kinds_of_server() {
        let name = format!("{}_s", fresh_name(&"a very long name ".repeat(9)));
        assert_eq!(name.len(), LONGEST_NAME);
        assert!(name.replace('_', "\\_").len() <= 64, "{name}");
    }

    #[test]
    fn rows_are_written_as_people_read_them() {
        assert_eq!(row!["1", NULL, ""], vec![Some("1".to_owned()), None, Some(String::new())]);
    }
}
