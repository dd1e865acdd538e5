//! Sums of canonical rows.

use crate::tuples::tuples;
use handoff_connect::{Fault, PgConn, Result, Side};
use handoff_model::TableSum;
use handoff_schema::{TableMapping, ddl};
use postgres::Transaction;
use std::io;
use xxhash_rust::xxh3::xxh3_128;

/// Hashes the tuple of one row, field count included.
pub fn hash_row(tuple: &[u8]) -> u128 {
    xxh3_128(tuple)
}

/// Sums the rows of a table of the target as `COPY (SELECT …) TO STDOUT (FORMAT binary)` sends them, in
/// constant memory.
///
/// # Errors
///
/// Returns a [`Fault`] if the server fails.
pub fn target_sum(
    conn: &mut PgConn,
    schema: &str,
    name: &str,
    mapping: &TableMapping,
) -> Result<TableSum> {
    let mut sum = TableSum::default();
    target_tuples(conn, schema, name, mapping, |tuple| sum.add_row(hash_row(tuple)))?;
    Ok(sum)
}

/// Sums a table of the target likewise, as a transaction sees it.
///
/// # Errors
///
/// As [`target_sum`].
pub fn target_sum_in(
    tx: &mut Transaction<'_>,
    schema: &str,
    name: &str,
    mapping: &TableMapping,
) -> Result<TableSum> {
    let mut sum = TableSum::default();
    let query = copy_out(schema, name, mapping);
    let reader = tx.copy_out(&query).map_err(|error| Fault::pg(Side::Target, &error))?;
    let read = tuples(reader, |tuple| sum.add_row(hash_row(tuple)));
    read.map(|_| sum).map_err(|error| cause(&error))
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
    mapping: &TableMapping,
    each: impl FnMut(&[u8]),
) -> Result<u64> {
    read(conn, &copy_out(schema, name, mapping), each).map_err(|error| fault(conn, &error))
}

fn copy_out(schema: &str, name: &str, mapping: &TableMapping) -> String {
    format!(
        "COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)",
        ddl::column_list(mapping),
        ddl::only(schema, name)
    )
}

fn read(conn: &mut PgConn, query: &str, each: impl FnMut(&[u8])) -> io::Result<u64> {
    tuples(conn.copy_out(query).map_err(io::Error::other)?, each)
}

/// Reduces an error of reading a COPY.
fn fault(conn: &PgConn, error: &io::Error) -> Fault {
    match server_error(error) {
        Some(error) => conn.fault(error),
        None => {
            conn.mark_broken();
            cause(error)
        }
    }
}

fn cause(error: &io::Error) -> Fault {
    match server_error(error) {
        Some(error) => Fault::pg(Side::Target, error),
        None => Fault::new(Side::Target, "the COPY stream of the server is not whole"),
    }
}

/// Returns the driver's error, which the standard library's wraps.
fn server_error(error: &io::Error) -> Option<&postgres::Error> {
    error.get_ref()?.downcast_ref::<postgres::Error>()
}
