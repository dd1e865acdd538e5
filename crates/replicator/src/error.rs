//! The errors of a copy.

use handoff_connect::{Fault, ServerVersion, Side};
use handoff_model::{Cancelled, TableName};
use std::fmt;

/// A result whose error is this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why a table, or a pair of databases, could not be copied. Never holds a row's value.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The two servers are of different families.
    #[error(
        "the source is {source_version} and the replica is {replica_version}, which cannot hold a \
         byte-exact copy of it: leave out [replica], or use a server of the source's kind there"
    )]
    Unlike {
        /// The source's server.
        source_version: ServerVersion,
        /// The replica's server.
        replica_version: ServerVersion,
    },
    /// The replica's server is older than the source's.
    #[error(
        "the source is {source_version} and the replica is {replica_version}, which is older: use \
         the source's version or a newer one there, or leave out [replica]"
    )]
    Older {
        /// The source's server.
        source_version: ServerVersion,
        /// The replica's server.
        replica_version: ServerVersion,
    },
    /// Both addresses lead to one database.
    #[error(
        "the source and the replica are one and the same database: give [replica] a database of \
         its own, or leave it out"
    )]
    SameDatabase,
    /// A server failed at something that belongs to no table.
    #[error("cannot {action}")]
    Server {
        /// The action that failed.
        action: &'static str,
        /// The server's error.
        #[source]
        fault: Fault,
    },
    /// A server failed at one step of a table's copy.
    #[error("cannot {stage} `{table}` (after {rows} rows)")]
    Table {
        /// The table.
        table: TableName,
        /// The step.
        stage: CopyStage,
        /// Rows sent before.
        rows: u64,
        /// The server's error.
        #[source]
        fault: Fault,
    },
    /// The source could not be read.
    #[error(transparent)]
    Rows(handoff_rows::Error),
    /// The source's definition of the table is of a form that is not understood.
    #[error("the definition of `{table}` cannot be understood: {problem}")]
    Definition {
        /// The table.
        table: TableName,
        /// The oddity.
        problem: &'static str,
    },
    /// Somebody changed the table's structure.
    #[error(
        "the structure of `{table}` was changed since this run read the catalogue, so it was not \
         copied: run the table again"
    )]
    Changed {
        /// The table.
        table: TableName,
    },
    /// Some rows of a table were asked for that has nothing to merge them into.
    #[error(
        "only the changed rows of `{table}` were to be copied, and {problem}: copy it in full (etl \
         run {} --full)",
        .table.in_shell()
    )]
    NotMergeable {
        /// The table.
        table: TableName,
        /// The obstacle.
        problem: &'static str,
    },
    /// The changed rows collide with others.
    #[error(
        "the changed rows of `{table}` collide with rows that were not read{}: copy it in full \
         (etl run {} --full)",
        key.as_ref().map(|key| format!(" (unique key `{key}`)")).unwrap_or_default(),
        .table.in_shell()
    )]
    MergeConflict {
        /// The table.
        table: TableName,
        /// The unique key that was violated, where the server named it.
        key: Option<String>,
    },
    /// The replica left rows out.
    #[error("{sent} rows of `{table}` were sent and {arrived} arrived: the replica refused some")]
    RowsLost {
        /// The table.
        table: TableName,
        /// Rows sent.
        sent: u64,
        /// Rows that the replica says it took.
        arrived: u64,
    },
    /// The replica warned, and holds other rows than were sent.
    #[error(
        "the replica changed values of `{table}` ({warnings} warnings): its rows are not the \
         source's"
    )]
    ValuesChanged {
        /// The table.
        table: TableName,
        /// Warnings counted.
        warnings: u64,
    },
    /// The labels of an ENUM or SET differ from those that the source's server prints.
    #[error(
        "`{table}`.{column} has a label with a character beyond U+FFFF, which the source's server \
         does not tell, so the replica cannot have it: leave out [replica], or rename the label"
    )]
    Labels {
        /// The table.
        table: TableName,
        /// The column, quoted.
        column: String,
    },
    /// One row does not fit into a packet.
    #[error(
        "row {row} of `{table}` does not fit into the max_allowed_packet of the {side} ({limit} \
         bytes): run there SET GLOBAL max_allowed_packet = {wanted}, and set it in the server's \
         configuration"
    )]
    RowTooLarge {
        /// The table.
        table: TableName,
        /// The ordinal of the row in this read, from 1.
        row: u64,
        /// The side whose limit it is.
        side: Side,
        /// The limit in bytes.
        limit: usize,
        /// The limit to set, in bytes.
        wanted: u64,
    },
    /// The run was asked to stop.
    #[error("cancelled while copying `{table}`")]
    Cancelled {
        /// The table.
        table: TableName,
    },
}

/// A step of a table's copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyStage {
    /// Reading the source's definition.
    Describe,
    /// Making the shadow.
    Create,
    /// Making the table in which changed rows are gathered.
    Gather,
    /// Emptying the table, in [`PublishMode::InTransaction`](crate::PublishMode::InTransaction).
    Empty,
    /// Writing rows.
    Write,
    /// Reading back the rows that were written.
    ReadBack,
    /// Building the secondary indexes.
    Index,
    /// Replacing the changed rows, in [`PublishMode::Merge`](crate::PublishMode::Merge).
    Merge,
    /// Renaming the shadow into place, or committing.
    Publish,
    /// Deciding whether the copy may be published.
    Check,
    /// Recording the copy.
    Seal,
    /// Dropping the table that was replaced.
    DropOld,
    /// Comparing source and replica.
    Compare,
}

impl fmt::Display for CopyStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CopyStage::Describe => "read the definition of",
            CopyStage::Create => "make the shadow of",
            CopyStage::Gather => "make the staging table of",
            CopyStage::Empty => "empty",
            CopyStage::Write => "write",
            CopyStage::ReadBack => "read back",
            CopyStage::Index => "build the indexes of",
            CopyStage::Merge => "merge the changed rows into",
            CopyStage::Publish => "swap in the copy of",
            CopyStage::Check => "check the copy of",
            CopyStage::Seal => "record the copy of",
            CopyStage::DropOld => "drop the old table behind",
            CopyStage::Compare => "compare",
        })
    }
}

impl Error {
    /// Returns true if the same copy may succeed when tried again unchanged.
    pub fn is_transient(&self) -> bool {
        self.fault().is_some_and(Fault::is_transient)
    }

    /// Returns true if the copy ended because the run was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Error::Cancelled { .. } => true,
            Error::Rows(error) => error.is_cancelled(),
            _ => false,
        }
    }

    /// Returns true if rows of the replica that were not read stand in the way of a merge: a full
    /// copy of the table, in the same run, puts them right.
    ///
    /// Such a row is gone from the source, and one that was read has its unique value now; or the
    /// source was written to while a table without transactions was read.
    pub fn is_merge_conflict(&self) -> bool {
        matches!(self, Error::MergeConflict { .. })
    }

    /// Returns the table that failed, if the error belongs to one.
    pub fn table(&self) -> Option<&TableName> {
        match self {
            Error::Table { table, .. }
            | Error::Definition { table, .. }
            | Error::Changed { table }
            | Error::NotMergeable { table, .. }
            | Error::MergeConflict { table, .. }
            | Error::RowsLost { table, .. }
            | Error::ValuesChanged { table, .. }
            | Error::Labels { table, .. }
            | Error::RowTooLarge { table, .. }
            | Error::Cancelled { table } => Some(table),
            Error::Rows(error) => error.table(),
            _ => None,
        }
    }

    /// Returns the server's error, if a server failed.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Error::Server { fault, .. } | Error::Table { fault, .. } => Some(fault),
            Error::Rows(error) => error.fault(),
            _ => None,
        }
    }

    /// Returns true if the replica refused `LOCAL`: MariaDB, old MySQL, MySQL.
    pub(crate) fn is_local_refused(&self) -> bool {
        let code = self.fault().and_then(Fault::code);
        matches!(code, Some("4166" | "1148" | "3948"))
    }

    /// Returns the unique key of which a server refused a second row with the same value, if that is
    /// what it refused.
    pub(crate) fn duplicate(&self) -> Option<Option<String>> {
        let fault = self.fault()?;
        let refused = matches!(fault.code(), Some("1022" | "1062" | "1586"));
        refused.then(|| fault.constraint().map(str::to_owned))
    }

    /// Returns true if the account lacks the right to the statement.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self.fault().and_then(Fault::code), Some("1044" | "1142" | "1143"))
    }
}

impl From<handoff_rows::Error> for Error {
    fn from(error: handoff_rows::Error) -> Error {
        Error::Rows(error)
    }
}

/// The stage of a table's copy at which a fault came, for `map_err`.
#[derive(Clone, Copy)]
pub(crate) struct FaultContext<'a> {
    pub(crate) table: &'a TableName,
    pub(crate) stage: CopyStage,
    pub(crate) rows: u64,
}

impl FaultContext<'_> {
    pub(crate) fn error(self, fault: Fault) -> Error {
        Error::Table { table: self.table.clone(), stage: self.stage, rows: self.rows, fault }
    }
}

/// Makes the error of a server that failed at `action`, which belongs to no table.
pub(crate) fn server_failed(action: &'static str) -> impl Fn(Fault) -> Error + Copy {
    move |fault| Error::Server { action, fault }
}

/// Makes the error for a run that was asked to stop while `table` was copied.
pub(crate) fn cancelled(table: &TableName) -> impl Fn(Cancelled) -> Error {
    move |_| Error::Cancelled { table: table.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mysql::{Error as DriverError, MySqlError};

    fn table() -> TableName {
        TableName::new("t").unwrap()
    }

    fn failed(code: u16, message: &str) -> Error {
        let (state, message) = ("HY000".to_owned(), message.to_owned());
        let error = DriverError::MySqlError(MySqlError { state, message, code });
        let stage = CopyStage::Write;
        let at = FaultContext { table: &table(), stage, rows: 5 };
        at.error(Fault::my(Side::Replica, &error))
    }

    #[test]
    fn refusals_of_a_server_are_told_apart_by_their_codes() {
        assert_eq!(failed(1064, "x").to_string(), "cannot write `t` (after 5 rows)");
        assert!(failed(3948, "x").is_local_refused() && failed(4166, "x").is_local_refused());
        assert!(failed(1142, "x").is_denied() && !failed(1064, "x").is_denied());
        assert!(!failed(1064, "x").is_local_refused());
        assert_eq!(failed(1064, "x").duplicate(), None);
        assert!(failed(1062, "Duplicate entry '1' for key 'u'").duplicate().is_some());
    }

    #[test]
    fn only_a_conflict_asks_for_a_full_copy() {
        let conflict = Error::MergeConflict { table: table(), key: Some("u".to_owned()) };
        assert!(conflict.is_merge_conflict() && !conflict.is_cancelled());
        assert!(conflict.to_string().contains("(unique key `u`)"), "{conflict}");
        let stopped = cancelled(&table())(Cancelled);
        assert!(stopped.is_cancelled() && !stopped.is_transient());
        assert_eq!(stopped.table(), Some(&table()));
        assert_eq!(server_failed("look")(Fault::new(Side::Source, "x")).table(), None);
    }
}
