//! Clocks that are set back.

use super::{BY_S, Rig};
use crate::etl::Etl;
use handoff_testbed::{MariaDb, Postgres, ServerOptions, Trio};
use mysql::prelude::Queryable;

/// A server in Chicago before and after the hour that comes twice: 01:59 CDT is followed by
/// 01:00 CST. The zone is set as an offset, and the rows stamped as its clock would.
#[test]
fn a_server_in_chicago_through_the_hour_that_repeats() {
    let server = MariaDb::start(&ServerOptions::default()).unwrap();
    let replica = MariaDb::start(&ServerOptions::default()).unwrap();
    let target = Postgres::start(&ServerOptions::default()).unwrap();
    let trio = Trio::on("inc chicago", server.endpoint(), replica.endpoint(), target.endpoint());
    at(
        &trio,
        "-05:00",
        "CREATE TABLE t (id INT PRIMARY KEY, v INT, s DATETIME NOT NULL, KEY (s));\
         INSERT INTO t VALUES (1, 1, '2024-01-01'), (2, 2, NOW()), (3, 3, '2024-01-01')",
    );
    let etl = Etl::with(&format!("{}\n{BY_S}", trio.settings_toml()));
    let rig = Rig { trio, etl };
    rig.moves("full_table", "first_run", 3);
    // An hour back, as at the end of summer time: the new stamps are below the watermark.
    at(
        &rig.trio,
        "-06:00",
        "UPDATE t SET v = 30, s = NOW() WHERE id = 3; INSERT INTO t VALUES (4, 4, NOW())",
    );
    let table = rig.moves("incremental", "watermark", 3);
    assert_eq!(table["load"]["rows_inserted"], 1, "{table}");
    rig.is_equal();
    at(&rig.trio, "-06:00", "UPDATE t SET v = 40, s = NOW() WHERE id = 4");
    rig.run(&["run"]);
    rig.is_equal();
}

/// Sets the server's zone, and runs statements in a session of that zone.
#[track_caller]
fn at(trio: &Trio, zone: &str, sql: &str) {
    let mut admin = trio.source();
    admin.query_drop(format!("SET GLOBAL time_zone = '{zone}'")).unwrap();
    admin.query_drop(format!("SET time_zone = '{zone}'")).unwrap();
    for statement in sql.split(';') {
        admin.query_drop(statement).unwrap();
    }
}
