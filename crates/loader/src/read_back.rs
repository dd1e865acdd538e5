//! Summing what the target holds.

use handoff_model::TableSum;
use handoff_rows::{hash_row, tuples};
use postgres::Transaction;

/// Sums the rows of a `COPY … TO STDOUT (FORMAT binary)`.
pub(crate) fn sum(tx: &mut Transaction<'_>, statement: &str) -> Result<TableSum, postgres::Error> {
    let reader = tx.copy_out(statement)?;
    let mut sum = TableSum::default();
    // A copy that broke off gives another sum, and the next statement of the transaction fails
    // with the cause.
    match tuples(reader, |row| sum.add_row(hash_row(row))) {
        Ok(_) => Ok(sum),
        Err(_) => Ok(TableSum { rows: u64::MAX, hash: 0 }),
    }
}
