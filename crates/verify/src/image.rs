//! A row as bytes that both MySQL sides compute with one statement.

use handoff_connect::{Flavor, quote_my};
use handoff_schema::{Column, MySqlType, TableSchema};

/// Renders the hash of a row, 64 hex digits: SHA2-256 of all columns, of which each is spelled so that
/// no two rows look alike.
///
/// NULL is `-`; any other value its length in bytes, `:` and its bytes. MySQL 9 has no MD5, and a CRC
/// is no proof. The hash is NULL where the spelled row is longer than the server may make a text.
pub(crate) fn row_hash(table: &TableSchema, flavor: Flavor) -> String {
    let spelled: Vec<String> = table.columns.iter().map(|column| spell(column, flavor)).collect();
    format!("SHA2(CONCAT({}), 256)", spelled.join(", "))
}

fn spell(column: &Column, flavor: Flavor) -> String {
    let bytes = bytes(column, flavor);
    let name = quote_my(column.name.as_str());
    format!("IF({name} IS NULL, '-', CONCAT(LENGTH({bytes}), ':', {bytes}))")
}

/// Renders what of a value differs wherever the value does.
fn bytes(column: &Column, flavor: Flavor) -> String {
    use MySqlType as M;
    let name = quote_my(column.name.as_str());
    match &column.kind {
        M::Char | M::VarChar | M::Text => format!("CONVERT({name} USING binary)"),
        // MariaDB's is a text like any other.
        M::Json if flavor == Flavor::MariaDb => format!("CONVERT({name} USING binary)"),
        M::Json => format!("CONVERT(CONVERT({name} USING utf8mb4) USING binary)"),
        M::Binary(_) | M::VarBinary | M::Blob => name,
        // By number: two labels may look alike.
        M::Enum(_) | M::Set(_) | M::Bit(_) => format!("CAST(CAST({name} AS UNSIGNED) AS CHAR)"),
        // A FLOAT as text has six digits, a DOUBLE all of them; a sum would lose the sign of zero.
        M::Float => format!("CAST({name} * 1e0 AS CHAR)"),
        M::Geometry | M::Vector(_) => format!("HEX({name})"),
        _ => format!("CAST({name} AS CHAR)"),
    }
}
