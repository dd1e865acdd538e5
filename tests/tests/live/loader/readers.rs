//! What readers of the target notice of a load.

use super::Bench;
use crate::meanwhile::SetOnDrop;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

#[test]
fn a_reader_of_a_view_sees_whole_states_only_during_ten_refreshes() {
    let bench = Bench::new("load readers");
    bench.mysql(
        "CREATE TABLE t (id INT PRIMARY KEY, state INT, pad CHAR(100));
         INSERT INTO t SELECT seq, 0, REPEAT('x', 100) FROM seq_1_to_5000",
    );
    bench.load("t").unwrap();
    bench.pg("CREATE VIEW raw.v AS SELECT * FROM raw.t");
    let oid = bench.ask("SELECT 'raw.t'::regclass::oid::text");

    let (done, looks) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut client = bench.trio.target();
            // A wait for a lock would fail the reader.
            client.batch_execute("SET lock_timeout = '200ms'").unwrap();
            let sql = "SELECT count(*), min(state), max(state), min(id) FROM raw.v";
            while !done.load(Ordering::Relaxed) {
                let row = client.query_one(sql, &[]).unwrap();
                let (count, low, high, id): (i64, i32, i32, i32) =
                    (row.get(0), row.get(1), row.get(2), row.get(3));
                assert_eq!((count, high, id), (5000, low, low + 1));
                looks.fetch_add(1, Ordering::Relaxed);
            }
        });
        // A load that panics must not leave the reader reading for ever.
        let end = SetOnDrop(&done);
        for state in 1..=10 {
            bench.mysql(&format!(
                "UPDATE t SET state = {state}; UPDATE t SET id = id + 5000 WHERE id = {state}"
            ));
            bench.load("t").unwrap();
        }
        drop(end);
        reader.join().unwrap();
    });
    assert!(looks.load(Ordering::Relaxed) > 10);
    assert_eq!(bench.ask("SELECT min(state)::text FROM raw.v"), "10");
    assert_eq!(bench.ask("SELECT 'raw.t'::regclass::oid::text"), oid);
}

#[test]
fn a_reader_with_an_older_snapshot_keeps_seeing_the_old_rows() {
    let bench = Bench::new("load snapshot");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    bench.load("t").unwrap();
    let mut client = bench.trio.target();
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").unwrap();
    bench.mysql("DELETE FROM t; INSERT INTO t VALUES (3)");
    bench.load("t").unwrap();
    let seen = client.query_one("SELECT string_agg(id::text, ' ' ORDER BY id) FROM raw.t", &[]);
    assert_eq!(seen.unwrap().get::<_, &str>(0), "1 2");
}
