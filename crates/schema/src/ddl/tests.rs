use super::*;
use crate::{ColumnSchema, IndexPart, IndexSchema, TableSchema};
use handoff_settings::{TableSettings, ValuePolicies};

fn mapping(name: &str, key: &[usize]) -> TableMapping {
    let column = |(name, kind, nullable)| ColumnSchema {
        nullable,
        ..ColumnSchema::of_type(name, kind).unwrap()
    };
    let part =
        |&column: &usize| IndexPart { column: Some(column), prefix: None, descending: false };
    let primary = IndexSchema {
        name: "PRIMARY".to_owned(),
        unique: true,
        parts: key.iter().map(part).collect(),
    };
    let schema = TableSchema {
        columns: [
            ("PatNum", "bigint(20)", false),
            ("say \"ah\"", "varchar(10)", true),
            ("DateSeen", "datetime(3)", false),
        ]
        .map(column)
        .into(),
        indexes: if key.is_empty() { vec![] } else { vec![primary] },
        ..TableSchema::empty(name)
    };
    TableMapping::new(&schema, &TableSettings::default(), &ValuePolicies::default()).unwrap()
}

#[test]
fn tables_and_keys_are_spelled_out() {
    let mapping = mapping("Patient", &[0]);
    assert_eq!(
        create_table(&mapping, "raw", "__handoff_1", Persistence::Logged),
        "CREATE TABLE \"raw\".\"__handoff_1\" (\n    \"PatNum\" bigint NOT NULL,\n    \
         \"say \"\"ah\"\"\" text,\n    \"DateSeen\" timestamp(3) without time zone\n)"
    );
    assert!(
        create_table(&mapping, "raw", "s", Persistence::Unlogged)
            .starts_with("CREATE UNLOGGED TABLE \"raw\".\"s\" (")
    );
    let temporary = create_table(&mapping, "raw", "s", Persistence::Temporary);
    assert!(temporary.starts_with("CREATE TEMPORARY TABLE \"s\" ("));
    assert!(temporary.ends_with(") ON COMMIT DROP"));
    assert_eq!(
        add_key(&mapping, "raw", "__handoff_1").unwrap(),
        "ALTER TABLE \"raw\".\"__handoff_1\" ADD PRIMARY KEY (\"PatNum\")"
    );
    assert_eq!(column_list(&mapping), "\"PatNum\", \"say \"\"ah\"\"\", \"DateSeen\"");
    assert_eq!(key_list(&mapping), "\"PatNum\"");
}

#[test]
fn a_table_without_a_key_gets_none() {
    let mapping = mapping("Patient", &[]);
    assert_eq!(add_key(&mapping, "raw", "t"), None);
    assert_eq!(key_list(&mapping), "");
}

fn target(columns: &[(&str, &str, bool)]) -> Vec<PgColumn> {
    let column = |&(name, type_name, not_null): &(&str, &str, bool)| PgColumn {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        not_null,
        generated: false,
        has_default: false,
        is_bound: false,
        is_viewed: false,
    };
    columns.iter().map(column).collect()
}

#[test]
fn a_table_that_takes_the_rows_has_no_differences() {
    let columns = target(&[
        ("DateSeen", "timestamp(3) without time zone", false),
        ("PatNum", "bigint", true),
        ("say \"ah\"", "text", false),
    ]);
    let key = ["PatNum".to_owned()];
    let surplus = SurplusColumns::Refused;
    let found = differences(&mapping("t", &[0]), &columns, &key, surplus);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_difference_is_a_sentence() {
    let mut columns = target(&[
        ("PatNum", "integer", true),
        ("DateSeen", "timestamp(3) without time zone", true),
        ("Note", "text", false),
    ]);
    columns[0].generated = true;
    let key = ["PatNum".to_owned(), "Note".to_owned()];
    assert_eq!(
        differences(&mapping("t", &[0]), &columns, &key, SurplusColumns::Refused),
        [
            "the column \"PatNum\" is integer, not bigint",
            "the column \"PatNum\" is generated and takes no value",
            "the column \"say \"ah\"\" is missing",
            "the column \"DateSeen\" is NOT NULL, but loaded values may be NULL",
            "the column \"Note\" is not in the source",
            "the primary key is \"PatNum\", \"Note\", not \"PatNum\"",
        ]
    );
    assert_eq!(
        differences(&mapping("t", &[0]), &[], &[], SurplusColumns::Refused).last().unwrap(),
        "the primary key is none, not \"PatNum\""
    );
}

#[test]
fn a_column_that_rows_need_no_value_for_is_tolerated() {
    let mapping = mapping("t", &[0]);
    let mut columns = target(&[
        ("PatNum", "bigint", true),
        ("say \"ah\"", "text", false),
        ("DateSeen", "timestamp(3) without time zone", false),
        ("nullable", "text", false),
        ("with a default", "text", true),
        ("generated", "text", true),
        ("wanting", "text", true),
    ]);
    columns[4].has_default = true;
    columns[5].generated = true;
    let key = ["PatNum".to_owned()];
    assert_eq!(
        differences(&mapping, &columns, &key, SurplusColumns::Tolerated),
        ["the column \"wanting\" is not in the source, is NOT NULL and has no default"]
    );
    assert_eq!(differences(&mapping, &columns, &key, SurplusColumns::Refused).len(), 4);
}
