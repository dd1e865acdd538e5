//! Sums of canonical rows.

use handoff_connect::{PgConn, Result};
use handoff_model::TableSum;
use handoff_schema::Mapping;
use xxhash_rust::xxh3::xxh3_128;

/// Hashes the tuple of one row, field count included.
pub fn hash_row(tuple: &[u8]) -> u128 {
    xxh3_128(tuple)
}

/// Sums a table of the target from what `COPY (SELECT …) TO STDOUT (FORMAT binary)` sends.
///
/// # Errors
///
/// Returns a [`Fault`](handoff_connect::Fault) if the server fails.
pub fn target_sum(
    _conn: &mut PgConn,
    _schema: &str,
    _name: &str,
    _mapping: &Mapping,
) -> Result<TableSum> {
    todo!()
}
