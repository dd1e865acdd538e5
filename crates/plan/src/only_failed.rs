//! The tables that `--only-failed` is about.

use crate::hops::Hops;
use handoff_tracking::{AttemptStatus, TrackedTable};

/// Returns true if a run of these hops has something left to do for a table: its last attempt
/// failed or was ended, it never arrived, or the replica holds a copy that the target lacks.
///
/// A table that a comparison found to differ counts as failed, since it was recorded so.
pub fn is_left_over(hops: Hops, tracked: &TrackedTable) -> bool {
    match hops {
        Hops::Both => tracked.last_attempt_failed() || lacks_load(tracked),
        Hops::Copy => lacks_copy(tracked),
        Hops::Load => lacks_load(tracked),
    }
}

fn lacks_copy(tracked: &TrackedTable) -> bool {
    let copy = tracked.copy.as_ref().filter(|copy| copy.status == AttemptStatus::Success);
    copy.is_none_or(|copy| copy.copy_id.is_none())
}

fn lacks_load(tracked: &TrackedTable) -> bool {
    let loaded = tracked.load.as_ref().and_then(|load| load.loaded_copy_id);
    let outstanding = tracked.loadable_copy().is_some_and(|copy| Some(copy) != loaded);
    outstanding || tracked.load.as_ref().is_none_or(|load| load.status != AttemptStatus::Success)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tracked;
    use handoff_model::CopyId;

    #[track_caller]
    fn check(change: impl FnOnce(&mut TrackedTable), expected: [bool; 3]) {
        let mut state = tracked();
        change(&mut state);
        let hops = [Hops::Both, Hops::Copy, Hops::Load];
        assert_eq!(hops.map(|hops| is_left_over(hops, &state)), expected);
    }

    #[test]
    fn a_table_that_arrived_is_done_with() {
        check(|_| {}, [false, false, false]);
    }

    #[test]
    fn a_table_that_was_never_met_is_left_for_every_hop() {
        check(|state| *state = TrackedTable::default(), [true, true, true]);
    }

    #[test]
    fn a_copy_that_failed_is_left_for_hop_1() {
        let failed =
            |state: &mut TrackedTable| state.copy.as_mut().unwrap().status = AttemptStatus::Failed;
        check(failed, [true, true, false]);
    }

    #[test]
    fn a_load_that_failed_is_left_for_hop_2() {
        let failed = |state: &mut TrackedTable| {
            state.load.as_mut().unwrap().status = AttemptStatus::Cancelled;
        };
        check(failed, [true, false, true]);
    }

    #[test]
    fn a_copy_without_an_identity_never_arrived() {
        check(|state| state.copy.as_mut().unwrap().copy_id = None, [false, true, false]);
    }

    #[test]
    fn a_copy_that_the_target_lacks_is_left_for_hop_2() {
        let newer =
            |state: &mut TrackedTable| state.copy.as_mut().unwrap().copy_id = Some(CopyId::new());
        check(newer, [true, false, true]);
    }

    #[test]
    fn a_copy_that_may_not_be_loaded_is_none_to_be_loaded() {
        let merging = |state: &mut TrackedTable| {
            let copy = state.copy.as_mut().unwrap();
            (copy.copy_id, copy.intact) = (Some(CopyId::new()), false);
        };
        check(merging, [false, false, false]);
    }
}
