//! Tables for the tests of this crate.

use handoff_schema::{ColumnSchema, IndexPart, IndexSchema, TableMapping, TableSchema};
use handoff_settings::{TableSettings, ValuePolicies};

/// Describes a table `t` by names, types and collations, whose first column is its key.
pub(crate) fn schema(columns: &[(&str, &str, &str)]) -> TableSchema {
    let columns = columns.iter().enumerate().map(|(place, (name, kind, collation))| ColumnSchema {
        nullable: place > 0,
        collation: (!collation.is_empty()).then(|| (*collation).to_owned()),
        ..ColumnSchema::of_type(name, kind).unwrap()
    });
    let parts = vec![IndexPart { column: Some(0), prefix: None, descending: false }];
    let primary = IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts };
    TableSchema { columns: columns.collect(), indexes: vec![primary], ..TableSchema::empty("t") }
}

/// Maps such a table.
pub(crate) fn mapping(columns: &[(&str, &str, &str)]) -> TableMapping {
    mapped(&schema(columns))
}

/// Maps a table by the defaults.
pub(crate) fn mapped(schema: &TableSchema) -> TableMapping {
    TableMapping::new(schema, &TableSettings::default(), &ValuePolicies::default()).unwrap()
}
