//! A source that is written to meanwhile, and many rows.

use super::{changes, of, repair};
use crate::diff::is_equal;
use crate::meanwhile::SetOnDrop;
use crate::verify::{carry, settings};
use handoff_pipeline::{RepairRequest, RepairStatus};
use handoff_testbed::Trio;
use mysql::prelude::Queryable;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[test]
fn while_the_source_is_written_to_the_planted_rows_are_mended() {
    for engine in ["InnoDB", "MyISAM"] {
        let trio = Trio::new("repair alive");
        trio.sql_source(&format!(
            "CREATE TABLE t (id INT PRIMARY KEY, a INT) ENGINE={engine};
             INSERT INTO t SELECT seq, 0 FROM seq_1_to_5000"
        ));
        let settings = settings(&trio);
        carry(&settings);
        trio.sql_replica("UPDATE t SET a = 7 WHERE id IN (1, 5000); DELETE FROM t WHERE id = 9");
        trio.sql_target(
            "DELETE FROM raw.t WHERE id IN (2, 4999); INSERT INTO raw.t VALUES (-1, 0)",
        );
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut conn = trio.source();
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    conn.query_drop(format!("INSERT INTO t VALUES ({}, 0)", 10_000 + number))
                        .unwrap();
                    conn.query_drop(format!(
                        "UPDATE t SET a = a + 1 WHERE id = {}",
                        100 + number % 900
                    ))
                    .unwrap();
                    std::thread::sleep(Duration::from_millis(4));
                }
            });
            let ended = SetOnDrop(&stop);
            let report = repair(&settings, &RepairRequest::default());
            drop(ended);
            let table = of(&report, "t");
            assert!(
                matches!(table.status, RepairStatus::Repaired | RepairStatus::Failed),
                "{table:#?}"
            );
            let planted = ["1", "2", "9", "4999", "5000", "-1"];
            let left = table.after.iter().flat_map(|pair| &pair.rows);
            let left: Vec<_> = left.filter(|row| planted.contains(&&*row.key[0])).collect();
            assert!(left.is_empty(), "{left:#?}");
        });
        let report = repair(&settings, &RepairRequest::default());
        assert!(report.ok, "{report:#?}");
        is_equal(&settings);
    }
}

/// `HANDOFF_TEST_ROWS=1000000` prints what mending a tenth of so many rows takes.
#[test]
fn many_rows_are_mended() {
    let rows = std::env::var("HANDOFF_TEST_ROWS").ok().and_then(|rows| rows.parse().ok());
    let rows: u64 = rows.unwrap_or(20_000);
    let trio = Trio::new("repair many");
    trio.sql_source(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, note VARCHAR(100)) ENGINE=InnoDB;
         INSERT INTO t SELECT seq, seq, REPEAT(MD5(seq), 3) FROM seq_1_to_{rows}"
    ));
    let settings = settings(&trio);
    carry(&settings);
    trio.sql_replica("UPDATE t SET note = 'old' WHERE id % 20 = 0");
    trio.sql_target(
        "DELETE FROM raw.t WHERE id % 40 = 1; UPDATE raw.t SET u = -u WHERE id % 40 = 2",
    );
    let clock = Instant::now();
    let report = repair(&settings, &RepairRequest::default());
    let took = clock.elapsed();
    assert!(report.ok, "{report:#?}");
    let table = of(&report, "t");
    assert_eq!(changes(table), [(0, rows / 20, 0), (rows / 40, rows / 40, 0)]);
    let copied = Duration::from_millis(table.copy.as_ref().unwrap().duration_ms);
    let loaded = Duration::from_millis(table.load.as_ref().unwrap().duration_ms);
    println!("{} of {rows} rows: {took:.1?}, hop 1 {copied:.1?}, hop 2 {loaded:.1?}", rows / 10);
}
