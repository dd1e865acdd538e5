//! The statements of this crate, and the errors of a server told of the table that was to be changed.

use crate::error::StructureError;
use handoff_connect::{Fault, Side};
use postgres::Transaction;

/// Tells an error of the server of the table that was to be changed.
pub(crate) trait ServerAnswer<T> {
    /// Returns the answer, or the error of the table `target`, which is quoted.
    fn of(self, target: &str) -> Result<T, StructureError>;
}

impl<T> ServerAnswer<T> for Result<T, postgres::Error> {
    fn of(self, target: &str) -> Result<T, StructureError> {
        self.map_err(|error| StructureError::Server {
            target: target.to_owned(),
            fault: Fault::pg(Side::Target, &error),
        })
    }
}

/// Runs a statement for the table `target`, which is quoted.
pub(crate) fn execute(
    tx: &mut Transaction<'_>,
    target: &str,
    statement: &str,
) -> Result<(), StructureError> {
    tx.batch_execute(statement).map_err(|error| StructureError::Refused {
        target: target.to_owned(),
        statement: statement.to_owned(),
        fault: Fault::pg(Side::Target, &error),
    })
}
