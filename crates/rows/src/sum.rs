//! Sums of canonical rows.

use crate::tuples;
use handoff_connect::{Fault, PgConn, Result, Side};
use handoff_model::TableSum;
use handoff_schema::{Mapping, ddl};
use std::io;
use xxhash_rust::xxh3::xxh3_128;

/// Hashes the tuple of one row, field count included.
pub fn hash_row(tuple: &[u8]) -> u128 {
    xxh3_128(tuple)
}

/// Sums a table of the target from what `COPY (SELECT …) TO STDOUT (FORMAT binary)` sends, in
/// constant memory.
///
/// # Errors
///
/// Returns a [`Fault`] if the server fails.
pub fn target_sum(
    conn: &mut PgConn,
    schema: &str,
    name: &str,
    mapping: &Mapping,
) -> Result<TableSum> {
    let mut sum = TableSum::default();
    target_tuples(conn, schema, name, mapping, |tuple| sum.add_row(hash_row(tuple)))?;
    Ok(sum)
}

/// Hands each row of a table of the target to `each`, as `COPY (SELECT …) TO STDOUT (FORMAT binary)`
/// sends it, and returns their number.
///
/// # Errors
///
/// Returns a [`Fault`] if the server fails.
pub fn target_tuples(
    conn: &mut PgConn,
    schema: &str,
    name: &str,
    mapping: &Mapping,
    each: impl FnMut(&[u8]),
) -> Result<u64> {
    let query = format!(
        "COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)",
        ddl::column_list(mapping),
        ddl::only(schema, name)
    );
    let read = read(conn, &query, each);
    read.map_err(|error| fault(conn, &error))
}

fn read(conn: &mut PgConn, query: &str, each: impl FnMut(&[u8])) -> io::Result<u64> {
    tuples(conn.copy_out(query).map_err(io::Error::other)?, each)
}

/// Reduces an error of reading a COPY, which the driver wraps.
fn fault(conn: &PgConn, error: &io::Error) -> Fault {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<postgres::Error>()) {
        Some(error) => conn.fault(error),
        None => {
            conn.mark_broken();
            Fault::new(Side::Target, "the COPY stream of the server is not whole")
        }
    }
}
