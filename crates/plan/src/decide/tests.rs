//! Every reason, and what goes before what.

mod auto;
mod fingerprints;
mod unchanged;

use super::*;
use crate::testing::{self, tracked};
use crate::window::WatermarkKind;
use handoff_connect::Side;
use handoff_model::{ColumnName, CopyId, Watermark};
use handoff_tracking::AttemptStatus;

const FULL: &str = testing::FULL_COPY;
const LATER: &str = "000000000000000b";

fn id(text: &str) -> CopyId {
    CopyId::parse(text).unwrap()
}

fn at(text: &str, base: &str) -> Vec<WatermarkAt> {
    testing::watermark_at(text, base)
}

fn now() -> Timestamp {
    testing::now()
}

fn copy(tracked: &mut TrackedTable) -> &mut CopyState {
    tracked.copy.as_mut().unwrap()
}

fn load(tracked: &mut TrackedTable) -> &mut LoadState {
    tracked.load.as_mut().unwrap()
}

fn columns() -> Vec<WatermarkColumn> {
    vec![WatermarkColumn {
        name: ColumnName::new("s").unwrap(),
        kind: WatermarkKind::Timestamp,
        nullable: false,
        indexed: true,
    }]
}

#[track_caller]
fn decided(
    change: impl FnOnce(&mut TrackedTable),
    ask: impl FnOnce(&mut DecisionInputs<'_>),
) -> Decision {
    let (mut tracked, columns) = (tracked(), columns());
    change(&mut tracked);
    let table = TableName::new("t").unwrap();
    let mut known = DecisionInputs {
        configured: Extraction::Incremental,
        columns: &columns,
        asked_full: false,
        is_replaced: false,
        hops: Hops::Both,
        tracked: &tracked,
        fingerprint: "f",
        lacks_rows: false,
        replica_is_there: true,
        replica_fits: true,
        target_is_there: true,
        has_usable_key: true,
        unchanged: false,
        table: &table,
        rows: 100,
        auto: AutoFacts::default(),
        now: now(),
    };
    ask(&mut known);
    decide(&known)
}

#[track_caller]
fn full(
    change: impl FnOnce(&mut TrackedTable),
    ask: impl FnOnce(&mut DecisionInputs<'_>),
    reason: Reason,
) {
    let decision = decided(change, ask);
    assert_eq!((decision.extraction, decision.reason), (Extraction::FullTable, reason));
    assert!(decision.since.is_empty());
}

#[track_caller]
fn incremental(change: impl FnOnce(&mut TrackedTable), hops: Hops, since: &str) -> Decision {
    let decision = decided(change, |known| known.hops = hops);
    assert_eq!(decision.extraction, Extraction::Incremental, "{decision:?}");
    assert!(!decision.force_full_applied);
    assert_eq!(decision.since[0].watermark, Watermark::Timestamp(since.to_owned()));
    decision
}

#[test]
fn changed_rows_are_moved_behind_the_last_watermark() {
    let decision = incremental(|_| {}, Hops::Both, "2026-02-28 05:00:00");
    assert_eq!((decision.reason, decision.loads_all), (Reason::Watermark, false));
}

#[test]
fn the_first_reason_that_holds_is_given() {
    let nothing = |_: &mut TrackedTable| {};
    full(nothing, |known| known.asked_full = true, Reason::Asked);
    full(nothing, |known| known.fingerprint = "g", Reason::SchemaChanged);
    full(nothing, |known| known.fingerprint = "f+g", Reason::PoliciesChanged);
    full(
        |tracked| load(tracked).fingerprint = Some("f+h".to_owned()),
        |_| {},
        Reason::PoliciesChanged,
    );
    full(nothing, |known| known.target_is_there = false, Reason::NoWatermark);
    full(
        nothing,
        |known| known.now = now() + SignedDuration::from_hours(30 * 24),
        Reason::GapTooLong,
    );
    full(|tracked| tracked.load = None, |known| known.asked_full = true, Reason::FirstRun);
    full(
        |tracked| load(tracked).fingerprint = None,
        |known| known.fingerprint = "g",
        Reason::SchemaChanged,
    );
    full(|tracked| copy(tracked).watermark = None, |_| {}, Reason::NoWatermark);
    full(
        |tracked| load(tracked).watermark = None,
        |known| known.hops = Hops::Load,
        Reason::NoWatermark,
    );
}

#[test]
fn a_full_table_says_whether_it_was_asked_for() {
    let as_configured = |known: &mut DecisionInputs<'_>| known.configured = Extraction::FullTable;
    full(|_| {}, as_configured, Reason::Configured);
    assert!(!decided(|_| {}, as_configured).force_full_applied);
    full(
        |tracked| copy(tracked).status = AttemptStatus::Interrupted,
        as_configured,
        Reason::Interrupted,
    );
    let asked = decided(|_| {}, |known| known.asked_full = true);
    assert!(asked.force_full_applied);
    let unchanged = decided(|_| {}, |known| known.unchanged = true);
    assert_eq!(unchanged.reason, Reason::Unchanged);
    let both = decided(|_| {}, |known| (known.unchanged, known.asked_full) = (true, true));
    assert_eq!(both.reason, Reason::Asked);
}

#[test]
fn a_column_that_is_named_anew_has_no_watermark_yet() {
    let mut others = columns();
    others[0].name = ColumnName::new("t").unwrap();
    full(|_| {}, |known| known.columns = others.leak(), Reason::NoWatermark);
    let mut numbers = columns();
    numbers[0].kind = WatermarkKind::Integer;
    full(|_| {}, |known| known.columns = numbers.leak(), Reason::NoWatermark);
}

#[test]
fn an_interrupted_merge_is_repeated_by_the_same_window() {
    let broken = |tracked: &mut TrackedTable| {
        copy(tracked).status = AttemptStatus::Interrupted;
        copy(tracked).intact = false;
    };
    let decision = incremental(broken, Hops::Both, "2026-02-28 05:00:00");
    assert_eq!(decision.reason, Reason::Interrupted);
}

#[test]
fn where_the_load_lags_behind_its_watermark_counts() {
    let lags = |tracked: &mut TrackedTable| {
        copy(tracked).copy_id = Some(id(LATER));
        copy(tracked).watermark = Some(at("2026-03-01 04:00:00", FULL));
    };
    assert!(!incremental(lags, Hops::Both, "2026-02-28 05:00:00").loads_all);
    incremental(lags, Hops::Load, "2026-02-28 05:00:00");
    incremental(lags, Hops::Copy, "2026-03-01 04:00:00");
}

#[test]
fn where_the_target_lacks_a_full_copy_everything_is_loaded() {
    let lacks = |tracked: &mut TrackedTable| {
        copy(tracked).copy_id = Some(id(LATER));
        copy(tracked).watermark = Some(at("2026-03-01 04:00:00", LATER));
    };
    assert!(incremental(lacks, Hops::Both, "2026-03-01 04:00:00").loads_all);
    full(lacks, |known| known.hops = Hops::Load, Reason::NoWatermark);
}

#[track_caller]
fn compared(
    change: impl FnOnce(&mut TrackedTable),
    ask: impl FnOnce(&mut DecisionInputs<'_>),
) -> Decision {
    decided(change, |known| {
        known.configured = Extraction::Diff;
        known.columns = &[];
        ask(known);
    })
}

#[test]
fn a_table_is_compared_unless_there_is_nothing_to_compare_with() {
    let decision = compared(|_| {}, |_| {});
    assert_eq!((decision.extraction, decision.reason), (Extraction::Diff, Reason::Compared));
    let reason = |change: fn(&mut TrackedTable), ask: fn(&mut DecisionInputs<'_>)| {
        let decision = compared(change, ask);
        assert_eq!(decision.extraction, Extraction::FullTable, "{decision:?}");
        assert!(decision.force_full_applied);
        decision.reason
    };
    assert_eq!(reason(|tracked| *tracked = TrackedTable::default(), |_| {}), Reason::FirstRun);
    assert_eq!(reason(|_| {}, |known| known.asked_full = true), Reason::Asked);
    assert_eq!(reason(|_| {}, |known| known.fingerprint = "g"), Reason::SchemaChanged);
    assert_eq!(reason(|_| {}, |known| known.has_usable_key = false), Reason::NoKey);
    assert_eq!(reason(|_| {}, |known| known.target_is_there = false), Reason::NotCompared);
    assert_eq!(reason(|_| {}, |known| known.hops = Hops::Load), Reason::NotCompared);
}

#[test]
fn hop_2_loads_everything_unless_it_has_what_was_copied() {
    let copy = CopyId::new();
    let loads_all = |change: fn(&mut TrackedTable)| {
        let same = |tracked: &mut TrackedTable| {
            tracked.copy.as_mut().unwrap().copy_id = Some(copy);
            tracked.load.as_mut().unwrap().loaded_copy_id = Some(copy);
            change(tracked);
        };
        let decision = compared(same, |_| {});
        assert_eq!(decision.reason, Reason::Compared);
        decision.loads_all
    };
    assert!(!loads_all(|_| {}));
    assert!(loads_all(|tracked| tracked.copy.as_mut().unwrap().copy_id = Some(CopyId::new())));
    assert!(loads_all(|tracked| tracked.load.as_mut().unwrap().proof = Some("differs".to_owned())));
    // A merge that broke off has moved rows that are equal now, and that hop 2 was not told of.
    assert!(loads_all(|tracked| tracked.copy.as_mut().unwrap().intact = false));
    assert!(
        loads_all(|tracked| tracked.copy.as_mut().unwrap().status = AttemptStatus::Interrupted)
    );
}

/// The server tells that nothing was written since the last good copy.
#[track_caller]
fn untouched(
    change: impl FnOnce(&mut TrackedTable),
    ask: impl FnOnce(&mut DecisionInputs<'_>),
    reason: Reason,
) {
    let decision = decided(change, |known| {
        known.configured = Extraction::FullTable;
        known.unchanged = true;
        ask(known);
    });
    assert_eq!(decision.reason, reason, "{decision:?}");
}

#[test]
fn rows_of_another_source_are_replaced_before_anything_else_is_asked() {
    full(|_| {}, |known| known.is_replaced = true, Reason::NewSource);
    let asked = |known: &mut DecisionInputs<'_>| {
        known.is_replaced = true;
        known.asked_full = true;
        known.unchanged = true;
    };
    full(|_| {}, asked, Reason::NewSource);
    assert!(decided(|_| {}, |known| known.is_replaced = true).force_full_applied);
}

#[test]
fn a_table_that_never_arrived_is_new_whatever_its_source_was() {
    full(|tracked| tracked.load = None, |known| known.is_replaced = true, Reason::FirstRun);
    full(|tracked| *tracked = TrackedTable::default(), |_| {}, Reason::FirstRun);
    full(|tracked| load(tracked).last_success_at = None, |_| {}, Reason::FirstRun);
}

#[test]
fn hop_1_alone_asks_for_its_own_copy_only() {
    let first = |known: &mut DecisionInputs<'_>| known.hops = Hops::Copy;
    full(|tracked| copy(tracked).copy_id = None, first, Reason::FirstRun);
    assert_eq!(decided(|tracked| tracked.load = None, first).reason, Reason::Watermark);
}

#[test]
fn hop_2_alone_asks_for_its_own_load_only() {
    let second = |known: &mut DecisionInputs<'_>| known.hops = Hops::Load;
    full(|tracked| tracked.load = None, second, Reason::FirstRun);
    full(|tracked| tracked.copy = None, second, Reason::NoWatermark);
}

#[test]
fn changed_rows_need_a_table_on_both_sides_to_go_into() {
    full(|_| {}, |known| known.replica_is_there = false, Reason::NoWatermark);
    full(|_| {}, |known| known.target_is_there = false, Reason::NoWatermark);
}

#[test]
fn a_table_is_compared_only_where_all_its_copies_are_there() {
    let missing = compared(|_| {}, |known| known.replica_is_there = false);
    assert_eq!(missing.reason, Reason::NotCompared);
}

#[test]
fn a_gap_is_too_long_by_the_second() {
    let day = SignedDuration::from_hours(24);
    let reason =
        |gap: SignedDuration| decided(|_| {}, |known| known.now = now() - day + gap).reason;
    assert_eq!(reason(LONGEST_GAP), Reason::Watermark);
    assert_eq!(reason(LONGEST_GAP + SignedDuration::from_secs(1)), Reason::GapTooLong);
}

#[test]
fn a_gap_counts_for_the_hops_that_bring_changed_rows() {
    let long_ago = now().checked_sub(SignedDuration::from_hours(40 * 24)).unwrap();
    // The target lags behind, and is loaded in full anyway: the copy alone counts.
    let lacks = |tracked: &mut TrackedTable| {
        copy(tracked).copy_id = Some(id(LATER));
        copy(tracked).watermark = Some(at("2026-03-01 04:00:00", LATER));
        load(tracked).data_as_of = Some(long_ago);
    };
    assert!(decided(lacks, |_| {}).loads_all);
    full(|tracked| load(tracked).data_as_of = Some(long_ago), |_| {}, Reason::GapTooLong);
}

#[test]
fn a_copy_of_unknown_age_is_as_good_as_too_old() {
    let ageless = |tracked: &mut TrackedTable| copy(tracked).last_success_at = None;
    full(ageless, |known| known.hops = Hops::Copy, Reason::GapTooLong);
}

#[test]
fn a_merge_that_broke_off_is_followed_by_a_load_of_everything() {
    let broken = |tracked: &mut TrackedTable| copy(tracked).intact = false;
    assert!(decided(broken, |_| {}).loads_all);
    assert!(!decided(broken, |known| known.hops = Hops::Copy).loads_all);
}

#[test]
fn a_comparison_after_an_interruption_compares() {
    let broken = |tracked: &mut TrackedTable| copy(tracked).status = AttemptStatus::Interrupted;
    let decision = compared(broken, |_| {});
    assert_eq!((decision.reason, decision.loads_all), (Reason::Compared, true));
}

#[test]
fn a_comparison_of_hop_1_alone_loads_nothing() {
    assert!(!compared(|_| {}, |known| known.hops = Hops::Copy).loads_all);
}

#[test]
fn a_load_of_an_older_version_counts_by_its_copy() {
    // An earlier version did not record the age of the data in the target.
    let old = |tracked: &mut TrackedTable| load(tracked).data_as_of = None;
    assert_eq!(decided(old, |_| {}).reason, Reason::Watermark);
    let lost = |tracked: &mut TrackedTable| {
        load(tracked).data_as_of = None;
        copy(tracked).copy_id = Some(id(LATER));
        copy(tracked).watermark = Some(at("2026-03-01 04:00:00", FULL));
    };
    full(lost, |_| {}, Reason::GapTooLong);
}
