//! The options of one run.

use handoff_model::{CancelToken, ProofBy, TableName};
use handoff_plan::Hops;
use handoff_tracking::LockWait;
use std::path::PathBuf;
use std::time::Duration;

/// The comparison that a table has to pass before a run calls it good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prove {
    /// The one that the settings name.
    #[default]
    Configured,
    /// The row counts that the steps report.
    Counts,
    /// The sums of the rows that are moved, taken in both hops while they go by.
    Sums,
    /// Every row: the bytes of all rows of source and replica, read again on both sides, and
    /// the sum of row hashes taken while reading against the one read back from the target.
    Rows,
}

impl Prove {
    /// Returns the evidence to prove by, where the settings say `configured`.
    pub(crate) fn by(self, configured: ProofBy) -> ProofBy {
        match self {
            Prove::Configured => configured,
            Prove::Counts => ProofBy::Counts,
            Prove::Sums => ProofBy::Sums,
            Prove::Rows => ProofBy::Rows,
        }
    }
}

/// The caller's answer to a source that is another one than recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceConsent {
    /// Nothing: the run goes on if the source merely moved or holds the same rows, and stops otherwise.
    #[default]
    Recorded,
    /// It continues the one before, such as after a failover: the run goes on from the records.
    Same,
    /// Its rows take the place of those that are there: every table is moved in full.
    New,
}

/// The time that a run waits for another that holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LockPatience {
    /// None: it is refused.
    #[default]
    None,
    /// At most so long; then it is refused.
    AtMost(Duration),
    /// Until the other has ended.
    Unbounded,
}

impl LockPatience {
    pub(crate) fn waits(self) -> bool {
        self != LockPatience::None
    }

    /// Returns the way to wait while the lock is held, where `cancel` ends the waiting.
    pub(crate) fn with(self, cancel: &CancelToken) -> LockWait {
        let cancel = cancel.clone();
        match self {
            LockPatience::None => LockWait::No,
            LockPatience::AtMost(time) => LockWait::AtMost { cancel, time },
            LockPatience::Unbounded => LockWait::Until(cancel),
        }
    }
}

/// The options of one run. The default moves every table as the settings say.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The tables to move; all that the settings include if empty.
    pub tables: Vec<TableName>,
    /// Move everything, whatever the settings and the last run say.
    pub full: bool,
    /// Of these tables, move those only whose last attempt failed, was stopped or was not begun, that
    /// never arrived, or that were copied and not loaded.
    pub only_failed: bool,
    /// The comparison that a table has to pass.
    pub prove: Prove,
    /// Take over tables of the replica and the target that Handoff did not make. Only the named
    /// tables are taken over.
    pub adopt: bool,
    /// The time to wait for another run to end.
    pub wait: LockPatience,
    /// The answer to a source that is another one than recorded.
    pub source: SourceConsent,
    /// The hops to make.
    pub hops: Hops,
    /// Let a move delete at most so many percent of the rows that a copy of a table has; the percentage of the
    /// settings if [`None`].
    pub max_delete_percent: Option<u8>,
    /// Load the one table named from this file, which `copy_csv` kept, instead of from the replica.
    /// For [`Hops::Load`].
    pub from_spool: Option<PathBuf>,
}
