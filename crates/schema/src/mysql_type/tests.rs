use super::{IntegerSign::*, MySqlType as M, *};
use proptest::prelude::*;

#[track_caller]
fn check(text: &str, expected: M) {
    let parsed: M = text.parse().unwrap();
    assert_eq!(parsed, expected, "{text}");
    assert_eq!(parsed.to_string().parse(), Ok(expected), "{parsed}");
}

fn labels(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|&label| label.to_owned()).collect()
}

#[test]
fn numbers() {
    check("tinyint", M::TinyInt(Signed));
    check("tinyint(1)", M::TinyInt(Signed));
    check("tinyint(3) unsigned zerofill", M::TinyInt(Unsigned));
    check("smallint(6)", M::SmallInt(Signed));
    check("mediumint(8) unsigned", M::MediumInt(Unsigned));
    check("int(10) unsigned zerofill", M::Int(Unsigned));
    check("int(5) zerofill", M::Int(Unsigned));
    check("BIGINT(20) UNSIGNED", M::BigInt(Unsigned));
    check("decimal(65,30)", M::Decimal { precision: 65, scale: 30 });
    check("decimal(10,0) unsigned zerofill", M::Decimal { precision: 10, scale: 0 });
    check("decimal(38,38)", M::Decimal { precision: 38, scale: 38 });
    check("float", M::Float);
    check("float(7,4) unsigned", M::Float);
    check("double(10,2)", M::Double);
    check("double unsigned zerofill", M::Double);
    check("bit(1)", M::Bit(1));
    check("bit(64)", M::Bit(64));
    check("year", M::Year);
    check("year(4)", M::Year);
}

#[test]
fn times() {
    check("date", M::Date);
    check("datetime", M::DateTime(0));
    check("datetime(6)", M::DateTime(6));
    check("timestamp(3)", M::Timestamp(3));
    check("timestamp /* mariadb-5.3 */", M::Timestamp(0));
    check("time(6)", M::Time(6));
}

#[test]
fn texts_and_bytes() {
    check("char(10)", M::Char);
    check("char(0)", M::Char);
    check("varchar(65535)", M::VarChar);
    check("varchar(20) character set latin1 collate latin1_bin", M::VarChar);
    check("varchar(100) /*M!100301 COMPRESSED*/", M::VarChar);
    check("text /*M!100301 COMPRESSED*/", M::Text);
    check("longtext", M::Text);
    check("tinytext", M::Text);
    check("binary(16)", M::Binary(16));
    check("varbinary(255)", M::VarBinary);
    check("mediumblob", M::Blob);
    check("blob /*M!100301 COMPRESSED*/", M::Blob);
}

#[test]
fn labels_keep_every_character() {
    check("enum('a','b')", M::Enum(labels(&["a", "b"])));
    check("enum('a,b','it''s','')", M::Enum(labels(&["a,b", "it's", ""])));
    check(r"enum('back\\slash',''')')", M::Enum(labels(&["back\\slash", "')"])));
    check(r"enum('a\nb\0c\rd')", M::Enum(labels(&["a\nb\0c\rd"])));
    check("set('x','y)','z`','ü','\"q\"')", M::Set(labels(&["x", "y)", "z`", "ü", "\"q\""])));
}

#[test]
fn the_rest() {
    check("json", M::Json);
    check("uuid", M::Uuid);
    check("inet4", M::Inet4);
    check("inet6", M::Inet6);
    check("vector(3)", M::Vector(3));
    for shape in ["geometry", "point", "linestring", "polygon", "multipoint", "multilinestring"] {
        check(shape, M::Geometry);
    }
    for shape in ["multipolygon", "geometrycollection", "geomcollection"] {
        check(shape, M::Geometry);
    }
}

#[test]
fn what_nobody_knows_is_an_error() {
    for text in [
        "",
        "hyperlink",
        "int(10",
        "int signedness",
        "enum()",
        "enum",
        "enum('a'",
        "enum('a',)",
        "decimal(66,2)",
        "decimal(5,6)",
        "bit(65)",
        "bit(0)",
        "datetime(7)",
        "date(3)",
        "json(3)",
        "xmltype",
        "number(10)",
        "char(x)",
        "int(1,2)",
        "set('a') unsigned",
        "text /* open",
    ] {
        assert_eq!(text.parse::<M>(), Err(UnknownType(text.to_owned())), "{text}");
    }
}

proptest! {
    #[test]
    fn any_labels_come_back(labels in proptest::collection::vec(".{0,8}", 1..5)) {
        let kind = M::Enum(labels);
        prop_assert_eq!(kind.to_string().parse(), Ok(kind));
    }

    #[test]
    fn any_text_is_read_without_panic(text in ".{0,40}") {
        let _ = text.parse::<M>();
        let _ = format!("enum({text})").parse::<M>();
    }
}
