//! Summing what the target holds.

use crate::tuple;
use handoff_model::TableSum;
use handoff_rows::{COPY_HEADER, hash_row};
use postgres::Transaction;
use std::io::Read;

/// Sums the rows of a `COPY … TO STDOUT (FORMAT binary)` that is known to be small.
pub(crate) fn sum(tx: &mut Transaction<'_>, statement: &str) -> Result<TableSum, postgres::Error> {
    let mut stream = Vec::new();
    let mut reader = tx.copy_out(statement)?;
    let mut sum = TableSum::default();
    // What the reader reports is what ended the copy: the sum then differs, and the next
    // statement of the transaction fails with the cause.
    if reader.read_to_end(&mut stream).is_err() {
        return Ok(sum);
    }
    let mut rest = stream.get(COPY_HEADER.len()..).unwrap_or_default();
    while let Some((row, behind)) = tuple::split(rest) {
        sum.add_row(hash_row(row));
        rest = behind;
    }
    Ok(sum)
}
