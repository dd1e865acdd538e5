//! The key of a table as an order to read it in.

use handoff_connect::quote_my;
use handoff_model::KeyValue;
use handoff_schema::{Column, MySqlType, TableSchema};
use mysql::Value;

/// The key of a table, and the index that keeps its order.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) columns: Vec<KeyColumn>,
    index: String,
}

/// One column of a key: how its value is fetched, and given back as a parameter without losing
/// anything.
#[derive(Debug)]
pub(super) struct KeyColumn {
    /// The column, qualified.
    pub(super) name: String,
    /// What to select.
    pub(super) select: String,
    /// What to compare the column with; holds one `?`.
    pub(super) operand: String,
}

impl Key {
    /// Returns the key of `table`, if it has one.
    pub(super) fn of(table: &TableSchema) -> Option<Key> {
        let columns = table.key()?;
        // The index whose columns these are: `TableSchema::key` chose the first.
        let index = table.indexes.iter().find(|index| {
            let parts =
                index.parts.iter().map(|part| part.column.filter(|_| part.prefix.is_none()));
            index.unique && parts.eq(columns.iter().map(|&column| Some(column)))
        })?;
        let of = |&column: &usize| KeyColumn::of(table, &table.columns[column]);
        Some(Key { columns: columns.iter().map(of).collect(), index: index.name.clone() })
    }

    /// Spells what makes the server read in the order of the key, rather than the whole table.
    pub(super) fn force_index(&self) -> String {
        format!(" FORCE INDEX ({})", quote_my(self.index.as_str()))
    }

    /// Spells the key as a select list or an order.
    pub(super) fn list(&self, part: impl Fn(&KeyColumn) -> &str) -> String {
        self.columns.iter().map(part).collect::<Vec<_>>().join(", ")
    }
}

impl KeyColumn {
    fn of(table: &TableSchema, column: &Column) -> KeyColumn {
        use MySqlType as M;
        let name = format!("{}.{}", quote_my(table.name.as_str()), quote_my(column.name.as_str()));
        let plain = name.clone();
        let (select, operand) = match &column.kind {
            // A text would be compared as a double.
            M::Decimal { precision, scale } => {
                (plain, format!("CAST(? AS DECIMAL({precision},{scale}))"))
            }
            // Ordered by index, not by label.
            M::Bit(_) | M::Enum(_) | M::Set(_) => (format!("{name} + 0"), "?".to_owned()),
            M::Char | M::VarChar | M::Text | M::Json => {
                (format!("CAST({name} AS BINARY)"), text_operand(column))
            }
            M::Binary(_) | M::VarBinary | M::Blob => (plain, "CAST(? AS BINARY)".to_owned()),
            M::Uuid => (plain, "CAST(? AS UUID)".to_owned()),
            M::Inet4 => (plain, "CAST(? AS INET4)".to_owned()),
            M::Inet6 => (plain, "CAST(? AS INET6)".to_owned()),
            _ => (plain, "?".to_owned()),
        };
        KeyColumn { name, select, operand }
    }
}

/// Spells a text parameter that is compared in the column's own character set and collation.
fn text_operand(column: &Column) -> String {
    let charset = quote_my(column.charset.as_deref().unwrap_or("utf8mb4"));
    let text = format!("CONVERT(CAST(? AS BINARY) USING {charset})");
    match &column.collation {
        Some(collation) => format!("{text} COLLATE {}", quote_my(collation.as_str())),
        None => text,
    }
}

/// Turns a bound of a range into a parameter.
pub(super) fn parameter(value: &KeyValue) -> Value {
    match *value {
        KeyValue::Int(number) => Value::Int(number),
        KeyValue::UInt(number) => Value::UInt(number),
        KeyValue::Float(number) => Value::Float(number),
        KeyValue::Double(number) => Value::Double(number),
        KeyValue::Bytes(ref bytes) => Value::Bytes(bytes.clone()),
        KeyValue::DateTime(year, month, day, hour, minute, second, micro) => {
            Value::Date(year, month, day, hour, minute, second, micro)
        }
        KeyValue::Time(negative, days, hours, minutes, seconds, micro) => {
            Value::Time(negative, days, hours, minutes, seconds, micro)
        }
    }
}
