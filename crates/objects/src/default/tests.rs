//! Tables of defaults.

use super::*;
use crate::testing::mapping;
use ColumnDefault::{Expression, Literal};
use handoff_settings::{TableSettings, ValuePolicies};

#[track_caller]
fn check(kind: &str, default: &ColumnDefault, expected: Result<&str, &str>) {
    let mapping = mapping(&[("id", "int", ""), ("c", kind, "")]);
    let found = default_of(&mapping.columns[1], default);
    match expected {
        Ok(sql) => assert_eq!(found.as_deref(), Ok(sql), "{kind} {default:?}"),
        Err(part) => {
            let reason = found.unwrap_err();
            assert!(reason.contains(part), "{kind} {default:?}: {reason}");
        }
    }
}

fn literal(text: &str) -> ColumnDefault {
    Literal(text.to_owned())
}

fn expression(text: &str) -> ColumnDefault {
    Expression(text.to_owned())
}

#[test]
fn numbers() {
    check("int", &literal("0"), Ok("0"));
    check("int", &literal("-0005"), Ok("-5"));
    check("tinyint(1)", &literal("1"), Ok("1"));
    check("int", &literal("1.5"), Err("no whole number"));
    check("decimal(10,2)", &literal("0.00"), Ok("0.00"));
    check("decimal(10,2)", &literal("1e3"), Err("no constant"));
    check("bigint unsigned", &literal("18446744073709551615"), Ok("18446744073709551615"));
    check("double", &literal("1e-10"), Ok("'1e-10'::double precision"));
    check("float", &literal("nan"), Err("no constant"));
    check("year", &literal("2020"), Ok("2020"));
    check("year", &literal("20"), Err("no year"));
    check("int", &expression("(1 + 2)"), Ok("(1::bigint + 2::bigint)"));
    check("int", &expression("(7 / 2)"), Err("a division that rounds"));
    check("int", &expression("`other` + 1"), Err("an unknown column"));
    check("int", &expression("rand()"), Err("the function rand"));
}

#[test]
fn bits_and_truth() {
    check("bit(1)", &literal("b'1'"), Ok("true"));
    check("bit(1)", &expression("b'0'"), Ok("false"));
    check("bit(5)", &expression("b'101'"), Ok("B'00101'"));
    check("bit(3)", &literal("b'00101'"), Ok("B'101'"));
    check("bit(3)", &literal("b'1101'"), Err("no value of its bits"));
    check("bit(3)", &literal("5"), Err("no value of its bits"));
    let schema = crate::testing::schema(&[("id", "int", ""), ("c", "tinyint(1)", "")]);
    let columns = [(handoff_model::ColumnName::new("c").unwrap(), "boolean".to_owned())].into();
    let settings = TableSettings { columns, ..TableSettings::default() };
    let mapping = TableMapping::new(&schema, &settings, &ValuePolicies::default()).unwrap();
    let found = |text: &str| default_of(&mapping.columns[1], &literal(text));
    assert_eq!(found("1").as_deref(), Ok("true"));
    assert_eq!(found("0").as_deref(), Ok("false"));
    assert!(found("2").is_err());
}

#[test]
fn texts() {
    check("varchar(9)", &literal("it's"), Ok("'it''s'"));
    check("varchar(9)", &literal("a\\b"), Ok(r"'a\b'"));
    check("varchar(9)", &literal("a "), Ok("'a '"));
    check("char(9)", &literal("a "), Ok("'a'"));
    check("varchar(9)", &literal("why?"), Err("may not know"));
    check("varchar(9)", &expression("'a\\nb'"), Err("backslash"));
    check("text", &expression("_utf8mb4\\'abc\\'"), Ok("'abc'"));
    check("varchar(9)", &expression("'a' || 'b'"), Err("the sign ||"));
    check("varchar(40)", &expression("uuid()"), Err("the function uuid"));
    check("enum('a','b')", &literal("b"), Ok("'b'"));
    check("enum('a','b')", &literal("B"), Err("no label"));
    check("set('a','b','c')", &literal("c,a"), Ok("ARRAY['a', 'c']::text[]"));
    check("set('a','b')", &literal(""), Ok("ARRAY[]::text[]"));
    check("set('a','b')", &literal("d"), Err("no label"));
    check("json", &literal("{}"), Ok("'{}'::jsonb"));
    check("json", &literal("{"), Err("no JSON"));
    check("json", &expression("json_object()"), Err("the function json_object"));
    check("binary(3)", &literal("0x616263"), Err("its bytes"));
    check("varbinary(9)", &literal("abc"), Err("its bytes"));
}

#[test]
fn times() {
    check("date", &literal("2000-01-31"), Ok("'2000-01-31'::date"));
    check("date", &literal("0000-00-00"), Err("no day"));
    check("date", &literal("2000-02-31"), Err("no day"));
    check("datetime", &literal("0000-00-00 00:00:00"), Err("no day"));
    check(
        "datetime",
        &literal("2000-01-01 10:00:00"),
        Ok("'2000-01-01 10:00:00'::timestamp(0) without time zone"),
    );
    check("timestamp", &literal("2000-01-01 10:00:00"), Err("time zone"));
    check("time", &literal("-838:59:59"), Ok("'-838:59:59'::interval"));
    check("time", &literal("1:00"), Err("no constant"));
    check(
        "datetime",
        &expression("current_timestamp()"),
        Ok("date_trunc('second', LOCALTIMESTAMP)"),
    );
    check("datetime(6)", &expression("CURRENT_TIMESTAMP(6)"), Ok("LOCALTIMESTAMP"));
    check(
        "timestamp(3)",
        &expression("now(3)"),
        Ok("date_trunc('milliseconds', CURRENT_TIMESTAMP)"),
    );
    check("timestamp(2)", &expression("now(2)"), Ok("CURRENT_TIMESTAMP(2)"));
    check("date", &expression("(curdate())"), Ok("CURRENT_DATE"));
    check("varchar(20)", &expression("current_timestamp()"), Err("no constant"));
    check("datetime", &expression("now() + interval 1 day"), Err("the function now"));
}
