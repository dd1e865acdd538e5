use super::*;
use crate::report::{Proof, TableStatus};
use handoff_model::{Extraction, Priority, ProofBy, Reason, TableSum, WaitTimes};
use handoff_plan::PlanReport;
use jiff::Timestamp;

fn copied(rows: u64) -> CopyOutcome {
    CopyOutcome {
        rows,
        inserted: 1,
        updated: 2,
        deleted: 3,
        unchanged: 4,
        bytes: 10 * rows,
        strategy: "load_data_local",
        duration: Duration::from_millis(5),
        waits: WaitTimes::default(),
        omissions: Vec::new(),
        notes: Vec::new(),
        checked: false,
        sum: None,
        filter_sum: None,
    }
}

fn loaded(rows: u64) -> LoadOutcome {
    LoadOutcome {
        rows_loaded: rows,
        rows_inserted: 1,
        rows_updated: 2,
        rows_deleted: 3,
        bytes: 10 * rows,
        strategy: "streaming",
        duration: Duration::from_millis(5),
        waits: WaitTimes::default(),
        sum: TableSum::default(),
        unchanged: false,
        audit: LossAudit::default(),
        notes: Vec::new(),
    }
}

#[test]
fn nothing_moved_is_no_report() {
    let totals = MoveTotals::default();
    assert!(totals.copy_report().is_none() && totals.load_report().is_none());
}

#[test]
fn publications_of_hop_1_add_up() {
    let mut totals = MoveTotals::default();
    totals.add_copy(copied(3));
    totals.add_copy(CopyOutcome { strategy: "insert_select", ..copied(4) });
    let report = totals.copy_report().unwrap();
    assert_eq!((report.rows_copied, report.bytes, report.duration_ms), (7, 70, 10));
    assert_eq!((report.rows_inserted, report.rows_updated, report.rows_deleted), (2, 4, 6));
    assert_eq!((report.strategy_used, report.watermark), ("insert_select", None));
}

#[test]
fn publications_of_hop_2_add_up() {
    let mut totals = MoveTotals::default();
    totals.add_load(loaded(3));
    totals.add_load(LoadOutcome { strategy: "parallel", ..loaded(4) });
    let report = totals.load_report().unwrap();
    assert_eq!((report.rows_loaded, report.bytes, report.duration_ms), (7, 70, 10));
    assert_eq!((report.rows_inserted, report.rows_updated, report.rows_deleted), (2, 4, 6));
    assert_eq!(report.strategy_used, "parallel");
}

/// The report of a table with this verdict, of which the target has `target_rows` rows.
fn report(verdict: Verdict, target_rows: Option<u64>, counted: bool) -> TableReport {
    let proof = Proof {
        verdict,
        by: ProofBy::Counts,
        covers: crate::report::Covers::Table,
        at: Timestamp::now(),
        counted,
        source_rows: Some(5),
        replica_rows: None,
        target_rows,
        kept_rows: None,
        source_checksum: None,
        replica_checksum: None,
        source_sum: None,
        read_sum: None,
        target_sum: None,
        duration_ms: 0,
    };
    let begun = TableReport::begun(TableName::new("t").unwrap(), None);
    TableReport { status: TableStatus::Ok, proof: Some(proof), ..begun }
}

#[test]
fn a_proof_that_says_nothing_of_the_target_is_not_recorded() {
    assert!(recorded_proof(&report(Verdict::SameCount, None, true)).is_none());
    assert!(recorded_proof(&report(Verdict::SameCount, Some(5), true)).is_some());
    assert!(recorded_proof(&report(Verdict::Differs, None, true)).is_some());
}

#[test]
fn numbers_that_were_not_counted_are_not_recorded() {
    let (_, proof) = recorded_proof(&report(Verdict::Equal, Some(5), false)).unwrap();
    assert_eq!((proof.outcome, proof.target_rows), (ProofOutcome::Equal, None));
    let (_, proof) = recorded_proof(&report(Verdict::SameCount, Some(5), true)).unwrap();
    assert_eq!((proof.outcome, proof.target_rows), (ProofOutcome::SameCount, Some(5)));
}

#[test]
fn a_table_that_was_left_alone_has_no_new_proof() {
    let plan = PlanReport {
        extraction: Extraction::Incremental,
        reason: Reason::Unchanged,
        force_full_applied: false,
        priority: Priority::Medium,
        strategy_reason: String::new(),
    };
    let report = TableReport { plan: Some(plan), ..report(Verdict::SameCount, Some(5), true) };
    assert!(recorded_proof(&report).is_none());
}
