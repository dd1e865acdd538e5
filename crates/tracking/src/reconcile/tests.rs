//! Every disagreement, with the sentence that a person reads.

use super::*;
use crate::LoadState;
use crate::testing::{copied, loaded};
use jiff::Timestamp;

const GOOD: &str = "000000000000000a";
const NEXT: &str = "000000000000000b";

fn id(text: &str) -> CopyId {
    CopyId::parse(text).unwrap()
}

fn copy() -> CopyState {
    copied(Some(id(GOOD)))
}

fn load() -> LoadState {
    LoadState { last_success_at: Some(Timestamp::now()), ..loaded(Some(id(GOOD))) }
}

/// A copy that was begun and whose run died.
fn running() -> CopyState {
    CopyState { status: AttemptStatus::Running, pending: Some(id(NEXT)), ..copy() }
}

/// A first copy that was begun and whose run died.
fn running_first() -> CopyState {
    CopyState { copy_id: None, ..running() }
}

/// What is there: tables `t` in the replica and in the target, and shadows.
#[derive(Clone, Copy)]
struct There<'a> {
    replica: &'a [&'a str],
    target: &'a [&'a str],
    shadows: &'a [(&'a str, bool)],
}

const BOTH: There<'_> = There { replica: &["t"], target: &["t"], shadows: &[] };

#[track_caller]
fn check(copy: Option<CopyState>, load: Option<LoadState>, there: There<'_>, expected: &[&str]) {
    let names = |names: &[&str]| names.iter().map(|name| TableName::new(name).unwrap()).collect();
    let mut states = BTreeMap::new();
    if copy.is_some() || load.is_some() {
        states.insert(TableName::new("t").unwrap(), TrackedTable { copy, load });
    }
    let shadows: Vec<_> = there.shadows.iter().map(|(text, new)| (id(text), *new)).collect();
    let found = reconcile(&states, &shadows, &names(there.replica), &names(there.target));
    let found: Vec<String> = found.iter().map(RecoveryFinding::to_string).collect();
    assert_eq!(found, expected);
}

const FINISH: &str = "the copy of `t` was interrupted after its swap: it is recorded as done";
const UNDO: &str = "the copy of `t` was interrupted before its swap: its shadow is dropped \
                    and the table is copied again";
const REPEAT: &str = "the copy of `t` was interrupted while rows were merged: the same rows are \
                      merged again before the table is loaded";
const COPY_AGAIN: &str = "`t` is gone from the replica: it is copied in full";

#[test]
fn where_all_agree_nothing_is_found() {
    check(Some(copy()), Some(load()), BOTH, &[]);
    check(None, None, There { replica: &[], target: &[], ..BOTH }, &[]);
}

#[test]
fn tables_that_nobody_tracks_are_not_ours() {
    let expected = [
        "`t` is in the replica, but Handoff did not make it: it is left as it is and the table \
         fails; `etl run t --adopt` takes it over",
        "`t` is in the target, but Handoff did not make it: it is left as it is and the table \
         fails; `etl run t --adopt` takes it over",
    ];
    check(None, None, BOTH, &expected);
    // Its row says only that it failed, for just that reason.
    let failed = CopyState { status: AttemptStatus::Failed, copy_id: None, ..copy() };
    let unloaded = LoadState {
        status: AttemptStatus::Failed,
        last_success_at: None,
        loaded_copy_id: None,
        ..load()
    };
    check(Some(failed), Some(unloaded), BOTH, &expected);
    // Known on one side only.
    check(
        Some(copy()),
        None,
        BOTH,
        &[expected[1], "`t` was copied but not loaded yet: it is loaded"],
    );
    check(None, Some(load()), BOTH, &expected[..1]);
}

#[test]
fn adopted_tables_are_ours_and_not_loadable() {
    let at = Some(Timestamp::now());
    let interrupted = AttemptStatus::Interrupted;
    let adopted =
        CopyState { status: interrupted, copy_id: None, intact: false, adopted_at: at, ..copy() };
    let load = LoadState {
        status: interrupted,
        loaded_copy_id: None,
        last_success_at: None,
        adopted_at: at,
        ..load()
    };
    assert!(!adopted.loadable());
    check(Some(adopted), Some(load), BOTH, &[]);
}

#[test]
fn our_own_tables_are_passed_over() {
    let replica = ["etl_copy_status", "ETL_RUNS", "__handoff_new_000000000000000a"];
    check(None, None, There { replica: &replica, target: &replica, ..BOTH }, &[]);
}

#[test]
fn a_copy_that_was_swapped_in_is_finished() {
    let old = [(NEXT, false)];
    let swapped = There { shadows: &old, ..BOTH };
    check(Some(running()), Some(load()), swapped, &[FINISH]);
    // The seal failed after the swap, and the failure could be recorded.
    let failed = CopyState { status: AttemptStatus::Failed, ..running() };
    check(Some(failed), Some(load()), swapped, &[FINISH]);
    // A first copy has no old table to put aside.
    check(Some(running_first()), None, There { target: &[], ..BOTH }, &[FINISH]);
}

#[test]
fn a_copy_that_was_not_swapped_in_is_undone() {
    let new = [(NEXT, true)];
    check(Some(running()), Some(load()), There { shadows: &new, ..BOTH }, &[UNDO]);
    // A copy that stops drops its shadow: that there is none does not say that it was swapped in.
    check(Some(running()), Some(load()), BOTH, &[UNDO]);
    let nothing = There { replica: &[], target: &[], shadows: &[] };
    check(Some(running_first()), None, There { shadows: &new, ..nothing }, &[UNDO]);
    check(Some(running_first()), None, nothing, &[UNDO]);
    // A crash of an old server in the middle of the rename.
    let half = [(NEXT, true), (NEXT, false)];
    let half = There { replica: &[], shadows: &half, ..BOTH };
    check(Some(running()), Some(load()), half, &[UNDO, COPY_AGAIN]);
}

#[test]
fn a_first_copy_that_failed_does_not_claim_a_table_that_came_later() {
    let failed = CopyState { status: AttemptStatus::Failed, ..running_first() };
    check(Some(failed), None, There { target: &[], ..BOTH }, &[]);
}

#[test]
fn a_merge_is_repeated_and_the_table_not_loaded_before() {
    let merging = CopyState { intact: false, ..running() };
    check(Some(merging), Some(load()), BOTH, &[REPEAT]);
    let undone = CopyState { intact: false, status: AttemptStatus::Interrupted, ..copy() };
    assert!(!undone.loadable());
}

#[test]
fn an_attempt_that_failed_leaves_the_last_copy_loadable() {
    let failed = CopyState { status: AttemptStatus::Failed, pending: Some(id(NEXT)), ..copy() };
    assert!(failed.loadable());
    assert!(!running().loadable());
    check(Some(failed), Some(load()), BOTH, &[]);
}

#[test]
fn trackings_that_disagree_are_loaded_again() {
    let later = CopyState { copy_id: Some(id(NEXT)), ..copy() };
    check(
        Some(later),
        Some(load()),
        BOTH,
        &["`t` was loaded from the copy 000000000000000a, and the replica holds the copy \
         000000000000000b: it is loaded again"],
    );
    let never = LoadState { loaded_copy_id: None, last_success_at: None, ..load() };
    let target = There { target: &[], ..BOTH };
    check(Some(copy()), Some(never), target, &["`t` was copied but not loaded yet: it is loaded"]);
}

#[test]
fn tables_that_went_are_moved_again() {
    check(
        Some(copy()),
        Some(load()),
        There { replica: &[], target: &[], ..BOTH },
        &[COPY_AGAIN, "`t` is gone from the target: it is loaded in full"],
    );
}

#[test]
fn without_a_replica_nothing_is_missed_there() {
    let direct = CopyState { place: Side::Target, ..copy() };
    assert!(!direct.loadable());
    check(Some(direct), Some(load()), There { replica: &[], ..BOTH }, &[]);
}

#[test]
fn shadows_that_nothing_needs_are_dropped() {
    let shadows = [(GOOD, false), (NEXT, true), (NEXT, false)];
    check(
        Some(copy()),
        Some(load()),
        There { shadows: &shadows, ..BOTH },
        &[
            "the copy 000000000000000a left a table in the replica: it is dropped",
            "the copy 000000000000000b left a table in the replica: it is dropped",
        ],
    );
}
