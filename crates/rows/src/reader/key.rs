//! The key of a table as an order to read it in.
//!
//! The end of a range is a row value that goes back to the server as a parameter, and it must arrive
//! unchanged: a parameter that the server changes on its way skips rows, or reads them twice.

use handoff_connect::quote_my;
use handoff_model::{ColumnName, KeyValue};
use handoff_schema::{ColumnSchema, MySqlType, TableSchema, TextEncoding};
use mysql::Value;

/// The key of a table, and the index that keeps its order.
#[derive(Debug)]
pub(super) struct TableKey {
    pub(super) columns: Vec<KeyColumn>,
    index: String,
}

/// One column of a key: how its value is fetched, and given back as a parameter without losing
/// anything.
#[derive(Debug)]
pub(super) struct KeyColumn {
    source: ColumnName,
    /// The column, qualified.
    pub(super) name: String,
    /// The expression to select.
    select: String,
    /// The operand to compare the column with; holds one `?`.
    pub(super) operand: String,
    /// True if greater values come first.
    pub(super) descending: bool,
    validity: TextValidity,
}

/// The test of whether the server takes a text back as it gave it: it checks every
/// text, and makes `?` or NULL of an invalid one.
#[derive(Debug)]
enum TextValidity {
    /// The server always does.
    Always,
    /// The server does if the text is UTF-8.
    Utf8,
    /// The server does if the text is ASCII.
    Ascii,
    /// The server has to be asked, with this expression.
    Asked(String),
}

impl TableKey {
    /// Returns the key of `table`, if it has one.
    pub(super) fn of(table: &TableSchema) -> Option<TableKey> {
        let columns = table.key()?;
        // The index whose columns these are: `TableSchema::key` chose the first.
        let index = table.indexes.iter().find(|index| {
            let parts =
                index.parts.iter().map(|part| part.column.filter(|_| part.prefix.is_none()));
            index.unique && parts.eq(columns.iter().map(|&column| Some(column)))
        })?;
        let mut key = TableKey { columns: Vec::new(), index: index.name.clone() };
        for (&column, part) in columns.iter().zip(&index.parts) {
            key.columns.push(KeyColumn::of(table, &table.columns[column], part.descending));
        }
        Some(key)
    }

    /// Renders the hint by which the server reads in the order of the key, rather than the whole table.
    pub(super) fn force_index(&self) -> String {
        format!(" FORCE INDEX ({})", quote_my(self.index.as_str()))
    }

    /// Renders the hint by which the server reads the table rather than the key.
    pub(super) fn ignore_index(&self) -> String {
        format!(" IGNORE INDEX ({})", quote_my(self.index.as_str()))
    }

    /// Renders the order: that of the index, which no server has to sort for.
    pub(super) fn order_by(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(KeyColumn::order).collect();
        format!(" ORDER BY {}", names.join(", "))
    }

    /// Renders the expressions to select for [`TableKey::key_position`].
    pub(super) fn select_list(&self) -> String {
        let values = self.columns.iter().map(|column| &*column.select);
        let questions = self.columns.iter().filter_map(|column| column.validity.question());
        values.chain(questions).collect::<Vec<_>>().join(", ")
    }

    /// Returns the place of a row in the order, from what the list selects.
    ///
    /// Fails with the name of a column whose value the server would not take back as it is.
    pub(super) fn key_position(&self, mut row: Vec<Value>) -> Result<Vec<Value>, &ColumnName> {
        let mut answers = row.split_off(self.columns.len()).into_iter();
        for (column, value) in self.columns.iter().zip(&row) {
            let valid = match (&column.validity, value) {
                (TextValidity::Utf8, Value::Bytes(text)) => {
                    simdutf8::basic::from_utf8(text).is_ok()
                }
                (TextValidity::Ascii, Value::Bytes(text)) => text.is_ascii(),
                (TextValidity::Asked(_), _) => answers.next() == Some(Value::Int(1)),
                _ => true,
            };
            if !valid {
                return Err(&column.source);
            }
        }
        Ok(row)
    }
}

impl KeyColumn {
    fn of(table: &TableSchema, column: &ColumnSchema, descending: bool) -> KeyColumn {
        use MySqlType as M;
        let name = format!("{}.{}", quote_my(table.name.as_str()), quote_my(column.name.as_str()));
        let mut validity = TextValidity::Always;
        let (select, operand) = match &column.kind {
            // A text would be compared as a double.
            M::Decimal { precision, scale } => {
                (name.clone(), format!("CAST(? AS DECIMAL({precision},{scale}))"))
            }
            // Ordered by index, not by label; for such a column neither server uses the index to find
            // the beginning of a range, only to keep the order.
            M::Bit(_) | M::Enum(_) | M::Set(_) => (format!("{name} + 0"), "?".to_owned()),
            M::Char | M::VarChar | M::Text | M::Json => {
                validity = TextValidity::of(column, &name);
                (in_binary(&name), text_operand(column))
            }
            M::Binary(_) | M::VarBinary | M::Blob => (name.clone(), in_binary("?")),
            M::Uuid => (name.clone(), "CAST(? AS UUID)".to_owned()),
            M::Inet4 => (name.clone(), "CAST(? AS INET4)".to_owned()),
            M::Inet6 => (name.clone(), "CAST(? AS INET6)".to_owned()),
            _ => (name.clone(), "?".to_owned()),
        };
        KeyColumn { source: column.name.clone(), name, select, operand, descending, validity }
    }

    fn order(&self) -> String {
        let order = if self.descending { " DESC" } else { "" };
        format!("{}{order}", self.name)
    }
}

impl TextValidity {
    fn of(column: &ColumnSchema, name: &str) -> TextValidity {
        match column.text_encoding() {
            None | Some(TextEncoding::Latin1) => TextValidity::Always,
            Some(TextEncoding::Utf8) => TextValidity::Utf8,
            Some(TextEncoding::Ascii) => TextValidity::Ascii,
            Some(TextEncoding::Server) => {
                let bytes = in_binary(name);
                let back = in_binary(&in_charset(&bytes, column));
                TextValidity::Asked(format!("COALESCE({back} = {bytes}, 0)"))
            }
        }
    }

    fn question(&self) -> Option<&str> {
        match self {
            TextValidity::Asked(question) => Some(question),
            _ => None,
        }
    }
}

/// Renders the bytes of a text. Not by CAST: see the expressions of the encoder.
fn in_binary(text: &str) -> String {
    format!("CONVERT({text} USING binary)")
}

fn in_charset(bytes: &str, column: &ColumnSchema) -> String {
    let charset = quote_my(column.charset.as_deref().unwrap_or("utf8mb4"));
    format!("CONVERT({bytes} USING {charset})")
}

/// Renders a text parameter that is compared in the column's own character set and collation.
fn text_operand(column: &ColumnSchema) -> String {
    let text = in_charset(&in_binary("?"), column);
    match &column.collation {
        Some(collation) => format!("{text} COLLATE {}", quote_my(collation.as_str())),
        None => text,
    }
}

/// Returns the operand that a value of each column of the table's key is compared with, or stored as, without
/// being changed: an expression with one `?`, which takes [`key_parameter`](crate::key_parameter).
/// [`None`] if the table has no key.
pub fn key_operands(table: &TableSchema) -> Option<Vec<String>> {
    Some(TableKey::of(table)?.columns.into_iter().map(|column| column.operand).collect())
}

/// Renders the hint by which the server uses the index of the table's key; [`None`] if it has no key.
pub fn force_key_index(table: &TableSchema) -> Option<String> {
    Some(TableKey::of(table)?.force_index())
}

/// Turns a value of a key into a parameter.
pub fn parameter(value: &KeyValue) -> Value {
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

/// Turns the value of a key's column into a bound of a range; [`None`] for NULL.
pub(super) fn key_value(value: Value) -> Option<KeyValue> {
    Some(match value {
        Value::NULL => return None,
        Value::Int(number) => KeyValue::Int(number),
        Value::UInt(number) => KeyValue::UInt(number),
        Value::Float(number) => KeyValue::Float(number),
        Value::Double(number) => KeyValue::Double(number),
        Value::Bytes(bytes) => KeyValue::Bytes(bytes),
        Value::Date(year, month, day, hour, minute, second, micro) => {
            KeyValue::DateTime(year, month, day, hour, minute, second, micro)
        }
        Value::Time(negative, days, hours, minutes, seconds, micro) => {
            KeyValue::Time(negative, days, hours, minutes, seconds, micro)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{IndexPart, IndexSchema};

    fn table(columns: Vec<ColumnSchema>) -> TableSchema {
        let columns: Vec<_> =
            columns.into_iter().map(|column| ColumnSchema { nullable: false, ..column }).collect();
        let part =
            |column| IndexPart { column: Some(column), prefix: None, descending: column > 0 };
        let parts = (0..columns.len()).map(part).collect();
        let indexes = vec![IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts }];
        TableSchema { columns, indexes, ..TableSchema::empty("t") }
    }

    fn text(charset: &str) -> ColumnSchema {
        let (charset, collation) = (Some(charset.to_owned()), Some("c".to_owned()));
        ColumnSchema { charset, collation, ..ColumnSchema::of_type("a", "varchar(9)").unwrap() }
    }

    #[test]
    fn a_key_is_read_in_the_order_of_its_index() {
        let columns = [("a", "int"), ("b", "decimal(9,2)")];
        let table =
            table(columns.map(|(name, kind)| ColumnSchema::of_type(name, kind).unwrap()).into());
        let key = TableKey::of(&table).unwrap();
        assert_eq!(key.order_by(), " ORDER BY `t`.`a`, `t`.`b` DESC");
        assert_eq!(force_key_index(&table).unwrap(), " FORCE INDEX (`PRIMARY`)");
        assert_eq!(key.ignore_index(), " IGNORE INDEX (`PRIMARY`)");
        assert_eq!(key_operands(&table).unwrap(), ["?", "CAST(? AS DECIMAL(9,2))"]);
        assert!(TableKey::of(&TableSchema { indexes: Vec::new(), ..table }).is_none());
    }

    #[test]
    fn a_text_that_the_server_would_change_ends_no_range() {
        let place = |charset: &str, bytes: &[u8]| {
            let key = TableKey::of(&table(vec![text(charset)])).unwrap();
            key.key_position(vec![Value::Bytes(bytes.to_vec())]).map_err(ToString::to_string)
        };
        assert!(place("utf8mb4", "é".as_bytes()).is_ok());
        assert_eq!(place("utf8mb4", b"\xe9"), Err("a".to_owned()));
        assert!(place("latin1", b"\xe9").is_ok());
        assert!(place("ascii", b"e").is_ok());
        assert_eq!(place("ascii", b"\xe9"), Err("a".to_owned()));
    }

    #[test]
    fn a_character_set_that_only_the_server_knows_is_asked_about() {
        let key = TableKey::of(&table(vec![text("cp932")])).unwrap();
        assert!(key.select_list().contains("COALESCE("), "{}", key.select_list());
        let place = |answer| key.key_position(vec![Value::Bytes(vec![0x81]), Value::Int(answer)]);
        assert_eq!(place(1).unwrap(), [Value::Bytes(vec![0x81])]);
        assert!(place(0).is_err());
    }

    #[test]
    fn every_value_of_a_key_comes_back_as_it_went() {
        for value in [
            Value::Int(-1),
            Value::UInt(u64::MAX),
            Value::Double(0.5),
            Value::Bytes(vec![0, 255]),
            Value::Date(2024, 2, 29, 1, 2, 3, 4),
            Value::Time(true, 34, 22, 59, 59, 5),
        ] {
            assert_eq!(parameter(&key_value(value.clone()).unwrap()), value);
        }
        assert_eq!(key_value(Value::NULL), None);
    }
}
