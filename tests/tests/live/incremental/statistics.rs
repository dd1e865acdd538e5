//! When PostgreSQL is asked to gather statistics: that may take longer than to move what changed.

use super::{BY_S, Rig};
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
