//! Every type at its edges, with what PostgreSQL must print written by hand.

use super::{Rig, on_both};
use handoff_testbed::{NULL, Row, row};

/// Makes a table of one column, carries it and compares what PostgreSQL prints. `values` are
/// literals of MySQL; each belongs to the text that stands beside it.
#[track_caller]
fn check(rig: &Rig, column_type: &str, cases: &[(&str, Option<&str>)]) {
    check_as(rig, column_type, None, cases);
}

#[track_caller]
fn check_as(rig: &Rig, column_type: &str, to: Option<&str>, cases: &[(&str, Option<&str>)]) {
    let list: Vec<String> =
        cases.iter().enumerate().map(|(id, (value, _))| format!("({id}, {value})")).collect();
    rig.trio.sql_source(&format!(
        "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00', NAMES utf8mb4;
         DROP TABLE IF EXISTS edge;
         CREATE TABLE edge (id INT NOT NULL PRIMARY KEY, v {column_type});
         INSERT INTO edge VALUES {}",
        list.join(", ")
    ));
    let overrides: Vec<(&str, &str)> = to.map(|to| ("v", to)).into_iter().collect();
    let values = handoff_settings::ValuePolicies::default();
    rig.carry_with("edge", &overrides, &values).unwrap();
    let mut expected: Vec<Row> = cases
        .iter()
        .enumerate()
        .map(|(id, (_, text))| row![id.to_string().as_str(), *text])
        .collect();
    expected.sort();
    assert_eq!(rig.trio.rows("edge"), expected, "{column_type}");
}

/// Cases whose literal is what PostgreSQL prints, too.
#[track_caller]
fn check_same(rig: &Rig, column_type: &str, values: &[&str]) {
    let quoted: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
    let mut cases: Vec<(&str, Option<&str>)> =
        quoted.iter().map(String::as_str).zip(values.iter().copied().map(Some)).collect();
    cases.push(("NULL", NULL));
    check(rig, column_type, &cases);
}

#[test]
fn integers() {
    on_both("rows integers", |rig| {
        check_same(rig, "TINYINT", &["-128", "127", "0"]);
        check_same(rig, "TINYINT(1)", &["-1", "2", "1"]);
        check_same(rig, "TINYINT UNSIGNED", &["0", "255"]);
        check_same(rig, "SMALLINT", &["-32768", "32767"]);
        check_same(rig, "SMALLINT UNSIGNED", &["65535"]);
        check_same(rig, "MEDIUMINT", &["-8388608", "8388607"]);
        check_same(rig, "MEDIUMINT UNSIGNED", &["16777215"]);
        check_same(rig, "INT", &["-2147483648", "2147483647"]);
        check_same(rig, "INT UNSIGNED", &["4294967295", "0"]);
        check_same(
            rig,
            "BIGINT",
            &["-9223372036854775808", "9223372036854775807", "9007199254740993"],
        );
        check_same(
            rig,
            "BIGINT UNSIGNED",
            &[
                "18446744073709551615",
                "0",
                "1",
                "9999",
                "10000",
                "100000000",
                "9223372036854775808",
            ],
        );
        check(rig, "INT(8) ZEROFILL", &[("7", Some("7"))]);
        check_same(rig, "YEAR", &["1901", "2155"]);
        check(rig, "YEAR", &[("0", Some("0")), ("'0000'", Some("0"))]);
    });
}

#[test]
fn integers_as_other_types() {
    on_both("rows overrides", |rig| {
        let truth = [("0", Some("false")), ("1", Some("true")), ("NULL", NULL)];
        check_as(rig, "TINYINT", Some("boolean"), &truth);
        let cases = [("-7", Some("-7")), ("NULL", NULL)];
        for to in ["integer", "bigint", "numeric(5,0)", "text"] {
            check_as(rig, "TINYINT", Some(to), &cases);
        }
        check_as(rig, "BIGINT UNSIGNED", Some("bigint"), &[("5", Some("5"))]);
        check_as(rig, "DECIMAL(5,2)", Some("numeric(10,2)"), &[("-1.50", Some("-1.50"))]);
        check_as(rig, "DECIMAL(5,2)", Some("text"), &[("-1.50", Some("-1.50"))]);
        check_as(rig, "FLOAT", Some("double precision"), &[("0.1", Some("0.10000000149011612"))]);
        check_as(rig, "TIME(2)", Some("time"), &[("'23:59:59.25'", Some("23:59:59.25"))]);
        check_as(rig, "TIME", Some("text"), &[("'-838:59:59'", Some("-838:59:59"))]);
        check_as(rig, "DATE", Some("text"), &[("'0000-00-00'", Some("0000-00-00"))]);
        check_as(
            rig,
            "DATETIME(3)",
            Some("text"),
            &[("'2023-02-31 01:02:03.4'", Some("2023-02-31 01:02:03.400"))],
        );
        check_as(
            rig,
            "DATETIME",
            Some("timestamp(6)"),
            &[("'2024-01-01'", Some("2024-01-01 00:00:00"))],
        );
        check_as(rig, "JSON", Some("text"), &[("'[1]'", Some("[1]"))]);
        check_as(rig, "VARCHAR(20)", Some("jsonb"), &[("'[1,  1e1]'", Some("[1, 10]"))]);
        check_as(rig, "SET('a','b')", Some("text"), &[("'b,a'", Some("a,b"))]);
        check_as(
            rig,
            "BINARY(16)",
            Some("uuid"),
            &[(
                "x'00112233445566778899aabbccddeeff'",
                Some("00112233-4455-6677-8899-aabbccddeeff"),
            )],
        );
    });
}

#[test]
fn decimals() {
    on_both("rows decimals", |rig| {
        check_same(
            rig,
            "DECIMAL(10,2)",
            &["0.00", "0.01", "-99999999.99", "12345678.90", "10000.00"],
        );
        check(rig, "DECIMAL(10,2)", &[("-0.00", Some("0.00")), ("1e3", Some("1000.00"))]);
        check_same(rig, "DECIMAL(5,0)", &["0", "99999", "-10000"]);
        check_same(rig, "DECIMAL(5,5)", &["0.00001", "-0.99999", "0.10000"]);
        let most = format!("-{}.{}", "9".repeat(35), "9".repeat(30));
        let least = format!("0.{}1", "0".repeat(29));
        let even = format!("1{}.{}", "0".repeat(34), "0".repeat(30));
        check_same(rig, "DECIMAL(65,30)", &[&most, &least, &even]);
        check(rig, "DECIMAL(8,2) ZEROFILL", &[("1.5", Some("1.50"))]);
    });
}

#[test]
fn floats() {
    on_both("rows floats", |rig| {
        // MariaDB loses the sign on its way in.
        let kept = rig.source.version().flavor == handoff_connect::ServerFlavor::MySql;
        let zero = Some(if kept { "-0" } else { "0" });
        check(
            rig,
            "FLOAT",
            &[
                ("0.1", Some("0.1")),
                ("16777217", Some("1.6777216e+07")),
                ("-0e0", zero),
                ("3.40282346e38", Some("3.4028235e+38")),
                ("1.4e-45", Some("1e-45")),
                ("123456.789", Some("123456.79")),
            ],
        );
        check(
            rig,
            "DOUBLE",
            &[
                ("0.1", Some("0.1")),
                ("-0e0", zero),
                ("1.7976931348623157e308", Some("1.7976931348623157e+308")),
                ("5e-324", Some("5e-324")),
                ("123456789.123456789", Some("123456789.12345679")),
            ],
        );
    });
}

#[test]
fn bits() {
    on_both("rows bits", |rig| {
        check(rig, "BIT(1)", &[("b'1'", Some("true")), ("b'0'", Some("false")), ("NULL", NULL)]);
        check(rig, "BIT(3)", &[("b'101'", Some("101"))]);
        check(rig, "BIT(8)", &[("b'10000001'", Some("10000001"))]);
        check(rig, "BIT(10)", &[("b'1010101010'", Some("1010101010")), ("1", Some("0000000001"))]);
        let ones = "1".repeat(64);
        check(rig, "BIT(64)", &[("18446744073709551615", Some(&ones))]);
    });
}

#[test]
fn dates_and_times() {
    on_both("rows dates", |rig| {
        check_same(
            rig,
            "DATE",
            &["0001-01-01", "9999-12-31", "2024-02-29", "1999-12-31", "1582-10-10"],
        );
        check_same(
            rig,
            "DATETIME(6)",
            &["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "1999-12-31 23:59:59.000001"],
        );
        check_same(rig, "DATETIME", &["2024-02-29 12:34:56"]);
        check_same(rig, "DATETIME(2)", &["2024-02-29 12:34:56.25"]);
        check(
            rig,
            "TIMESTAMP(3) NULL",
            &[
                ("'1970-01-01 00:00:01'", Some("1970-01-01 00:00:01+00")),
                ("'2038-01-19 03:14:07.999'", Some("2038-01-19 03:14:07.999+00")),
                ("NULL", NULL),
            ],
        );
        check_same(
            rig,
            "TIME(6)",
            &["838:59:59", "-838:59:59", "00:00:00", "-00:00:00.000001", "24:00:00", "12:34:56.5"],
        );
        for (kind, zero) in [("DATE", "'0000-00-00'"), ("DATETIME", "'0000-00-00'")] {
            check(
                rig,
                kind,
                &[
                    (zero, NULL),
                    ("'2020-00-00'", NULL),
                    ("'2020-05-00'", NULL),
                    ("'0000-01-01'", NULL),
                    ("'2023-02-31'", NULL),
                ],
            );
        }
    });
}

#[test]
fn texts() {
    on_both("rows texts", |rig| {
        let strange = "a\u{1}\u{7f}\u{200b}\u{feff}😀 é\\n";
        let literal = strange.replace('\\', "\\\\");
        for kind in ["VARCHAR(50)", "TEXT", "LONGTEXT", "TINYTEXT", "CHAR(50)"] {
            let quoted = format!("'{literal}'");
            let cases = [(quoted.as_str(), Some(strange)), ("''", Some("")), ("NULL", NULL)];
            check(rig, kind, &cases);
        }
        check(rig, "CHAR(5)", &[("'ab  '", Some("ab"))]);
        check(rig, "VARCHAR(5)", &[("'ab  '", Some("ab  ")), ("' '", Some(" "))]);
        check(rig, "VARCHAR(9) CHARACTER SET utf8mb3", &[("'aé€'", Some("aé€"))]);
        check(rig, "VARCHAR(9) CHARACTER SET ascii", &[("'abc'", Some("abc"))]);
        let latin1: String = (0x80..=0xff_u8).map(|byte| format!("{byte:02x}")).collect();
        check(
            rig,
            "VARCHAR(200) CHARACTER SET latin1",
            &[(
                &format!("x'{latin1}'"),
                Some(
                    "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ\u{a0}¡¢£¤¥¦§¨©ª«¬\
                     \u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö\
                     ÷øùúûüýþÿ",
                ),
            )],
        );
    });
}

#[test]
fn every_character_set() {
    on_both("rows character sets", |rig| {
        let mut conn = rig.trio.source();
        let names: Vec<String> = mysql::prelude::Queryable::query(
            &mut conn,
            "SELECT character_set_name FROM information_schema.character_sets \
             WHERE character_set_name <> 'binary'",
        )
        .unwrap();
        assert!(names.len() >= 39);
        for name in &names {
            let kind = format!("VARCHAR(20) CHARACTER SET {name}");
            let cases = [("'ascii? yes '", Some("ascii? yes ")), ("''", Some("")), ("NULL", NULL)];
            // Seven-bit sets of another alphabet have no `?` and the like.
            if matches!(name.as_str(), "swe7") {
                check(rig, &kind, &[("'abc'", Some("abc"))]);
            } else {
                check(rig, &kind, &cases);
            }
        }
        println!("{} character sets", names.len());
        for (name, text) in [
            ("gbk", "漢字"),
            ("sjis", "漢字ｱ"),
            ("euckr", "한국"),
            ("big5", "漢字"),
            ("ujis", "漢字"),
            ("utf16", "é😀"),
            ("utf32", "é😀"),
            ("ucs2", "é€"),
            ("cp1251", "Ж"),
            ("koi8r", "Ж"),
            ("greek", "Ω"),
            ("hebrew", "א"),
            ("latin2", "ł"),
            ("macroman", "é"),
            ("utf16le", "é😀"),
            ("gb2312", "汉字"),
            ("tis620", "ก"),
            ("cp932", "漢①"),
            ("eucjpms", "漢①"),
        ] {
            let kind = format!("VARCHAR(20) CHARACTER SET {name}");
            check(rig, &kind, &[(&format!("'{text}'"), Some(text))]);
        }
        // One of the characters that cp932 has twice.
        check(rig, "VARCHAR(5) CHARACTER SET cp932", &[("x'ed40'", Some("纊"))]);
    });
}

#[test]
fn labels() {
    on_both("rows labels", |rig| {
        let kind = "ENUM('a','it''s','é','')";
        check(
            rig,
            kind,
            &[("'a'", Some("a")), ("'it''s'", Some("it's")), ("3", Some("é")), ("4", Some(""))],
        );
        check(rig, "ENUM('a','b')", &[("'x'", Some("")), ("2", Some("b"))]);
        check(rig, "ENUM('a','é') CHARACTER SET latin1", &[("'é'", Some("é")), ("NULL", NULL)]);
        check(rig, "ENUM('漢') CHARACTER SET gbk", &[("'漢'", Some("漢"))]);
        let cases = [
            ("'b,a'", Some("{a,b}")),
            ("''", Some("{}")),
            ("NULL", NULL),
            ("4", Some("{\"x y\"}")),
        ];
        check(rig, "SET('a','b','x y')", &cases);
        check(rig, "SET('é','ü') CHARACTER SET latin1", &[("3", Some("{é,ü}"))]);
        check(
            rig,
            "SET('漢','字') CHARACTER SET gbk",
            &[("3", Some("{漢,字}")), ("0", Some("{}"))],
        );
        let cases =
            [("0", Some("{}")), ("1", Some("{\"\"}")), ("2", Some("{a}")), ("3", Some("{\"\",a}"))];
        check(rig, "SET('','a')", &cases);
    });
}

#[test]
fn bytes() {
    on_both("rows bytes", |rig| {
        let cases = [("x''", Some("\\x")), ("x'00ff80'", Some("\\x00ff80")), ("NULL", NULL)];
        for kind in ["VARBINARY(9)", "BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB"] {
            check(rig, kind, &cases);
        }
        check(rig, "BINARY(4)", &[("x'00ff'", Some("\\x00ff0000"))]);
    });
}

#[test]
fn geometries() {
    on_both("rows geometries", |rig| {
        check(
            rig,
            "GEOMETRY",
            &[
                (
                    "ST_GeomFromText('POINT(1 2)')",
                    Some("\\x0101000000000000000000f03f0000000000000040"),
                ),
                (
                    "ST_GeomFromText('POINT(1 2)', 0)",
                    Some("\\x0101000000000000000000f03f0000000000000040"),
                ),
                // The bytes of the column itself: MySQL's functions swap the axes of SRID 4326.
                (
                    "ST_GeomFromWKB(x'0101000000000000000000f03f0000000000000040', 3857)",
                    Some("\\x0101000020110f0000000000000000f03f0000000000000040"),
                ),
                (
                    "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))', 3857)",
                    Some("\\x0107000020110f0000010000000101000000000000000000f03f0000000000000040"),
                ),
                ("NULL", NULL),
            ],
        );
    });
}

#[test]
fn types_of_mariadb() {
    let rig = Rig::new("rows mariadb types");
    check_same(
        &rig,
        "UUID",
        &["00112233-4455-6677-8899-aabbccddeeff", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    );
    check(
        &rig,
        "INET4",
        &[("'0.0.0.0'", Some("0.0.0.0/32")), ("'255.1.2.3'", Some("255.1.2.3/32"))],
    );
    check(
        &rig,
        "INET6",
        &[
            ("'::'", Some("::/128")),
            ("'::1'", Some("::1/128")),
            ("'2001:db8::ff00:42:8329'", Some("2001:db8::ff00:42:8329/128")),
            ("'::ffff:1.2.3.4'", Some("::ffff:1.2.3.4/128")),
            ("'::1.2.3.4'", Some("::1.2.3.4/128")),
        ],
    );
}

#[test]
fn vectors_of_mysql() {
    on_both("rows vectors", |rig| {
        if rig.source.version().flavor == handoff_connect::ServerFlavor::MariaDb {
            return;
        }
        check(
            rig,
            "VECTOR(3)",
            &[("STRING_TO_VECTOR('[1,-2.5,1e-37]')", Some("{1,-2.5,1e-37}")), ("NULL", NULL)],
        );
    });
}
