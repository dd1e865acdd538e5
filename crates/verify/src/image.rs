//! A row as bytes that both MySQL sides compute with one statement.

use handoff_connect::{ServerFlavor, quote_my};
use handoff_schema::{ColumnSchema, MySqlType, TableSchema};

/// Renders the hash of a row, 64 hex digits: SHA2-256 of all columns, of which each is spelled so that
/// no two rows look alike.
///
/// NULL is `-`; any other value its length in bytes, `:` and its bytes. MySQL 9 has no MD5, and a CRC
/// is no proof. The hash is NULL where the spelled row is longer than the server may make a text.
pub(crate) fn row_hash(table: &TableSchema, flavor: ServerFlavor) -> String {
    let images: Vec<String> =
        table.columns.iter().map(|column| column_image(column, flavor)).collect();
    format!("SHA2(CONCAT({}), 256)", images.join(", "))
}

fn column_image(column: &ColumnSchema, flavor: ServerFlavor) -> String {
    let (name, image) = (quote_my(column.name.as_str()), bytes(column, flavor));
    format!("IF({name} IS NULL, '-', CONCAT(LENGTH({image}), ':', {image}))")
}

/// Renders the bytes of a value: two values have the same only if they are equal.
fn bytes(column: &ColumnSchema, flavor: ServerFlavor) -> String {
    use MySqlType as M;
    let name = quote_my(column.name.as_str());
    match &column.kind {
        M::Char | M::VarChar | M::Text => format!("CONVERT({name} USING binary)"),
        // MariaDB's is a text like any other.
        M::Json if flavor == ServerFlavor::MariaDb => format!("CONVERT({name} USING binary)"),
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

#[cfg(test)]
mod tests {
    use super::*;
    #[track_caller]
    fn check(kind: &str, flavor: ServerFlavor, expected: &str) {
        assert_eq!(bytes(&ColumnSchema::of_type("c", kind).unwrap(), flavor), expected, "{kind}");
    }

    #[test]
    fn a_value_is_hashed_in_a_form_that_tells_it_from_every_other() {
        check("varchar(9)", ServerFlavor::MySql, "CONVERT(`c` USING binary)");
        check("json", ServerFlavor::MariaDb, "CONVERT(`c` USING binary)");
        check("json", ServerFlavor::MySql, "CONVERT(CONVERT(`c` USING utf8mb4) USING binary)");
        check("enum('a')", ServerFlavor::MySql, "CAST(CAST(`c` AS UNSIGNED) AS CHAR)");
        check("float", ServerFlavor::MySql, "CAST(`c` * 1e0 AS CHAR)");
        check("blob", ServerFlavor::MySql, "`c`");
    }

    #[test]
    fn a_null_and_the_length_keep_neighbouring_values_apart() {
        let columns = ["a", "b"].map(|name| ColumnSchema::of_type(name, "blob").unwrap());
        let table = TableSchema { columns: columns.into(), ..TableSchema::empty("t") };
        assert_eq!(
            row_hash(&table, ServerFlavor::MySql),
            "SHA2(CONCAT(IF(`a` IS NULL, '-', CONCAT(LENGTH(`a`), ':', `a`)), \
             IF(`b` IS NULL, '-', CONCAT(LENGTH(`b`), ':', `b`))), 256)"
        );
    }
}
