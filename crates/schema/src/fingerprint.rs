//! The fingerprint of a table's structure.

use crate::{ColumnSchema, MySqlType, TableSchema};
use xxhash_rust::xxh3::Xxh3;

/// Goes up when the description below changes its meaning.
const VERSION: u8 = 1;

impl TableSchema {
    /// Returns a hash of the structure: engine, columns in order with all that decides their
    /// values, and the key. The same in every run, process and build.
    ///
    /// Rows, sizes, further indexes, defaults, display widths of integers and the two names of
    /// utf8mb3 do not count: none of them calls for another copy.
    pub fn fingerprint(&self) -> u64 {
        let mut description = Description(Xxh3::new());
        description.0.update(&[VERSION]);
        description.text(self.engine.name());
        description.flag(self.system_versioned);
        description.number(self.columns.len());
        for column in &self.columns {
            description.column(column);
        }
        for index in self.key().unwrap_or_default() {
            description.number(index);
        }
        description.0.digest()
    }
}

struct Description(Xxh3);

impl Description {
    fn column(&mut self, column: &ColumnSchema) {
        self.text(column.name.as_str());
        self.text(&column.kind.to_string());
        // The length of a text counts: hop 1 must widen the replica's column.
        let has_length = matches!(
            column.kind,
            MySqlType::Char
                | MySqlType::VarChar
                | MySqlType::Text
                | MySqlType::VarBinary
                | MySqlType::Blob
                | MySqlType::Geometry
        );
        self.text(if has_length { &column.column_type } else { "" });
        self.option(column.charset.as_deref().map(modern).as_deref());
        self.option(column.collation.as_deref().map(modern).as_deref());
        for flag in [column.nullable, column.on_update, column.generated, column.invisible] {
            self.flag(flag);
        }
        self.option(column.expression.as_deref());
        self.option(column.srid.map(|srid| srid.to_string()).as_deref());
    }

    /// The length comes first, so that no two lists of texts look alike.
    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text.as_bytes());
    }

    fn option(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        self.text(text.unwrap_or_default());
    }

    fn number(&mut self, number: usize) {
        self.0.update(&(number as u64).to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.0.update(&[u8::from(flag)]);
    }
}

/// Spells `utf8` and `utf8_…` as newer servers do, so that an upgrade changes no fingerprint.
fn modern(charset: &str) -> String {
    match charset.strip_prefix("utf8") {
        Some(rest) if rest.is_empty() || rest.starts_with('_') => format!("utf8mb3{rest}"),
        _ => charset.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IndexPart, IndexSchema};

    fn table() -> TableSchema {
        let columns = [("id", "int(11)"), ("name", "varchar(10)"), ("kind", "enum('a','b')")].map(
            |(name, kind)| ColumnSchema {
                nullable: false,
                ..ColumnSchema::of_type(name, kind).unwrap()
            },
        );
        let parts = vec![IndexPart { column: Some(0), prefix: None, descending: false }];
        let primary = IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts };
        TableSchema { columns: columns.into(), indexes: vec![primary], ..TableSchema::empty("t") }
    }

    #[track_caller]
    fn changed(change: impl FnOnce(&mut TableSchema)) -> bool {
        let mut other = table();
        change(&mut other);
        other.fingerprint() != table().fingerprint()
    }

    #[test]
    fn it_is_the_same_in_every_build() {
        assert_eq!(table().fingerprint(), 17_602_220_094_561_175_258);
    }

    #[test]
    fn it_changes_with_the_structure_and_nothing_else() {
        assert!(changed(|t| t.columns[1].column_type = "varchar(20)".to_owned()));
        assert!(
            changed(|t| t.columns[2] = ColumnSchema::of_type("kind", "enum('a','c')").unwrap())
        );
        assert!(changed(|t| t.columns[1].nullable = true));
        assert!(changed(|t| t.columns[1].charset = Some("latin1".to_owned())));
        assert!(changed(|t| t.columns.swap(0, 1)));
        assert!(changed(|t| t.indexes.clear()));
        assert!(changed(|t| t.engine = crate::StorageEngine::MyIsam));
        assert!(changed(|t| t.columns[1].expression = Some("`id` + 1".to_owned())));
        assert!(!changed(|t| t.rows = 7));
        assert!(!changed(|t| t.data_bytes = 7));
        assert!(!changed(|t| t.columns[0].column_type = "int".to_owned()));
        let further = IndexSchema {
            name: "k".to_owned(),
            unique: false,
            parts: vec![IndexPart { column: Some(1), prefix: None, descending: false }],
        };
        assert!(!changed(|t| t.indexes.push(further)));
    }

    #[test]
    fn the_two_names_of_utf8mb3_are_one() {
        assert_eq!(modern("utf8"), modern("utf8mb3"));
        assert_eq!(modern("utf8_general_ci"), modern("utf8mb3_general_ci"));
        assert_eq!(modern("utf8mb4"), "utf8mb4");
    }
}
