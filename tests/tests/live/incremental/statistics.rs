//! When PostgreSQL is asked to gather statistics: that may take longer than to move what changed.

use super::{BY_S, Rig};
use mysql::prelude::Queryable;
use std::time::{Duration, Instant};

#[test]
fn statistics_are_gathered_where_a_tenth_of_the_rows_changed() {
    let rig = Rig::new(
        "statistics",
        "CREATE TABLE t (id INT PRIMARY KEY, n INT, s TIMESTAMP NOT NULL, KEY (s)) ENGINE=MyISAM;
         INSERT INTO t SELECT seq, 0, '2024-01-01' + INTERVAL seq SECOND FROM seq_1_to_1000",
        BY_S,
    );
    rig.etl.ok(&["run"]);
    // The server's own workers must not be taken for ours.
    rig.trio.sql_target("ALTER TABLE raw.t SET (autovacuum_enabled = false)");
    let before = analyses(&rig);
    rig.trio.sql_source("UPDATE t SET n = 1, s = NOW() WHERE id <= 50");
    let few = rig.run(&["run"]);
    assert_eq!(few["load"]["rows_updated"], 50, "{few}");
    rig.trio.sql_source("UPDATE t SET n = 2, s = NOW() WHERE id <= 200");
    let many = rig.run(&["run"]);
    assert_eq!(many["load"]["rows_updated"], 200, "{many}");
    let patience = Instant::now() + Duration::from_secs(10);
    while analyses(&rig) == before && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(analyses(&rig), before + 1, "once for 200 rows, and not for 50");
}

fn analyses(rig: &Rig) -> i64 {
    let sql = "SELECT COALESCE(sum(analyze_count), 0)::int8 FROM pg_stat_user_tables \
               WHERE schemaname = 'raw' AND relname = 't'";
    rig.trio.target().query_one(sql, &[]).unwrap().get(0)
}

/// InnoDB may say of a table that it is empty, after a crash for one. Then a scan of it for each row that changed
/// seems cheap to the server, and takes hours.
#[test]
fn a_replica_whose_statistics_lie_is_searched_by_its_key() {
    let rows = "(id INT PRIMARY KEY, n INT, s TIMESTAMP NOT NULL, KEY (s)) ENGINE=InnoDB STATS_PERSISTENT=1";
    let rig = Rig::new(
        "statistics_lie",
        &format!(
            "CREATE TABLE t {rows}; CREATE TABLE d {rows};
             INSERT INTO t SELECT seq, 0, '2024-01-01' + INTERVAL seq SECOND FROM seq_1_to_20000;
             INSERT INTO d SELECT * FROM t"
        ),
        &format!("{BY_S}\n[tables.d]\nextraction = \"diff\"\n"),
    );
    rig.etl.ok(&["run"]);
    rig.trio.sql_source("UPDATE t SET n = 1, s = NOW() WHERE id % 100 = 0");
    rig.trio.sql_source("UPDATE d SET n = 1 WHERE id % 100 = 0; DELETE FROM d WHERE id % 500 = 1");
    let replica = rig.trio.replica_name();
    rig.trio.sql_replica(&format!(
        "SET GLOBAL userstat = 1;
         UPDATE mysql.innodb_table_stats SET n_rows = 0, clustered_index_size = 1, \
         sum_of_other_index_sizes = 0 WHERE database_name = '{replica}';
         UPDATE mysql.innodb_index_stats SET stat_value = 0 WHERE database_name = '{replica}';
         RENAME TABLE t TO t_; RENAME TABLE t_ TO t; RENAME TABLE d TO d_; RENAME TABLE d_ TO d"
    ));
    let before = rows_read(&rig);
    rig.etl.ok(&["run"]);
    let read = rows_read(&rig) - before;
    assert!(read < 20 * 20_000, "{read} rows were read in the replica");
    assert!(read > 200, "rows are counted");
    rig.etl.ok(&["verify"]);
}

fn rows_read(rig: &Rig) -> u64 {
    let sql = "SELECT CAST(COALESCE(SUM(ROWS_READ), 0) AS UNSIGNED) FROM information_schema.TABLE_STATISTICS \
               WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('t', 'd')";
    rig.trio.replica().query_first(sql).unwrap().unwrap()
}
