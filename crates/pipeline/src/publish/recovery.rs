//! The next attempt at a table after one that failed.

use crate::TableError;
use crate::work::{Work, full_instead};
use handoff_model::Reason;

/// The next attempt at a table, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// The table has failed.
    Fail,
    /// The table has failed, since everything could be moved only at the cost of rows that it keeps.
    FailAndKeep,
    /// The same is tried once more: rows went while the keys were compared.
    Again,
    /// Everything is moved, for this reason.
    InFull(Reason),
}

/// Decides what follows an attempt that ended with `error`. Nothing of it was published in the
/// target.
pub(crate) fn after_error(error: &TableError, work: &Work<'_>) -> Recovery {
    let Some(reason) = full_instead(error).filter(|_| work.moves_some()) else {
        return Recovery::Fail;
    };
    if work.keeps_rows_from(reason) {
        return Recovery::FailAndKeep;
    }
    match error {
        TableError::Miscounted(_) if work.sweeps() && !work.is_again => Recovery::Again,
        _ => Recovery::InFull(reason),
    }
}
