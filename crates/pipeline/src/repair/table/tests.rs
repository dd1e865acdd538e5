//! A repair without servers.

use super::*;
use crate::report::{TableStatus, Verdict};
use crate::table::Stages;
use crate::table::tests::doubles::*;
use crate::table::tests::plans::*;
use handoff_connect::Fault;
use handoff_plan::Hops;
use handoff_verify::DifferenceKind;

fn by_sums() -> Stages {
    stages(Hops::Both, true, ProofBy::Sums)
}

fn repaired(double: &Double, stages: Stages, plan: &TablePlan) -> RepairedTable {
    let gate = gate();
    double.scope(&gate, stages).repair(plan, ShowKeys::All)
}

fn one_stale() -> TableDifference {
    comparison(&ALL, 100, &[(DifferenceKind::Stale, 1)])
}

fn equal() -> TableDifference {
    comparison(&ALL, 100, &[])
}

/// More rows that differ than are listed.
fn unlisted() -> TableDifference {
    let mut found = one_stale();
    found.0.pairs[0].stale = 5;
    found
}

#[track_caller]
fn calls(double: &Double, expected: &[&str]) {
    assert_eq!(double.names(), expected);
}

#[track_caller]
fn failed(repaired: &RepairedTable, text: &str) {
    assert_eq!(repaired.report.status, TableStatus::Failed);
    let error = repaired.report.error.as_deref().unwrap();
    assert!(error.contains(text), "{error}");
}

const MENDED: [&str; 7] = [
    "compare",
    "copy keys",
    "publish copy",
    "load keys",
    "count read",
    "count placed",
    "publish load",
];

#[test]
fn a_table_that_is_equal_is_only_compared() {
    let double = Double::of(100);
    let repaired = repaired(&double, by_sums(), &full_plan());
    calls(&double, &["compare"]);
    let proof = repaired.report.proof.unwrap();
    assert_eq!((proof.verdict, proof.by), (Verdict::Equal, ProofBy::Rows));
    assert_eq!((repaired.seen.rounds, repaired.seen.way), (0, None));
    assert_eq!(repaired.report.plan.unwrap().reason, Reason::Repair);
}

#[test]
fn rows_that_differ_are_mended_and_compared_again() {
    let double = Double::of(100).finding(one_stale());
    let repaired = repaired(&double, by_sums(), &full_plan());
    calls(&double, &[&MENDED[..], &["compare"]].concat());
    assert_eq!(repaired.report.status, TableStatus::Ok);
    assert_eq!((repaired.seen.rounds, repaired.seen.way), (1, Some(RepairWay::Rows)));
    assert_eq!(repaired.seen.before[0].stale, 1);
    assert_eq!(repaired.seen.after[0].stale, 0);
}

#[test]
fn rows_that_only_the_target_has_otherwise_are_not_copied() {
    let mut found = one_stale();
    found.0.pairs[0] =
        handoff_verify::PairDifferences { stale: 0, rows: Vec::new(), ..found.0.pairs[0].clone() };
    let double = Double::of(100).finding(found);
    let repaired = repaired(&double, by_sums(), &full_plan());
    assert_eq!(repaired.report.error, None);
    assert_eq!(double.copy_ids("load keys"), [copy_id(BASE)]);
    assert!(!double.names().contains(&"copy keys"));
}

#[test]
fn a_merge_that_broke_off_is_made_whole_although_nothing_differs() {
    let mut plan = full_plan();
    plan.tracked.copy.as_mut().unwrap().intact = false;
    let double = Double::of(100);
    let repaired = repaired(&double, by_sums(), &plan);
    assert_eq!((repaired.report.error.as_ref(), repaired.seen.rounds), (None, 1));
    assert!(double.names().contains(&"copy keys"));
}

#[test]
fn a_table_that_never_arrived_is_not_mended() {
    let mut plan = full_plan();
    plan.tracked.load = None;
    let double = Double::of(100);
    failed(&repaired(&double, by_sums(), &plan), "never arrived in full");
    calls(&double, &[]);
}

#[test]
fn without_a_replica_keys_are_loaded_from_the_source() {
    let sides = [Side::Source, Side::Target];
    let double = Double::of(100).finding(comparison(&sides, 100, &[(DifferenceKind::Stale, 1)]));
    let plan = TablePlan { replica: None, ..full_plan() };
    let repaired = repaired(&double, stages(Hops::Both, false, ProofBy::Sums), &plan);
    assert_eq!(repaired.report.error, None);
    calls(&double, &["compare", "load keys", "publish load", "compare"]);
}

#[test]
fn a_second_round_copies_anew_and_is_the_last() {
    let double = Double::of(100).finding(one_stale()).finding(one_stale()).finding(one_stale());
    let repaired = repaired(&double, by_sums(), &full_plan());
    failed(&repaired, "2 rows of `t` still differ after two repairs");
    assert_eq!(repaired.seen.rounds, 2);
    assert_eq!(repaired.report.proof.as_ref().unwrap().verdict, Verdict::Differs);
    // Both rounds are in the figures.
    assert_eq!(repaired.report.copy.unwrap().rows_copied, 2);
    let ids = double.copy_ids("copy keys");
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn rows_that_change_all_the_time_still_differ() {
    let moving = || {
        let mut found = equal();
        found.0.pairs[0].moving = 1;
        found.0.pairs[0].moving_rows = vec![handoff_verify::RowKey::of(&[&1_i32.to_be_bytes()])];
        found
    };
    let double = Double::of(100).finding(moving()).finding(moving()).finding(moving());
    failed(&repaired(&double, by_sums(), &full_plan()), "1 rows of `t` still differ");
}

#[test]
fn the_whole_table_is_copied_where_more_differs_than_is_listed() {
    let double = Double::of(100).finding(unlisted());
    let repaired = repaired(&double, by_sums(), &full_plan());
    assert_eq!(repaired.report.error, None);
    assert_eq!(repaired.seen.way, Some(RepairWay::FullCopy));
    calls(&double, &["compare", "copy all", "publish copy", "load all", "publish load", "compare"]);
    let note = "the whole table was copied: more rows differ than are listed".to_owned();
    assert!(repaired.report.notes.contains(&note), "{:?}", repaired.report.notes);
}

#[test]
fn the_plan_of_a_repair_stays_that_of_a_repair() {
    let double = Double::of(100).finding(unlisted());
    let plan = repaired(&double, by_sums(), &full_plan()).report.plan.unwrap();
    assert_eq!((plan.reason, plan.force_full_applied), (Reason::Repair, false));
}

#[test]
fn a_table_that_keeps_rows_is_never_copied_in_full() {
    let plan = TablePlan { deletes: Deletes::Ignore, ..full_plan() };
    let double = Double::of(100).finding(unlisted());
    failed(&repaired(&double, by_sums(), &plan), "could be mended by a full copy only");
    calls(&double, &["compare"]);
}

#[test]
fn rows_that_stay_are_no_difference() {
    let plan = TablePlan { deletes: Deletes::Ignore, ..full_plan() };
    let sides = [Side::Source, Side::Target];
    let gone = comparison(&sides, 100, &[(DifferenceKind::Phantom, 1)]);
    let double = Double { source: 99, ..Double::of(100) }.finding(gone);
    let repaired = repaired(&double, by_sums(), &plan);
    assert_eq!(repaired.report.error, None);
    calls(&double, &["compare"]);
    // The report lists them all the same.
    assert_eq!(repaired.seen.before[0].phantom, 1);
}

#[test]
fn a_repair_that_would_delete_too_much_writes_nothing() {
    let gone: Vec<(DifferenceKind, i32)> =
        (0..30).map(|key| (DifferenceKind::Phantom, key)).collect();
    let double = Double::of(100).finding(comparison(&ALL, 100, &gone));
    failed(&repaired(&double, by_sums(), &full_plan()), "max_delete_percent");
    calls(&double, &["compare"]);
}

#[test]
fn rows_in_the_way_of_a_unique_value_have_the_whole_table_copied() {
    let conflict = handoff_replicator::Error::MergeConflict { table: name(), key: None };
    let double = Double::of(100).finding(one_stale()).fail("copy keys", TableError::Copy(conflict));
    let repaired = repaired(&double, by_sums(), &full_plan());
    assert_eq!(
        (repaired.report.error.as_ref(), repaired.seen.way),
        (None, Some(RepairWay::FullCopy))
    );
    assert!(repaired.report.notes.iter().any(|note| note.contains("in the way of a unique value")));
    // The figures are those of the full copy alone.
    assert_eq!(repaired.report.copy.unwrap().rows_copied, 100);
}

#[test]
fn another_fault_fails_a_repair() {
    let double = Double::of(100).finding(one_stale()).fail("load keys", lasting());
    let repaired = repaired(&double, by_sums(), &full_plan());
    failed(&repaired, "no such function");
    assert!(!double.names().contains(&"copy all"));
    assert_eq!(repaired.seen.way, Some(RepairWay::Rows));
    assert!(repaired.report.copy.is_some());
}

#[test]
fn a_comparison_is_made_again_after_a_passing_fault() {
    let double = Double::of(100).fail("compare", passing());
    let repaired = repaired(&double, by_sums(), &full_plan());
    assert_eq!(repaired.report.error, None);
    calls(&double, &["compare", "compare"]);
}

#[test]
fn only_some_reasons_have_a_repair_copy_the_whole_table() {
    let damaged = TableError::Prove(my_fault(Side::Replica, 145));
    assert_eq!(why_in_full(&damaged), Some("the replica's table is damaged"));
    let what = "a column".to_owned();
    let structure = TableError::Structure { table: name(), side: Side::Replica, what };
    assert_eq!(why_in_full(&structure), Some("the replica's table is of another structure"));
    for error in [
        TableError::Differs("x".to_owned()),
        TableError::Miscounted("x".to_owned()),
        TableError::Prove(Fault::new(Side::Target, "x")),
    ] {
        assert_eq!(why_in_full(&error), None);
    }
}
