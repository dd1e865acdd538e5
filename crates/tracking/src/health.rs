//! The state of a table in one word.

use crate::proof::ProofOutcome;
use crate::state::TrackedTable;
use crate::status::AttemptStatus;
use serde::Serialize;

/// The worst of both tracking tables' states of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TableHealth {
    /// The last comparison found a difference.
    Differs,
    /// The last attempt failed or was ended; older data may be in place.
    Failed,
    /// An attempt was begun: it is under way, or was interrupted and the next run mends it.
    Unfinished,
    /// The replica holds another copy than the target was loaded from: the next run loads it.
    Outstanding,
    /// It never arrived.
    Never,
    /// It arrived, and both sides hold the same copy.
    Ok,
    /// It is gone from the source, and its last rows stay.
    Gone,
}

impl TableHealth {
    /// Tells the health of a table from its records.
    pub fn of(tracked: &TrackedTable) -> TableHealth {
        let copy = tracked.copy.as_ref().map(|copy| copy.status);
        let load = tracked.load.as_ref().map(|load| load.status);
        let any =
            |wanted: &[AttemptStatus]| copy.into_iter().chain(load).any(|s| wanted.contains(&s));
        let proof = tracked.load.as_ref().and_then(|load| load.proof.as_deref());
        let loaded = tracked.load.as_ref().and_then(|load| load.loaded_copy_id);
        if tracked.load.as_ref().is_some_and(|load| load.gone_at.is_some()) {
            TableHealth::Gone
        } else if proof == Some(ProofOutcome::Differs.name()) {
            TableHealth::Differs
        } else if any(&[AttemptStatus::Failed, AttemptStatus::Cancelled]) {
            TableHealth::Failed
        } else if any(&[AttemptStatus::Running, AttemptStatus::Interrupted]) {
            TableHealth::Unfinished
        } else if tracked.loadable_copy().is_some_and(|copy| Some(copy) != loaded) {
            TableHealth::Outstanding
        } else if tracked.was_loaded() {
            TableHealth::Ok
        } else {
            TableHealth::Never
        }
    }

    /// Returns true if nothing is to be done about the table.
    pub fn is_well(self) -> bool {
        matches!(self, TableHealth::Ok | TableHealth::Gone)
    }

    /// Returns the name used in JSON and metrics.
    pub fn name(self) -> &'static str {
        match self {
            TableHealth::Differs => "differs",
            TableHealth::Failed => "failed",
            TableHealth::Unfinished => "unfinished",
            TableHealth::Outstanding => "outstanding",
            TableHealth::Never => "never",
            TableHealth::Ok => "ok",
            TableHealth::Gone => "gone",
        }
    }

    /// Returns the words for people.
    pub fn label(self) -> &'static str {
        match self {
            TableHealth::Outstanding => "to be loaded",
            TableHealth::Never => "never moved",
            other => other.name(),
        }
    }
}
