//! The checks before a publication, and the way on from a difference.

use super::*;

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
