//! Which tables `--only-failed` is about.

use crate::Hops;
use handoff_tracking::{AttemptStatus, TrackedTable};

/// Returns true if a run of these hops has something left to do for a table: its last attempt
/// failed or was ended, it never arrived, or the replica holds a copy that the target lacks.
///
/// What a comparison found to differ counts as failed, since it was recorded so.
pub(crate) fn is_left_over(hops: Hops, tracked: &TrackedTable) -> bool {
    let copy = || match &tracked.copy {
        Some(copy) => copy.status != AttemptStatus::Success || copy.copy_id.is_none(),
        None => true,
    };
    let load = || {
        let ended_well =
            tracked.load.as_ref().is_some_and(|load| load.status == AttemptStatus::Success);
        let loaded = tracked.load.as_ref().and_then(|load| load.loaded_copy_id);
        let outstanding = tracked.loadable_copy().is_some_and(|copy| Some(copy) != loaded);
        !ended_well || outstanding
    };
    match hops {
        Hops::Both => tracked.last_attempt_failed() || load(),
        Hops::Copy => copy(),
        Hops::Load => load(),
    }
}
