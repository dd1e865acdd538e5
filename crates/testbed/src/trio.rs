//! Three databases for one test.

use crate::bed::Bed;
use crate::database_names::fresh_name;
use crate::endpoint::{MySqlEndpoint, PgEndpoint, quoted_pg};
use crate::error::{Result, TestbedError};
use mysql::prelude::Queryable;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_as_people_read_them() {
        assert_eq!(row!["1", NULL, ""], vec![Some("1".to_owned()), None, Some(String::new())]);
    }
}
