//! `extraction = "auto"`.

use super::*;
use handoff_tracking::TableHistory;

/// A table whose extraction each run chooses, compared lately.
#[track_caller]
fn auto(
    change: impl FnOnce(&mut TrackedTable),
    ask: impl FnOnce(&mut DecisionInputs<'_>),
) -> (Extraction, Reason, bool) {
    let history = TableHistory {
        last_reason: Some(Reason::Compared),
        compared_at: now().checked_sub(SignedDuration::from_hours(24)).ok(),
    };
    let decision = decided(change, |known| {
        known.configured = Extraction::Auto;
        known.auto = AutoFacts {
            history: Some(Box::leak(Box::new(history))),
            recheck: SignedDuration::from_hours(7 * 24),
        };
        ask(known);
    });
    assert!(!decision.force_full_applied || known_to_be_forced(decision.reason), "{decision:?}");
    (decision.extraction, decision.reason, decision.loads_all)
}

fn known_to_be_forced(reason: Reason) -> bool {
    matches!(reason, Reason::Asked | Reason::FirstRun | Reason::SchemaChanged)
}

#[test]
fn a_run_chooses_between_comparing_and_moving_everything() {
    use Extraction::{Diff, FullTable};
    assert_eq!(auto(|_| {}, |_| {}), (Diff, Reason::Compared, false));
    // What cannot be compared is moved, as if the settings said so.
    let configured = (FullTable, Reason::Configured, false);
    assert_eq!(auto(|_| {}, |known| known.has_usable_key = false), configured);
    assert_eq!(auto(|_| {}, |known| known.replica_is_there = false), configured);
    assert_eq!(auto(|_| {}, |known| known.hops = Hops::Load), configured);
    let empty = |tracked: &mut TrackedTable| {
        (copy(tracked).rows, load(tracked).rows) = (Some(0), Some(0));
    };
    assert_eq!(auto(empty, |known| known.rows = 0), configured);
    assert_eq!(auto(empty, |_| {}), (Diff, Reason::Compared, false));
    let busy = |tracked: &mut TrackedTable| load(tracked).rows_updated = Some(60);
    assert_eq!(auto(busy, |_| {}), (FullTable, Reason::ManyDiffer, false));
    assert_eq!(auto(|_| {}, |known| known.asked_full = true), (FullTable, Reason::Asked, false));
    let first = auto(|tracked| tracked.load = None, |_| {});
    assert_eq!(first, (FullTable, Reason::FirstRun, false));
}

#[test]
fn the_whole_target_is_compared_once_in_a_while() {
    let unchanged = |known: &mut DecisionInputs<'_>| known.unchanged = true;
    assert_eq!(auto(|_| {}, unchanged).1, Reason::Unchanged);
    let due = |known: &mut DecisionInputs<'_>| {
        known.unchanged = true;
        known.now = now() + SignedDuration::from_hours(6 * 24);
    };
    let compared = auto(|_| {}, due);
    assert_eq!(compared, (Extraction::Diff, Reason::Recheck, true));
    let copied = auto(
        |_| {},
        |known| {
            due(known);
            known.hops = Hops::Copy;
        },
    );
    assert_eq!(copied, (Extraction::Diff, Reason::Recheck, false));
    // Without a replica the rows of source and target are compared in every run.
    let direct = auto(|tracked| copy(tracked).place = Side::Target, due);
    assert_eq!(direct, (Extraction::Diff, Reason::Recheck, false));
}
