//! Rows that are gone from the source: swept, kept, refused, or the reason to move everything.

use super::*;

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
