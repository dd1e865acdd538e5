//! Readers who look all the time.

use super::{A_DAY, LOOK, LOOK_IN_RAW, MODES, Mode, Seen, TABLE, raw, replica, source};
use crate::meanwhile::SetOnDrop;
use handoff_testbed::Trio;
use mysql::prelude::Queryable;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[test]
fn readers_see_the_old_rows_or_the_new_ones_and_nothing_between() {
    for mode in MODES {
        for direct in [false, true] {
            let rig = mode.rig("publication readers", TABLE, direct);
            rig.etl.ok(&["run"]);
            let old = raw(&rig.trio);
            let before = newest_transaction(&rig.trio);
            rig.trio.sql_source(A_DAY);
            let new = source(&rig.trio);
            let (in_raw, in_replica) = look_during(&rig.trio, direct, || {
                rig.etl.ok(&["run"]);
            });
            assert_eq!(raw(&rig.trio), new, "{mode:?}, direct: {direct}");
            let allowed = BTreeSet::from([old, new]);
            assert!(
                in_raw.is_subset(&allowed),
                "{mode:?}, direct: {direct}: {in_raw:?} {allowed:?}"
            );
            assert_eq!(transactions_since(&rig.trio, before), 1, "{mode:?}, direct: {direct}");
            if !direct {
                assert_eq!(replica(&rig.trio), new, "{mode:?}");
            }
            if !cuts(mode) {
                assert!(in_replica.is_subset(&allowed), "{mode:?}: {in_replica:?} {allowed:?}");
            }
        }
    }
}

/// Returns true if hop 1 publishes slices, one after the other.
fn cuts(mode: &Mode) -> bool {
    mode.name.starts_with("slices")
}

/// Looks at both copies of the table as often as can be while `run` runs.
fn look_during(trio: &Trio, direct: bool, run: impl FnOnce()) -> (BTreeSet<Seen>, BTreeSet<Seen>) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let in_raw = scope.spawn(|| {
            let (mut seen, mut client) = (BTreeSet::new(), trio.target());
            while !done.load(Ordering::Relaxed) {
                let row = client.query_one(LOOK_IN_RAW, &[]).unwrap();
                seen.insert((row.get(0), row.get(1)));
            }
            seen
        });
        let in_replica = scope.spawn(|| {
            let (mut seen, mut conn) = (BTreeSet::new(), trio.replica());
            while !direct && !done.load(Ordering::Relaxed) {
                seen.insert(conn.query_first(LOOK).unwrap().unwrap());
            }
            seen
        });
        // A run that fails must not leave the readers reading for ever.
        let end = SetOnDrop(&done);
        run();
        drop(end);
        (in_raw.join().unwrap(), in_replica.join().unwrap())
    })
}

/// Returns the youngest transaction that wrote a row of the table.
fn newest_transaction(trio: &Trio) -> i64 {
    let ask = "SELECT max(xmin::text::bigint) FROM raw.t";
    trio.target().query_one(ask, &[]).unwrap().get(0)
}

/// Counts the transactions that wrote rows of the table since.
fn transactions_since(trio: &Trio, before: i64) -> i64 {
    let ask = "SELECT count(DISTINCT xmin::text) FROM raw.t WHERE xmin::text::bigint > $1";
    trio.target().query_one(ask, &[&before]).unwrap().get(0)
}
