//! The proofs that are recorded.

use super::*;
use crate::report::{Covers, Proof};
use handoff_model::{Extraction, Priority, ProofBy, Reason};
use handoff_plan::PlanReport;

/// The report of a table with this verdict, of which the target has `target_rows` rows.
fn report(verdict: Verdict, target_rows: Option<u64>, counted: bool) -> TableReport {
    let proof = Proof {
        verdict,
        by: ProofBy::Counts,
        covers: Covers::Table,
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
