//! The reasons why a table cannot be planned.

use crate::target_fit::TargetRefusal;
use crate::window::NoWindow;
use handoff_model::{TableName, TablePhase};
use handoff_structure::StructureError;

/// The reason why a table cannot be planned. The others can.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The table cannot be described or mapped.
    #[error("cannot be moved")]
    Schema(#[from] handoff_schema::SchemaError),
    /// The source's account may not read all of the table.
    #[error(
        "the source's account may not read `{table}` in full, whose last good rows stay as they \
         are: {statement}"
    )]
    Denied {
        /// The table.
        table: TableName,
        /// The statement that lets it.
        statement: String,
    },
    /// Something in the replica has the table's name, and is no table of rows.
    #[error(
        "the replica has a {what} called `{table}`, which is not touched: once nobody needs it there, \
         {statement}"
    )]
    InTheWay {
        /// The table.
        table: TableName,
        /// The thing that has its name.
        what: String,
        /// The statement that makes room.
        statement: String,
    },
    /// Two tables of the source are one to the replica's server.
    #[error(
        "`{table}` and `{other}` are one table to the replica's server (lower_case_table_names): leave \
         one of them out with `exclude`, or leave out [replica]"
    )]
    SameName {
        /// The table.
        table: TableName,
        /// The other one.
        other: TableName,
    },
    /// A table of that name is there that Handoff did not make.
    #[error("{0}")]
    NotOurs(String),
    /// The table cannot go into the target as that is.
    #[error(transparent)]
    Target(TargetRefusal),
    /// The table in the target cannot follow the structure of the source.
    #[error(transparent)]
    Unfollowed(StructureError),
    /// The table is something else in the source now.
    #[error(
        "`{table}` was a table when it was loaded last, and is a {kind} in the source now, which is not moved: its \
         last rows stay in the target; name it in `exclude`, and drop or replace it there yourself"
    )]
    Turned {
        /// The table.
        table: TableName,
        /// The kind of thing that it is now.
        kind: String,
    },
    /// The changed rows of the table cannot be found as the settings say.
    #[error("the settings of {} do not fit the table: {problem}", .table.section())]
    NoWindow {
        /// The table.
        table: TableName,
        /// The misfit, and the remedy.
        problem: NoWindow,
    },
}

impl PlanError {
    /// Returns the phase that would fail.
    pub fn phase(&self) -> TablePhase {
        match self {
            PlanError::Target(_) | PlanError::Unfollowed(_) => TablePhase::Load,
            _ => TablePhase::Copy,
        }
    }
}
