//! Runs that die before and after the one commit of a table.

use super::{A_DAY, MODES, TABLE, load_record, raw, source};
use crate::etl::arm;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

#[test]
fn a_run_that_dies_leaves_the_old_rows_or_the_new_ones() {
    for mode in MODES {
        for direct in [false, true] {
            let rig = mode.rig("publication killed", TABLE, direct);
            rig.etl.ok(&["run"]);
            let (old, recorded) = (raw(&rig.trio), load_record(&rig.trio));
            rig.trio.sql_source(A_DAY);
            let new = source(&rig.trio);
            for (point, expected) in [("loader.checked", old), ("loader.committed", new)] {
                let mut command = rig.etl.command(&["run"]);
                arm(&mut command, point);
                let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
                let what = format!("{mode:?}, direct: {direct}, {point}");
                assert_eq!(status.signal(), Some(libc::SIGABRT), "{what}: {status}");
                assert_eq!(raw(&rig.trio), expected, "{what}");
                assert_eq!(load_record(&rig.trio) == recorded, expected == old, "{what}");
            }
            rig.etl.ok(&["run", "--prove"]);
            assert_eq!(raw(&rig.trio), new, "{mode:?}, direct: {direct}");
        }
    }
}

/// What a killed run has copied of a window is nothing that `etl load` may publish.
#[test]
fn a_copy_that_broke_off_between_two_slices_is_not_loaded() {
    let mode = MODES.iter().find(|mode| mode.name == "slices counted").unwrap();
    let rig = mode.rig("publication slices", TABLE, false);
    rig.etl.ok(&["run"]);
    let old = raw(&rig.trio);
    // Stamps of several seconds, between which slices may end.
    rig.trio
        .sql_source("UPDATE t SET v = v + 1, s = NOW() - INTERVAL id % 30 SECOND WHERE id % 4 = 1");
    let mut command = rig.etl.command(&["run"]);
    arm(&mut command, "replicator.merge_sealed@3");
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{status}");
    let refused = rig.etl.exits(1, &["load"]);
    assert!(refused.stdout.contains("no finished copy"), "{}", refused.stdout);
    assert_eq!(raw(&rig.trio), old);
    rig.etl.ok(&["run", "--prove"]);
    assert_eq!(raw(&rig.trio), source(&rig.trio));
}
