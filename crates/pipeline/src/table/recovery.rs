//! The way on from a step that failed.
//!
//! A fault that may pass by itself is not seen here: the interpreter has made the step again before, as often
//! as the settings say.

use super::steps::{Route, Step};
use crate::error::TableError;
use handoff_connect::{Fault, Side};
use handoff_model::Reason;

/// The way on from a step that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// The table has failed.
    Fail,
    /// The table has failed, since everything could be moved only at the cost of rows that it retains.
    FailRetaining,
    /// The copy is made and compared once more: the source may have been written to meanwhile.
    CopyAgain,
    /// All steps are made once more: rows went while the keys were compared.
    Again,
    /// Everything is moved, for this reason.
    InFull(Reason),
}

/// Decides on the way on from `step`, which ended with `error`. Nothing of the attempt was published in the
/// target, and `copies` of the table were published in the replica.
pub(crate) fn after_error(step: Step, error: &TableError, route: &Route, copies: u32) -> Recovery {
    if step == Step::CompareCopy && !route.moves_some() && copies == 1 {
        return match error {
            TableError::Differs(_) => Recovery::CopyAgain,
            _ => Recovery::Fail,
        };
    }
    let Some(reason) = full_instead(error).filter(|_| route.moves_some() && !route.is_repair)
    else {
        return Recovery::Fail;
    };
    if route.retains() && is_about_rows(reason) {
        return Recovery::FailRetaining;
    }
    match error {
        TableError::Miscounted(_) if route.sweeps() && !route.is_again => Recovery::Again,
        _ => Recovery::InFull(reason),
    }
}

/// Returns the reason to move everything after an attempt at some rows that ended so.
pub(crate) fn full_instead(error: &TableError) -> Option<Reason> {
    match error {
        TableError::TooMuchDiffers(_) => Some(Reason::ManyDiffer),
        TableError::Structure { .. } => Some(Reason::SchemaChanged),
        TableError::Miscounted(_) => Some(Reason::RowsDeleted),
        TableError::Differs(_) => Some(Reason::RowsDiffer),
        _ if is_damaged_replica(error) => Some(Reason::ReplicaDamaged),
        TableError::Copy(error) if error.is_merge_conflict() => Some(Reason::Collided),
        // The catalogue did not tell it yet when the plan was made.
        TableError::Copy(handoff_replicator::Error::NotMergeable { .. }) => {
            Some(Reason::SchemaChanged)
        }
        // A second unique index of the target, where a row that is gone has the value still.
        TableError::Load(error) => {
            let code = error.fault().and_then(Fault::code);
            (code == Some("23505")).then_some(Reason::Collided)
        }
        _ => None,
    }
}

/// Returns true for a reason that speaks of rows alone, so that a full reload would delete retained ones for
/// nothing else.
fn is_about_rows(reason: Reason) -> bool {
    let by_rows =
        [Reason::RowsDeleted, Reason::RowsDiffer, Reason::Collided, Reason::ReplicaDamaged];
    by_rows.contains(&reason)
}

/// Returns true if the replica's server found the table damaged there: a copy beside it takes its place.
fn is_damaged_replica(error: &TableError) -> bool {
    error.fault().is_some_and(|fault| fault.side() == Side::Replica && fault.is_damage())
}

#[cfg(test)]
mod tests;
