//! A catalogue costs a handful of statements, however many tables there are.

use super::{mysql9, options, trio_of_mysql9};
use handoff_connect::{MyConn, MyPool, SessionProfile, Side};
use handoff_schema::SourceCatalogue;
use handoff_settings::MySqlServer;
use handoff_testbed::Trio;
use handoff_testbed::practice::{self, COLUMNS, Practice, TABLES};
use std::time::Instant;

#[test]
fn the_practice_is_read_from_mariadb_in_four_statements() {
    check(&Trio::new("catalogue"), 4);
}

#[test]
fn the_practice_is_read_from_mysql_9_in_three_statements() {
    let Some(server) = mysql9() else { return };
    check(&trio_of_mysql9("catalogue", &server), 3);
}

#[expect(clippy::print_stderr, reason = "the time taken is worth a look")]
#[track_caller]
fn check(trio: &Trio, statements: u64) {
    practice::create(&mut trio.source(), &Practice::at_scale(0.001)).unwrap();
    let server = MySqlServer::from_url(&trio.source_url()).unwrap();
    let pool = MyPool::open(&server, Side::Source, &options()).unwrap();
    let mut conn = pool.get(SessionProfile::Read).unwrap();
    let before = questions(&mut conn);
    let begun = Instant::now();
    let catalogue = SourceCatalogue::read(&mut conn, &trio.source_name()).unwrap();
    let took = begun.elapsed();
    // The second look at the counter counts itself.
    assert_eq!(questions(&mut conn) - before - 1, statements);
    eprintln!("{TABLES} tables, {COLUMNS} columns: {took:?}");

    assert_eq!(catalogue.tables.len(), TABLES);
    let columns = |table: &handoff_schema::Result<_>| -> usize {
        let table: &handoff_schema::TableSchema = table.as_ref().unwrap();
        table.columns.len()
    };
    assert_eq!(catalogue.tables.values().map(columns).sum::<usize>(), COLUMNS);
    // The same structure has the same fingerprint whenever it is read.
    let again = SourceCatalogue::read(&mut conn, &trio.source_name()).unwrap();
    for (name, table) in &catalogue.tables {
        let (one, other) = (table.as_ref().unwrap(), again.tables[name].as_ref().unwrap());
        assert_eq!(one.fingerprint(), other.fingerprint(), "{name}");
    }
}

fn questions(conn: &mut MyConn) -> u64 {
    let row: Option<(String, u64)> =
        conn.query_first("SHOW SESSION STATUS LIKE 'Questions'").unwrap();
    row.unwrap().1
}
