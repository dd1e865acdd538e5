//! The fingerprint of a table's structure.

use crate::stable_hash::StableHash;
use crate::table::TableSchema;

/// Goes up when the description below changes its meaning.
const VERSION: u8 = 1;

impl TableSchema {
    /// Returns a hash of the structure: engine, columns in order with all that decides their
    /// values, and the key. The same in every run, process and build.
    ///
    /// Rows, sizes, further indexes, defaults, display widths of integers and the two names of
    /// utf8mb3 do not count: none of them calls for another copy.
    pub fn fingerprint(&self) -> u64 {
        let mut description = StableHash::new(VERSION);
        description.text(self.engine.name());
        description.flag(self.system_versioned);
        description.number(self.columns.len());
        for column in &self.columns {
            description.column(column);
        }
        for index in self.key().unwrap_or_default() {
            description.number(index);
        }
        description.digest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stable_hash::modern;
    use crate::{ColumnSchema, IndexPart, IndexSchema};

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
