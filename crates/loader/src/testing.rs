//! A made-up table for tests.

use handoff_schema::{ColumnSchema, IndexPart, IndexSchema, TableMapping, TableSchema};
use handoff_settings::{TableSettings, ValuePolicies};

/// The table `t (id int not null, note varchar(9))`, whose key is `id` if it has one.
pub(crate) fn table(keyed: bool) -> TableSchema {
    let id = ColumnSchema { nullable: false, ..ColumnSchema::of_type("id", "int").unwrap() };
    let parts = vec![IndexPart { column: Some(0), prefix: None, descending: false }];
    let primary = IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts };
    let columns = vec![id, ColumnSchema::of_type("note", "varchar(9)").unwrap()];
    let indexes = if keyed { vec![primary] } else { Vec::new() };
    TableSchema { columns, indexes, ..TableSchema::empty("t") }
}

/// The mapping of [`table`].
pub(crate) fn mapping(keyed: bool) -> TableMapping {
    TableMapping::new(&table(keyed), &TableSettings::default(), &ValuePolicies::default()).unwrap()
}
