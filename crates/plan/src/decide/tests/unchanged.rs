//! Tables that the source tells to be unwritten.

use super::*;

#[test]
fn what_did_not_change_and_arrived_is_left_alone() {
    let nothing = |_: &mut TrackedTable| {};
    let as_it_is = |_: &mut DecisionInputs<'_>| {};
    untouched(nothing, as_it_is, Reason::Unchanged);
    untouched(nothing, |known| known.hops = Hops::Copy, Reason::Unchanged);
    untouched(nothing, |known| known.asked_full = true, Reason::Asked);
    untouched(nothing, |known| known.hops = Hops::Load, Reason::Configured);
    untouched(nothing, |known| known.fingerprint = "g", Reason::SchemaChanged);
    untouched(nothing, |known| known.replica_is_there = false, Reason::Configured);
    untouched(nothing, |known| known.replica_fits = false, Reason::SchemaChanged);
    // A copy or a load that failed, or a proof that found a difference, is made again.
    untouched(|t| copy(t).status = AttemptStatus::Failed, as_it_is, Reason::Configured);
    untouched(|t| load(t).status = AttemptStatus::Failed, as_it_is, Reason::Configured);
    untouched(|t| copy(t).status = AttemptStatus::Interrupted, as_it_is, Reason::Interrupted);
    untouched(|t| copy(t).intact = false, as_it_is, Reason::Configured);
}

/// A copy of changed rows may have missed some, until the rows are counted.
#[test]
fn a_copy_of_changed_rows_counts_once_it_was_counted() {
    let as_it_is = |known: &mut DecisionInputs<'_>| known.configured = Extraction::Incremental;
    let later = |t: &mut TrackedTable| {
        copy(t).copy_id = Some(id(LATER));
        load(t).loaded_copy_id = Some(id(LATER));
    };
    let counted = |t: &mut TrackedTable, target: u64| {
        later(t);
        (load(t).source_rows, load(t).target_rows) = (Some(7), Some(target));
    };
    untouched(later, as_it_is, Reason::Watermark);
    untouched(|t| counted(t, 7), as_it_is, Reason::Unchanged);
    untouched(|t| counted(t, 8), as_it_is, Reason::Watermark);
    // The counts are about another copy.
    let lags = |t: &mut TrackedTable| {
        counted(t, 7);
        load(t).loaded_copy_id = Some(id(FULL));
    };
    untouched(lags, as_it_is, Reason::Watermark);
}

#[test]
fn a_copy_that_is_current_and_not_loaded_is_only_loaded() {
    let as_it_is = |_: &mut DecisionInputs<'_>| {};
    let lags = |t: &mut TrackedTable| load(t).loaded_copy_id = Some(id(LATER));
    untouched(|t| t.load = None, as_it_is, Reason::CopiedNotLoaded);
    untouched(lags, as_it_is, Reason::CopiedNotLoaded);
    untouched(|_| {}, |known| known.target_is_there = false, Reason::CopiedNotLoaded);
    let failed = |t: &mut TrackedTable| {
        load(t).loaded_copy_id = Some(id(LATER));
        load(t).status = AttemptStatus::Failed;
    };
    untouched(failed, as_it_is, Reason::CopiedNotLoaded);
    untouched(lags, |known| known.configured = Extraction::Incremental, Reason::CopiedNotLoaded);
    untouched(lags, |known| known.asked_full = true, Reason::Asked);
    untouched(lags, |known| known.fingerprint = "g", Reason::SchemaChanged);
    untouched(|t| copy(t).place = Side::Target, as_it_is, Reason::Unchanged);
    // Where the source may have changed, it is copied again.
    full(lags, |known| known.configured = Extraction::FullTable, Reason::Configured);
}

#[test]
fn an_unchanged_table_keeps_its_extraction_in_the_report() {
    let decision = decided(|_| {}, |known| known.unchanged = true);
    assert_eq!(decision.extraction, Extraction::Incremental);
    assert!(!decision.force_full_applied && decision.since.is_empty());
    let diff = compared(|_| {}, |known| known.unchanged = true);
    assert_eq!((diff.extraction, diff.reason), (Extraction::Diff, Reason::Unchanged));
}

#[test]
fn an_interrupted_table_in_full_is_moved_again_even_if_nothing_changed() {
    let broken = |tracked: &mut TrackedTable| load(tracked).status = AttemptStatus::Running;
    untouched(broken, |_| {}, Reason::Interrupted);
}
