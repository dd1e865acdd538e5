//! A row that is larger than `max_allowed_packet`.

use super::{TWO, fails_alone, hasty, mended};
use handoff_testbed::{Bed, MariaDb, ServerOptions, Trio};
use mysql::prelude::Queryable;

const LARGE: &str = "ALTER TABLE sick MODIFY note LONGTEXT";
const ROW: &str =
    "INSERT INTO sick VALUES (3, REPEAT('x', 3000000)); INSERT INTO well VALUES (3, 'c')";

fn set(server: &MariaDb, bytes: u64) {
    let set = format!("SET GLOBAL max_allowed_packet = {bytes}");
    server.admin().unwrap().query_drop(set).unwrap();
}

#[test]
fn a_row_that_is_larger_than_the_replicas_packet() {
    let server = MariaDb::start(&ServerOptions::default()).unwrap();
    let bed = Bed::shared();
    let trio = Trio::on("packet_replica", bed.source(), server.endpoint(), bed.target());
    trio.sql_source(&format!("{TWO}; {LARGE}"));
    let etl = hasty(&trio.settings_toml());
    etl.ok(&["run"]);
    trio.sql_source(ROW);
    set(&server, 1 << 20);
    let remedy = "SET GLOBAL max_allowed_packet = 4194304";
    fails_alone(&trio, &etl, &["max_allowed_packet of the replica (1048576 bytes)", remedy]);
    server.admin().unwrap().query_drop(remedy).unwrap();
    mended(&etl);
}

/// The limit is for what a server is sent; the source's rows may be larger, and it isn't ours to
/// change its settings.
#[test]
fn a_row_that_is_larger_than_the_sources_packet() {
    let server = MariaDb::start(&ServerOptions::default()).unwrap();
    let bed = Bed::shared();
    for engine in ["InnoDB", "MyISAM"] {
        let trio = Trio::on("packet_source", server.endpoint(), bed.replica(), bed.target());
        let two = TWO.replace("InnoDB", engine);
        trio.sql_source(&format!("{two}; {LARGE}; {ROW}"));
        set(&server, 1 << 20);
        mended(&hasty(&trio.settings_toml()));
        trio.sql_target("DROP SCHEMA raw CASCADE");
        mended(&hasty(&trio.direct_settings_toml()));
        set(&server, 64 << 20);
    }
}
