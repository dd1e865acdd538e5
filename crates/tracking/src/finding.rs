//! What tracking and databases disagree on.

use handoff_connect::Side;
use handoff_model::{CopyId, TableName};
use std::fmt;

/// How an interrupted copy is dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Its shadow is the table already: it is recorded as done, and the old table dropped.
    Finish,
    /// Its shadow, if there is one, is dropped.
    Undo,
    /// It merged rows into the table itself: the same rows are merged again.
    Repeat,
}

/// Something that tracking and databases disagree on. [`Display`](fmt::Display) says it in one
/// sentence, with what the next run does about it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// A table that no run of ours made. It is never touched, and fails unless it is adopted.
    NotOurs {
        /// The table.
        table: TableName,
        /// Where it is.
        side: Side,
    },
    /// A copy that was begun and did not record its end.
    Interrupted {
        /// The table.
        table: TableName,
        /// The copy.
        copy_id: CopyId,
        /// What to do.
        remedy: Remedy,
    },
    /// The replica holds a copy that the target has never seen.
    CopiedNotLoaded {
        /// The table.
        table: TableName,
        /// The copy.
        copy_id: CopyId,
    },
    /// The target was loaded from a copy that is not the replica's any more.
    LoadedFromOtherCopy {
        /// The table.
        table: TableName,
        /// The copy in the replica.
        copy_id: CopyId,
        /// The copy in the target.
        loaded: CopyId,
    },
    /// A table that arrived once and is gone.
    TrackedButMissing {
        /// The table.
        table: TableName,
        /// Where it is missing.
        side: Side,
    },
    /// A shadow or an old table in the replica that nothing needs.
    OrphanShadow {
        /// The copy that made it.
        copy_id: CopyId,
    },
}

impl Finding {
    /// Returns the table, unless the finding is a shadow of an unknown one.
    pub fn table(&self) -> Option<&TableName> {
        match self {
            Finding::NotOurs { table, .. }
            | Finding::Interrupted { table, .. }
            | Finding::CopiedNotLoaded { table, .. }
            | Finding::LoadedFromOtherCopy { table, .. }
            | Finding::TrackedButMissing { table, .. } => Some(table),
            Finding::OrphanShadow { .. } => None,
        }
    }

    /// Returns why `table` must fail, if this finding is the reason.
    pub fn refusal(&self, table: &TableName) -> Option<String> {
        let refuses = matches!(self, Finding::NotOurs { table: found, .. } if found == table);
        refuses.then(|| self.to_string())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::NotOurs { table, side } => write!(
                f,
                "`{table}` is in the {side}, but Handoff did not make it: it is left as it is and \
                 the table fails; `etl run {} --adopt` takes it over",
                table.in_shell()
            ),
            Finding::Interrupted { table, remedy: Remedy::Finish, .. } => write!(
                f,
                "the copy of `{table}` was interrupted after its swap: it is recorded as done"
            ),
            Finding::Interrupted { table, remedy: Remedy::Undo, .. } => write!(
                f,
                "the copy of `{table}` was interrupted before its swap: what it had copied is \
                 dropped and the table is copied again"
            ),
            Finding::Interrupted { table, remedy: Remedy::Repeat, .. } => write!(
                f,
                "the copy of `{table}` was interrupted while rows were merged: the same rows are \
                 merged again before the table is loaded"
            ),
            Finding::CopiedNotLoaded { table, .. } => {
                write!(f, "`{table}` was copied but not loaded yet: it is loaded")
            }
            Finding::LoadedFromOtherCopy { table, copy_id, loaded } => write!(
                f,
                "`{table}` was loaded from the copy {loaded}, and the replica holds the copy \
                 {copy_id}: it is loaded again"
            ),
            Finding::TrackedButMissing { table, side: Side::Target } => {
                write!(f, "`{table}` is gone from the target: it is loaded in full")
            }
            Finding::TrackedButMissing { table, side } => {
                write!(f, "`{table}` is gone from the {side}: it is copied in full")
            }
            Finding::OrphanShadow { copy_id } => {
                write!(f, "the copy {copy_id} left a table in the replica: it is dropped")
            }
        }
    }
}
