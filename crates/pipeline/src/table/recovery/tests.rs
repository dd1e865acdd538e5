//! The way on from each kind of error, as tables of cases.

use super::*;
use crate::table::steps::{Between, Counting, Goal, Stages};
use crate::table::tests::plans::{lasting, my_fault, name, passing};
use handoff_model::{Deletes, ProofBy};
use handoff_plan::Hops;

const COPY: Step = Step::CopyRows { counts: true };
const LOAD: Step = Step::LoadRows(Counting::SinceProbe);

fn window(deletes: Deletes) -> Route {
    Route {
        goal: Goal::Window,
        stages: Stages { hops: Hops::Both, has_replica: true, proof: ProofBy::Sums },
        deletes,
        has_window: true,
        is_cut: false,
        loads_all: false,
        copies: true,
        was_empty: false,
        is_repair: false,
        is_second: false,
        is_again: false,
    }
}

fn counting() -> Route {
    window(Deletes::Count)
}

fn full() -> Route {
    Route { goal: Goal::Everything, ..counting() }
}

fn differing() -> Route {
    Route { goal: Goal::Differing, ..counting() }
}

fn text() -> String {
    "1 and 2".to_owned()
}

fn conflict() -> TableError {
    TableError::Copy(handoff_replicator::Error::MergeConflict { table: name(), key: None })
}

fn not_mergeable() -> TableError {
    let problem = "it has no key";
    TableError::Copy(handoff_replicator::Error::NotMergeable { table: name(), problem })
}

fn structure() -> TableError {
    TableError::Structure { table: name(), side: Side::Replica, what: "a column".to_owned() }
}

fn load_fault(code: u16) -> TableError {
    let fault = my_fault(Side::Target, code);
    TableError::Load(handoff_loader::Error::Step { table: name(), step: "publish", fault })
}

fn too_many_deletes() -> TableError {
    TableError::TooManyDeletes {
        table: name(),
        side: Side::Target,
        deleted: 90,
        rows: 100,
        percent: 20,
        remedy: "etl run t".to_owned(),
    }
}

#[track_caller]
fn check(step: Step, error: &TableError, route: Route, expected: Recovery) {
    assert_eq!(after_error(step, error, &route, 1), expected, "{error}");
}

#[test]
fn rows_that_are_miscounted_have_everything_moved() {
    let error = TableError::Miscounted(text());
    for step in [COPY, LOAD] {
        check(step, &error, counting(), Recovery::InFull(Reason::RowsDeleted));
    }
}

#[test]
fn rows_that_differ_have_everything_moved() {
    let error = TableError::Differs(text());
    check(LOAD, &error, counting(), Recovery::InFull(Reason::RowsDiffer));
    check(Step::CompareCopy, &error, counting(), Recovery::InFull(Reason::RowsDiffer));
    check(Step::CompareCopy, &error, differing(), Recovery::InFull(Reason::RowsDiffer));
}

#[test]
fn too_many_rows_that_differ_have_everything_moved() {
    let error = TableError::TooMuchDiffers(name());
    let between = Between { first: Side::Source, last: Side::Replica };
    check(Step::Compare(between), &error, differing(), Recovery::InFull(Reason::ManyDiffer));
    let sweeping = window(Deletes::Sweep);
    check(Step::Sweep(between), &error, sweeping, Recovery::InFull(Reason::ManyDiffer));
}

#[test]
fn another_structure_has_everything_moved() {
    check(COPY, &structure(), differing(), Recovery::InFull(Reason::SchemaChanged));
    check(COPY, &not_mergeable(), counting(), Recovery::InFull(Reason::SchemaChanged));
}

#[test]
fn a_unique_value_in_the_way_has_everything_moved() {
    check(COPY, &conflict(), counting(), Recovery::InFull(Reason::Collided));
    check(LOAD, &load_fault(23505), counting(), Recovery::InFull(Reason::Collided));
    check(Step::CopyKeys, &conflict(), differing(), Recovery::InFull(Reason::Collided));
}

#[test]
fn another_fault_of_a_load_fails_the_table() {
    check(LOAD, &load_fault(22003), counting(), Recovery::Fail);
    check(LOAD, &lasting(), counting(), Recovery::Fail);
}

#[test]
fn a_damaged_replica_has_everything_moved() {
    for code in [126, 145, 1194, 1712] {
        let error = TableError::Prove(my_fault(Side::Replica, code));
        check(COPY, &error, counting(), Recovery::InFull(Reason::ReplicaDamaged));
    }
}

#[test]
fn a_damaged_source_fails_the_table() {
    let error = TableError::Probe(my_fault(Side::Source, 145));
    check(Step::Probe, &error, counting(), Recovery::Fail);
}

#[test]
fn a_fault_that_passed_too_often_fails_the_table() {
    check(COPY, &passing(), counting(), Recovery::Fail);
}

#[test]
fn a_refusal_to_delete_fails_the_table() {
    check(LOAD, &too_many_deletes(), counting(), Recovery::Fail);
    check(COPY, &too_many_deletes(), window(Deletes::Sweep), Recovery::Fail);
}

#[test]
fn a_lost_lock_and_a_copy_that_is_not_there_fail_the_table() {
    check(LOAD, &TableError::LockLost, counting(), Recovery::Fail);
    check(Step::TakeCopy, &TableError::NotCopied(name()), counting(), Recovery::Fail);
}

#[test]
fn nothing_takes_the_place_of_everything() {
    for error in [
        TableError::Miscounted(text()),
        TableError::Differs(text()),
        TableError::TooMuchDiffers(name()),
        structure(),
        conflict(),
    ] {
        check(LOAD, &error, full(), Recovery::Fail);
    }
}

#[test]
fn keys_that_were_swept_are_swept_once_more_after_a_miscount() {
    let error = TableError::Miscounted(text());
    check(LOAD, &error, window(Deletes::Sweep), Recovery::Again);
    check(COPY, &error, window(Deletes::Sweep), Recovery::Again);
}

#[test]
fn a_second_miscount_has_everything_moved() {
    let again = Route { is_again: true, ..window(Deletes::Sweep) };
    let error = TableError::Miscounted(text());
    check(LOAD, &error, again, Recovery::InFull(Reason::RowsDeleted));
}

#[test]
fn nothing_but_a_miscount_is_tried_again() {
    let sweeping = window(Deletes::Sweep);
    let differs = TableError::Differs(text());
    check(LOAD, &differs, sweeping, Recovery::InFull(Reason::RowsDiffer));
    check(COPY, &conflict(), sweeping, Recovery::InFull(Reason::Collided));
}

#[test]
fn rows_that_stay_are_not_moved_away_for_what_is_about_rows() {
    let retaining = window(Deletes::Ignore);
    let damaged = TableError::Prove(my_fault(Side::Replica, 145));
    for error in [TableError::Miscounted(text()), TableError::Differs(text()), conflict(), damaged]
    {
        check(LOAD, &error, retaining, Recovery::FailRetaining);
    }
}

#[test]
fn another_structure_moves_even_rows_that_stay() {
    let retaining = window(Deletes::Ignore);
    check(COPY, &not_mergeable(), retaining, Recovery::InFull(Reason::SchemaChanged));
}

#[test]
fn a_full_copy_that_differs_is_made_once_more() {
    let error = TableError::Differs(text());
    assert_eq!(after_error(Step::CompareCopy, &error, &full(), 1), Recovery::CopyAgain);
    assert_eq!(after_error(Step::CompareCopy, &error, &full(), 2), Recovery::Fail);
}

#[test]
fn a_comparison_that_fails_is_not_made_after_another_copy() {
    assert_eq!(after_error(Step::CompareCopy, &lasting(), &full(), 1), Recovery::Fail);
}

#[test]
fn a_load_that_differs_is_no_reason_to_copy_again() {
    let error = TableError::Differs(text());
    assert_eq!(after_error(LOAD, &error, &full(), 1), Recovery::Fail);
}

#[test]
fn a_repair_decides_by_itself_what_follows() {
    let repair = Route { is_repair: true, ..differing() };
    for error in [TableError::Differs(text()), conflict(), structure()] {
        check(Step::CopyKeys, &error, repair, Recovery::Fail);
    }
}
