//! Both hops take their rows from one decision: whatever the watermarks are, the columns and bounds are the
//! same.

use crate::testing::{SampleTable, bounds, sample_tables, type_of};
use crate::window::WatermarkKind;
use handoff_model::{Extraction, Reason, RowFilter, Watermark};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_plan_has_one_filter_and_it_names_the_watermark_columns(world in sample_tables()) {
        let context = world.planned();
        prop_assert_eq!(context.decision.reason, Reason::Watermark);
        let mut names: Vec<String> = (0..world.marks.len()).map(|n| format!("w{n}")).collect();
        names.extend(world.lookback.map(|_| "d".to_owned()));
        let found = bounds(&context.filter);
        let named: Vec<String> = found.iter().map(|bound| bound.column.to_string()).collect();
        prop_assert_eq!(named, names);
        for (bound, mark) in found.iter().zip(&world.marks) {
            let kind = WatermarkKind::of(&type_of(mark).parse().unwrap()).unwrap();
            prop_assert!(kind.fits(&bound.from), "{:?} for {:?}", bound.from, mark);
            prop_assert_eq!(&bound.below, &None);
        }
    }
}

use crate::change_token::{ChangeDetector, NoChangeToken, ServerFacts};
use crate::error::PlanError;
use crate::hops::Hops;
use crate::plan::Plan;
use crate::target_fit::TargetRefusal;
use crate::testing::{SampleRun, now};
use handoff_connect::Side;
use handoff_model::{Deletes, Priority, TableName, TablePhase};
use handoff_schema::{SchemaError, TableFiles, TableSchema, TargetKind};
use handoff_tracking::RecoveryFinding;

fn table(name: &str) -> TableName {
    TableName::new(name).unwrap()
}

fn sample() -> SampleRun {
    let marks = vec![Watermark::Integer(7_000)];
    SampleTable { marks, lookback: None, extraction: Extraction::Incremental }.run()
}

#[track_caller]
fn plan_of(change: impl FnOnce(&mut SampleRun)) -> Plan {
    let mut run = sample();
    change(&mut run);
    run.plan()
}

#[track_caller]
fn refused(change: impl FnOnce(&mut SampleRun)) -> PlanError {
    let mut plan = plan_of(change);
    assert!(plan.tables.is_empty(), "{:?}", plan.tables);
    plan.refused.remove(0).error
}

#[track_caller]
fn reason(change: impl FnOnce(&mut SampleRun)) -> Reason {
    let plan = plan_of(change);
    assert!(plan.refused.is_empty(), "{:?}", plan.refused);
    plan.tables[0].decision.reason
}

#[test]
fn a_table_that_may_not_be_read_is_refused_with_the_grant() {
    let denied = |run: &mut SampleRun| drop(run.denied.insert(table("t"), "GRANT it".to_owned()));
    let error = refused(denied);
    assert!(matches!(error, PlanError::Denied { .. }), "{error:?}");
    assert!(error.to_string().ends_with("stay as they are: GRANT it"), "{error}");
    assert_eq!(error.phase(), TablePhase::Copy);
}

#[test]
fn a_table_that_cannot_be_described_is_refused() {
    let broken = |run: &mut SampleRun| {
        let error = SchemaError::Undescribed { table: table("t"), reason: "a test".to_owned() };
        run.catalogue.tables.insert(table("t"), Err(error));
    };
    assert!(matches!(refused(broken), PlanError::Schema(_)));
}

#[test]
fn a_table_of_the_target_that_is_not_ours_is_refused_until_it_is_taken_over() {
    let foreign = |run: &mut SampleRun| {
        let load = run.states.get_mut(&table("t")).unwrap().load.as_mut().unwrap();
        load.last_success_at = None;
    };
    assert!(matches!(refused(foreign), PlanError::NotOurs(_)));
    let adopted = |run: &mut SampleRun| {
        foreign(run);
        run.adopt = true;
    };
    assert_eq!(reason(adopted), Reason::FirstRun);
}

#[test]
fn a_table_of_the_replica_that_is_not_ours_is_refused_until_it_is_taken_over() {
    let finding = || RecoveryFinding::NotOurs { table: table("t"), side: Side::Replica };
    let foreign = |run: &mut SampleRun| run.findings.push(finding());
    assert_eq!(refused(foreign).to_string(), finding().to_string());
    let adopted = |run: &mut SampleRun| {
        foreign(run);
        run.adopt = true;
    };
    assert_eq!(reason(adopted), Reason::Watermark);
    let others = |run: &mut SampleRun| {
        run.findings.push(RecoveryFinding::NotOurs { table: table("u"), side: Side::Replica });
    };
    assert_eq!(reason(others), Reason::Watermark);
}

#[test]
fn a_target_that_takes_no_rows_is_no_matter_of_hop_1() {
    let view = |run: &mut SampleRun| {
        run.target.tables.get_mut("t").unwrap().kind = TargetKind::View;
    };
    let error = refused(view);
    assert!(matches!(error, PlanError::Target(TargetRefusal::Unfit(_))), "{error:?}");
    assert_eq!(error.phase(), TablePhase::Load);
    let copied = |run: &mut SampleRun| {
        view(run);
        run.hops = Hops::Copy;
    };
    assert_eq!(reason(copied), Reason::Watermark);
}

#[test]
fn settings_that_do_not_fit_the_table_are_named_with_their_section() {
    let error = refused(|run| {
        let settings = run.settings.tables.get_mut(&table("t")).unwrap();
        settings.watermark = vec![handoff_model::ColumnName::new("gone").unwrap()];
    });
    assert!(matches!(error, PlanError::NoWindow { .. }), "{error:?}");
    assert!(error.to_string().starts_with("the settings of [tables.t] do not fit"), "{error}");
}

#[test]
fn a_place_in_the_replica_that_is_taken_is_refused() {
    let error = refused(|run| {
        let replica = run.replica.as_mut().unwrap();
        let kind = "VIEW".to_owned();
        replica.not_carried.push(handoff_schema::NotCopied { name: "t".to_owned(), kind });
    });
    assert!(matches!(error, PlanError::InTheWay { .. }), "{error:?}");
}

#[test]
fn what_was_asked_of_the_run_reaches_the_decision() {
    assert_eq!(reason(|run| run.full = true), Reason::Asked);
    assert_eq!(reason(|run| run.replaced = [table("t")].into()), Reason::NewSource);
    let new = |run: &mut SampleRun| {
        run.states.clear();
        run.target.tables.clear();
    };
    assert_eq!(reason(new), Reason::FirstRun);
    assert_eq!(reason(|run| run.target.tables.clear()), Reason::NoWatermark);
}

#[test]
fn a_replica_that_is_yet_to_be_made_needs_no_table() {
    // Without a replica in the settings the source is read by hop 2.
    let direct = |run: &mut SampleRun| {
        run.replica = None;
        run.settings.replica = None;
    };
    assert_eq!(reason(direct), Reason::Watermark);
    let missing = |run: &mut SampleRun| run.replica.as_mut().unwrap().tables.clear();
    assert_eq!(reason(missing), Reason::NoWatermark);
}

#[test]
fn a_replica_of_another_structure_is_no_matter_of_hop_2() {
    let other = |run: &mut SampleRun| {
        let there = run.replica.as_mut().unwrap().tables.get_mut(&table("t")).unwrap();
        there.as_mut().unwrap().columns.truncate(2);
    };
    assert_eq!(reason(other), Reason::SchemaChanged);
    let loaded = |run: &mut SampleRun| {
        other(run);
        run.hops = Hops::Load;
    };
    assert_eq!(reason(loaded), Reason::Watermark);
}

#[test]
fn a_table_with_the_token_of_its_last_copy_is_left_alone() {
    let vouched = |run: &mut SampleRun| {
        let facts = ServerFacts {
            database: "s".to_owned(),
            host: "clinic".to_owned(),
            system: "Linux".to_owned(),
            maps_files: false,
            started: 1_700_000_000,
            up: 60,
        };
        run.detector = ChangeDetector::new(Some(&facts), &run.clock, now());
        let files = TableFiles {
            made: "2025-01-01 00:00:00".to_owned(),
            written: "2026-02-01 00:00:00".to_owned(),
            rows: 2,
            bytes: 40,
            free_bytes: 0,
        };
        let schema = run.catalogue.tables.get_mut(&table("t")).unwrap().as_mut().unwrap();
        schema.files = Some(files);
    };
    let token = plan_of(vouched).tables[0].change_token.clone().unwrap();
    let recorded = |run: &mut SampleRun, token: &str| {
        vouched(run);
        let copy = run.states.get_mut(&table("t")).unwrap().copy.as_mut().unwrap();
        copy.source_mark = Some(token.to_owned());
        run.states.get_mut(&table("t")).unwrap().load.as_mut().unwrap().target_rows = Some(2);
    };
    assert_eq!(reason(|run| recorded(run, &token)), Reason::Unchanged);
    assert_ne!(reason(|run| recorded(run, "another")), Reason::Unchanged);
    assert_ne!(reason(vouched), Reason::Unchanged);
}

#[test]
fn a_table_that_keeps_rows_is_not_moved_in_full_for_a_policy() {
    use handoff_settings::ZeroDates;
    let strict = |run: &mut SampleRun| run.settings.values.zero_dates = ZeroDates::Fail;
    assert_eq!(reason(strict), Reason::PoliciesChanged);
    let keeping = |run: &mut SampleRun| {
        strict(run);
        run.settings.tables.get_mut(&table("t")).unwrap().deletes = Deletes::Ignore;
    };
    assert_eq!(reason(keeping), Reason::Watermark);
}

#[test]
fn a_table_without_a_setting_is_moved_as_the_run_says() {
    let plan = plan_of(|run| run.settings.tables.clear());
    assert_eq!(plan.tables[0].decision.reason, Reason::Recheck);
    let plan = plan_of(|run| {
        run.settings.tables.clear();
        run.settings.run.extraction = Extraction::FullTable;
    });
    let planned = &plan.tables[0];
    assert_eq!(planned.decision.reason, Reason::Configured);
    assert!(planned.window.is_none() && planned.filter == RowFilter::All);
    assert_eq!(planned.change_token, Err(NoChangeToken::NotRead));
}

#[test]
fn a_table_to_compare_has_no_window() {
    let plan = plan_of(|run| {
        let settings = run.settings.tables.get_mut(&table("t")).unwrap();
        (settings.extraction, settings.watermark) = (Some(Extraction::Diff), Vec::new());
    });
    assert_eq!(plan.tables[0].decision.reason, Reason::Compared);
    assert!(plan.tables[0].window.is_none());
}

#[test]
fn turns_are_by_priority_then_by_weight_then_by_name() {
    let plan = plan_of(|run| {
        run.settings.tables.clear();
        run.states.clear();
        run.target.tables.clear();
        for (name, bytes) in [("a", 1), ("b", 9), ("c", 9), ("late", 99)] {
            let schema = run.catalogue.tables[&table("t")].clone().unwrap();
            let named = TableSchema { name: table(name), data_bytes: bytes, ..schema };
            run.catalogue.tables.insert(table(name), Ok(named));
            run.wanted.insert(table(name));
        }
        let last = *Priority::ALL.iter().max().unwrap();
        let settings = handoff_settings::TableSettings { priority: last, ..Default::default() };
        run.settings.tables.insert(table("late"), settings);
    });
    let order: Vec<&str> = plan.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(order, ["b", "c", "a", "t", "late"]);
}
