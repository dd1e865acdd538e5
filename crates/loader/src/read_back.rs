//! Summing the target's rows.

use handoff_model::TableSum;
use handoff_rows::{KeyList, hash_row, tuples};
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

/// Adds the keys of a `COPY … TO STDOUT (FORMAT binary)` to `list`.
pub(crate) fn keys(
    tx: &mut Transaction<'_>,
    statement: &str,
    list: &mut KeyList,
) -> Result<crate::error::Result<()>, postgres::Error> {
    let reader = tx.copy_out(statement)?;
    let mut added = Ok(());
    let read = tuples(reader, |tuple| {
        if added.is_ok() {
            added = list.push_tuple(tuple);
        }
    });
    if read.is_err() {
        // The transaction is aborted: the next statement fails with the cause.
        tx.batch_execute("SELECT 1")?;
    }
    Ok(added.map_err(crate::error::Error::Read))
}
