//! The interpreter without servers: the steps of each kind of table, in order.

mod faults;
mod proof;
mod rows_gone;

use super::*;
use crate::report::{TableStatus, Verdict};
use crate::table::steps::Stages;
use crate::table::tests::doubles::*;
use crate::table::tests::plans::*;
use handoff_connect::Side;
use handoff_model::{Deletes, Extraction, ProofBy};
use handoff_plan::Hops;
use handoff_verify::DifferenceKind;

fn by_sums() -> Stages {
    stages(Hops::Both, true, ProofBy::Sums)
}

fn by_rows() -> Stages {
    stages(Hops::Both, true, ProofBy::Rows)
}

fn moved(double: &Double, stages: Stages, plan: &TablePlan) -> TableReport {
    let gate = gate();
    double.scope(&gate, stages).move_table(plan)
}

/// A plan without a replica.
fn direct(plan: TablePlan) -> TablePlan {
    TablePlan { replica: None, ..plan }
}

fn deleting(deletes: Deletes, plan: TablePlan) -> TablePlan {
    TablePlan { deletes, ..plan }
}

#[track_caller]
fn calls(double: &Double, expected: &[&str]) {
    assert_eq!(double.names(), expected);
}

#[track_caller]
fn is_ok(report: &TableReport, verdict: Verdict) {
    assert_eq!(report.error, None);
    assert_eq!(report.status, TableStatus::Ok);
    assert_eq!(report.proof.as_ref().map(|proof| proof.verdict), Some(verdict));
}

#[track_caller]
fn failed(report: &TableReport, text: &str) {
    assert_eq!(report.status, TableStatus::Failed);
    let error = report.error.as_deref().unwrap();
    assert!(error.contains(text), "{error}");
}

fn reason(report: &TableReport) -> Reason {
    report.plan.as_ref().unwrap().reason
}

#[test]
fn a_window_goes_through_both_hops() {
    let double = Double::of(100);
    let report = moved(&double, by_sums(), &window_plan());
    is_ok(&report, Verdict::Equal);
    calls(
        &double,
        &[
            "probe",
            "copy window",
            "count source",
            "count placed",
            "publish copy",
            "load window",
            "count placed",
            "publish load",
        ],
    );
    let (copy, load) = (report.copy.unwrap(), report.load.unwrap());
    assert_eq!((copy.rows_copied, load.rows_loaded), (3, 3));
    assert_eq!(copy.watermark.as_deref(), Some("w 2026-03-01 05:00:00"));
    assert_eq!(report.notes[0], "a note of the copy");
    assert_eq!(report.notes.len(), 1 + window_plan().mapping.notes.len());
}

#[test]
fn the_load_is_of_the_copy_that_was_made() {
    let (double, plan) = (Double::of(100), window_plan());
    moved(&double, by_sums(), &plan);
    assert_eq!(double.copy_ids("copy window"), [plan.copy_id]);
    assert_eq!(double.copy_ids("load window"), [plan.copy_id]);
}

#[test]
fn each_hop_is_told_to_the_observer() {
    let double = Double::of(100);
    moved(&double, by_sums(), &full_plan());
    let events = double.events.0.lock().unwrap();
    let expected =
        ["began Copy", "ended Copy of 100", "began Load", "ended Load of 100", "finished ok"];
    assert_eq!(*events, expected);
}

#[test]
fn a_table_that_did_not_change_is_left_alone() {
    let (double, mut plan) = (Double::of(100), window_plan());
    plan.decision.reason = Reason::Unchanged;
    let report = moved(&double, by_sums(), &plan);
    calls(&double, &[]);
    assert!(report.is_unchanged() && report.proof.is_none());
}

#[test]
fn a_window_without_rows_ends_after_the_probe() {
    let double = Double { changed: 0, ..Double::of(100) };
    let report = moved(&double, by_sums(), &window_plan());
    is_ok(&report, Verdict::SameCount);
    calls(&double, &["probe", "count window of replica"]);
    assert_eq!(reason(&report), Reason::Unchanged);
    assert_eq!(report.proof.unwrap().target_rows, Some(100));
}

#[test]
fn a_window_without_rows_is_moved_if_the_counts_changed() {
    let double = Double { changed: 0, ..Double::of(99) };
    let report = moved(&double, by_sums(), &window_plan());
    assert_ne!(reason(&report), Reason::Unchanged);
    assert!(double.names().contains(&"load window"));
}

#[test]
fn a_window_without_rows_is_moved_if_every_row_is_compared() {
    let double = Double { changed: 0, ..Double::of(100) };
    let report = moved(&double, by_rows(), &window_plan());
    is_ok(&report, Verdict::Equal);
    assert!(double.names().contains(&"copy window"));
}

#[test]
fn a_table_that_is_still_empty_is_left_alone() {
    let mut plan = full_plan();
    plan.tracked.copy.as_mut().unwrap().rows = Some(0);
    let load = plan.tracked.load.as_mut().unwrap();
    (load.rows, load.replica_rows) = (Some(0), Some(0));
    let schema = plan.schema.clone();
    plan.target = Some(std::sync::Arc::new(handoff_schema::TargetTable {
        name: schema.name.to_string(),
        kind: handoff_schema::TargetKind::Table,
        columns: Vec::new(),
        key: Vec::new(),
        other_unique_indexes: 0,
        obstacles: Vec::new(),
        key_name: None,
        spare_name: "spare".to_owned(),
    }));
    let double = Double { is_empty: true, ..Double::of(0) };
    let report = moved(&double, by_sums(), &plan);
    calls(&double, &["is empty"]);
    assert_eq!(reason(&report), Reason::Unchanged);
    // Rows have come.
    let double = Double { is_empty: false, ..Double::of(5) };
    moved(&double, by_sums(), &plan);
    calls(&double, &["is empty", "copy all", "publish copy", "load all", "publish load"]);
}

#[test]
fn without_a_replica_the_source_is_loaded() {
    let double = Double::of(100);
    let stages = stages(Hops::Both, false, ProofBy::Sums);
    let report = moved(&double, stages, &direct(window_plan()));
    is_ok(&report, Verdict::SameCount);
    calls(&double, &["probe", "load window", "count placed", "count read", "publish load"]);
    assert!(report.copy.is_none());
}

#[test]
fn hop_1_alone_tells_what_the_replica_took() {
    let double = Double::of(100);
    let report = moved(&double, stages(Hops::Copy, true, ProofBy::Sums), &full_plan());
    calls(&double, &["copy all", "publish copy"]);
    let proof = report.proof.unwrap();
    assert_eq!(
        (proof.source_rows, proof.replica_rows, proof.target_rows),
        (Some(100), Some(100), None)
    );
    assert!(proof.source_sum.is_some());
}

#[test]
fn hop_2_alone_loads_the_recorded_copy() {
    let double = Double::of(100);
    let report = moved(&double, stages(Hops::Load, true, ProofBy::Sums), &full_plan());
    calls(&double, &["load all", "publish load"]);
    assert_eq!(double.copy_ids("load all"), [copy_id(BASE)]);
    assert_eq!(report.status, TableStatus::Ok);
}

#[test]
fn hop_2_alone_without_a_copy_says_what_to_run() {
    let (double, mut plan) = (Double::of(100), full_plan());
    plan.tracked.copy = None;
    let report = moved(&double, stages(Hops::Load, true, ProofBy::Sums), &plan);
    failed(&report, "etl replicate");
    calls(&double, &[]);
}

#[test]
fn slices_are_published_one_after_the_other() {
    let double = Double::of(100);
    double
        .slice_ends
        .lock()
        .unwrap()
        .extend([at("2026-02-28 08:00:00"), at("2026-02-28 09:00:00")]);
    let mut plan = window_plan();
    plan.decision.extraction = Extraction::IncrementalChunked;
    let report = moved(&double, by_sums(), &plan);
    assert_eq!(report.error, None);
    calls(
        &double,
        &[
            "probe",
            "slice end",
            "copy window",
            "publish copy",
            "slice end",
            "copy window",
            "publish copy",
            "slice end",
            "copy window",
            "count source",
            "count placed",
            "publish copy",
            "load window",
            "count placed",
            "publish load",
        ],
    );
    assert_eq!(report.copy.unwrap().rows_copied, 9);
    let ids = double.copy_ids("copy window");
    assert_eq!(double.copy_ids("load window"), [ids[2]]);
    // The sums of three slices and of one window are not of the same rows.
    assert_eq!(report.proof.unwrap().verdict, Verdict::SameCount);
}

#[test]
fn rows_that_differ_are_copied_and_loaded_by_their_keys() {
    let found = comparison(&BOTH, 100, &[(DifferenceKind::Stale, 1), (DifferenceKind::Missing, 2)]);
    let double = Double::of(100).finding(found);
    let report = moved(&double, by_sums(), &diff_plan());
    is_ok(&report, Verdict::Equal);
    calls(
        &double,
        &[
            "compare",
            "copy keys",
            "publish copy",
            "load keys",
            "count read",
            "count placed",
            "publish load",
        ],
    );
    assert_eq!(report.load.unwrap().rows_loaded, 2);
}

#[test]
fn too_many_rows_that_differ_have_everything_moved() {
    let stale: Vec<(DifferenceKind, i32)> =
        (0..30).map(|key| (DifferenceKind::Stale, key)).collect();
    let double = Double::of(100).finding(comparison(&BOTH, 100, &stale));
    let report = moved(&double, by_sums(), &diff_plan());
    assert_eq!(report.error, None);
    assert_eq!(reason(&report), Reason::ManyDiffer);
    calls(&double, &["compare", "copy all", "publish copy", "load all", "publish load"]);
}

#[test]
fn a_replica_of_another_structure_has_everything_moved() {
    let what = "a column".to_owned();
    let error = TableError::Structure { table: name(), side: Side::Replica, what };
    let double = Double::of(100).fail("compare", error);
    let report = moved(&double, by_sums(), &diff_plan());
    assert_eq!((report.error.as_ref(), reason(&report)), (None, Reason::SchemaChanged));
}

#[test]
fn a_target_behind_the_replica_gets_everything() {
    let mut plan = diff_plan();
    plan.decision.loads_all = true;
    let double = Double::of(100);
    let report = moved(&double, by_sums(), &plan);
    calls(
        &double,
        &[
            "compare",
            "copy keys",
            "publish copy",
            "load all",
            "count read",
            "count placed",
            "publish load",
        ],
    );
    // The sum of the keys says nothing of all rows.
    assert_eq!(report.proof.unwrap().source_sum, None);
}
