//! Sources that are written to while they are compared.

use super::{carry, counts, settings, verify, verify_copy};
use crate::meanwhile::SetOnDrop;
use handoff_connect::Side;
use handoff_model::SumBy;
use handoff_pipeline::VerifyStatus;
use handoff_testbed::Trio;
use handoff_verify::VerifyOptions;
use mysql::prelude::Queryable;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const OPTIONS: VerifyOptions = VerifyOptions {
    most_cells: 1 << 16,
    most_listed: 1_000,
    most_looks: 4,
    look_up_one_in: 20,
    sums: SumBy::Auto,
};

#[test]
fn a_writer_makes_no_false_difference_once_it_stops() {
    for engine in ["InnoDB", "MyISAM", "Aria"] {
        let trio = Trio::new("verify alive");
        trio.sql_source(&format!(
            "CREATE TABLE busy (id INT PRIMARY KEY, n INT) ENGINE={engine}; \
             INSERT INTO busy SELECT seq, 0 FROM seq_1_to_20000"
        ));
        let settings = settings(&trio);
        carry(&settings);
        // Planted, and to be found through all the noise.
        trio.sql_target("DELETE FROM raw.busy WHERE id = 20000");
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut source = trio.source();
                let mut id = 0;
                while !stop.load(Ordering::Relaxed) {
                    id = id % 19_000 + 7;
                    // There and back: afterwards nothing is different.
                    source
                        .query_drop(format!("UPDATE busy SET n = n + 1 WHERE id = {id}"))
                        .unwrap();
                    thread::sleep(Duration::from_millis(1));
                    source
                        .query_drop(format!("UPDATE busy SET n = n - 1 WHERE id = {id}"))
                        .unwrap();
                }
            });
            let _ended = SetOnDrop(&stop);
            let summed = VerifyOptions { sums: SumBy::Sql, ..OPTIONS };
            for options in [OPTIONS, summed, OPTIONS, summed, OPTIONS] {
                let report = verify(&settings, options);
                let table = &report.tables[0];
                assert_eq!(counts(table, Side::Replica), [1, 0, 0], "{engine}");
                let [missing, stale, phantom] = counts(table, Side::Source);
                assert!(missing == 0 && phantom == 0 && stale <= 2, "{engine}: {stale} stale");
                let [missing, stale, phantom] =
                    counts(&verify_copy(&settings, options).tables[0], Side::Source);
                assert!(missing == 0 && phantom == 0 && stale <= 2, "{engine}: {stale} stale");
            }
        });
        let report = verify(&settings, OPTIONS);
        assert_eq!(counts(&report.tables[0], Side::Source), [0, 0, 0], "{engine}");
        assert_eq!(counts(&report.tables[0], Side::Replica), [1, 0, 0], "{engine}");
        assert!(verify_copy(&settings, OPTIONS).ok, "{engine}");
    }
}

#[test]
fn a_row_that_never_stands_still_is_moving_and_no_drift() {
    let trio = Trio::new("verify moving");
    trio.sql_source(
        "CREATE TABLE busy (id INT PRIMARY KEY, n BIGINT) ENGINE=MyISAM; \
         INSERT INTO busy SELECT seq, 0 FROM seq_1_to_30000",
    );
    let settings = settings(&trio);
    carry(&settings);
    let stop = AtomicBool::new(false);
    let report = thread::scope(|scope| {
        scope.spawn(|| {
            let mut source = trio.source();
            while !stop.load(Ordering::Relaxed) {
                source.query_drop("UPDATE busy SET n = n + 1 WHERE id = 15000").unwrap();
            }
        });
        thread::sleep(Duration::from_millis(50));
        let _ended = SetOnDrop(&stop);
        verify(&settings, OPTIONS)
    });
    let table = &report.tables[0];
    assert_eq!(table.status, VerifyStatus::Moving, "{table:?}");
    assert_eq!(counts(table, Side::Source), [0, 0, 0]);
    assert_eq!((table.pairs[0].moving, report.ok), (1, false));
    // Once it stands still it has changed since the copy, and that is a difference.
    let report = verify(&settings, OPTIONS);
    assert_eq!(counts(&report.tables[0], Side::Source), [0, 1, 0]);
    carry(&settings);
    assert!(verify(&settings, OPTIONS).ok);
}
