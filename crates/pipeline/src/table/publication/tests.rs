//! The checks before a publication, with rows that exist only here.

use super::*;
use crate::table::attempt::Attempt;
use crate::table::tests::doubles::{Double, Placed, gate, stages};
use crate::table::tests::plans::{full_plan, lasting, window_plan};

struct Case {
    double: Double,
    plan: TablePlan,
    proof: ProofBy,
    before: Evidence,
}

fn case(double: Double, plan: TablePlan) -> Case {
    Case { double, plan, proof: ProofBy::Sums, before: Evidence::default() }
}

struct Outcome {
    done: Result<(), TableError>,
    evidence: Option<Evidence>,
}

impl Case {
    fn with<T>(&self, check: impl FnOnce(CheckScope<'_>) -> T) -> T {
        let gate = gate();
        let run =
            self.double.scope(&gate, stages(Hops::Both, self.plan.replica.is_some(), self.proof));
        let route = Attempt::planned(&self.plan).route(run.stages);
        let rule = ProofRule { by: self.proof, retains: route.retains() };
        let before = self.before.clone();
        check(CheckScope { run: &run, plan: &self.plan, route, rule, probe: None, before })
    }

    fn copy(&self, counts: bool, published: &PublishedRows) -> Outcome {
        self.with(|scope| {
            let check = CopyCheck::new(scope, counts);
            let mut rows = Placed { double: &self.double, side: Side::Replica };
            let done = check.check(published, &mut rows);
            Outcome { done, evidence: check.into_evidence() }
        })
    }

    fn load(&self, counting: Counting, is_full: bool, published: &PublishedRows) -> Outcome {
        self.with(|scope| {
            let check = LoadCheck::new(scope, counting, None);
            let check = if is_full { check.full(ReadRows::Loaded) } else { check };
            let mut rows = Placed { double: &self.double, side: Side::Target };
            let done = check.check(published, &mut rows);
            Outcome { done, evidence: check.into_evidence() }
        })
    }
}

fn published(rows: u64) -> PublishedRows {
    PublishedRows { rows, ..PublishedRows::default() }
}

#[track_caller]
fn refused(outcome: &Outcome) {
    assert!(matches!(outcome.done, Err(TableError::TooManyDeletes { .. })), "{:?}", outcome.done);
}

#[test]
fn a_full_copy_that_loses_nothing_asks_nothing() {
    let case = case(Double::of(100), full_plan());
    let outcome = case.copy(false, &published(100));
    assert!(outcome.done.is_ok() && outcome.evidence.is_none());
    assert!(case.double.names().is_empty());
}

#[test]
fn a_full_copy_that_may_lose_rows_counts_the_old_ones() {
    // 100 rows are recorded, and 60 arrived: so many are there still only if none was deleted by hand.
    let case = case(Double::of(70), full_plan());
    assert!(case.copy(false, &published(60)).done.is_ok());
    assert_eq!(case.double.names(), ["count placed"]);
    let case = self::case(Double::of(100), full_plan());
    refused(&case.copy(false, &published(60)));
}

#[test]
fn a_mover_that_counted_the_old_rows_is_believed() {
    let case = case(Double::of(100), full_plan());
    let before = |before| PublishedRows { before: Some(before), ..published(60) };
    refused(&case.copy(false, &before(100)));
    assert!(case.copy(false, &before(70)).done.is_ok());
    assert!(case.double.names().is_empty());
}

#[test]
fn a_first_copy_has_nothing_to_lose() {
    let plan = TablePlan { replica: None, ..full_plan() };
    assert!(case(Double::of(100), plan).copy(false, &published(0)).done.is_ok());
}

#[test]
fn a_window_loses_no_rows_of_the_replica() {
    let outcome = case(Double::of(100), window_plan()).copy(false, &published(0));
    assert!(outcome.done.is_ok());
}

#[test]
fn a_fault_while_counting_is_the_tables() {
    let case = case(Double::of(100).fail("count source", lasting()), window_plan());
    let outcome = case.copy(true, &published(3));
    assert!(matches!(outcome.done, Err(TableError::Prove(_))));
    assert!(outcome.evidence.is_none());
}

#[test]
fn a_copy_that_is_miscounted_keeps_its_counts() {
    let double = Double { source: 99, ..Double::of(100) };
    let outcome = case(double, window_plan()).copy(true, &published(3));
    assert!(matches!(outcome.done, Err(TableError::Miscounted(_))));
    let rows = outcome.evidence.unwrap().rows;
    assert_eq!((rows.source, rows.replica, rows.target), (Some(99), Some(100), None));
}

#[test]
fn a_full_load_may_delete_a_few_rows_and_no_more() {
    let case = case(Double::of(100), full_plan());
    let deleting =
        |deleted, before| PublishedRows { deleted, before: Some(before), ..published(70) };
    assert!(case.load(Counting::Nothing, true, &deleting(20, 20)).done.is_ok());
    refused(&case.load(Counting::Nothing, true, &deleting(30, 100)));
    assert!(case.load(Counting::Nothing, true, &deleting(30, 200)).done.is_ok());
}

#[test]
fn without_a_key_rows_that_changed_are_not_lost() {
    let mut plan = full_plan();
    std::sync::Arc::make_mut(&mut plan.mapping).key.clear();
    let case = case(Double::of(100), plan);
    let changed = PublishedRows { inserted: 60, deleted: 60, before: Some(100), ..published(100) };
    assert!(case.load(Counting::Nothing, true, &changed).done.is_ok());
    let lost = PublishedRows { inserted: 20, ..changed };
    refused(&case.load(Counting::Nothing, true, &lost));
}

#[test]
fn a_load_of_some_rows_is_limited_by_those_that_were_there() {
    let case = case(Double::of(100), window_plan());
    let deleting = |deleted| PublishedRows { deleted, ..published(3) };
    assert!(case.load(Counting::Ours, false, &deleting(25)).done.is_ok());
    refused(&case.load(Counting::Ours, false, &deleting(26)));
    // Without a count nobody knows of how many.
    assert!(case.load(Counting::Nothing, false, &deleting(26)).done.is_ok());
}

#[test]
fn counts_of_replica_and_target_are_judged_before_the_sums() {
    let double = Double { target: 99, ..Double::of(100) };
    let outcome = case(double, window_plan()).load(Counting::Ours, false, &published(3));
    assert!(matches!(outcome.done, Err(TableError::Miscounted(_))));
    assert_eq!(outcome.evidence.unwrap().sums.read, None);
}

#[test]
fn a_target_that_held_the_very_rows_is_equal_by_their_sum() {
    let sum = Some(TableSum { rows: 3, hash: 9 });
    let same = PublishedRows { unchanged: true, filter_sum: sum, ..published(3) };
    let case = case(Double::of(100), full_plan());
    let outcome = case.load(Counting::Nothing, true, &same);
    let evidence = outcome.evidence.unwrap();
    assert_eq!((evidence.sums.read, evidence.sums.target), (sum, sum));
}

#[test]
fn the_rows_of_the_replica_are_counted_again_where_nothing_was_compared_before() {
    let read = Some(TableSum { rows: 100, hash: 11 });
    let loaded = PublishedRows { sum: read, ..published(100) };
    let rows = Case { proof: ProofBy::Rows, ..case(Double::of(100), full_plan()) };
    assert!(rows.load(Counting::Nothing, true, &loaded).done.is_ok());
    assert_eq!(rows.double.names(), ["count read", "sum placed"]);
    let rows = Case { before: Evidence::begun(), ..rows };
    rows.double.calls.lock().unwrap().clear();
    assert!(rows.load(Counting::Nothing, true, &loaded).done.is_ok());
    assert_eq!(rows.double.names(), ["sum placed"]);
}

#[test]
fn the_likely_rows_are_the_most_that_anything_tells_of() {
    let mut plan = full_plan();
    assert_eq!(likely_rows(&plan), 100);
    plan.tracked.copy.as_mut().unwrap().rows = Some(120);
    assert_eq!(likely_rows(&plan), 120);
    plan.tracked = Default::default();
    assert_eq!(likely_rows(&plan), 0);
}
