//! The interpreter without servers: the steps that follow a fault, and the report of it.

use super::*;
use crate::report::{TableStatus, Verdict};
use crate::table::steps::Stages;
use crate::table::tests::doubles::*;
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
fn every_row_is_compared_in_both_hops() {
    let double = Double::of(100);
    let report = moved(&double, by_rows(), &full_plan());
    is_ok(&report, Verdict::Equal);
    calls(
        &double,
        &["copy all", "publish copy", "checksums", "load all", "sum placed", "publish load"],
    );
    let proof = report.proof.unwrap();
    assert_eq!(proof.by, ProofBy::Rows);
    assert!(proof.source_checksum.is_some() && proof.target_sum.is_some());
}

#[test]
fn a_passing_fault_has_the_step_made_again() {
    let double = Double::of(100).fail("load all", passing());
    let report = moved(&double, by_sums(), &full_plan());
    assert_eq!(report.status, TableStatus::Ok);
    calls(&double, &["copy all", "publish copy", "load all", "load all", "publish load"]);
    assert!(double.events.0.lock().unwrap().contains(&"retrying".to_owned()));
}

#[test]
fn a_copy_that_is_tried_again_has_another_identity() {
    let (double, plan) = (Double::of(100).fail("copy all", passing()), full_plan());
    moved(&double, by_sums(), &plan);
    let ids = double.copy_ids("copy all");
    assert_eq!((ids.len(), ids[0]), (2, plan.copy_id));
    assert_ne!(ids[0], ids[1]);
    assert_eq!(double.copy_ids("load all"), [ids[1]]);
}

#[test]
fn a_fault_that_passes_too_often_fails_the_table() {
    let mut double = Double::of(100);
    for _ in 0..3 {
        double = double.fail("load all", passing());
    }
    let report = moved(&double, by_sums(), &full_plan());
    failed(&report, "failed while looking");
    assert_eq!(double.copy_ids("load all").len(), 3);
}

#[test]
fn a_failure_after_the_first_hop_tells_of_that_hop() {
    let double = Double::of(100).fail("load all", lasting());
    let report = moved(&double, by_sums(), &full_plan());
    failed(&report, "no such function");
    assert!(report.copy.is_some() && report.load.is_none());
    let recorded = double.recorded.lock().unwrap();
    assert_eq!(recorded.len(), 1);
    assert!(recorded[0].starts_with("failed in Prove: "), "{recorded:?}");
}

#[test]
fn a_step_that_fails_is_followed_by_none() {
    for (what, before) in [
        ("probe", &["probe"][..]),
        ("copy window", &["probe", "copy window"]),
        ("count source", &["probe", "copy window", "count source"]),
        ("publish copy", &["probe", "copy window", "count source", "count placed", "publish copy"]),
    ] {
        let double = Double::of(100).fail(what, lasting());
        let report = moved(&double, by_sums(), &window_plan());
        failed(&report, "no such function");
        calls(&double, before);
    }
}

#[test]
fn rows_that_are_gone_have_everything_moved() {
    let double = Double { source: 99, ..Double::of(100) };
    // The replica and the target keep the row that is gone, so that the full copy is refused as well.
    let report = moved(&double, by_sums(), &window_plan());
    failed(&report, "the row counts are not the same");
    let names = double.names();
    assert!(names.contains(&"copy window") && names.contains(&"copy all"), "{names:?}");
    assert_eq!(reason(&report), Reason::RowsDeleted);
    assert!(report.plan.unwrap().force_full_applied);
    let events = double.events.0.lock().unwrap();
    assert!(events.iter().any(|text| text.starts_with("moved in full after all: ")), "{events:?}");
}

#[test]
fn nothing_is_told_of_an_attempt_that_another_replaced() {
    let double = Double::of(100).fail("load window", TableError::Differs("x".to_owned()));
    let report = moved(&double, by_sums(), &window_plan());
    is_ok(&report, Verdict::Equal);
    assert_eq!(reason(&report), Reason::RowsDiffer);
    // Both attempts copied; the report tells of the second.
    assert_eq!(report.copy.unwrap().rows_copied, 100);
    assert_eq!(report.notes[0], "a note of the copy");
    assert_eq!(report.notes.len(), 1 + window_plan().mapping.notes.len());
    assert_eq!(double.copy_ids("copy all").len(), 1);
}

#[test]
fn rows_written_since_the_probe_are_no_difference() {
    let double = Double { source: 102, written: 2, ..Double::of(100) };
    let report = moved(&double, by_sums(), &window_plan());
    is_ok(&report, Verdict::Equal);
    assert!(double.names().contains(&"count written"));
}

#[test]
fn more_rows_than_were_written_are_a_difference() {
    // One row was there before the probe and has not arrived.
    let double = Double { source: 102, written: 1, ..Double::of(100) };
    let report = moved(&double, by_sums(), &window_plan());
    assert_eq!(reason(&report), Reason::RowsDeleted);
    assert!(!double.names().contains(&"count written"));
}

#[test]
fn a_target_with_other_counts_is_not_published() {
    let double = Double { target: 98, ..Double::of(100) };
    let report = moved(&double, by_sums(), &window_plan());
    failed(&report, "98 rows in the target");
    assert!(!double.names().contains(&"publish load"));
    assert_eq!(report.proof.unwrap().verdict, Verdict::Differs);
}

#[test]
fn hops_that_read_other_rows_are_not_published() {
    let double = Double { read_differs: true, ..Double::of(100) };
    let report = moved(&double, by_sums(), &full_plan());
    failed(&report, "the rows read in the source are not the rows read in the replica");
    calls(&double, &["copy all", "publish copy", "load all"]);
}

#[test]
fn a_target_that_reads_back_otherwise_is_not_published() {
    let double = Double { target_differs: true, ..Double::of(100) };
    let report = moved(&double, by_rows(), &full_plan());
    failed(&report, "the rows read are not the rows in the target");
    assert!(!double.names().contains(&"publish load"));
}

#[test]
fn a_copy_that_differs_is_made_once_more() {
    let double = Double::of(100);
    double.same_bytes.lock().unwrap().push_back(false);
    let report = moved(&double, by_rows(), &full_plan());
    is_ok(&report, Verdict::Equal);
    calls(
        &double,
        &[
            "copy all",
            "publish copy",
            "checksums",
            "copy all",
            "publish copy",
            "checksums",
            "load all",
            "sum placed",
            "publish load",
        ],
    );
    let ids = double.copy_ids("copy all");
    assert_ne!(ids[0], ids[1]);
    assert_eq!(double.copy_ids("load all"), [ids[1]]);
    assert_eq!(report.copy.unwrap().rows_copied, 200);
}

#[test]
fn a_copy_that_differs_twice_fails_the_table() {
    let double = Double::of(100);
    double.same_bytes.lock().unwrap().extend([false, false]);
    let report = moved(&double, by_rows(), &full_plan());
    failed(&report, "the rows of source and replica are not the same");
    assert_eq!(double.copy_ids("copy all").len(), 2);
    assert!(!double.names().contains(&"load all"));
    assert_eq!(report.proof.unwrap().verdict, Verdict::Differs);
}

#[test]
fn a_copied_window_that_differs_has_everything_moved() {
    let double = Double::of(100);
    double.same_bytes.lock().unwrap().push_back(false);
    let report = moved(&double, by_rows(), &window_plan());
    is_ok(&report, Verdict::Equal);
    assert_eq!(reason(&report), Reason::RowsDiffer);
    assert_eq!(double.copy_ids("copy window").len(), 1);
}

#[test]
fn swept_keys_go_with_the_window() {
    let gone = comparison(&BOTH, 100, &[(DifferenceKind::Phantom, 7)]);
    let double = Double::of(100).finding(gone);
    let report = moved(&double, by_sums(), &deleting(Deletes::Sweep, window_plan()));
    assert_eq!(report.error, None);
    calls(
        &double,
        &[
            "probe",
            "compare keys",
            "copy window and keys",
            "count source",
            "count placed",
            "publish copy",
            "compare keys",
            "load window",
            "count placed",
            "publish load",
        ],
    );
    assert!(
        report.notes.contains(&"1 row gone from the source: deleted from the replica".to_owned())
    );
}

#[test]
fn a_sweep_that_would_delete_too_much_writes_nothing() {
    let gone: Vec<(DifferenceKind, i32)> =
        (0..30).map(|key| (DifferenceKind::Phantom, key)).collect();
    let double = Double::of(100).finding(comparison(&BOTH, 100, &gone));
    let report = moved(&double, by_sums(), &deleting(Deletes::Sweep, window_plan()));
    failed(&report, "max_delete_percent");
    calls(&double, &["probe", "compare keys"]);
}

#[test]
fn a_sweep_that_finds_too_much_has_everything_moved() {
    let stale: Vec<(DifferenceKind, i32)> =
        (0..30).map(|key| (DifferenceKind::Stale, key)).collect();
    let double = Double::of(100).finding(comparison(&BOTH, 100, &stale));
    let report = moved(&double, by_sums(), &deleting(Deletes::Sweep, window_plan()));
    assert_eq!(reason(&report), Reason::ManyDiffer);
    assert!(double.names().contains(&"copy all"));
}

#[test]
fn a_miscount_after_a_sweep_is_tried_once_more_and_then_everything_is_moved() {
    let double = Double { source: 99, ..Double::of(100) };
    let report = moved(&double, by_sums(), &deleting(Deletes::Sweep, window_plan()));
    let names = double.names();
    assert_eq!(names.iter().filter(|name| **name == "copy window").count(), 2, "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "copy all").count(), 1, "{names:?}");
    assert_eq!(reason(&report), Reason::RowsDeleted);
    let ids = double.copy_ids("copy window");
    assert_ne!(ids[0], ids[1]);
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
fn a_sweep_comes_before_the_first_slice_and_with_the_last() {
    let double = Double::of(100);
    double.slice_ends.lock().unwrap().push_back(at("2026-02-28 08:00:00"));
    let mut plan = deleting(Deletes::Sweep, window_plan());
    plan.decision.extraction = Extraction::IncrementalChunked;
    moved(&double, by_sums(), &plan);
    let expected = [
        "probe",
        "slice end",
        "compare keys",
        "copy window",
        "publish copy",
        "slice end",
        "compare keys",
    ];
    assert_eq!(double.names()[..7], expected);
}

#[test]
fn rows_that_stay_are_told() {
    let double = Double { source: 90, ..Double::of(100) };
    let report = moved(&double, by_sums(), &deleting(Deletes::Ignore, window_plan()));
    assert_eq!(report.status, TableStatus::Ok);
    assert_eq!(report.proof.as_ref().unwrap().kept_rows, Some(10));
    assert!(
        report.notes.iter().any(|note| note.contains("holds 10 rows more")),
        "{:?}",
        report.notes
    );
}

#[test]
fn a_table_that_keeps_rows_fails_rather_than_lose_them() {
    let double = Double { target: 98, source: 90, ..Double::of(100) };
    let report = moved(&double, by_sums(), &deleting(Deletes::Ignore, window_plan()));
    failed(&report, "the row counts are not the same");
    assert!(!double.names().contains(&"copy all"));
    assert!(report.notes.iter().any(|note| note.contains("etl repair t")), "{:?}", report.notes);
}

#[test]
fn rows_that_stay_are_compared_last_where_every_row_is() {
    let kept = comparison(&ALL, 100, &[]);
    let double = Double::of(100).finding(kept);
    let report = moved(&double, by_rows(), &deleting(Deletes::Ignore, window_plan()));
    is_ok(&report, Verdict::Equal);
    assert_eq!(double.names().last(), Some(&"compare"));
}

#[test]
fn a_loss_is_foreseen_before_the_window_is_copied() {
    let double = Double { source: 50, ..Double::of(100) };
    let report = moved(&double, by_sums(), &window_plan());
    failed(&report, "max_delete_percent");
    calls(&double, &["probe", "count replica"]);
}

#[test]
fn a_load_that_deletes_too_much_is_not_published() {
    let double = Double { deleted: 30, ..Double::of(70) };
    let mut plan = full_plan();
    plan.tracked.load = None;
    plan.tracked.copy.as_mut().unwrap().rows = None;
    let report = moved(&double, by_sums(), &plan);
    failed(&report, "30 of the 100 rows");
    assert!(!double.names().contains(&"publish load"));
}

#[test]
fn the_rows_of_another_source_may_all_go() {
    let double = Double { deleted: 90, ..Double::of(70) };
    let mut plan = full_plan();
    plan.decision.reason = Reason::NewSource;
    let report = moved(&double, by_sums(), &plan);
    assert_eq!(report.error, None);
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

#[test]
fn a_file_is_loaded_in_the_place_of_the_replica() {
    let (double, gate) = (Double::of(100), gate());
    let mut scope = double.scope(&gate, stages(Hops::Load, true, ProofBy::Sums));
    scope.spool = Some("t.csv".into());
    let report = scope.move_table(&full_plan());
    calls(&double, &["load file", "publish load"]);
    let proof = report.proof.unwrap();
    assert_eq!((proof.source_rows, proof.replica_rows, proof.target_rows), (None, None, Some(100)));
}

#[test]
fn a_file_is_compared_with_the_replica_where_every_row_is() {
    let (double, gate) = (Double::of(100), gate());
    let mut scope = double.scope(&gate, stages(Hops::Load, true, ProofBy::Rows));
    scope.spool = Some("t.csv".into());
    let report = scope.move_table(&full_plan());
    calls(&double, &["load file", "sum read", "count read", "sum placed", "publish load"]);
    is_ok(&report, Verdict::Equal);
}

#[test]
fn a_lost_lock_ends_the_run() {
    let double = Double { lock_is_lost: true, ..Double::of(100) };
    let gate = gate();
    let report = double.scope(&gate, by_sums()).move_table(&full_plan());
    failed(&report, "the lock of the run was lost");
    assert!(gate.refusal().is_some());
    calls(&double, &[]);
}

#[test]
fn a_server_that_is_gone_ends_the_run() {
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let fault = handoff_connect::Fault::my(Side::Source, &mysql::Error::IoError(reset));
    let mut double = Double::of(100);
    for _ in 0..3 {
        double = double.fail("copy all", TableError::Probe(fault.clone()));
    }
    let gate = gate();
    let report = double.scope(&gate, by_sums()).move_table(&full_plan());
    assert_eq!(report.status, TableStatus::Failed);
    assert!(gate.refusal().unwrap().contains("a server is gone"));
}

#[test]
fn a_run_that_was_stopped_makes_no_step() {
    let (double, gate) = (Double::of(100), gate());
    let scope = double.scope(&gate, by_sums());
    scope.cancel.cancel();
    let report = scope.move_table(&full_plan());
    assert_eq!(report.status, TableStatus::Cancelled);
    calls(&double, &[]);
}

#[test]
fn a_difference_is_a_failure_even_while_the_run_is_stopped() {
    let (double, gate) = (Double::of(100), gate());
    let scope = double.scope(&gate, by_sums());
    scope.cancel.cancel();
    let mut report = TableReport::begun(name(), None);
    scope.note_failure(&mut report, &TableError::Differs("x".to_owned()));
    assert_eq!(report.status, TableStatus::Failed);
}
