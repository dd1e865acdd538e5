//! Every type through the whole of it: by way of a replica and directly, MariaDB and MySQL 9, the
//! expected rows written by hand as PostgreSQL prints them, and proved by the run itself.

use crate::etl::Etl;
use handoff_testbed::{Bed, MySql9, NULL, Row, ServerOptions, Trio, row};

/// Column, type, and value at each edge with its text in PostgreSQL.
pub type Edge = (&'static str, &'static [(&'static str, Option<&'static str>)]);

pub const COMMON: &[Edge] = &[
    ("TINYINT", &[("-128", Some("-128")), ("127", Some("127"))]),
    ("TINYINT(1)", &[("2", Some("2")), ("0", Some("0"))]),
    ("TINYINT UNSIGNED", &[("0", Some("0")), ("255", Some("255"))]),
    ("SMALLINT UNSIGNED", &[("0", Some("0")), ("65535", Some("65535"))]),
    ("MEDIUMINT", &[("-8388608", Some("-8388608")), ("8388607", Some("8388607"))]),
    ("INT UNSIGNED", &[("0", Some("0")), ("4294967295", Some("4294967295"))]),
    (
        "BIGINT",
        &[
            ("-9223372036854775808", Some("-9223372036854775808")),
            ("9007199254740993", Some("9007199254740993")),
        ],
    ),
    (
        "BIGINT UNSIGNED",
        &[("18446744073709551615", Some("18446744073709551615")), ("0", Some("0"))],
    ),
    (
        "DECIMAL(65,30)",
        &[
            (
                "-99999999999999999999999999999999999.999999999999999999999999999999",
                Some("-99999999999999999999999999999999999.999999999999999999999999999999"),
            ),
            ("0.000000000000000000000000000001", Some("0.000000000000000000000000000001")),
        ],
    ),
    ("DECIMAL(10,0)", &[("-1", Some("-1")), ("10000", Some("10000"))]),
    ("FLOAT", &[("1.17549435e-38", Some("1.1754944e-38")), ("0.1", Some("0.1"))]),
    (
        "DOUBLE",
        &[("5e-324", Some("5e-324")), ("1.7976931348623157e308", Some("1.7976931348623157e+308"))],
    ),
    ("BIT(1)", &[("b'1'", Some("true")), ("b'0'", Some("false"))]),
    (
        "BIT(64)",
        &[
            (
                "0x8000000000000001",
                Some("1000000000000000000000000000000000000000000000000000000000000001"),
            ),
            ("0", Some("0000000000000000000000000000000000000000000000000000000000000000")),
        ],
    ),
    ("YEAR", &[("1901", Some("1901")), ("0", Some("0"))]),
    ("DATE", &[("'0001-01-01'", Some("0001-01-01")), ("'0000-00-00'", None)]),
    (
        "DATETIME(6)",
        &[
            ("'9999-12-31 23:59:59.999999'", Some("9999-12-31 23:59:59.999999")),
            ("'2023-02-31 00:00:00'", None),
        ],
    ),
    (
        "TIMESTAMP(3) NULL",
        &[
            ("'2038-01-19 03:14:07.999'", Some("2038-01-19 03:14:07.999+00")),
            ("'1970-01-01 00:00:01'", Some("1970-01-01 00:00:01+00")),
        ],
    ),
    (
        "TIME(6)",
        &[
            ("'-838:59:59.000000'", Some("-838:59:59")),
            ("'00:00:00.000001'", Some("00:00:00.000001")),
        ],
    ),
    (
        "CHAR(4) CHARACTER SET latin1",
        &[("'\u{e9}\u{20ac}'", Some("\u{e9}\u{20ac}")), ("''", Some(""))],
    ),
    (
        "VARCHAR(40) CHARACTER SET utf8mb4",
        &[
            ("'\u{1f9b7} \\\\N \\'\"'", Some("\u{1f9b7} \\N '\"")),
            ("'a\\tb\\r\\n\\\\.'", Some("a\tb\r\n\\.")),
        ],
    ),
    ("TEXT CHARACTER SET utf8mb4", &[("'NULL'", Some("NULL")), ("CHAR(65,0,66)", Some("AB"))]),
    ("VARCHAR(10) CHARACTER SET sjis", &[("'\u{6b6f}'", Some("\u{6b6f}")), ("''", Some(""))]),
    ("BINARY(3)", &[("0x01", Some("\\x010000")), ("0xFF00FF", Some("\\xff00ff"))]),
    ("LONGBLOB", &[("''", Some("\\x")), ("0x5C000A", Some("\\x5c000a"))]),
    ("ENUM('a','b''c','')", &[("'b''c'", Some("b'c")), ("1", Some("a"))]),
    ("SET('a','b','c')", &[("'c,a'", Some("{a,c}")), ("''", Some("{}"))]),
    (
        "JSON",
        &[
            (
                "'{\"b\":1.25,\"a\":[1,null,\"\\\\u00e9\"]}'",
                Some("{\"a\": [1, null, \"\u{e9}\"], \"b\": 1.25}"),
            ),
            ("'[]'", Some("[]")),
        ],
    ),
    (
        "POINT",
        &[
            (
                "ST_GeomFromText('POINT(1 2)')",
                Some("\\x0101000000000000000000f03f0000000000000040"),
            ),
            ("NULL", None),
        ],
    ),
];

// A cast to text prints the netmask, which the values do not have of their own.
pub const MARIADB: &[Edge] = &[
    (
        "UUID",
        &[
            (
                "'123e4567-e89b-12d3-a456-426655440000'",
                Some("123e4567-e89b-12d3-a456-426655440000"),
            ),
            ("NULL", None),
        ],
    ),
    (
        "INET6",
        &[
            ("'2001:db8::1'", Some("2001:db8::1/128")),
            ("'::ffff:1.2.3.4'", Some("::ffff:1.2.3.4/128")),
        ],
    ),
    ("INET4", &[("'255.0.0.1'", Some("255.0.0.1/32")), ("NULL", None)]),
];

pub const MYSQL9: &[Edge] =
    &[("VECTOR(2)", &[("STRING_TO_VECTOR('[1.5,-2]')", Some("{1.5,-2}")), ("NULL", None)])];

/// Makes the table `every` with two rows, and returns the rows expected.
fn make(trio: &Trio, engine: &str, edges: &[&[Edge]]) -> Vec<Row> {
    let (sql, expected) = statements(engine, edges);
    trio.sql_source(&sql);
    trio.sql_target(&format!("ALTER DATABASE {} SET timezone = 'UTC'", trio.target_name()));
    expected
}

/// Spells what makes the table `every` with two rows, and the rows expected.
pub fn statements(engine: &str, edges: &[&[Edge]]) -> (String, Vec<Row>) {
    let edges: Vec<Edge> = edges.concat();
    let columns: Vec<String> =
        edges.iter().enumerate().map(|(n, (kind, _))| format!("c{n} {kind}")).collect();
    let mut sql = format!(
        "SET sql_mode = 'NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES', time_zone = '+00:00', \
         NAMES utf8mb4; CREATE TABLE every (id INT PRIMARY KEY, {}) ENGINE={engine}; ",
        columns.join(", ")
    );
    sql = sql.replace(", NAMES utf8mb4", "; SET NAMES utf8mb4");
    let mut expected = Vec::new();
    for row in 0..2 {
        let values: Vec<&str> = edges.iter().map(|(_, cases)| cases[row].0).collect();
        sql += &format!("INSERT INTO every VALUES ({row}, {}); ", values.join(", "));
        let cells = edges.iter().map(|(_, cases)| cases[row].1.map(str::to_owned));
        expected.push([Some(row.to_string())].into_iter().chain(cells).collect());
    }
    (sql, expected)
}

/// Makes the table `every` of all types of MariaDB.
pub fn make_mariadb(trio: &Trio, engine: &str) {
    make(trio, engine, &[COMMON, MARIADB]);
}

#[track_caller]
fn check(trio: &Trio, engine: &str, edges: &[&[Edge]]) {
    let expected = make(trio, engine, edges);
    Etl::new(trio).ok(&["run", "--prove"]);
    assert_eq!(trio.rows("every"), expected, "{engine}, through the replica");
    // A second run over rows of every type finds nothing to change.
    let again = Etl::new(trio).ok(&["run", "--json"]);
    assert!(
        again.stdout.contains("\"rows_updated\": 0") || again.stdout.contains("\"rows_updated\":0")
    );
}

#[track_caller]
fn check_direct(trio: &Trio, engine: &str, edges: &[&[Edge]]) {
    let expected = make(trio, engine, edges);
    Etl::direct(trio).ok(&["run", "--prove"]);
    assert_eq!(trio.rows("every"), expected, "{engine}, directly");
}

#[test]
fn every_type_of_mariadb_through_the_replica() {
    for engine in ["MyISAM", "InnoDB", "Aria"] {
        check(&Trio::new("types_replica"), engine, &[COMMON, MARIADB]);
    }
}

#[test]
fn every_type_of_mariadb_directly() {
    for engine in ["MyISAM", "InnoDB"] {
        check_direct(&Trio::new("types_direct"), engine, &[COMMON, MARIADB]);
    }
}

#[test]
fn every_type_of_mysql_9_both_ways() {
    let server = match MySql9::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(error) if error.is_missing() => {
            eprintln!("not run: {}", error.chain());
            return;
        }
        Err(error) => panic!("{}", error.chain()),
    };
    let other = MySql9::start(&ServerOptions::default()).unwrap();
    let target = Bed::shared().target();
    for replica in [server.endpoint(), other.endpoint()] {
        let trio = Trio::on("types_mysql9", server.endpoint(), replica, target);
        check(&trio, "InnoDB", &[COMMON, MYSQL9]);
    }
    let trio = Trio::on("types_mysql9_direct", server.endpoint(), server.endpoint(), target);
    check_direct(&trio, "InnoDB", &[COMMON, MYSQL9]);
}

#[test]
fn wide_tables_and_large_rows() {
    let trio = Trio::new("wide");
    for (table, width, kind) in
        [("w1", 1, "INT"), ("w300", 300, "SMALLINT"), ("w1017", 1017, "TINYINT")]
    {
        let columns: Vec<String> =
            (0..width).map(|n| format!("c{n} {kind} DEFAULT {}", n % 100)).collect();
        trio.sql_source(&format!(
            "CREATE TABLE {table} ({}) ENGINE=MyISAM; INSERT INTO {table} (c0) VALUES (1), (1), (NULL)",
            columns.join(", ")
        ));
    }
    trio.sql_source(
        "SET GLOBAL max_allowed_packet = 1 << 26; \
         CREATE TABLE large (id INT PRIMARY KEY, body LONGTEXT, image LONGBLOB)",
    );
    trio.sql_replica("SET GLOBAL max_allowed_packet = 1 << 26");
    trio.sql_source("INSERT INTO large VALUES (1, REPEAT('\u{e9}', 8 << 20), NULL), (2, '', REPEAT(CHAR(0), 16 << 20))");
    Etl::new(&trio).ok(&["run", "--prove"]);
    let sizes = "SELECT string_agg(octet_length(body)::text || '/' || coalesce(octet_length(image)::text, '-'), ' ' ORDER BY id) FROM raw.large";
    let sizes: String = trio.target().query_one(sizes, &[]).unwrap().get(0);
    assert_eq!(sizes, "16777216/- 0/16777216");
    assert_eq!(trio.rows("w1"), [row![NULL], row!["1"], row!["1"]]);
    assert_eq!(trio.rows("w1017")[2].len(), 1017);
}
