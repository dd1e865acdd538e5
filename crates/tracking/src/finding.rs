//! Disagreements between the tracking tables and the databases.

use handoff_connect::Side;
use handoff_model::{CopyId, TableName};
use std::fmt;

/// The recovery of an interrupted copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CopyRecovery {
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
pub enum RecoveryFinding {
    /// A table that no run of ours made. It is never touched, and fails unless it is adopted.
    NotOurs {
        /// The table.
        table: TableName,
        /// The side that holds the table.
        side: Side,
    },
    /// A copy that was begun and did not record its end.
    Interrupted {
        /// The table.
        table: TableName,
        /// The copy.
        copy_id: CopyId,
        /// The recovery.
        remedy: CopyRecovery,
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
        /// The side that lacks the table.
        side: Side,
    },
    /// A shadow or an old table in the replica that nothing needs.
    OrphanShadow {
        /// The copy that made it.
        copy_id: CopyId,
    },
}

impl RecoveryFinding {
    /// Returns the table, unless the finding is a shadow of an unknown one.
    pub fn table(&self) -> Option<&TableName> {
        match self {
            RecoveryFinding::NotOurs { table, .. }
            | RecoveryFinding::Interrupted { table, .. }
            | RecoveryFinding::CopiedNotLoaded { table, .. }
            | RecoveryFinding::LoadedFromOtherCopy { table, .. }
            | RecoveryFinding::TrackedButMissing { table, .. } => Some(table),
            RecoveryFinding::OrphanShadow { .. } => None,
        }
    }

    /// Returns why `table` must fail, if this finding is the reason.
    pub fn refusal(&self, table: &TableName) -> Option<String> {
        let refuses =
            matches!(self, RecoveryFinding::NotOurs { table: found, .. } if found == table);
        refuses.then(|| self.to_string())
    }
}

impl fmt::Display for RecoveryFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecoveryFinding::NotOurs { table, side } => write!(
                f,
                "`{table}` is in the {side}, but Handoff did not make it: it is left as it is and \
                 the table fails; `etl run {} --adopt` takes it over",
                table.in_shell()
            ),
            RecoveryFinding::Interrupted { table, remedy: CopyRecovery::Finish, .. } => write!(
                f,
                "the copy of `{table}` was interrupted after its swap: it is recorded as done"
            ),
            RecoveryFinding::Interrupted { table, remedy: CopyRecovery::Undo, .. } => write!(
                f,
                "the copy of `{table}` was interrupted before its swap: its shadow is \
                 dropped and the table is copied again"
            ),
            RecoveryFinding::Interrupted { table, remedy: CopyRecovery::Repeat, .. } => write!(
                f,
                "the copy of `{table}` was interrupted while rows were merged: the same rows are \
                 merged again before the table is loaded"
            ),
            RecoveryFinding::CopiedNotLoaded { table, .. } => {
                write!(f, "`{table}` was copied but not loaded yet: it is loaded")
            }
            RecoveryFinding::LoadedFromOtherCopy { table, copy_id, loaded } => write!(
                f,
                "`{table}` was loaded from the copy {loaded}, and the replica holds the copy \
                 {copy_id}: it is loaded again"
            ),
            RecoveryFinding::TrackedButMissing { table, side: Side::Target } => {
                write!(f, "`{table}` is gone from the target: it is loaded in full")
            }
            RecoveryFinding::TrackedButMissing { table, side } => {
                write!(f, "`{table}` is gone from the {side}: it is copied in full")
            }
            RecoveryFinding::OrphanShadow { copy_id } => {
                write!(f, "the copy {copy_id} left a table in the replica: it is dropped")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> TableName {
        TableName::new(name).unwrap()
    }

    #[test]
    fn a_table_of_somebody_else_fails_alone() {
        let finding = RecoveryFinding::NotOurs { table: table("patient"), side: Side::Target };
        let refusal = finding.refusal(&table("patient")).unwrap();
        assert!(refusal.contains("`etl run patient --adopt`"), "{refusal}");
        assert_eq!(finding.refusal(&table("claim")), None);
    }

    #[test]
    fn an_interrupted_copy_refuses_no_table() {
        for remedy in [CopyRecovery::Finish, CopyRecovery::Undo, CopyRecovery::Repeat] {
            let (table, copy_id) = (table("patient"), CopyId::new());
            let finding = RecoveryFinding::Interrupted { table: table.clone(), copy_id, remedy };
            assert_eq!(finding.refusal(&table), None, "{finding}");
            assert_eq!(finding.table(), Some(&table));
        }
    }

    #[test]
    fn a_table_that_is_gone_is_copied_or_loaded_by_its_side() {
        let gone =
            |side| RecoveryFinding::TrackedButMissing { table: table("patient"), side }.to_string();
        assert!(gone(Side::Target).ends_with("it is loaded in full"));
        assert!(gone(Side::Replica).ends_with("it is copied in full"));
    }

    #[test]
    fn a_shadow_of_an_unknown_table_belongs_to_none() {
        let finding = RecoveryFinding::OrphanShadow { copy_id: CopyId::new() };
        assert_eq!(finding.table(), None);
    }
}
