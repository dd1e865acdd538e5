//! Tables of the replica that a crash of its server damaged.

use super::{Rig, check};
use mysql::prelude::Queryable;
use std::path::PathBuf;

const BY_STAMP: &str = "[tables.t]\nextraction = \"incremental\"\nwatermark = \"s\"\n";
const COMPARED: &str = "[tables.t]\nextraction = \"diff\"\n";

/// An index that knows rows which the data has not, as MyISAM may leave it behind a crash.
#[test]
fn a_damaged_table_of_the_replica_is_copied_anew() {
    for settings in [BY_STAMP, COMPARED] {
        let rig = Rig::new(
            "inc damaged",
            "CREATE TABLE t (id INT PRIMARY KEY, s TIMESTAMP NOT NULL, n INT, KEY (s)) ENGINE=MyISAM; \
             INSERT INTO t SELECT seq, '2024-01-01' + INTERVAL seq SECOND, 0 FROM seq_1_to_2000",
            settings,
        );
        rig.moves("full_table", "first_run", 2000);
        let folder: String = rig.trio.replica().query_first("SELECT @@datadir").unwrap().unwrap();
        let index = PathBuf::from(folder).join(rig.trio.replica_name()).join("t.MYI");
        rig.trio.sql_replica("FLUSH TABLES t");
        let old = std::fs::read(&index).unwrap();
        rig.trio.sql_replica("DELETE FROM t WHERE id BETWEEN 25 AND 35; FLUSH TABLES t");
        std::fs::write(&index, old).unwrap();
        rig.trio.sql_source("UPDATE t SET n = 1, s = NOW() WHERE id BETWEEN 20 AND 40");
        let table = rig.run(&["run"]);
        check(&table, "full_table", "replica_damaged");
        rig.is_equal();
        // And is as good as any other.
        rig.trio.sql_source("UPDATE t SET n = 2, s = NOW() WHERE id = 30");
        assert_eq!(rig.run(&["run"])["plan"]["force_full_applied"], false);
        rig.is_equal();
    }
}
