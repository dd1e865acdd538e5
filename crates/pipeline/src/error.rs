//! The errors that keep a run from starting, and those that fail a table.

use handoff_connect::{Fault, Side};
use handoff_model::{Cancelled, TableName, TablePhase};
use handoff_plan::PlanError;
use handoff_session::SessionError;
use handoff_structure::StructureError;

/// A result whose error is this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that kept a run from starting. No table was moved then; some first steps of every run may have
/// been: creating the target's schema and the tracking tables, and finishing or undoing an interrupted run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The servers could not be opened, or do not hold the data of the run.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Source and replica do not go together.
    #[error("cannot copy from this source into this replica")]
    Pair(#[source] handoff_replicator::Error),
    /// The leftovers of an interrupted run could not be looked at.
    #[error("cannot clean up after an interrupted run")]
    Recover(#[source] handoff_replicator::Error),
    /// Another run holds the lock.
    #[error(
        "another run is in progress: try again when it has ended (`etl run` and `etl repair` wait for it \
         with --wait)"
    )]
    Locked(#[source] handoff_tracking::LockRefused),
    /// A session that is no run holds the lock.
    #[error(
        "a lock that every run takes is held by a session that is not a run of yours: end that session, and try \
         again"
    )]
    LockTaken(#[source] handoff_tracking::LockRefused),
    /// The lock of the run could not be asked for.
    #[error("cannot take the lock of the run")]
    Lock(#[source] handoff_tracking::LockRefused),
    /// A comparison is to begin or end with a replica that the settings do not name.
    #[error("there is no [replica] in the settings to compare: leave out --from and --to")]
    NoReplicaToCompare,
    /// A comparison is to begin where it ends.
    #[error("--from and --to name one database: leave one of them out")]
    NothingToCompare,
    /// `--adopt` was given without a table.
    #[error("--adopt takes over only tables that are named: etl run TABLE --adopt")]
    AdoptWhat,
    /// A file was given for other than one table.
    #[error("a file holds the rows of one table: etl load TABLE --from-spool FILE")]
    SpoolOfWhat,
    /// The threads could not be started.
    #[error("cannot start the worker threads")]
    Threads(#[source] rayon::ThreadPoolBuildError),
    /// A thread could not be started.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
    /// The time of the run was over before the first table.
    #[error("no table was moved: {0}")]
    OverTime(String),
    /// The run was stopped before the first table.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    /// Returns true if the caller asked for something that cannot be, as opposed to a server
    /// that refuses.
    pub fn is_usage(&self) -> bool {
        match self {
            Error::Session(error) => error.is_usage(),
            Error::NoReplicaToCompare
            | Error::NothingToCompare
            | Error::AdoptWhat
            | Error::SpoolOfWhat => true,
            _ => false,
        }
    }
}

impl From<handoff_tracking::TrackingError> for Error {
    fn from(error: handoff_tracking::TrackingError) -> Error {
        Error::Session(SessionError::Tracking(error))
    }
}

/// An error that failed one table. The others went on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The table cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The watermark columns could not be asked for.
    #[error("failed while looking for changed rows")]
    Probe(#[source] Fault),
    /// The rows that changed could not be selected.
    #[error("failed while looking for changed rows")]
    Filter(#[source] handoff_rows::Error),
    /// The replica holds no finished copy to load from.
    #[error("the replica holds no finished copy of `{}`: run `etl replicate {}` first", .0, .0.in_shell())]
    NotCopied(TableName),
    /// The databases could not be compared.
    #[error("failed while comparing")]
    Compare(#[source] handoff_verify::Error),
    /// The table has another structure in one of the databases to compare.
    #[error(
        "`{table}` cannot be compared with the {side}: {what}; run `etl run {} --full`",
        .table.in_shell()
    )]
    Structure {
        /// The table.
        table: TableName,
        /// The database whose table differs or is missing.
        side: Side,
        /// The difference in structure.
        what: String,
    },
    /// The table never arrived, so there is nothing to mend.
    #[error(
        "`{}` never arrived in full, so there is nothing to repair: run `etl run {}`",
        .0,
        .0.in_shell()
    )]
    NeverMoved(TableName),
    /// Nothing but a full copy would mend the table, and that would delete rows that it keeps.
    #[error(
        "`{table}` keeps rows that are gone from the source (deletes = \"ignore\"), and could be mended \
         by a full copy only, since {why}: `etl run {} --full --max-delete-percent 100` makes one, and \
         then they are gone",
        .table.in_shell()
    )]
    OnlyInFull {
        /// The table.
        table: TableName,
        /// The reason why its rows cannot be mended one by one.
        why: &'static str,
    },
    /// Rows differ all the same after they were mended.
    #[error(
        "{rows} rows of `{table}` still differ after two repairs; if the source is being written to, \
         repair it again when it is not"
    )]
    StillDiffers {
        /// The table.
        table: TableName,
        /// Rows that differ.
        rows: u64,
    },
    /// So many rows differ that they are not moved one by one.
    #[error(
        "so many rows of `{}` differ that everything is moved: run `etl run {} --full`",
        .0,
        .0.in_shell()
    )]
    TooMuchDiffers(TableName),
    /// The rows cannot be looked up by their key.
    #[error(
        "the rows of `{0}` cannot be looked up by a key, so they cannot be moved one by one: run `etl \
         run {0} --full`"
    )]
    NoUsableKey(TableName),
    /// More rows than are allowed would be deleted from a copy of the table.
    #[error(
        "{deleted} of the {rows} rows of `{table}` in the {side} are not in the source, more than the \
         {percent} % that max_delete_percent allows to delete: if they are to go, run `{remedy}`"
    )]
    TooManyDeletes {
        /// The table.
        table: TableName,
        /// The database that would lose them.
        side: Side,
        /// Rows that would be deleted.
        deleted: u64,
        /// Rows that are there.
        rows: u64,
        /// The most percent that may be deleted.
        percent: u8,
        /// The command that allows it.
        remedy: String,
    },
    /// Hop 1 failed.
    #[error("failed while copying")]
    Copy(#[source] handoff_replicator::Error),
    /// The table in the target could not follow the structure of the source.
    #[error(transparent)]
    Unfollowed(StructureError),
    /// Hop 2 failed.
    #[error("failed while loading")]
    Load(#[source] handoff_loader::Error),
    /// The comparison could not be made.
    #[error("failed while comparing")]
    Prove(#[source] Fault),
    /// The comparison between source and replica could not be made.
    #[error("failed while comparing source and replica")]
    ProveCopy(#[source] handoff_replicator::Error),
    /// The comparison found a difference.
    #[error("differs after the move: {0}")]
    Differs(String),
    /// The row counts are not the same.
    #[error("differs after the move: {0}")]
    Miscounted(String),
    /// The lock of the run was lost with its session, so that another run may have begun.
    #[error("the lock of the run was lost, so another run may have begun: run again")]
    LockLost,
    /// The lock of the run was lost with its session, and its server cannot be asked for it again.
    #[error("the lock of the run was lost, and cannot be asked for again yet")]
    Relock(#[source] Fault),
    /// A fault of our own.
    #[error("an internal error of Handoff; please report it: {0}")]
    Panic(String),
    /// The outcome could not be recorded.
    #[error("failed while recording the outcome")]
    Tracking(#[source] handoff_tracking::TrackingError),
    /// The run was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl TableError {
    /// Returns the phase that failed; a failure before the first hop counts to that hop.
    pub(crate) fn phase(&self) -> TablePhase {
        match self {
            TableError::Plan(error) => error.phase(),
            TableError::Load(_)
            | TableError::Unfollowed(_)
            | TableError::NotCopied(_)
            | TableError::TooManyDeletes { side: Side::Target, .. } => TablePhase::Load,
            TableError::Prove(_)
            | TableError::ProveCopy(_)
            | TableError::Differs(_)
            | TableError::Miscounted(_)
            | TableError::StillDiffers { .. } => TablePhase::Prove,
            _ => TablePhase::Copy,
        }
    }

    /// Returns the fault of a server, if that is the cause.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        match self {
            TableError::Copy(error) | TableError::ProveCopy(error) => error.fault(),
            TableError::Load(error) => error.fault(),
            TableError::Unfollowed(error) => error.fault(),
            TableError::Compare(error) => error.fault(),
            TableError::Filter(error) => error.fault(),
            TableError::Tracking(error) => error.fault(),
            TableError::Prove(fault) | TableError::Probe(fault) | TableError::Relock(fault) => {
                Some(fault)
            }
            _ => None,
        }
    }
}
