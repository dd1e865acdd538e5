//! A reader of a view, fifty times a second, while the table below it follows the source.

use super::{changes, run};
use crate::etl::Etl;
use crate::meanwhile::SetOnDrop;
use handoff_testbed::Trio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Looks of a reader in a second.
const PAUSE: Duration = Duration::from_millis(20);

/// The rows of the table: a million with `HANDOFF_READER_ROWS=1000000`.
fn rows() -> u64 {
    let asked = std::env::var("HANDOFF_READER_ROWS").ok();
    asked.map_or(20_000, |rows| rows.parse().unwrap())
}

/// Reads the view until told to stop. Returns the longest wait, and every state that was seen, each once.
fn watch(trio: &Trio, stop: &AtomicBool) -> (Duration, Vec<String>) {
    let mut target = trio.target();
    let (mut longest, mut seen) = (Duration::ZERO, Vec::new());
    while !stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        // Both ends of the table, by its key: a look takes as long however many rows there are.
        let sql =
            format!("SELECT string_agg(v, ' ' ORDER BY id) FROM raw.v WHERE id IN (1, {})", rows());
        let state: String = target.query_one(&sql, &[]).unwrap().get(0);
        longest = longest.max(began.elapsed());
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        thread::sleep(PAUSE.saturating_sub(began.elapsed()));
    }
    (longest, seen)
}

#[test]
fn a_reader_of_a_view_sees_whole_states_and_waits_for_none() {
    let trio = Trio::new("structure reader");
    let last = rows();
    trio.sql_source(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT NOT NULL, d DECIMAL(10,2) NOT NULL) ENGINE=InnoDB;
         INSERT INTO t SELECT seq, 1, 1 FROM seq_1_to_{last}"
    ));
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_target(
        "SET ROLE etl; CREATE VIEW raw.v AS SELECT id, a, d, concat_ws('/', a, d) AS v FROM raw.t",
    );
    let steps = [
        (
            "added",
            "ALTER TABLE t ADD COLUMN note INT; UPDATE t SET note = id, a = 2",
            "column_added note",
            "2/1.00",
        ),
        (
            "widened",
            "ALTER TABLE t MODIFY d DECIMAL(14,2) NOT NULL; UPDATE t SET d = 3",
            "widened d",
            "2/3.00",
        ),
        (
            "another type",
            "ALTER TABLE t MODIFY a BIGINT NOT NULL; UPDATE t SET a = 4",
            "built_anew a",
            "4/3.00",
        ),
    ];
    let mut before = "1/1.00";
    for (index, (name, sql, recorded, after)) in steps.into_iter().enumerate() {
        trio.sql_source(sql);
        let stop = AtomicBool::new(false);
        let (longest, seen) = thread::scope(|scope| {
            let reader = scope.spawn(|| watch(&trio, &stop));
            let stopper = SetOnDrop(&stop);
            let report = run(&etl, 0, &["--prove"]);
            assert_eq!(report["t"]["proof"]["verdict"], "equal");
            thread::sleep(PAUSE * 3);
            drop(stopper);
            reader.join().unwrap()
        });
        println!(
            "{name}: {last} rows; longest wait of a reader {:.1} ms",
            longest.as_secs_f64() * 1e3
        );
        assert_eq!(seen, [format!("{before} {before}"), format!("{after} {after}")], "{name}");
        assert_eq!(changes(&trio, "t")[index], recorded);
        before = after;
    }
}
