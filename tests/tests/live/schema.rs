//! The catalogue, the mapping and the target's catalogue on real servers.

mod every_type;
mod odd_tables;
mod target;
mod whole_database;

use handoff_connect::{MyPool, PgPool, PoolOptions, SessionProfile, Side};
use handoff_model::TableName;
use handoff_schema::{SourceCatalogue, TableMapping, TableSchema};
use handoff_settings::{MySqlServer, PgServer, TableSettings, ValuePolicies};
use handoff_testbed::{Bed, MySql9, ServerOptions, Trio};

fn options() -> PoolOptions {
    PoolOptions { size: 2, ..PoolOptions::default() }
}

/// Reads the catalogue of the source under its read-only account.
#[track_caller]
fn read(trio: &Trio) -> SourceCatalogue {
    let server = MySqlServer::from_url(&trio.source_url()).unwrap();
    let pool = MyPool::open(&server, Side::Source, &options()).unwrap();
    let mut conn = pool.get(SessionProfile::Read).unwrap();
    SourceCatalogue::read(&mut conn, &trio.source_name()).unwrap()
}

fn target_pool(trio: &Trio) -> PgPool {
    PgPool::open(&PgServer::from_url(&trio.target_url()).unwrap(), &options()).unwrap()
}

#[track_caller]
fn table<'a>(catalogue: &'a SourceCatalogue, name: &str) -> &'a TableSchema {
    let found = catalogue.tables.get(name);
    found.unwrap_or_else(|| panic!("no table {name}")).as_ref().unwrap()
}

fn map(schema: &TableSchema) -> TableMapping {
    TableMapping::new(schema, &TableSettings::default(), &ValuePolicies::default()).unwrap()
}

fn name(text: &str) -> TableName {
    TableName::new(text).unwrap()
}

/// Starts MySQL 9; [`None`], and a line that says so, where it cannot be had.
#[expect(clippy::print_stderr, reason = "a leg that is not run is said so")]
#[track_caller]
pub fn mysql9() -> Option<MySql9> {
    match MySql9::start(&ServerOptions::default()) {
        Ok(server) => Some(server),
        Err(error) if error.is_missing() => {
            eprintln!("not run: {error}");
            None
        }
        Err(error) => panic!("{}", error.chain()),
    }
}

/// Makes a trio whose source is MySQL 9.
pub fn trio_of_mysql9(test: &str, server: &MySql9) -> Trio {
    let bed = Bed::shared();
    Trio::on(test, server.endpoint(), bed.replica(), bed.target())
}
