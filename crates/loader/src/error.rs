//! The errors of a load.

use handoff_connect::Fault;
use handoff_model::TableName;
use handoff_schema::TargetMisfit;
use std::path::PathBuf;

/// A result whose error is this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why a table could not be loaded. The target table is as it was before.
///
/// Messages name tables, columns, row ordinals, types, and keys where those are integers, uuids
/// or dates. They never hold another value read from a row, so they are safe to log.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The rows could not be read or encoded.
    #[error(transparent)]
    Read(#[from] handoff_rows::Error),
    /// PostgreSQL stopped answering, or refused a row, while rows were moved.
    #[error("cannot write `{table}` (after {rows} rows)")]
    Write {
        /// The table being loaded.
        table: TableName,
        /// Rows sent before the failure.
        rows: u64,
        /// The server's error.
        #[source]
        fault: Fault,
    },
    /// A step before or after the moving failed.
    #[error("cannot {step} `{table}`")]
    Step {
        /// The table being loaded.
        table: TableName,
        /// The action that failed, such as "publish".
        step: &'static str,
        /// The server's error.
        #[source]
        fault: Fault,
    },
    /// Rows cannot be loaded into the table that the target has: it is of another structure, or something about it
    /// hides rows from us, changes our rows, or passes our statements on.
    #[error("{0}")]
    Unfit(Box<TargetMisfit>),
    /// The target has a table that its catalogue lacked when it was read: the commit of an earlier
    /// attempt was not answered, or somebody made it.
    ///
    /// Read the catalogue again and load into what is there. Where it still has no such table, the
    /// name belongs to an index, a sequence or a type.
    #[error("the target table {target} is there, though it was not when this run looked")]
    TargetAppeared {
        /// The table being loaded.
        table: TableName,
        /// The table in the target, quoted, with its schema.
        target: String,
    },
    /// Somebody changed the structure of the table that was read.
    #[error(
        "the structure of `{table}` was changed since this run read the catalogue, so it was not \
         loaded: run the table again"
    )]
    Changed {
        /// The table being loaded.
        table: TableName,
    },
    /// An incremental load has no key to find the rows by.
    #[error(
        "`{table}` has no key, so changed rows cannot be found in the target: \
         set extraction = \"full_table\" under {}",
        .table.section()
    )]
    NoKey {
        /// The table being loaded.
        table: TableName,
    },
    /// Some rows were to be loaded into a table that is not there.
    #[error(
        "only some rows of `{table}` were to be loaded, and the target has no such table yet: load \
         it in full (etl run {} --full)",
        .table.in_shell()
    )]
    NothingThere {
        /// The table being loaded.
        table: TableName,
    },
    /// A row is too large for the memory that the run may use.
    #[error(
        "`{table}`, row with the key {key}: {bytes} bytes are more than a quarter of the memory \
         limit ({limit}): raise memory_limit_mb under [run]"
    )]
    RowTooLarge {
        /// The table being loaded.
        table: TableName,
        /// The row's key as far as it may be shown.
        key: String,
        /// The size of the row.
        bytes: usize,
        /// The most that a row may have.
        limit: usize,
    },
    /// The server holds another number of rows than was sent.
    #[error("`{table}`: {sent} rows were sent, but {landed} are there {place}")]
    Miscount {
        /// The table being loaded.
        table: TableName,
        /// Rows sent.
        sent: u64,
        /// Rows the server counts.
        landed: u64,
        /// The place of the count, such as "after the copy".
        place: &'static str,
    },
    /// The file that rows go through could not be written or read.
    #[error("`{table}`: cannot {doing} the spool file in {}: {problem}{remedy}", folder.display())]
    Spool {
        /// The table being loaded.
        table: TableName,
        /// The action that failed, such as "write".
        doing: &'static str,
        /// The folder, or the file that was to be loaded again.
        folder: PathBuf,
        /// The system's error.
        problem: String,
        /// The remedy, where one is known.
        remedy: &'static str,
    },
    /// A file that was to be loaded again is not the one that was kept of this table.
    #[error("`{table}` cannot be loaded from {}: {problem}", path.display())]
    NotThisSpool {
        /// The table being loaded.
        table: TableName,
        /// The file.
        path: PathBuf,
        /// The defect of the file.
        problem: String,
    },
    /// Tables of dead runs could not be listed or dropped.
    #[error("cannot remove the leftovers of an earlier run from the target")]
    Leftovers(#[source] Fault),
    /// The run was asked to stop; the target table is unchanged.
    #[error("cancelled while loading `{table}`")]
    Cancelled {
        /// The table being loaded.
        table: TableName,
    },
}

impl Error {
    /// Returns the table that could not be loaded, where one is concerned.
    pub fn table(&self) -> Option<&TableName> {
        use handoff_rows::Error as Rows;
        match self {
            Error::Read(
                Rows::Read { table, .. }
                | Rows::Value { table, .. }
                | Rows::Filter { table, .. }
                | Rows::Keys { table, .. },
            )
            | Error::Write { table, .. }
            | Error::Step { table, .. }
            | Error::TargetAppeared { table, .. }
            | Error::Changed { table }
            | Error::NoKey { table }
            | Error::NothingThere { table }
            | Error::RowTooLarge { table, .. }
            | Error::Miscount { table, .. }
            | Error::Spool { table, .. }
            | Error::NotThisSpool { table, .. }
            | Error::Cancelled { table } => Some(table),
            Error::Read(error) => error.table(),
            Error::Unfit(misfit) => Some(&misfit.table),
            Error::Leftovers(_) => None,
        }
    }

    /// Returns the server's error, if a server failed.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Error::Read(error) => error.fault(),
            Error::Write { fault, .. } | Error::Step { fault, .. } | Error::Leftovers(fault) => {
                Some(fault)
            }
            _ => None,
        }
    }

    /// Returns true if the same load may succeed when tried again unchanged.
    pub fn is_transient(&self) -> bool {
        self.fault().is_some_and(Fault::is_transient)
    }

    /// Returns true if the target has a table that the job took for missing. The same load fails
    /// again; one with a freshly read [`LoadJob::target`](crate::LoadJob::target) may succeed.
    pub fn is_target_appeared(&self) -> bool {
        matches!(self, Error::TargetAppeared { .. })
    }

    /// Returns true if the run was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Error::Cancelled { .. } => true,
            Error::Read(error) => error.is_cancelled(),
            _ => false,
        }
    }
}
