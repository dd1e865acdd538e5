mod windows;

use super::*;
use crate::table::tests::doubles::stages;
use crate::table::tests::plans::{
    BASE, LAST, NEXT, at, copy_id, diff_plan, full_plan, watermark_column, window_plan,
};
use handoff_model::ProofBy;
use handoff_plan::Hops;

fn probe() -> Probe {
    Probe { rows: 100, changed: Some(3), next: vec![(watermark_column(), at(NEXT))] }
}

fn by_sums() -> Stages {
    stages(Hops::Both, true, ProofBy::Sums)
}

fn bounds(slice: &WindowSlice) -> &[WatermarkWindow] {
    let RowFilter::Changed { bounds, .. } = &slice.filter else { panic!("all rows") };
    bounds
}

#[test]
fn the_goal_follows_from_what_is_to_be_extracted() {
    for (plan, goal) in [
        (window_plan(), Goal::Window),
        (full_plan(), Goal::Everything),
        (diff_plan(), Goal::Differing),
    ] {
        assert_eq!(Attempt::planned(&plan).route(by_sums()).goal, goal);
    }
}

#[test]
fn a_table_that_did_not_change_has_no_goal() {
    let mut plan = diff_plan();
    plan.decision.reason = Reason::Unchanged;
    assert_eq!(Attempt::planned(&plan).route(by_sums()).goal, Goal::Nothing);
}

#[test]
fn a_window_that_became_everything_is_moved_in_full() {
    let plan = window_plan();
    let full = Attempt::planned(&plan).in_full(Reason::RowsDeleted);
    let route = full.route(by_sums());
    assert_eq!((route.goal, route.is_second, route.loads_all), (Goal::Everything, true, true));
    assert_ne!(full.copy_id, plan.copy_id);
    let report = full.report(route.load_mode());
    assert_eq!((report.reason, report.extraction), (Reason::RowsDeleted, Extraction::FullTable));
    assert!(report.force_full_applied);
}

#[test]
fn the_same_once_more_has_another_identity() {
    let plan = window_plan();
    let again = Attempt::planned(&plan).again();
    let route = again.route(by_sums());
    assert!(route.is_again && !route.is_second && route.goal == Goal::Window);
    assert_ne!(again.copy_id, plan.copy_id);
}

#[test]
fn a_repair_is_after_the_rows_that_differ() {
    let plan = window_plan();
    let repair = Attempt::repair(&plan, Timestamp::now());
    let route = repair.route(by_sums());
    assert!(route.is_repair && route.goal == Goal::Differing && !route.loads_all);
    assert_eq!(repair.report(route.load_mode()).reason, Reason::Repair);
}

#[test]
fn a_copy_that_is_only_to_be_loaded_is_not_made() {
    let mut plan = full_plan();
    plan.decision.reason = Reason::CopiedNotLoaded;
    assert!(!Attempt::planned(&plan).route(by_sums()).copies);
}

#[test]
fn a_full_copy_is_its_own_base() {
    let plan = TablePlan { filter: RowFilter::All, ..window_plan() };
    let attempt = Attempt::planned(&plan);
    let marks = attempt.marks(&attempt.whole(Some(&probe())), plan.copy_id).unwrap();
    assert_eq!((marks[0].base, &marks[0].watermark), (plan.copy_id, &at(NEXT)));
}

#[test]
fn a_window_builds_on_the_base_of_the_copy_before() {
    let plan = window_plan();
    let attempt = Attempt::planned(&plan);
    let marks = attempt.marks(&attempt.whole(Some(&probe())), plan.copy_id).unwrap();
    assert_eq!(marks[0].base, copy_id(BASE));
}

#[test]
fn a_column_without_a_next_watermark_leaves_none() {
    let plan = window_plan();
    let attempt = Attempt::planned(&plan);
    assert_eq!(attempt.marks(&attempt.whole(None), plan.copy_id), None);
    let mut plan = window_plan();
    plan.tracked.copy = None;
    let attempt = Attempt::planned(&plan);
    assert_eq!(attempt.marks(&attempt.whole(Some(&probe())), plan.copy_id), None);
}

#[test]
fn the_source_is_told_apart_only_by_copies_that_are_whole_or_have_a_watermark() {
    let plan = window_plan();
    let window = Attempt::planned(&plan);
    let marks = window.recorded_marks(TablePhase::Copy);
    assert_eq!(window.record(None, None).source_mark, None);
    assert_eq!(window.record(None, marks.as_deref()).source_mark, Some("mark"));
    let full = window.in_full(Reason::Asked);
    assert_eq!(full.record(None, None).source_mark, Some("mark"));
}

#[test]
fn a_record_says_what_is_moved_and_why() {
    let plan = window_plan();
    let attempt = Attempt::planned(&plan);
    let record = attempt.record(Some(plan.copy_id), None);
    assert_eq!((record.reason, record.extraction), (Reason::Watermark, Extraction::Incremental));
    assert_eq!((record.copy_id, record.fingerprint), (Some(plan.copy_id), "f"));
    assert!(record.is_whole && record.copied_at.is_some());
}

#[test]
fn slices_follow_each_other_without_a_gap() {
    let mut plan = window_plan();
    plan.decision.extraction = Extraction::IncrementalChunked;
    let attempt = Attempt::planned(&plan);
    let mut cut = attempt.cut(Some(&probe())).unwrap();
    assert_eq!((&cut.bound().from, &cut.bound().below), (&at(LAST), &Some(at(NEXT))));
    let middle = at("2026-02-28 12:00:00");
    let (first, last) = (cut.slice(Some(middle.clone())), cut.slice(None));
    assert_eq!(
        (&bounds(&first)[0].from, &bounds(&first)[0].below),
        (&at(LAST), &Some(middle.clone()))
    );
    assert_eq!((&bounds(&last)[0].from, &bounds(&last)[0].below), (&middle, &None));
    assert!(!first.is_last && last.is_last);
    // A run that ends behind the first slice goes on from there.
    assert_eq!(first.next, [(watermark_column(), middle)]);
    assert_eq!(last.next, [(watermark_column(), at(NEXT))]);
}

#[test]
fn the_first_slice_takes_what_is_moved_beside_the_window() {
    let mut plan = window_plan();
    let young =
        WatermarkWindow { column: ColumnName::new("d").unwrap(), from: at(LAST), below: None };
    let RowFilter::Changed { bounds: all, nulls } = &mut plan.filter else { panic!() };
    all.push(young.clone());
    nulls.push(watermark_column().name);
    let attempt = Attempt::planned(&plan);
    let mut cut = attempt.cut(Some(&probe())).unwrap();
    let (first, last) = (cut.slice(Some(at(NEXT))), cut.slice(None));
    assert_eq!(&bounds(&first)[1..], [young]);
    assert_eq!(bounds(&last).len(), 1);
    assert!(matches!(&first.filter, RowFilter::Changed { nulls, .. } if nulls.len() == 1));
    assert!(matches!(&last.filter, RowFilter::Changed { nulls, .. } if nulls.is_empty()));
}

#[test]
fn only_a_window_of_one_watermark_can_be_cut() {
    let (plan, full) = (window_plan(), full_plan());
    let attempt = Attempt::planned(&plan);
    assert!(attempt.cut(None).is_none());
    let two = vec![(watermark_column(), at(NEXT)); 2];
    assert!(attempt.cut(Some(&Probe { next: two, ..probe() })).is_none());
    assert!(attempt.cut(Some(&Probe { next: Vec::new(), ..probe() })).is_none());
    assert!(Attempt::planned(&full).cut(Some(&probe())).is_none());
}

#[test]
fn rows_beside_a_watermark_make_a_copy_to_build_upon() {
    let plan = window_plan();
    let marks = Attempt::planned(&plan).recorded_marks(TablePhase::Load);
    let rebased = rebased(marks.as_deref(), plan.copy_id).unwrap();
    assert_eq!((rebased[0].base, &rebased[0].watermark), (plan.copy_id, &at(LAST)));
    assert_eq!(super::rebased(None, plan.copy_id), None);
}
