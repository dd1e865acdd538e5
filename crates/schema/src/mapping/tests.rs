use super::*;
use crate::{ColumnSchema, IndexPart, IndexSchema};
use handoff_model::ColumnName;
use handoff_settings::{BadJson, ZeroDates};

/// Parses what `COLUMN_TYPE` holds, maps it, and prints it.
#[track_caller]
fn check(column_type: &str, expected: &str) {
    let column = ColumnSchema::of_type("c", column_type).unwrap();
    assert_eq!(default_type(&column.kind).to_string(), expected, "{column_type}");
}

#[test]
fn the_table_of_the_documentation() {
    check("tinyint(1)", "smallint");
    check("tinyint(3) unsigned", "smallint");
    check("smallint(6)", "smallint");
    check("smallint unsigned", "integer");
    check("mediumint", "integer");
    check("mediumint unsigned", "integer");
    check("int(11)", "integer");
    check("int(10) unsigned", "bigint");
    check("bigint(20)", "bigint");
    check("bigint(20) unsigned zerofill", "numeric(20,0)");
    check("decimal(65,30)", "numeric(65,30)");
    check("float(7,4)", "real");
    check("double", "double precision");
    check("bit(1)", "boolean");
    check("bit(64)", "bit(64)");
    check("year(4)", "smallint");
    check("date", "date");
    check("datetime", "timestamp(0) without time zone");
    check("datetime(6)", "timestamp(6) without time zone");
    check("timestamp(3)", "timestamp(3) with time zone");
    check("time(6)", "interval");
    check("char(3)", "text");
    check("varchar(255)", "text");
    check("mediumtext", "text");
    check("binary(16)", "bytea");
    check("varbinary(3)", "bytea");
    check("longblob", "bytea");
    check("enum('a')", "text");
    check("set('a')", "text[]");
    check("json", "jsonb");
    check("uuid", "uuid");
    check("inet4", "inet");
    check("inet6", "inet");
    check("point", "bytea");
    check("vector(3)", "real[]");
}

fn table(columns: &[(&str, &str)], key: &[usize]) -> TableSchema {
    let column = |&(name, kind): &(&str, &str)| ColumnSchema {
        nullable: false,
        ..ColumnSchema::of_type(name, kind).unwrap()
    };
    let part =
        |&column: &usize| IndexPart { column: Some(column), prefix: None, descending: false };
    let parts: Vec<IndexPart> = key.iter().map(part).collect();
    let primary = IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts };
    TableSchema {
        columns: columns.iter().map(column).collect(),
        indexes: if key.is_empty() { Vec::new() } else { vec![primary] },
        ..TableSchema::empty("t")
    }
}

fn with_override(column_type: &str, name: &str, wanted: &str) -> Result<String> {
    let mut settings = TableSettings::default();
    settings.columns.insert(ColumnName::new(name).unwrap(), wanted.to_owned());
    let schema = table(&[("id", "int"), ("Flag", column_type)], &[0]);
    let mapping = TableMapping::new(&schema, &settings, &ValuePolicies::default())?;
    Ok(mapping.columns[1].pg.to_string())
}

#[test]
fn overrides_that_fit() {
    let check = |from, wanted, expected: &str| {
        assert_eq!(with_override(from, "Flag", wanted).unwrap(), expected, "{from} {wanted}");
    };
    check("tinyint(1)", "boolean", "boolean");
    check("tinyint(4) unsigned", "bool", "boolean");
    check("bit(1)", "boolean", "boolean");
    check("bit(1)", "bit(1)", "bit(1)");
    check("time", "time", "time(0) without time zone");
    check("time(3)", "time(3)", "time(3) without time zone");
    check("time(3)", "time", "time(3) without time zone");
    check("binary(16)", "uuid", "uuid");
    check("json", "text", "text");
    check("set('a')", "text", "text");
    check("uuid", "text", "text");
    check("varchar(10)", "jsonb", "jsonb");
    check("date", "text", "text");
    check("varbinary(16)", "uuid", "uuid");
    check("smallint", "numeric(9)", "numeric(9,0)");
    check("int", "bigint", "bigint");
    check("decimal(10,2)", "numeric(12,2)", "numeric(12,2)");
    check("float", "double precision", "double precision");
    check("datetime", "timestamp(6)", "timestamp(6) without time zone");
    check("int", "integer", "integer");
    check("bigint unsigned", "bigint", "bigint");
}

#[test]
fn overrides_that_do_not_fit_say_what_may_be_written() {
    let check = |from, wanted, expected: &str| {
        let error = with_override(from, "Flag", wanted).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(
        "int(11)",
        "smallint",
        "`t`.`Flag` is int(11), which cannot become smallint: write integer, text, bigint \
         or numeric(p,0) with p from 10",
    );
    check(
        "binary(8)",
        "uuid",
        "`t`.`Flag` is binary(8), which cannot become uuid: it can only be bytea, so take \
         the line out",
    );
    check(
        "tinyint(1)",
        "hyperlink",
        "`t`.`Flag` is tinyint(1), which cannot become hyperlink: write smallint, boolean, \
         text, integer, bigint or numeric(p,0) with p from 5",
    );
    check(
        "time(6)",
        "time(0)",
        "`t`.`Flag` is time(6), which cannot become time(0): write interval, time(6) \
         without time zone or text",
    );
}

#[test]
fn an_override_of_a_column_that_is_not_there_is_an_error() {
    let error = with_override("int", "Flog", "bigint").unwrap_err();
    assert!(matches!(error, SchemaError::NoSuchColumn { .. }), "{error}");
    assert_eq!(with_override("int", "FLAG", "bigint").unwrap(), "bigint");
}

#[test]
fn a_text_in_the_key_does_not_become_jsonb() {
    let mut settings = TableSettings::default();
    settings.columns.insert(ColumnName::new("doc").unwrap(), "jsonb".to_owned());
    let schema = table(&[("doc", "varchar(99)")], &[0]);
    let error = TableMapping::new(&schema, &settings, &ValuePolicies::default()).unwrap_err();
    assert!(error.to_string().contains("may be one jsonb value"), "{error}");
}

#[test]
fn an_override_given_twice_is_an_error() {
    let mut settings = TableSettings::default();
    for name in ["flag", "Flag"] {
        settings.columns.insert(ColumnName::new(name).unwrap(), "boolean".to_owned());
    }
    let schema = table(&[("Flag", "tinyint")], &[]);
    let error = TableMapping::new(&schema, &settings, &ValuePolicies::default()).unwrap_err();
    assert!(error.to_string().ends_with("take one out"), "{error}");
}

#[test]
fn a_policy_that_makes_null_drops_not_null_but_never_in_a_key() {
    let schema = table(
        &[("d", "date"), ("seen", "datetime"), ("made", "timestamp"), ("n", "int"), ("j", "json")],
        &[0],
    );
    let nullable = |values: &ValuePolicies| {
        let mapping = TableMapping::new(&schema, &TableSettings::default(), values).unwrap();
        let nullable: Vec<bool> = mapping.columns.iter().map(|column| column.nullable).collect();
        (nullable, mapping.notes)
    };
    let strict = ValuePolicies { zero_dates: ZeroDates::Fail, ..ValuePolicies::default() };
    assert_eq!(nullable(&strict), (vec![false; 5], vec![]));
    let (columns, notes) =
        nullable(&ValuePolicies { zero_dates: ZeroDates::Null, bad_json: BadJson::Null, ..strict });
    assert_eq!(columns, [false, true, true, false, true]);
    assert_eq!(
        notes,
        [
            "`seen`, `made` are NOT NULL in the source and may be NULL in the target, because \
             zero_dates = \"null\"",
            "`j` is NOT NULL in the source and may be NULL in the target, because bad_json = \
             \"null\"",
        ]
    );
}

#[test]
fn limits_of_postgresql_are_named() {
    let map = |schema: &TableSchema| {
        TableMapping::new(schema, &TableSettings::default(), &ValuePolicies::default())
            .unwrap_err()
            .to_string()
    };
    let names: Vec<String> = (0..1601).map(|n| format!("c{n}")).collect();
    let columns: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "int")).collect();
    assert_eq!(map(&table(&columns, &[])), "`t` has 1601 columns, and PostgreSQL allows 1600");
    let key: Vec<usize> = (0..33).collect();
    assert_eq!(
        map(&table(&columns[..40], &key)),
        "the key of `t` has 33 columns, and PostgreSQL allows 32"
    );
    let reserved = TableSchema {
        columns: table(&[("a", "int")], &[]).columns,
        ..TableSchema::empty("etl_runs")
    };
    assert!(map(&reserved).starts_with("`etl_runs` cannot be moved"));
}

#[test]
fn the_key_is_that_of_the_source_in_its_order() {
    let schema = table(&[("a", "int"), ("b", "varchar(9)"), ("c", "int")], &[2, 0]);
    let mapping =
        TableMapping::new(&schema, &TableSettings::default(), &ValuePolicies::default()).unwrap();
    assert_eq!(mapping.pg_key_names(), ["c", "a"]);
    assert_eq!(mapping.columns.iter().map(|c| c.key).collect::<Vec<_>>(), [true, false, true]);
}
