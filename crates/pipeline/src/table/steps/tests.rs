//! The steps of every kind of table, as tables of cases.

use super::*;

/// A table that both hops move by its window, over a replica, proved by sums.
fn window() -> Route {
    Route {
        goal: Goal::Window,
        stages: Stages { hops: Hops::Both, has_replica: true, proof: ProofBy::Sums },
        deletes: Deletes::Count,
        has_window: true,
        is_cut: false,
        loads_all: false,
        copies: true,
        was_empty: false,
        is_repair: false,
        is_second: false,
        is_again: false,
    }
}

/// A table without a watermark that both hops move in full.
fn full() -> Route {
    Route { goal: Goal::Everything, has_window: false, ..window() }
}

fn differing() -> Route {
    Route { goal: Goal::Differing, has_window: false, ..window() }
}

fn hops(hops: Hops, route: Route) -> Route {
    Route { stages: Stages { hops, ..route.stages }, ..route }
}

fn direct(route: Route) -> Route {
    Route { stages: Stages { has_replica: false, ..route.stages }, ..route }
}

fn by(proof: ProofBy, route: Route) -> Route {
    Route { stages: Stages { proof, ..route.stages }, ..route }
}

fn deleting(deletes: Deletes, route: Route) -> Route {
    Route { deletes, ..route }
}

const COUNTED: Step = Step::CopyRows { counts: true };
const COPIED: Step = Step::CopyRows { counts: false };
const SWEEP_REPLICA: Step = Step::Sweep(SOURCE_AND_REPLICA);

fn sweep_target(first: Side) -> Step {
    Step::Sweep(Between { first, last: Side::Target })
}

fn compare(last: Side) -> Step {
    Step::Compare(Between { first: Side::Source, last })
}

#[track_caller]
fn check(route: Route, expected: &[Step]) {
    assert_eq!(steps(&route), expected, "{route:?}");
}

#[test]
fn nothing_is_done_to_a_table_that_did_not_change() {
    check(Route { goal: Goal::Nothing, ..window() }, &[]);
    check(Route { goal: Goal::Nothing, ..full() }, &[]);
}

#[test]
fn a_full_table_is_copied_and_loaded() {
    check(full(), &[COPIED, Step::LoadRows(Counting::Nothing)]);
}

#[test]
fn without_a_replica_there_is_one_hop() {
    check(direct(full()), &[Step::TakeCopy, Step::LoadRows(Counting::Nothing)]);
}

#[test]
fn hop_1_alone_loads_nothing() {
    check(hops(Hops::Copy, full()), &[COPIED]);
    check(hops(Hops::Copy, window()), &[Step::Probe, Step::ForeseeLoss, COUNTED]);
}

#[test]
fn hop_2_alone_asks_the_source_nothing() {
    check(hops(Hops::Load, full()), &[Step::TakeCopy, Step::LoadRows(Counting::Nothing)]);
    let window = Route { has_window: true, ..full() };
    check(hops(Hops::Load, window), &[Step::TakeCopy, Step::LoadRows(Counting::Nothing)]);
}

#[test]
fn hop_2_alone_counts_ours_after_a_window() {
    check(hops(Hops::Load, window()), &[Step::TakeCopy, Step::LoadRows(Counting::Ours)]);
}

#[test]
fn a_copy_that_was_not_loaded_is_loaded_alone() {
    let copied = Route { copies: false, ..full() };
    check(copied, &[Step::TakeCopy, Step::LoadRows(Counting::Nothing)]);
    let with_window = Route { has_window: true, ..copied };
    check(with_window, &[Step::TakeCopy, Step::LoadRows(Counting::Nothing)]);
}

#[test]
fn a_table_that_was_empty_is_asked_whether_it_still_is() {
    let empty = Route { was_empty: true, ..full() };
    check(empty, &[Step::AskEmpty, COPIED, Step::LoadRows(Counting::Nothing)]);
    check(direct(empty), &[Step::AskEmpty, Step::TakeCopy, Step::LoadRows(Counting::Nothing)]);
}

#[test]
fn an_empty_table_is_moved_where_every_row_is_compared_or_a_hop_is_made_alone() {
    let empty = Route { was_empty: true, ..full() };
    let compared = [COPIED, Step::CompareCopy, Step::LoadRows(Counting::Nothing)];
    check(by(ProofBy::Rows, empty), &compared);
    check(hops(Hops::Copy, empty), &[COPIED]);
    check(hops(Hops::Load, empty), &[Step::TakeCopy, Step::LoadRows(Counting::Nothing)]);
}

#[test]
fn a_window_is_counted_inside_both_publications() {
    let expected = [Step::Probe, Step::ForeseeLoss, COUNTED, Step::LoadRows(Counting::SinceProbe)];
    check(window(), &expected);
    check(by(ProofBy::Counts, window()), &expected);
}

#[test]
fn a_window_of_the_source_itself_is_counted_in_the_target() {
    let expected = [Step::Probe, Step::TakeCopy, Step::LoadRows(Counting::SinceProbe)];
    // Nothing is changed before the target's own transaction, so no loss is to be foreseen.
    assert!(!steps(&direct(window())).contains(&Step::ForeseeLoss));
    check(direct(window()), &expected);
}

#[test]
fn where_every_row_is_compared_none_is_counted() {
    check(
        by(ProofBy::Rows, window()),
        &[Step::Probe, COPIED, Step::CompareCopy, Step::LoadRows(Counting::Nothing)],
    );
    check(
        by(ProofBy::Rows, full()),
        &[COPIED, Step::CompareCopy, Step::LoadRows(Counting::Nothing)],
    );
}

#[test]
fn source_and_replica_are_not_compared_without_a_replica() {
    check(by(ProofBy::Rows, direct(full())), &[Step::TakeCopy, Step::LoadRows(Counting::Nothing)]);
}

#[test]
fn a_second_attempt_counts_what_took_the_place_of_a_window() {
    let second = Route { goal: Goal::Everything, is_second: true, ..window() };
    check(second, &[Step::Probe, COUNTED, Step::LoadRows(Counting::SinceProbe)]);
    check(direct(second), &[Step::Probe, Step::TakeCopy, Step::LoadRows(Counting::SinceProbe)]);
}

#[test]
fn a_second_attempt_without_a_watermark_has_nothing_to_count_since() {
    let second = Route { is_second: true, ..full() };
    check(second, &[COPIED, Step::LoadRows(Counting::Nothing)]);
}

#[test]
fn a_first_full_copy_of_a_table_with_a_watermark_asks_how_far_it_goes() {
    let first = Route { has_window: true, ..full() };
    check(first, &[Step::Probe, COPIED, Step::LoadRows(Counting::Nothing)]);
}

#[test]
fn keys_are_swept_before_each_publication() {
    check(
        deleting(Deletes::Sweep, window()),
        &[
            Step::Probe,
            SWEEP_REPLICA,
            COUNTED,
            sweep_target(Side::Replica),
            Step::LoadRows(Counting::SinceProbe),
        ],
    );
}

#[test]
fn without_a_replica_keys_are_swept_from_source_to_target() {
    check(
        deleting(Deletes::Sweep, direct(window())),
        &[
            Step::Probe,
            Step::TakeCopy,
            sweep_target(Side::Source),
            Step::LoadRows(Counting::SinceProbe),
        ],
    );
}

#[test]
fn hop_2_alone_sweeps_what_it_loads() {
    check(
        hops(Hops::Load, deleting(Deletes::Sweep, window())),
        &[Step::TakeCopy, sweep_target(Side::Replica), Step::LoadRows(Counting::Ours)],
    );
}

#[test]
fn a_load_of_everything_sweeps_nothing() {
    let route = Route { loads_all: true, ..deleting(Deletes::Sweep, window()) };
    check(route, &[Step::Probe, SWEEP_REPLICA, COUNTED, Step::LoadRows(Counting::SinceProbe)]);
    assert_eq!(route.load_mode(), LoadMode::Full);
}

#[test]
fn a_full_table_sweeps_nothing() {
    check(deleting(Deletes::Sweep, full()), &[COPIED, Step::LoadRows(Counting::Nothing)]);
}

#[test]
fn a_swept_copy_is_compared_where_every_row_is() {
    check(
        by(ProofBy::Rows, deleting(Deletes::Sweep, window())),
        &[
            Step::Probe,
            SWEEP_REPLICA,
            COPIED,
            Step::CompareCopy,
            sweep_target(Side::Replica),
            Step::LoadRows(Counting::Nothing),
        ],
    );
}

#[test]
fn rows_that_stay_are_compared_once_everything_is_in_place() {
    check(
        by(ProofBy::Rows, deleting(Deletes::Ignore, window())),
        &[Step::Probe, COPIED, Step::LoadRows(Counting::Nothing), Step::CompareRetained],
    );
}

#[test]
fn rows_that_stay_are_counted_otherwise() {
    check(
        deleting(Deletes::Ignore, window()),
        &[Step::Probe, COUNTED, Step::LoadRows(Counting::SinceProbe)],
    );
}

#[test]
fn no_row_stays_when_everything_is_moved() {
    let full = by(ProofBy::Rows, deleting(Deletes::Ignore, full()));
    check(full, &[COPIED, Step::CompareCopy, Step::LoadRows(Counting::Nothing)]);
    assert!(!full.retains());
}

#[test]
fn a_window_in_slices_is_cut_before_the_last_of_them() {
    let cut = Route { is_cut: true, ..window() };
    check(
        cut,
        &[
            Step::Probe,
            Step::ForeseeLoss,
            Step::CutWindow { is_first: true },
            COUNTED,
            Step::LoadRows(Counting::SinceProbe),
        ],
    );
}

#[test]
fn everything_is_never_cut() {
    let full = Route { is_cut: true, has_window: true, ..full() };
    check(full, &[Step::Probe, COPIED, Step::LoadRows(Counting::Nothing)]);
    let direct = direct(Route { is_cut: true, ..window() });
    check(direct, &[Step::Probe, Step::TakeCopy, Step::LoadRows(Counting::SinceProbe)]);
}

#[test]
fn a_slice_is_published_before_the_next_is_cut() {
    let cut = Route { is_cut: true, ..window() };
    for is_first in [true, false] {
        let expected = [COPIED, Step::CutWindow { is_first: false }];
        assert_eq!(slice_steps(&cut, is_first), expected);
    }
}

#[test]
fn a_sweep_refuses_before_the_first_slice_only() {
    let cut = Route { is_cut: true, ..deleting(Deletes::Sweep, window()) };
    let slice = [COPIED, Step::CutWindow { is_first: false }];
    assert_eq!(slice_steps(&cut, true), [&[SWEEP_REPLICA], &slice[..]].concat());
    assert_eq!(slice_steps(&cut, false), slice);
    // The keys go with the last one.
    let all = steps(&cut);
    let sweep = all.iter().position(|step| *step == SWEEP_REPLICA).unwrap();
    assert_eq!(all[sweep - 1], Step::CutWindow { is_first: true });
    assert_eq!(all[sweep + 1], COUNTED);
}

#[test]
fn rows_that_differ_go_over_the_replica_to_the_target() {
    check(differing(), &[compare(Side::Replica), Step::CopyKeys, Step::LoadKeys(Counting::Ours)]);
}

#[test]
fn rows_that_differ_are_loaded_directly_without_a_replica() {
    check(
        direct(differing()),
        &[compare(Side::Target), Step::TakeCopy, Step::LoadKeys(Counting::Nothing)],
    );
}

#[test]
fn hop_1_alone_copies_the_rows_that_differ() {
    check(hops(Hops::Copy, differing()), &[compare(Side::Replica), Step::CopyKeys]);
}

#[test]
fn a_target_that_lacks_an_earlier_copy_gets_everything() {
    let behind = Route { loads_all: true, ..differing() };
    check(behind, &[compare(Side::Replica), Step::CopyKeys, Step::LoadRows(Counting::Ours)]);
}

#[test]
fn rows_that_differed_are_compared_again_where_every_row_is() {
    check(
        by(ProofBy::Rows, differing()),
        &[
            compare(Side::Replica),
            Step::CopyKeys,
            Step::CompareCopy,
            Step::LoadKeys(Counting::Ours),
        ],
    );
}

#[test]
fn a_repair_copies_keys_and_loads_them() {
    let repair = Route { is_repair: true, ..differing() };
    let load = Step::LoadKeys(Counting::Ours);
    assert_eq!(repair_steps(&repair, true), [Step::CopyKeys, load]);
    assert_eq!(repair_steps(&repair, false), [Step::TakeCopy, load]);
}

#[test]
fn a_repair_without_a_replica_loads_keys_from_the_source() {
    let repair = direct(Route { is_repair: true, ..differing() });
    let expected = [Step::TakeCopy, Step::LoadKeys(Counting::Nothing)];
    assert_eq!(repair_steps(&repair, true), expected);
    assert_eq!(repair_steps(&repair, false), expected);
}

#[test]
fn a_repair_compares_a_copy_only_where_no_row_stays() {
    let repair = by(ProofBy::Rows, Route { is_repair: true, ..differing() });
    let load = Step::LoadKeys(Counting::Ours);
    assert_eq!(repair_steps(&repair, true), [Step::CopyKeys, Step::CompareCopy, load]);
    let retaining = deleting(Deletes::Ignore, repair);
    assert_eq!(repair_steps(&retaining, true), [Step::CopyKeys, load]);
}

#[test]
fn only_a_window_and_a_repair_retain_rows() {
    for (route, retains) in [
        (window(), true),
        (full(), false),
        (differing(), false),
        (Route { is_repair: true, ..differing() }, true),
        (Route { is_repair: true, ..full() }, false),
    ] {
        assert_eq!(deleting(Deletes::Ignore, route).retains(), retains, "{route:?}");
        assert!(!deleting(Deletes::Count, route).retains());
        assert!(!deleting(Deletes::Sweep, route).retains());
    }
}

#[test]
fn what_a_load_does_not_read_is_deleted_only_if_it_reads_everything() {
    assert_eq!(window().load_mode(), LoadMode::Incremental);
    assert_eq!(differing().load_mode(), LoadMode::Incremental);
    assert_eq!(full().load_mode(), LoadMode::Full);
    assert_eq!(Route { loads_all: true, ..window() }.load_mode(), LoadMode::Full);
}

#[test]
fn only_publications_are_phases_of_a_hop() {
    for step in [COPIED, COUNTED, Step::CopyKeys] {
        assert_eq!(step.phase(), Some(TablePhase::Copy));
    }
    for step in [Step::LoadRows(Counting::Nothing), Step::LoadKeys(Counting::Ours), Step::LoadFile]
    {
        assert_eq!(step.phase(), Some(TablePhase::Load));
    }
    for step in [Step::AskEmpty, Step::Probe, Step::TakeCopy, Step::CompareCopy, SWEEP_REPLICA] {
        assert_eq!(step.phase(), None);
    }
}

/// Every route that a plan could make.
fn all_routes() -> Vec<Route> {
    let mut routes = Vec::new();
    let flags = |bits: u32, bit: u32| bits >> bit & 1 == 1;
    for bits in 0..1 << 9 {
        for goal in [Goal::Nothing, Goal::Differing, Goal::Window, Goal::Everything] {
            for proof in [ProofBy::Counts, ProofBy::Sums, ProofBy::Rows] {
                for deletes in [Deletes::Count, Deletes::Sweep, Deletes::Ignore] {
                    for hops in [Hops::Both, Hops::Copy, Hops::Load] {
                        let has_replica = flags(bits, 0) || hops != Hops::Both;
                        routes.push(Route {
                            goal,
                            stages: Stages { hops, has_replica, proof },
                            deletes,
                            has_window: flags(bits, 1) || goal == Goal::Window,
                            is_cut: flags(bits, 2),
                            loads_all: flags(bits, 3),
                            copies: flags(bits, 4),
                            was_empty: flags(bits, 5),
                            is_repair: flags(bits, 6),
                            is_second: flags(bits, 7),
                            is_again: flags(bits, 8),
                        });
                    }
                }
            }
        }
    }
    routes
}

#[test]
fn each_database_is_published_to_at_most_once_but_for_slices() {
    for route in all_routes() {
        let steps = steps(&route);
        for phase in [TablePhase::Copy, TablePhase::Load] {
            let times = steps.iter().filter(|step| step.phase() == Some(phase)).count();
            assert!(times <= 1, "{route:?}: {steps:?}");
        }
    }
}

#[test]
fn hop_1_is_done_before_hop_2_begins() {
    for route in all_routes() {
        let steps = steps(&route);
        let at = |phase| steps.iter().position(|step| step.phase() == Some(phase));
        if let (Some(copied), Some(loaded)) = (at(TablePhase::Copy), at(TablePhase::Load)) {
            assert!(copied < loaded, "{route:?}: {steps:?}");
        }
    }
}

#[test]
fn hops_that_are_not_made_have_no_steps() {
    for route in all_routes() {
        let steps = steps(&route);
        let has = |phase| steps.iter().any(|step| step.phase() == Some(phase));
        assert!(route.stages.hops != Hops::Copy || !has(TablePhase::Load), "{route:?}");
        assert!(route.makes_copy() || !has(TablePhase::Copy), "{route:?}");
    }
}

#[test]
fn every_load_has_a_copy_to_load() {
    for route in all_routes() {
        let steps = steps(&route);
        if let Some(load) = steps.iter().position(|step| step.phase() == Some(TablePhase::Load)) {
            let copied =
                |step: &Step| *step == Step::TakeCopy || step.phase() == Some(TablePhase::Copy);
            assert!(steps[..load].iter().any(copied), "{route:?}: {steps:?}");
        }
    }
}

#[test]
fn counts_since_the_probe_have_a_probe() {
    for route in all_routes() {
        let steps = steps(&route);
        let counts = steps.iter().any(|step| {
            matches!(step, Step::CopyRows { counts: true } | Step::LoadRows(Counting::SinceProbe))
        });
        assert!(!counts || steps.contains(&Step::Probe), "{route:?}: {steps:?}");
    }
}
